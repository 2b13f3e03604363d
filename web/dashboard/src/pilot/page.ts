/** The pilot page: every aircraft with its cameras, kept true by asking the service every second. */

import { translate, type Key, type Language } from "../catalogue";
import { loadTaste, saveTaste } from "../choice";
import { h, setAttribute, setText } from "../dom";
import { icon } from "../icons";
import type { PilotAircraft, PilotView } from "./api";
import { FeedCard } from "./feedCard";
import { TelemetryRow } from "./telemetryRow";

interface Group {
  element: HTMLElement;
  title: HTMLElement;
  telemetry: TelemetryRow;
}

export class PilotPage {
  private readonly taste = loadTaste();
  private readonly title = h("h1", { class: "bar-name" });
  private readonly live = h("a", { class: "tool live-link", href: "/" });
  private readonly languageText = h("span", { class: "language" });
  private readonly bright = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.switchTheme() },
    icon("bright"),
  );
  private readonly language = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.switchLanguage() },
    this.languageText,
  );
  private readonly offline = h("p", { class: "offline", role: "alert", hidden: true });
  private readonly empty = h("p", { class: "empty", hidden: true });
  private readonly list = h("main", { class: "pilot" });
  private readonly groups = new Map<string, Group>();
  private readonly cards = new Map<string, FeedCard>();
  private drawn = "";
  private view: PilotView | null = null;
  private serverReachable = true;

  /** `hurry` asks the service at once: something was changed there. */
  constructor(
    root: HTMLElement,
    private readonly hurry: () => void,
  ) {
    const tools = h("div", { class: "tools" }, this.live, this.bright, this.language);
    const bar = h("header", { class: "bar" }, h("span", { class: "brand" }, "LAGEBILD"), this.title, tools);
    root.replaceChildren(bar, this.offline, this.list);
    // A page kept for "back" must not come back with a key on it.
    window.addEventListener("pagehide", () => this.cards.forEach((card) => card.forget()));
    this.applyTaste();
  }

  /** What the service has just told; null: it does not answer. */
  take(view: PilotView | null): void {
    this.serverReachable = view !== null;
    if (view) {
      this.view = view;
      this.build(view.aircraft);
      for (const { feeds } of view.aircraft)
        for (const feed of feeds) this.cards.get(feed.feed.id)?.take(feed, view.utc_ms);
    }
    this.refresh();
  }

  private build(aircraft: readonly PilotAircraft[]): void {
    const wanted = aircraft
      .map(({ id, feeds }) => [id, ...feeds.map(({ feed }) => feed.id)].join(" "))
      .join();
    if (wanted === this.drawn && this.drawn !== "") return;
    this.drawn = wanted;
    this.groups.clear();
    this.cards.clear();
    this.list.replaceChildren(...aircraft.map((one) => this.group(one)), this.empty);
  }

  private group({ id, feeds }: PilotAircraft): HTMLElement {
    const title = h("h2");
    const telemetry = new TelemetryRow();
    const cards = feeds.map(({ feed }) => {
      const card = new FeedCard(feed.id, {
        shown: () => this.refresh(),
        changed: () => this.hurry(),
      });
      this.cards.set(feed.id, card);
      return card.element;
    });
    const element = h(
      "section",
      { class: "aircraft", "data-aircraft": id },
      title,
      telemetry.element,
      h("div", { class: "cards" }, ...cards),
    );
    this.groups.set(id, { element, title, telemetry });
    return element;
  }

  private refresh(): void {
    const { language } = this.taste;
    const { serverReachable, view } = this;
    this.showBar(language);
    this.offline.hidden = serverReachable;
    setText(this.offline, translate(language, "why.server"));
    this.empty.hidden = view === null || view.aircraft.some(({ feeds }) => feeds.length > 0);
    setText(this.empty, translate(language, "pilot.none"));
    for (const aircraft of view?.aircraft ?? []) {
      const group = this.groups.get(aircraft.id);
      if (!group) continue;
      setText(group.title, aircraft.name);
      group.telemetry.show(aircraft, language, serverReachable);
      for (const feed of aircraft.feeds)
        this.cards
          .get(feed.feed.id)
          ?.show(feed, { language, encrypted: view?.srt_encrypted ?? false, serverReachable });
    }
  }

  private showBar(language: Language): void {
    const name = (button: HTMLElement, key: Key): void => {
      setAttribute(button, "aria-label", translate(language, key));
      setAttribute(button, "title", translate(language, key));
    };
    setText(this.title, translate(language, "pilot.title"));
    setText(this.live, translate(language, "pilot.live"));
    setText(this.languageText, language === "de" ? "EN" : "DE");
    name(this.bright, "do.bright");
    name(this.language, "do.language");
  }

  private switchLanguage(): void {
    this.taste.language = this.taste.language === "de" ? "en" : "de";
    this.applyTaste();
  }

  private switchTheme(): void {
    this.taste.theme = this.taste.theme === "dark" ? "bright" : "dark";
    this.applyTaste();
  }

  private applyTaste(): void {
    saveTaste(this.taste);
    document.documentElement.lang = this.taste.language;
    setAttribute(document.documentElement, "data-theme", this.taste.theme);
    this.refresh();
  }
}
