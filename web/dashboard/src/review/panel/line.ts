/** The timeline of a whole flight: where there are pictures, what happened, what is selected, and the moment. */

import { translate, type Key, type Language } from "../../catalogue";
import { h, setAttribute, setText } from "../../dom";
import { spokenDuration, stopwatch, timeOfDay } from "../../format";
import type { Span } from "../../rewind/api";
import { momentAt, shareOf } from "../../rewind/course";
import { scrubbing, shareAt } from "../../scrub";
import type { Happening } from "./happenings";

export interface LineActions {
  seek(utcMs: number): void;
  begin(): void;
  end(): void;
  clear(): void;
  note(): void;
}

/** What the line shows, beside the moment. */
export interface LineView {
  whole: Span; // of the flight
  gaps: readonly Span[]; // without a picture of the main camera
  spots: readonly Span[]; // in which the place that was asked about was filmed
  happenings: readonly Happening[];
  selection: Span | null;
}

export class FlightLine {
  private readonly clock = h("span", { class: "line-clock" });
  private readonly since = h("span", { class: "line-since" });
  private readonly begin = this.button(() => this.does.begin());
  private readonly end = this.button(() => this.does.end());
  private readonly clear = this.button(() => this.does.clear());
  private readonly note = this.button(() => this.does.note());
  private readonly selected = h("span", { class: "line-selected", role: "status" });
  private readonly drawn = h("div", { class: "line-drawn" });
  private readonly knob = h("div", { class: "line-knob" });
  private readonly hover = h("span", { class: "line-hover", hidden: true });
  private readonly track = h(
    "div",
    { class: "line-track", role: "slider", tabindex: "0", "aria-valuemin": "0" },
    h("div", { class: "line-rail" }),
    this.drawn,
    this.knob,
    this.hover,
  );
  private readonly first = h("span");
  private readonly last = h("span");
  readonly element: HTMLElement;
  private whole: Span = { fromMs: 0, toMs: 0 };

  /** `tools`: what else is done at the shown moment. */
  constructor(
    private readonly does: LineActions,
    ...tools: HTMLElement[]
  ) {
    this.element = h(
      "section",
      { class: "review-line" },
      h(
        "div",
        { class: "line-tools" },
        h("p", { class: "line-moment" }, this.clock, this.since),
        this.begin,
        this.end,
        this.selected,
        this.clear,
        h("div", { class: "line-more" }, this.note, ...tools),
      ),
      this.track,
      h("p", { class: "line-ends" }, this.first, this.last),
    );
    scrubbing(this.track, (share) => this.does.seek(this.momentAt(share)));
    this.track.addEventListener("pointermove", (event) => this.point(event));
    this.track.addEventListener("pointerleave", () => (this.hover.hidden = true));
  }

  /** Draw what has changed; the moment apart, which moves with every picture. */
  show(language: Language, view: LineView): void {
    const { whole, selection } = view;
    this.whole = whole;
    const label = translate(language, "review.line");
    setAttribute(this.element, "aria-label", label);
    setAttribute(this.track, "aria-label", label);
    setAttribute(this.track, "aria-valuemax", String(Math.round((whole.toMs - whole.fromMs) / 1000)));
    setText(this.first, timeOfDay(whole.fromMs));
    setText(this.last, timeOfDay(whole.toMs));
    name(this.begin, language, "review.begin", "review.begin_title");
    name(this.end, language, "review.end", "review.end_title");
    name(this.clear, language, "review.clear", "review.clear_title");
    name(this.note, language, "review.note_add", "review.note_add_title");
    this.clear.hidden = selection === null;
    setText(this.selected, selection ? selectionWords(language, selection) : "");
    this.draw(view);
  }

  /** null: nothing has been shown yet. */
  showMoment(momentMs: number | null): void {
    this.knob.hidden = momentMs === null;
    const atMs = momentMs ?? this.whole.fromMs;
    setText(this.clock, momentMs === null ? "--:--:--" : timeOfDay(momentMs));
    setText(this.since, stopwatch(atMs - this.whole.fromMs));
    this.knob.style.left = this.percent(atMs);
    setAttribute(this.track, "aria-valuenow", String(Math.round((atMs - this.whole.fromMs) / 1000)));
    setAttribute(this.track, "aria-valuetext", timeOfDay(atMs));
  }

  private draw({ gaps, spots, selection, happenings }: LineView): void {
    const stretch = (kind: string, { fromMs, toMs }: Span): HTMLElement =>
      h("span", {
        class: `line-stretch line-${kind}`,
        style: `left:${this.percent(fromMs)};right:calc(100% - ${this.percent(toMs)})`,
      });
    this.drawn.replaceChildren(
      ...(selection ? [stretch("selection", selection)] : []),
      ...gaps.map((gap) => stretch("gap", gap)),
      ...spots.map((spot) => stretch("spot", spot)),
      ...happenings
        .filter(({ kind }) => kind !== "flight")
        .map(({ kind, atMs }) =>
          h("span", { class: "line-tick", "data-kind": kind, style: `left:${this.percent(atMs)}` }),
        ),
    );
  }

  private point(event: PointerEvent): void {
    const share = shareAt(this.track, event);
    this.hover.hidden = event.pointerType === "touch";
    this.hover.style.left = `${(100 * share).toFixed(2)}%`;
    setText(this.hover, timeOfDay(this.momentAt(share)));
  }

  private readonly momentAt = (share: number): number => momentAt(share, this.whole) ?? this.whole.toMs;

  private percent(utcMs: number): string {
    return `${(100 * shareOf(utcMs, this.whole)).toFixed(3)}%`;
  }

  private button(act: () => void): HTMLButtonElement {
    return h("button", { type: "button", class: "button line-button", onclick: act });
  }
}

/** "14:03:22–14:04:01 · 39 s" */
export const selectionWords = (language: Language, { fromMs, toMs }: Span): string =>
  translate(language, "review.selected", {
    from: timeOfDay(fromMs),
    to: timeOfDay(toMs),
    time: spokenDuration(toMs - fromMs),
  });

function name(button: HTMLButtonElement, language: Language, word: Key, title: Key): void {
  setText(button, translate(language, word));
  setAttribute(button, "title", translate(language, title));
}
