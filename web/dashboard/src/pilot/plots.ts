/** What came of a feed in the last minutes, as three small plots with their numbers. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText, svg } from "../dom";
import { number } from "../format";
import { getPast, type Moment, type Past } from "./api";
import { plot, type Plot } from "./plot";

const SPAN_MS = 300_000;
const [WIDTH, HEIGHT] = [300, 40]; // of the drawing, stretched to where it stands
const MISSED_MS = 4000; // without a word for so long, the server is asked for what was missed

type Quantity = "bitrate" | "fps" | "age";

const VALUE: Record<Quantity, (moment: Moment) => number | null> = {
  bitrate: ({ bitrate_bps }) => (bitrate_bps === null ? null : bitrate_bps / 1e6),
  fps: ({ fps }) => fps,
  age: ({ age_ms }) => (age_ms === null ? null : age_ms / 1000),
};
const UNIT: Record<Quantity, string> = { bitrate: " Mbit/s", fps: "", age: " s" };
const DIGITS: Record<Quantity, (value: number) => number> = {
  bitrate: (value) => (value < 1 ? 2 : 1),
  fps: () => 1,
  age: () => 2,
};

class PlotRow {
  private readonly name = h("span", { class: "plot-name" });
  private readonly now = h("span", { class: "plot-now" });
  private readonly range = h("span", { class: "plot-range" });
  private readonly line = svg("path", { class: "plot-line", "vector-effect": "non-scaling-stroke" });
  private readonly drawing = svg(
    "svg",
    { class: "plot-drawing", viewBox: `0 -3 ${WIDTH} ${HEIGHT + 6}`, preserveAspectRatio: "none" },
    this.line,
  );
  readonly element = h("div", { class: "plot", role: "img" }, this.name, this.drawing, this.now, this.range);

  constructor(private readonly quantity: Quantity) {}

  show(language: Language, moments: readonly Moment[], known: boolean): void {
    const { quantity } = this;
    const value = VALUE[quantity];
    const points = moments.map((moment) => ({ atMs: moment.utc_ms, value: value(moment) }));
    const drawn = plot(points, SPAN_MS, WIDTH, HEIGHT);
    const atLeast = quantity === "age" && moments.at(-1)?.age_origin === "arrival" ? "≥ " : "";
    const name = translate(language, `plot.${quantity}` as Key);
    const now =
      drawn.now === null || !known ? "--" : atLeast + this.worded(language, drawn.now) + UNIT[quantity];
    const range = this.rangeOf(language, drawn);
    setText(this.name, name);
    setText(this.now, now);
    setText(this.range, range);
    setAttribute(this.line, "d", drawn.lines);
    setAttribute(this.element, "aria-label", translate(language, "plot.said", { name, now, range }));
  }

  private rangeOf(language: Language, { min, max }: Plot): string {
    if (min === null || max === null) return "";
    const [least, most] = [this.worded(language, min), this.worded(language, max)];
    return translate(language, "plot.range", { min: least, max: most });
  }

  private worded(language: Language, value: number): string {
    return number(language, value, DIGITS[this.quantity](value));
  }
}

export class Plots {
  private readonly rows = (["bitrate", "fps", "age"] as const).map((quantity) => new PlotRow(quantity));
  private readonly span = h("p", { class: "plot-span" });
  readonly element = h("div", { class: "plots" }, ...this.rows.map(({ element }) => element), this.span);
  private moments: Moment[] = [];
  private asking = false;

  constructor(private readonly feedId: string) {}

  /** The last second, as the overview tells it; what this page has not seen is asked for. */
  take(newest: Moment | null): void {
    if (!newest) return;
    const last = this.moments.at(-1)?.utc_ms;
    if (last === undefined || newest.utc_ms - last > MISSED_MS) void this.ask();
    if (last === undefined || newest.utc_ms > last) this.moments.push(newest);
    while (newest.utc_ms - (this.moments[0]?.utc_ms ?? Infinity) >= SPAN_MS) this.moments.shift();
  }

  /** `known`: the service answers; else what is the newest here is none. */
  show(language: Language, known: boolean): void {
    this.element.hidden = this.moments.every(
      ({ fps, bitrate_bps, age_ms }) => (fps ?? bitrate_bps ?? age_ms) === null,
    );
    if (this.element.hidden) return; // nothing came: there is nothing to be seen
    for (const row of this.rows) row.show(language, this.moments, known);
    setText(this.span, translate(language, "plot.span"));
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const past = await getPast(this.feedId).catch(() => null);
    this.asking = false;
    if (!past) return;
    const newer = this.moments.filter(({ utc_ms }) => utc_ms > (past.utc_ms.at(-1) ?? 0));
    this.moments = [...momentsOf(past), ...newer];
  }
}

const momentsOf = ({ utc_ms, bitrate_bps, fps, age_ms }: Past): Moment[] =>
  utc_ms.map((at, i) => ({
    utc_ms: at,
    bitrate_bps: bitrate_bps[i] ?? null,
    fps: fps[i] ?? null,
    age_ms: age_ms[i] ?? null,
    age_origin: null,
  }));
