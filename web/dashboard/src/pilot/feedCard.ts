/** One camera on the pilot page: whether it arrives, why not, what to do, and how it is reached. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { timeOfDay } from "../format";
import { icon } from "../icons";
import { treatments } from "../treatment";
import { TrainingTag } from "../trainingMark";
import { UnsecuredMark } from "../unsecured";
import type { PilotFeed, PilotLink } from "./api";
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
import { Plots } from "./plots";
import { StepList } from "./stepList";
import { isGreen } from "./steps";
import { WaysPanel } from "./waysPanel";

export interface CardView {
  language: Language;
  encrypted: boolean;
  serverReachable: boolean;
  link: PilotLink | null; // of its aircraft's telemetry
}

const SYMBOLS = { arrives: "arrives", missing: "lost", unknown: "waiting" } as const;
const WORDS = { arrives: "pilot.arrives", missing: "pilot.missing", unknown: "pilot.unknown" } as const;

export class FeedCard {
  private readonly name = h("h3");
  private readonly mark = new UnsecuredMark();
  private readonly training = new TrainingTag();
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
  private readonly steps = new StepList();
  private readonly plots: Plots;
  private readonly watch = h("span", { class: "watch" });
  private readonly toggle = h("button", {
    type: "button",
    class: "button toggle",
    onclick: () => this.turn(),
  });
  private readonly details = h("div", { class: "details" });
  private readonly ways = new WaysPanel();
  private readonly keys: KeyDesk;
  private readonly losses = new LossWatch();
  private shownVerdict: Verdict | null = null;
  private chosen: boolean | null = null; // open or not, as somebody wanted it; null: a red one is open
  private wasGreen = false;
  readonly element: HTMLElement;

  constructor(
    feedId: string,
    private readonly events: KeyEvents,
  ) {
    this.keys = new KeyDesk(feedId, events);
    this.plots = new Plots(feedId);
    this.details.append(this.keys.element, this.ways.element);
    this.element = h(
      "article",
      { class: "card", "data-feed": feedId },
      h("header", { class: "card-head" }, this.name, this.training.element, this.mark.element),
      this.verdict,
      this.reasons,
      this.next,
      this.steps.element,
      this.plots.element,
      h("div", { class: "card-foot" }, this.watch, this.toggle),
      this.details,
    );
  }

  /** A new report of the service has come. */
  take(seen: PilotFeed, utcMs: number): void {
    if (seen.feed.state) this.losses.add(utcMs, seen.feed.state);
    this.plots.take(seen.newest);
  }

  show(seen: PilotFeed, view: CardView): void {
    const { language, serverReachable } = view;
    const { feed, keys } = seen;
    const found = verdict(feed.state, serverReachable);
    setText(this.name, feed.name);
    this.training.show(language, feed.training);
    this.mark.show(language, { picture: feed.unsecured, telemetry: null });
    this.showVerdict(found, seen, language);
    const open = this.isOpen(found === "arrives" && isGreen(seen.steps));
    const done = found === "arrives" ? treatments(language, feed) : [];
    const sentences = serverReachable ? reasons(language, feed.state) : [translate(language, "why.server")];
    this.showReasons(open || !serverReachable ? [...done, ...sentences] : done);
    const said = nextStep(seen);
    this.showNext(language, said);
    this.next.hidden = !serverReachable || !(open || said.startsWith("advice."));
    this.steps.show(seen, { language, compact: !open, serverReachable, link: view.link, said });
    this.plots.show(language, serverReachable);
    this.showFoot(language, serverReachable ? seen.viewers : null, open);
    this.keys.element.hidden = keys === null;
    this.keys.show(
      language,
      feed.name,
      seen.keys_readable ? (keys ?? 0) : null,
      seen.publisher_key === "rotated",
    );
    this.showWays(seen, view);
  }

  private showNext(language: Language, step: Key): void {
    const when = step.startsWith("advice.") ? "pilot.better" : "pilot.next";
    setText(this.next, `${translate(language, when)} ${translate(language, step)}`);
  }

  private showWays({ feed, ways }: PilotFeed, { language, encrypted }: CardView): void {
    const { fresh } = this.keys;
    this.ways.show({
      language,
      ways: openFirst(fresh?.ways ?? ways, feed.state),
      off: (way) => offSentence(language, feed.state, way),
      key: fresh?.key ?? null,
      encrypted,
    });
    this.ways.element.classList.toggle("fresh", fresh !== null);
  }

  /** The page is left: it must not come back with a key on it. */
  forget(): void {
    this.keys.forget();
  }

  /** A red card is open, a green one small, until somebody wants it otherwise; a key just made stays in sight. */
  private isOpen(green: boolean): boolean {
    if (green !== this.wasGreen) this.chosen = null;
    this.wasGreen = green;
    return (this.chosen ?? !green) || this.keys.fresh !== null;
  }

  private turn(): void {
    this.chosen = this.details.hidden === true;
    this.events.shown();
  }

  private showFoot(language: Language, viewers: number | null, open: boolean): void {
    const many = viewers === 0 ? "pilot.watch_none" : viewers === 1 ? "pilot.watch_one" : "pilot.watch_many";
    setText(this.watch, viewers === null ? "" : translate(language, many, { count: viewers }));
    setText(this.toggle, translate(language, open ? "pilot.less" : "pilot.more"));
    setAttribute(this.toggle, "aria-expanded", String(open));
    this.details.hidden = !open;
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
