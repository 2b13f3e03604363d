/** The state of a picture as word, symbol, colour and age. */

import type { Channel } from "./channel";
import { translate, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { age, dateOf, exactTime, timeOfDay } from "./format";
import { icon } from "./icons";
import { ago } from "./rewind/course";
import type { PictureStateName } from "./pictureState";

export class Badge {
  private readonly symbol = h("span", { class: "badge-symbol" });
  private readonly word = h("span", { class: "badge-word" });
  private readonly detail = h("span", { class: "badge-detail" });
  readonly element: HTMLElement;
  private state: PictureStateName | "past" | null = null;

  constructor(announced: boolean) {
    // Only the word is announced: an age read aloud ten times a second helps nobody.
    if (announced) this.word.setAttribute("role", "status");
    this.element = h("div", { class: "badge" }, this.symbol, this.word, this.detail);
  }

  show(channel: Channel, language: Language, lastPictureUtcMs: number | null): void {
    this.take(channel.state.name, language);
    setText(this.detail, badgeDetail(channel, language, lastPictureUtcMs));
  }

  /** A moment of the recording is shown, `behindMs` before now: whatever the live picture does, this is not it. */
  showPast(language: Language, utcMs: number, behindMs: number): void {
    this.take("past", language);
    setText(this.detail, translate(language, "rewind.shown", { time: timeOfDay(utcMs), ago: ago(behindMs) }));
  }

  /** A moment of a recorded flight, to the millisecond; null: none is shown yet. */
  showRecorded(language: Language, utcMs: number | null): void {
    this.take("past", language);
    setText(this.detail, utcMs === null ? "" : `${dateOf(language, utcMs)} ${exactTime(language, utcMs)}`);
  }

  private take(state: PictureStateName | "past", language: Language): void {
    if (state !== this.state) {
      this.state = state;
      this.symbol.replaceChildren(icon(state));
      setAttribute(this.element, "data-state", state);
    }
    setText(this.word, translate(language, `state.${state}`));
  }
}

function badgeDetail(channel: Channel, language: Language, lastPictureUtcMs: number | null): string {
  if (!channel.isMoving) {
    return lastPictureUtcMs === null
      ? ""
      : translate(language, "since", { time: timeOfDay(lastPictureUtcMs) });
  }
  const ms = channel.ageMs();
  const origin = channel.shown?.capture?.origin;
  if (ms === null || !origin) return translate(language, "age.unknown");
  return translate(language, `age.${origin}`, { age: age(language, ms) });
}
