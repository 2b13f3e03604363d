/** Charts that are read at any width: bars beside their words, and a stair of how many there were. */

import { h } from "../dom";

export interface Bar {
  label: string;
  value: number;
  told: string; // the value as people read it
}

export interface Step {
  utc_ms: number;
  viewers: number;
}

export interface Tick {
  utc_ms: number;
  label: string;
}

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000; // of the drawing, which is stretched; its lines and its words are not
const HEIGHT = 100;

/** One line for each bar: what it is of, how long it is, how much that is. */
export function barChart(bars: readonly Bar[]): HTMLElement {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  return h(
    "ul",
    { class: "bars" },
    ...bars.map(({ label, value, told }) =>
      h(
        "li",
        {},
        h("span", { class: "bar-label" }, label),
        h(
          "span",
          { class: "bar-room" },
          h("span", { class: "bar-value", style: `width: ${(100 * value) / most}%` }),
        ),
        h("span", { class: "bar-told" }, told),
      ),
    ),
  );
}

/** How many there were, from the first to the last step; `ticks` are labelled moments, evenly spread. */
export function stairChart(title: string, steps: readonly Step[], ticks: readonly Tick[]): HTMLElement {
  const most = Math.max(...steps.map(({ viewers }) => viewers), 1);
  const [from, to] = [steps[0]?.utc_ms ?? 0, steps.at(-1)?.utc_ms ?? 1];
  const x = (ms: number): number => (WIDTH * (ms - from)) / Math.max(to - from, 1);
  const y = (viewers: number): number => HEIGHT * (1 - viewers / most);
  const marks = levels(most);
  const drawing = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `${title} ${ticks[0]?.label ?? ""} – ${ticks.at(-1)?.label ?? ""}: 0 – ${most}`,
  });
  drawing.append(
    ...marks.map((level) => shape("path", { class: "axis", d: `M0 ${y(level)}H${WIDTH}` })),
    shape("path", { class: "stair", d: stair(steps, x, y) }),
  );
  const levelled = (level: number): HTMLElement =>
    h("span", { style: `top: ${(100 * y(level)) / HEIGHT}%` }, String(level));
  return h(
    "div",
    { class: "stair-chart" },
    h("div", { class: "stair-levels", "aria-hidden": true }, ...marks.map(levelled)),
    drawing as unknown as HTMLElement,
    h(
      "div",
      { class: "stair-ticks", "aria-hidden": true },
      ...ticks.map(({ label }) => h("span", {}, label)),
    ),
  );
}

/** At most four round numbers from 0 to `most`. Pure. */
export function levels(most: number): number[] {
  const tens = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const steps = [tens / 10, tens / 5, tens / 2, tens, tens * 2, tens * 5];
  const every = Math.max(1, Math.round(steps.find((one) => one >= 1 && most / one < 4) ?? most));
  return Array.from({ length: Math.floor(most / every) + 1 }, (_, i) => i * every);
}

/** Path data of a line that steps: level until the next one. Pure. */
export function stair(
  steps: readonly Step[],
  x: (utcMs: number) => number,
  y: (viewers: number) => number,
): string {
  const [first, ...rest] = steps;
  if (!first) return "";
  const round = (value: number): string => value.toFixed(1);
  return rest.reduce(
    (path, { utc_ms, viewers }) => `${path}H${round(x(utc_ms))}V${round(y(viewers))}`,
    `M${round(x(first.utc_ms))} ${round(y(0))}V${round(y(first.viewers))}`,
  );
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
