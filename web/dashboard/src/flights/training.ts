/** The exercise that plays: what of which flight, and what can be done about it. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { number, stopwatch } from "../format";
import { refusalCode, send } from "../requests";
import { TrainingTag } from "../trainingMark";
import { refused } from "./sentences";

const PATH = "/api/v1/training";
const SPEEDS = [0.1, 0.5, 1, 2, 4, 10, 20];
const BEGINS_MS = 25_000;

/** What is played into the aircraft "uebung". Seconds count from the flight's beginning. */
export interface Training {
  playing: boolean;
  flight_id: string;
  aircraft_name: string;
  by: string;
  position_s: number | null;
  duration_s: number | null;
  speed: number;
  paused: boolean;
  loop: boolean;
  feeds: { id: string; name: string; recorded_id: string }[];
}

export interface NewTraining {
  flight_id: string;
  by: string;
  from_s: number;
  speed: number;
  loop: boolean;
}

type Change = Partial<Pick<Training, "paused" | "speed"> & { seek_s: number }>;

/** Throws Refused, as all of these. */
export const getTraining = (): Promise<Training> => send("GET", PATH);
export const startTraining = (what: NewTraining): Promise<void> => send("POST", PATH, what, BEGINS_MS);
const changeTraining = (change: Change): Promise<void> => send("PATCH", PATH, change);
const endTraining = (): Promise<void> => send("DELETE", PATH);

/** "× 0,5", "× 2" */
export const times = (language: Language, speed: number): string =>
  `× ${number(language, speed, Number.isInteger(speed) ? 0 : 1)}`;

export class TrainingPanel {
  private readonly tag = new TrainingTag();
  private readonly title = h("h2");
  private readonly by = h("span");
  private readonly time = h("output", { class: "exercise-time" });
  private readonly place = h("input", {
    type: "range",
    class: "exercise-place",
    min: 0,
    step: 1,
    oninput: () => this.showTime(Number(this.place.value)),
    onchange: () => void this.change({ seek_s: Number(this.place.value) }),
  });
  private readonly speed = h("select", {
    class: "field",
    onchange: () => void this.change({ speed: Number(this.speed.value) }),
  });
  private readonly pause = this.button(() => void this.change({ paused: !this.playing?.paused }));
  private readonly end = this.button(() => void this.try(endTraining));
  private readonly watch = h("a", { class: "button strong" });
  private readonly trouble = h("p", { class: "trouble", role: "alert" });
  readonly element = h(
    "section",
    { class: "exercise", hidden: true },
    h("header", { class: "flight-head" }, this.tag.element, this.title, this.by),
    h("div", { class: "exercise-line" }, this.place, this.time),
    h("div", { class: "buttons" }, this.watch, this.pause, this.speed, this.end),
    this.trouble,
  );
  private playing: Training | null = null;
  private language: Language = "de";

  /** `changed`: ask anew what plays. */
  constructor(private readonly changed: () => Promise<void>) {
    this.speed.append(...SPEEDS.map((one) => h("option", { value: one })));
  }

  /** `flight`: what people call the one that plays. */
  show(language: Language, playing: Training | null, flight: string): void {
    this.language = language;
    this.playing = playing;
    this.element.hidden = !playing?.playing;
    if (!playing?.playing) return;
    const state = playing.paused ? "exercise.paused" : "exercise.title";
    this.tag.show(language, true);
    setText(this.title, translate(language, state, { flight }));
    setText(this.by, translate(language, "exercise.by", { by: playing.by }));
    setText(this.pause, translate(language, playing.paused ? "exercise.resume" : "exercise.pause"));
    setText(this.end, translate(language, "exercise.end"));
    setText(this.watch, translate(language, "exercise.watch"));
    setAttribute(this.watch, "href", `/?${new URLSearchParams({ feed: playing.feeds[0]?.id ?? "" })}`);
    this.name(this.place, "exercise.position");
    this.name(this.speed, "exercise.speed");
    setAttribute(this.place, "max", String(Math.ceil(playing.duration_s ?? 0)));
    [...this.speed.options].forEach((one) => setText(one, times(language, Number(one.value))));
    if (document.activeElement !== this.speed) this.speed.value = String(playing.speed);
    if (this.place.matches(":active")) return; // somebody is about to seek
    this.place.value = String(playing.position_s ?? 0);
    this.showTime(playing.position_s ?? 0);
  }

  private name(element: Element, key: Key): void {
    setAttribute(element, "aria-label", translate(this.language, key));
    setAttribute(element, "title", translate(this.language, key));
  }

  private showTime(position_s: number): void {
    const whole = stopwatch((this.playing?.duration_s ?? 0) * 1000);
    setText(this.time, `${stopwatch(position_s * 1000)} / ${whole}`);
  }

  private button(act: () => void): HTMLButtonElement {
    return h("button", { type: "button", class: "button", onclick: act });
  }

  private change(change: Change): Promise<void> {
    return this.try(() => changeTraining(change));
  }

  private async try(what: () => Promise<void>): Promise<void> {
    setText(this.trouble, "");
    try {
      await what();
    } catch (error) {
      setText(this.trouble, refused(this.language, refusalCode(error)));
    }
    await this.changed();
  }
}
