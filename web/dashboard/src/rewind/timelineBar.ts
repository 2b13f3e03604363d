/** The timeline of the running recording: steps, pause, the line to scrub on, the shown moment, and back to live. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { number, timeOfDay } from "../format";
import { icon } from "../icons";
import { scrubbing } from "../scrub";
import type { PictureStateName } from "../pictureState";
import type { Span } from "./api";
import { ago, momentAt, shareOf, STEPS_MS, type Speed } from "./course";

/** Something to find again on the line. */
export interface Tick {
  kind: "mark" | "alarm";
  utcMs: number;
}

export interface TimelineActions {
  step(ms: number): void;
  /** null: live. */
  seek(utcMs: number | null): void;
  pause(): void;
  speed(): void;
  live(): void;
}

export interface TimelineView {
  language: Language;
  recorded: Span; // from the flight's start to now
  momentMs: number | null; // null: live
  paused: boolean;
  speed: Speed;
  gaps: readonly Span[];
  ticks: readonly Tick[];
  live: PictureStateName;
  says: string | null;
  usable: boolean; // there is something to rewind to
}

const STEP_TEXTS: Record<(typeof STEPS_MS)[number], string> = {
  [-120_000]: "−2 min",
  [-30_000]: "−30 s",
  [-10_000]: "−10 s",
  10_000: "+10 s",
};

export class TimelineBar {
  private readonly steps = STEPS_MS.map(
    (ms) => [ms, this.button(`step${ms}`, () => this.does.step(ms))] as const,
  );
  private readonly pause = this.button("pause", () => this.does.pause());
  private readonly speed = this.button("speed", () => this.does.speed());
  private readonly liveState = h("span", { class: "rewind-live-state" });
  private readonly liveWord = h("span", { class: "rewind-live-word" });
  private readonly live = this.button("live", () => this.does.live());
  private readonly clock = h("span", { class: "rewind-clock" });
  private readonly behind = h("span", { class: "rewind-ago" });
  private readonly ticks = h("div", { class: "rewind-ticks" });
  private readonly done = h("div", { class: "rewind-done" });
  private readonly knob = h("div", { class: "rewind-knob" });
  private readonly line: HTMLElement;
  private readonly says = h("p", { class: "rewind-says", role: "status", hidden: true });
  private readonly controls: HTMLElement;
  readonly element: HTMLElement;
  private recorded: Span = { fromMs: 0, toMs: 0 };
  private drawn = "";
  private pauseShape: "play" | "pause" | null = null;

  constructor(private readonly does: TimelineActions) {
    this.line = h(
      "div",
      { class: "rewind-line", role: "slider", tabindex: "0", "aria-valuemin": "0" },
      h("div", { class: "rewind-rail" }),
      this.done,
      this.ticks,
      this.knob,
    );
    this.live.append(this.liveWord, this.liveState);
    for (const [ms, button] of this.steps) setText(button, STEP_TEXTS[ms]);
    this.controls = h(
      "div",
      { class: "rewind-controls" },
      h("div", { class: "rewind-steps" }, ...this.steps.map(([, button]) => button), this.pause),
      this.line,
      h("div", { class: "rewind-moment" }, this.clock, this.behind),
      this.speed,
      this.live,
    );
    this.element = h("section", { class: "rewind", hidden: true }, this.says, this.controls);
    scrubbing(this.line, (share) => this.does.seek(momentAt(share, this.recorded)));
  }

  show(view: TimelineView): void {
    const { language, momentMs, recorded } = view;
    this.recorded = recorded;
    this.element.toggleAttribute("data-past", momentMs !== null);
    this.controls.hidden = !view.usable;
    this.says.hidden = view.says === null;
    setText(this.says, view.says ?? "");
    this.showMoment(view);
    this.showLine(view);
    setAttribute(this.element, "aria-label", translate(language, "rewind.timeline"));
    for (const [ms, button] of this.steps) name(button, translate(language, `rewind.step.${ms}` as Key));
    name(this.speed, translate(language, "rewind.speed"));
    setText(this.speed, `${number(language, view.speed, view.speed < 1 ? 1 : 0)}×`);
    this.showPause(language, momentMs !== null && view.paused);
    name(this.live, translate(language, "rewind.to_live"));
    setAttribute(this.live, "data-state", view.live);
    setText(this.liveWord, translate(language, "rewind.live"));
    const isFine = view.live === "live";
    setText(this.liveState, translate(language, isFine ? "rewind.live_goes_on" : `state.${view.live}`));
  }

  private showMoment({ language, momentMs, recorded }: TimelineView): void {
    const behindMs = recorded.toMs - (momentMs ?? recorded.toMs);
    setText(this.clock, momentMs === null ? "" : timeOfDay(momentMs));
    setText(this.behind, momentMs === null ? "" : translate(language, "rewind.ago", { ago: ago(behindMs) }));
    setAttribute(this.line, "aria-label", translate(language, "rewind.timeline"));
    setAttribute(this.line, "aria-valuemax", String(Math.round((recorded.toMs - recorded.fromMs) / 1000)));
    const at = (momentMs ?? recorded.toMs) - recorded.fromMs;
    setAttribute(this.line, "aria-valuenow", String(Math.round(at / 1000)));
    setAttribute(this.line, "aria-valuetext", timeOfDay(momentMs ?? recorded.toMs));
  }

  private showPause(language: Language, paused: boolean): void {
    const shape = paused ? "play" : "pause";
    if (shape !== this.pauseShape) this.pause.replaceChildren(icon(shape));
    this.pauseShape = shape;
    name(this.pause, translate(language, paused ? "rewind.play" : "rewind.pause"));
  }

  private showLine({ momentMs, recorded, gaps, ticks }: TimelineView): void {
    const percent = (utcMs: number): string => `${(100 * shareOf(utcMs, recorded)).toFixed(2)}%`;
    this.done.style.width = this.knob.style.left = percent(momentMs ?? recorded.toMs);
    const within = ticks.filter(({ utcMs }) => utcMs >= recorded.fromMs && utcMs <= recorded.toMs);
    const drawn = JSON.stringify([recorded.fromMs, Math.round(recorded.toMs / 1000), gaps, within]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.ticks.replaceChildren(
      ...gaps.map(({ fromMs, toMs }) =>
        h("span", {
          class: "rewind-gap",
          style: `left:${percent(fromMs)};right:calc(100% - ${percent(toMs)})`,
        }),
      ),
      ...within.map(({ kind, utcMs }) =>
        h("span", { class: "rewind-tick", "data-kind": kind, style: `left:${percent(utcMs)}` }),
      ),
    );
  }

  private button(kind: string, act: () => void): HTMLButtonElement {
    const button = h("button", { type: "button", class: `rewind-button rewind-${kind}`, onclick: act });
    // A button that was tapped does not take the space bar away from the picture.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("mousedown", (event) => event.preventDefault());
    return button;
  }
}

function name(button: HTMLElement, text: string): void {
  setAttribute(button, "aria-label", text);
  setAttribute(button, "title", text);
}
