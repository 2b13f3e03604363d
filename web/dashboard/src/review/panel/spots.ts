/**
 * "When did we film this spot?": a tap on the map is answered with stretches of the flight to jump to. In short it
 * is answered right under the pictures, where whoever has tapped is looking.
 */

import { translate, type Language } from "../../catalogue";
import { h, setAttribute, setText } from "../../dom";
import { refused } from "../../flights/sentences";
import { spokenDuration, timeOfDay } from "../../format";
import { icon } from "../../icons";
import { refusalCode } from "../../requests";
import { degrees, utmref } from "../../utmref";
import type { Place, ReviewDeck, ReviewMap } from "../reviewDeck";
import { findSpots, type Spot } from "./api";

const NEAR_MS = 500; // the picture that is shown may be a little before what was sought

/** null: it is being looked for. A string: the code of why it cannot be told. */
type Found = readonly Spot[] | string | null;

export class SpotSearch {
  private readonly title = h("h2");
  private readonly says = h("p", { class: "spots-says" });
  private readonly list = h("ul", { class: "spots-list" });
  private readonly answer = h("span", { class: "spots-answer", role: "status" });
  private readonly next = h("button", {
    type: "button",
    class: "button",
    onclick: () => this.showNext(),
  });
  private readonly close = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.clear() },
    icon("close"),
  );
  /** Belongs to the timeline. */
  readonly brief = h("div", { class: "spots-brief" }, this.answer, this.next, this.close);
  readonly element = h("section", { class: "review-spots" }, this.title, this.says, this.list);
  private place: Place | null = null;
  private found: Found = null;
  private asked = 0; // rises with every tap, so that a late answer to the one before is dropped
  private language: Language = "de";

  /** `changed`: other stretches are to be shown on the timeline. */
  constructor(
    private readonly deck: ReviewDeck,
    private readonly map: ReviewMap | null,
    private readonly jump: (utcMs: number) => void,
    private readonly changed: () => void,
  ) {
    this.element.hidden = map === null;
    map?.onClick((place) => void this.ask(place));
  }

  /** Where the place is in the picture; none while it is being looked for. */
  get spots(): readonly Spot[] {
    return this.found === null || typeof this.found === "string" ? [] : this.found;
  }

  show(language: Language): void {
    this.language = language;
    setText(this.title, translate(language, "review.spots"));
    setAttribute(this.close, "aria-label", translate(language, "review.spots_clear"));
    setText(this.next, translate(language, "review.spots_next"));
    setText(this.says, this.sentence());
    setText(this.answer, this.place ? this.sentence() : "");
    this.brief.hidden = this.place === null;
    this.next.hidden = this.spots.length === 0;
    this.list.replaceChildren(...this.spots.map((spot) => h("li", {}, this.row(spot))));
  }

  private async ask(place: Place): Promise<void> {
    const asked = (this.asked += 1);
    this.take(place, null);
    const found = await findSpots(this.deck.flight.id, place).catch(refusalCode);
    if (asked === this.asked) this.take(place, found);
  }

  /** The stretch after the shown moment; after the last one, the first. */
  private showNext(): void {
    const { spots, deck } = this;
    const next = spots.find(({ best_ms: bestMs }) => bestMs > (deck.momentMs ?? 0) + NEAR_MS) ?? spots[0];
    if (next) this.jump(next.best_ms);
  }

  private clear(): void {
    this.asked += 1;
    this.take(null, null);
  }

  private take(place: Place | null, found: Found): void {
    [this.place, this.found] = [place, found];
    this.map?.showSpot(place);
    this.show(this.language);
    this.changed();
  }

  private sentence(): string {
    const { language, place, found, spots } = this;
    if (place === null) return translate(language, "review.spots_how");
    const where = utmref(place.lat, place.lon) ?? degrees(place.lat, place.lon);
    if (found === null) return translate(language, "review.spots_searching", { where });
    if (typeof found === "string") return refused(language, found);
    const count = spots.length;
    if (count === 0) return translate(language, "review.spots_none", { where });
    return translate(language, count === 1 ? "review.spots_one" : "review.spots_some", { where, count });
  }

  private row({ feed_id: id, from_ms: fromMs, to_ms: toMs, best_ms: bestMs }: Spot): HTMLElement {
    const feed = this.deck.flight.feeds.find((one) => one.id === id)?.name ?? id;
    const words = translate(this.language, "review.spot", {
      from: timeOfDay(fromMs),
      to: timeOfDay(toMs),
      time: spokenDuration(toMs - fromMs),
      feed,
    });
    return h(
      "button",
      { type: "button", class: "button spots-jump", onclick: () => this.jump(bestMs) },
      words,
    );
  }
}
