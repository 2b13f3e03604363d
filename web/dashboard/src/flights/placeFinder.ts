/** Where flights are looked for: a map that opens when it is wanted, and how far around the tapped place. */

import { getConfig } from "../api";
import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { icon, type IconName } from "../icons";
import type { Theme } from "../mapStyle";
import type { LonLat } from "../track";
import { utmref } from "../utmref";
import type { Flight } from "./api";
import type { Circle } from "./place";
import type { PlaceMap } from "./placeMap";

const RADII_M = [250, 500, 1000, 5000, 20_000] as const;
const USUAL_M = 500;

export class PlaceFinder {
  private readonly canvas = h("div", { class: "map-canvas" });
  private readonly says = h("p", { role: "status" });
  private readonly attribution = h("p", { class: "map-attribution", hidden: true });
  private readonly radius = h("select", { class: "field", onchange: () => this.resized() });
  private readonly clear = h("button", { type: "button", class: "button", onclick: () => this.pick(null) });
  private readonly zooms: Record<"plus" | "minus", HTMLButtonElement>;
  private readonly summary = h("summary", {});
  readonly element: HTMLDetailsElement;
  private map: PlaceMap | null = null;
  private problem: Key | null = null;
  private chosen: Circle | null = null;
  private flights: readonly Flight[] = [];
  private language: Language = "de";
  private drawn = "";

  constructor(
    private readonly theme: () => Theme,
    private readonly changed: () => void,
  ) {
    const zoom = (name: IconName, step: number): HTMLButtonElement =>
      h(
        "button",
        { type: "button", class: "map-control", onclick: () => this.map?.zoomBy(step) },
        icon(name),
      );
    this.zooms = { plus: zoom("plus", 1), minus: zoom("minus", -1) };
    const area = h(
      "div",
      { class: "map-area" },
      this.canvas,
      h("div", { class: "map-controls" }, ...Object.values(this.zooms)),
      this.attribution,
    );
    const fields = h("div", { class: "fields" }, this.radius, this.clear);
    this.element = h("details", { class: "place-finder" }, this.summary, this.says, fields, area);
    this.element.addEventListener("toggle", () => void this.load());
  }

  /** null: everywhere. */
  get circle(): Circle | null {
    return this.chosen;
  }

  show(language: Language, flights: readonly Flight[]): void {
    this.language = language;
    this.flights = flights;
    setText(this.summary, this.title());
    const key = this.problem ?? (this.chosen ? "place.chosen" : "place.tap");
    setText(this.says, translate(language, key, { count: flights.length }));
    this.clear.hidden = this.chosen === null;
    setText(this.clear, translate(language, "place.everywhere"));
    for (const [button, name] of [
      [this.zooms.plus, "map.zoom_in"],
      [this.zooms.minus, "map.zoom_out"],
    ] as const)
      setAttribute(button, "aria-label", translate(language, name));
    this.drawRadius();
    this.map?.setTheme(this.theme());
    this.map?.show(
      flights.flatMap(({ place }) => (place ? [[place.lon_deg, place.lat_deg] satisfies LonLat] : [])),
    );
  }

  private title(): string {
    if (!this.chosen) return translate(this.language, "place.title");
    const { lat_deg: lat, lon_deg: lon } = this.chosen;
    return `${translate(this.language, "place.title")}: ${utmref(lat, lon) ?? `${lat.toFixed(5)}, ${lon.toFixed(5)}`}`;
  }

  private drawRadius(): void {
    if (this.drawn === this.language) return;
    this.drawn = this.language;
    setAttribute(this.radius, "aria-label", translate(this.language, "place.radius"));
    const { value } = this.radius;
    this.radius.replaceChildren(
      ...RADII_M.map((metres) => {
        const [key, distance] =
          metres < 1000
            ? (["place.metres", metres] as const)
            : (["place.kilometres", metres / 1000] as const);
        return h("option", { value: metres }, translate(this.language, key, { distance }));
      }),
    );
    this.radius.value = value || String(USUAL_M);
  }

  private async load(): Promise<void> {
    if (!this.element.open || this.map || this.problem) return;
    try {
      const [{ PlaceMap }, config] = await Promise.all([import("./placeMap"), getConfig()]);
      const events = {
        reachable: () => undefined,
        attribution: (text: string) => {
          this.attribution.hidden = text === "";
          setText(this.attribution, text);
        },
      };
      this.map ??= new PlaceMap(this.canvas, this.theme(), config.map, events, (lat_deg, lon_deg) =>
        this.pick({ lat_deg, lon_deg, radius_m: Number(this.radius.value) }),
      );
    } catch {
      this.problem = "place.no_map";
    }
    this.show(this.language, this.flights);
  }

  private resized(): void {
    if (this.chosen) this.pick({ ...this.chosen, radius_m: Number(this.radius.value) });
  }

  private pick(circle: Circle | null): void {
    this.chosen = circle;
    this.map?.look(circle);
    this.changed();
  }
}
