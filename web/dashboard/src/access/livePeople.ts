/** On the live page: who watches, handing out links, and waiting for an incident's first feed. */

import { getFeeds, type Feed, type Person } from "../api";
import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { getIncidents } from "../flights/api";
import { icon } from "../icons";
import { LinkSheet } from "./linkSheet";
import { may, me } from "./me";
import { Watchers } from "./watchers";

const WAIT_MS = 2000;

export class LivePeople {
  private readonly watchers = new Watchers();
  private readonly sheet = new LinkSheet();
  private readonly word = h("span", { class: "action-text" });
  private readonly share = h(
    "button",
    { type: "button", class: "action action-share", onclick: () => void this.openLinks() },
    icon("link"),
    this.word,
  );
  readonly buttons: readonly HTMLElement[] = [this.watchers.button, this.share];
  readonly dialogs: readonly HTMLElement[] = [this.watchers.dialog, this.sheet.element];
  private language: Language = "de";

  /** `watched`: of which aircraft links are handed out. */
  constructor(private readonly watched: () => Feed | null) {}

  take(people: readonly Person[]): void {
    this.watchers.take(people);
  }

  show(language: Language): void {
    this.language = language;
    this.watchers.show(language);
    const words = translate(language, "links.button");
    this.share.hidden = !may("share");
    setText(this.word, words);
    setAttribute(this.share, "aria-label", words);
    setAttribute(this.share, "title", words);
  }

  /** Links of the open incidents that have the watched aircraft. */
  private async openLinks(): Promise<void> {
    this.share.disabled = true;
    const aircraft = this.watched()?.aircraft_id ?? "";
    const incidents = await getIncidents().catch(() => []);
    const open = incidents.filter(
      ({ closed_ms: closed, aircraft_ids: ids }) => closed === null && ids.includes(aircraft),
    );
    this.share.disabled = false;
    this.sheet.open(this.language, open);
  }
}

/** An incident may have no aircraft yet: ask until there is a feed to watch, or `isOver`. */
export async function firstFeeds(isOver: () => boolean): Promise<Feed[]> {
  for (;;) {
    await new Promise((resolve) => window.setTimeout(resolve, WAIT_MS));
    const feeds = isOver() ? [] : await getFeeds().catch(() => []);
    if (feeds.length || isOver()) return feeds;
  }
}

/** What is said where there is no feed: of an incident, that it will come. */
export function noFeedWords(language: Language, asked: string | null): string {
  if (asked !== null) return translate(language, "feed.unknown", { id: asked });
  if (!me()?.incident) return translate(language, "feed.none");
  return `${translate(language, "wait.head")} ${translate(language, "wait.why")}`;
}
