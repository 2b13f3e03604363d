/** The aircraft on the map: its heading, and where its camera looks. */

import type { Sample } from "./api";
import { h, setAttribute, setText, svg } from "./dom";

const REACH_PX = 90; // of the drawn view cone

export interface AircraftSymbol {
  element: HTMLElement;
  body: SVGElement;
  view: SVGElement;
  label: HTMLElement;
}

export function aircraftSymbol(): AircraftSymbol {
  const view = svg("path", { class: "view-cone" });
  const body = svg("path", { class: "aircraft-body", d: "M0-17 11 13 0 6-11 13Z" });
  const box = { viewBox: "-100 -100 200 200", width: "200", height: "200", "aria-hidden": "true" };
  const label = h("span", { class: "aircraft-label" });
  const element = h("div", { class: "aircraft-symbol" });
  element.append(svg("svg", box, view, body), label);
  return { element, body, view, label };
}

/** Which way a camera looks, and how wide. */
export interface Wedge {
  bearing_deg: number;
  hfov_deg: number | null;
}

/** Heading unknown: a round symbol, which points nowhere. View unknown or drawn otherwise: no cone. */
export function turnSymbol(
  symbol: AircraftSymbol,
  sample: Sample,
  look: { main: boolean; old: boolean; past: boolean; label: string; view: Wedge | null },
): void {
  const { yaw_deg: yaw } = sample;
  const { view } = look;
  setAttribute(symbol.body, "d", yaw === null ? "M0-9A9 9 0 1 0 .01-9Z" : "M0-17 11 13 0 6-11 13Z");
  setAttribute(symbol.body, "transform", `rotate(${(yaw ?? 0).toFixed(1)})`);
  setAttribute(symbol.view, "d", view ? viewPath(view.hfov_deg) : "");
  setAttribute(symbol.view, "transform", `rotate(${(view?.bearing_deg ?? 0).toFixed(1)})`);
  setAttribute(symbol.element, "data-freshness", look.old ? "old" : "fresh");
  symbol.element.classList.toggle("main", look.main);
  symbol.element.toggleAttribute("data-past", look.past);
  setText(symbol.label, look.label);
}

/** To the north. Of a lens whose angle is not known only the direction is drawn, as a line. */
export function viewPath(hfovDeg: number | null): string {
  if (hfovDeg === null) return `M0 0V-${REACH_PX}`;
  const half = (Math.min(hfovDeg, 170) / 2) * (Math.PI / 180);
  const [x, y] = [(REACH_PX * Math.sin(half)).toFixed(1), (-REACH_PX * Math.cos(half)).toFixed(1)];
  return `M0 0L-${x} ${y}A${REACH_PX} ${REACH_PX} 0 0 1 ${x} ${y}Z`;
}
