/** One camera on the pilot page: whether it arrives, why not, what to do, and how it is reached. */

import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { timeOfDay } from "../format";
import { icon } from "../icons";
import { treatments } from "../treatment";
import { UnsecuredMark } from "../unsecured";
import type { PilotFeed } from "./api";
import {
  figures,
  LossWatch,
  nextStep,
  offSentence,
  openFirst,
  reasons,
  verdict,
  type Verdict,
} from "./arrival";
import { KeyDesk, type KeyEvents } from "./keyDesk";
import { WaysPanel } from "./waysPanel";

export interface CardView {
  language: Language;
  encrypted: boolean;
  serverReachable: boolean;
}

const SYMBOLS = { arrives: "arrives", missing: "lost", unknown: "waiting" } as const;
const WORDS = { arrives: "pilot.arrives", missing: "pilot.missing", unknown: "pilot.unknown" } as const;

export class FeedCard {
  private readonly name = h("h3");
  private readonly mark = new UnsecuredMark();
  private readonly symbol = h("span", { class: "verdict-symbol" });
  private readonly word = h("span", { class: "verdict-word", role: "status" });
  private readonly since = h("span", { class: "verdict-since" });
  private readonly figures = h("p", { class: "verdict-figures" });
  private readonly verdict = h(
    "div",
    { class: "verdict" },
    this.symbol,
    h("div", { class: "verdict-line" }, this.word, this.since),
    this.figures,
  );
  private readonly reasons = h("div", { class: "reasons" });
  private readonly next = h("p", { class: "next" });
  private readonly ways = new WaysPanel();
  private readonly keys: KeyDesk;
  private readonly losses = new LossWatch();
  private shownVerdict: Verdict | null = null;
  readonly element: HTMLElement;

  constructor(feedId: string, events: KeyEvents) {
    this.keys = new KeyDesk(feedId, events);
    this.element = h(
      "article",
      { class: "card", "data-feed": feedId },
      h("header", { class: "card-head" }, this.name, this.mark.element),
      this.verdict,
      this.reasons,
      this.next,
      this.keys.element,
      this.ways.element,
    );
  }

  /** A new report of the service has come. */
  take(seen: PilotFeed, utcMs: number): void {
    if (seen.feed.state) this.losses.add(utcMs, seen.feed.state);
  }

  show(seen: PilotFeed, view: CardView): void {
    const { language, serverReachable } = view;
    const { feed, keys } = seen;
    const found = verdict(feed.state, serverReachable);
    setText(this.name, feed.name);
    this.mark.show(language, { picture: feed.unsecured, telemetry: null });
    this.showVerdict(found, seen, language);
    const done = found === "arrives" ? treatments(language, feed) : [];
    const sentences = serverReachable ? reasons(language, feed.state) : [translate(language, "why.server")];
    this.showReasons([...done, ...sentences]);
    this.next.hidden = !serverReachable;
    const step = nextStep(seen);
    const when = step.startsWith("advice.") ? "pilot.better" : "pilot.next";
    setText(this.next, `${translate(language, when)} ${translate(language, step)}`);
    this.keys.element.hidden = keys === null;
    this.keys.show(language, feed.name, seen.keys_readable ? (keys ?? 0) : null);
    const { fresh } = this.keys;
    this.ways.show({
      language,
      ways: openFirst(fresh?.ways ?? seen.ways, feed.state),
      off: (way) => offSentence(language, feed.state, way),
      key: fresh?.key ?? null,
      encrypted: view.encrypted,
    });
    this.ways.element.classList.toggle("fresh", fresh !== null);
  }

  /** The page is left: it must not come back with a key on it. */
  forget(): void {
    this.keys.forget();
  }

  private showVerdict(found: Verdict, { feed: { state } }: PilotFeed, language: Language): void {
    if (found !== this.shownVerdict) this.symbol.replaceChildren(icon(SYMBOLS[found]));
    this.shownVerdict = found;
    setAttribute(this.verdict, "data-verdict", found);
    setText(this.word, translate(language, WORDS[found]));
    const known = state !== null && found !== "unknown";
    setText(this.since, known ? translate(language, "since", { time: timeOfDay(state.since_ms) }) : "");
    const arriving = found === "arrives" ? figures(language, state) : "";
    setText(this.figures, [arriving, arriving && this.losses.sentence(language)].filter(Boolean).join(", "));
    this.figures.hidden = this.figures.textContent === "";
  }

  private showReasons(sentences: readonly string[]): void {
    if (this.reasons.textContent !== sentences.join(""))
      this.reasons.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
  }
}
