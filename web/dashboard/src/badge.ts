/** The state of a picture as word, symbol, colour and age. */

import type { Channel } from "./channel";
import { translate, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { age, timeOfDay } from "./format";
import { icon } from "./icons";
import type { PictureStateName } from "./pictureState";

export class Badge {
  private readonly symbol = h("span", { class: "badge-symbol" });
  private readonly word = h("span", { class: "badge-word" });
  private readonly detail = h("span", { class: "badge-detail" });
  readonly element: HTMLElement;
  private state: PictureStateName | null = null;

  constructor(announced: boolean) {
    // Only the word is announced: an age read aloud ten times a second helps nobody.
    if (announced) this.word.setAttribute("role", "status");
    this.element = h("div", { class: "badge" }, this.symbol, this.word, this.detail);
  }

  show(channel: Channel, language: Language, lastPictureUtcMs: number | null): void {
    const state = channel.state.name;
    if (state !== this.state) {
      this.state = state;
      this.symbol.replaceChildren(icon(state));
      setAttribute(this.element, "data-state", state);
    }
    setText(this.word, translate(language, `state.${state}`));
    setText(this.detail, badgeDetail(channel, language, lastPictureUtcMs));
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
