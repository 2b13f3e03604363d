/** Height, speed and battery over the whole flight, under one cursor; a tap seeks. */

import { translate, type Key, type Language } from "../../catalogue";
import { curve } from "../../curve";
import { h, setAttribute, setText, svg } from "../../dom";
import { number } from "../../format";
import type { Span } from "../../rewind/api";
import { shareOf } from "../../rewind/course";
import { scrubbing } from "../../scrub";
import { PLOTTED, type FlightTrack, type Reading } from "./track";

const SIZE = { width: 1000, height: 60 }; // of the drawing's own units; it is stretched to the room there is
const MARGIN = 4; // so that the line is not cut off at its highest

const DIGITS: Record<Reading, number> = {
  alt_home_m: 0,
  alt_msl_m: 0,
  ground_speed_ms: 1,
  battery_pct: 0,
  battery_v: 1,
};

export class FlightPlots {
  private readonly title = h("h2");
  private readonly none = h("p", { class: "plots-none" });
  private readonly cursor = h("div", { class: "plots-cursor" });
  private readonly rows = PLOTTED.map((readings) => new Row(readings));
  private readonly area = h(
    "div",
    { class: "plots-area" },
    ...this.rows.map(({ drawing }) => drawing),
    this.cursor,
  );
  private readonly body = h(
    "div",
    { class: "plots-body" },
    h("div", { class: "plots-heads" }, ...this.rows.map(({ head }) => head)),
    this.area,
  );
  readonly element = h("section", { class: "review-plots" }, this.title, this.none, this.body);
  private whole: Span = { fromMs: 0, toMs: 0 };

  constructor(seek: (share: number) => void) {
    scrubbing(this.area, seek);
  }

  show(language: Language, track: FlightTrack | null, whole: Span): void {
    this.whole = whole;
    setText(this.title, translate(language, "review.plots"));
    setText(this.none, translate(language, track ? "review.no_telemetry" : "review.loading"));
    const shown = this.rows.map((row) => row.show(language, track, whole));
    this.none.hidden = shown.some(Boolean);
    this.body.hidden = !this.none.hidden;
  }

  showMoment(language: Language, track: FlightTrack | null, momentMs: number | null): void {
    this.cursor.hidden = momentMs === null;
    if (momentMs !== null) this.cursor.style.left = `${(100 * shareOf(momentMs, this.whole)).toFixed(3)}%`;
    for (const row of this.rows) row.showMoment(language, track, momentMs);
  }
}

/** One of the plots, of the first of `readings` that was told. */
class Row {
  private readonly name = h("span", { class: "plots-name" });
  private readonly now = h("span", { class: "plots-now" });
  private readonly range = h("span", { class: "plots-range" });
  readonly head = h("p", { class: "plots-head" }, this.name, this.now, this.range);
  private readonly line = svg("path", { class: "plots-line", "vector-effect": "non-scaling-stroke" });
  readonly drawing = svg(
    "svg",
    {
      class: "plots-drawing",
      role: "img",
      viewBox: `0 ${-MARGIN} ${SIZE.width} ${SIZE.height + 2 * MARGIN}`,
      preserveAspectRatio: "none",
    },
    this.line,
  );
  private reading: Reading | null = null;

  constructor(private readonly readings: readonly Reading[]) {}

  /** Returns whether there is anything to draw. */
  show(language: Language, track: FlightTrack | null, whole: Span): boolean {
    const reading = (this.reading = track?.told(this.readings) ?? null);
    this.head.hidden = reading === null;
    this.drawing.toggleAttribute("hidden", reading === null);
    if (!track || reading === null) return false;
    const { lines, min, max } = curve(track.of(reading), whole, SIZE, track.joins);
    const name = translate(language, `review.plot.${reading}`);
    const range = translate(language, "review.plot.range", {
      min: number(language, min ?? 0, DIGITS[reading]),
      max: number(language, max ?? 0, DIGITS[reading]),
    });
    setText(this.name, name);
    setText(this.range, range);
    setAttribute(this.line, "d", lines);
    setAttribute(this.drawing, "aria-label", `${name}, ${range}`);
    return true;
  }

  showMoment(language: Language, track: FlightTrack | null, momentMs: number | null): void {
    const { reading } = this;
    if (!track || reading === null) return;
    const value = momentMs === null ? null : track.at(reading, momentMs);
    const unit: Key = `review.unit.${reading}`;
    const said = value === null ? "--" : number(language, value, DIGITS[reading]);
    setText(this.now, translate(language, unit, { value: said }));
  }
}
