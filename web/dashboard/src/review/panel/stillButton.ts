/** The picture of the shown moment as a file, with its time and place in it. */

import { translate, type Language } from "../../catalogue";
import { h, setAttribute, setText } from "../../dom";
import { refused } from "../../flights/sentences";
import { timeOfDay } from "../../format";
import { icon } from "../../icons";
import { refusalCode } from "../../requests";
import type { ReviewDeck } from "../reviewDeck";
import { getStill, stillUrl } from "./api";

const KEPT_MS = 10_000; // until the browser has taken it over

export class StillButton {
  private readonly word = h("span");
  private readonly button = h(
    "button",
    { type: "button", class: "button still-button", onclick: () => void this.take() },
    icon("photo"),
    this.word,
  );
  private readonly says = h("span", { class: "still-says", role: "status" });
  readonly element = h("div", { class: "still-tool" }, this.button, this.says);
  private language: Language = "de";

  constructor(private readonly deck: ReviewDeck) {}

  show(language: Language): void {
    this.language = language;
    setText(this.word, translate(language, "review.still"));
    setAttribute(this.button, "title", translate(language, "review.still_title"));
  }

  private async take(): Promise<void> {
    const { flight, main, momentMs } = this.deck;
    if (momentMs === null) return this.say(translate(this.language, "rewind.no_photo"));
    const time = timeOfDay(momentMs);
    this.button.disabled = true;
    this.say(translate(this.language, "review.still_fetching", { time }));
    try {
      const { jpeg, name } = await getStill(stillUrl(flight.id, main, momentMs));
      save(jpeg, name);
      this.say(translate(this.language, "review.still_saved", { time, name }));
    } catch (error) {
      this.say(refused(this.language, refusalCode(error)));
    }
    this.button.disabled = false;
  }

  private say(words: string): void {
    setText(this.says, words);
  }
}

function save(blob: Blob, name: string): void {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
