/** The review of one flight: pictures, head-up display and map of one moment, and what leads to others. */

import type { Config } from "../api";
import { Badge } from "../badge";
import { translate } from "../catalogue";
import { saveTaste } from "../choice";
import { h, setText } from "../dom";
import type { Flight, RecordedFeed } from "../flights/api";
import { flightName, incidentName } from "../flights/sentences";
import { listenToKeys } from "../keys";
import { PageBar } from "../pageBar";
import { savePhoto } from "../photo";
import { hasPosition } from "../telemetry";
import { withMoment } from "./address";
import { Controls, LEAP_MS } from "./controls";
import { Deck } from "./deck";
import { FlightMap } from "./flightMap";
import { KeysHelp } from "./keysHelp";
import { ReviewPane } from "./pane";
import { Panel } from "./panel/panel";
import { surfaceOf } from "./surface";

const TEXT_EVERY_MS = 150;
const ADDRESS_EVERY_MS = 1000; // browsers refuse to be told more often

export class ReviewPage {
  private readonly bar = new PageBar(() => this.applyTaste());
  private readonly badge = new Badge(true);
  private readonly running = h("p", { class: "player-running", hidden: true });
  private readonly panes: readonly ReviewPane[];
  private readonly controls: Controls;
  private readonly map: FlightMap;
  private readonly panel: Panel;
  private readonly help = new KeysHelp();
  private readonly screen: HTMLElement;
  private addressedAt = -ADDRESS_EVERY_MS;
  private addressed = "";

  constructor(
    private readonly root: HTMLElement,
    config: Config,
    private readonly flight: Flight,
    private readonly deck: Deck,
  ) {
    const { taste } = this.bar;
    this.map = new FlightMap(flight, config, taste.theme);
    const shown = deck.feeds.flatMap((id) => flight.feeds.find((feed) => feed.id === id) ?? []);
    this.panes = shown.flatMap((feed) => this.paneOf(feed));
    this.controls = new Controls(deck, shown, {
      toggle: (what) => this.toggle(what),
      full: () => this.setFull(!this.isFull),
      help: () => this.help.toggle(taste.language),
    });
    this.panel = new Panel(deck, this.map.panel);
    this.bar.element.querySelector(".tools")?.before(this.badge.element);
    const pictures = h("div", { class: "pictures" }, ...this.panes.map(({ element }) => element));
    const views = h("main", { class: "review-views" }, pictures, this.map.panel.element);
    if (this.panes.length === 0)
      pictures.append(h("p", { class: "empty" }, translate(taste.language, "player.no_feeds")));
    views.style.setProperty("--beside", String(Math.max(0, this.panes.length - 1)));
    this.screen = h(
      "div",
      { class: "review-screen" },
      this.bar.element,
      this.running,
      views,
      this.controls.element,
      this.panel.line,
    );
    root.replaceChildren(this.screen, this.panel.element, this.panel.dialogs, this.help.element);
    root.setAttribute("data-past", "");
    this.listen();
    this.applyTaste();
    deck.onChange(() => this.picture());
    window.setInterval(() => this.refresh(), TEXT_EVERY_MS);
    void this.map.load().then(() => this.refresh());
    window.lagebildReview = surfaceOf(deck);
  }

  private get isFull(): boolean {
    return this.root.hasAttribute("data-full");
  }

  private get mainPane(): ReviewPane | undefined {
    return this.panes.find(({ camera }) => camera.feedId === this.deck.main);
  }

  private paneOf(feed: RecordedFeed): ReviewPane[] {
    const camera = this.deck.cameras.get(feed.id);
    return camera ? [new ReviewPane(camera, feed, () => this.deck.choose(feed.id))] : [];
  }

  // --- keeping the page true --------------------------------------------------------------------------------

  /** Another picture is on the screen: all that belongs to it comes with it. */
  private picture(): void {
    const { deck } = this;
    const { language } = this.bar.taste;
    const { momentMs, sample } = deck;
    for (const pane of this.panes)
      pane.show({ language, momentMs, sample, main: pane.camera.feedId === deck.main });
    this.badge.showRecorded(language, momentMs);
    this.map.show(language, deck.main, momentMs, sample, deck.knowsSample);
    this.controls.show(language);
  }

  private refresh(): void {
    const { language } = this.bar.taste;
    const { flight } = this;
    const incident = flight.incident ? incidentName(language, flight.incident) : "";
    this.bar.show([flightName(language, flight), incident].filter(Boolean).join(" · "));
    this.running.hidden = flight.ended_ms !== null;
    setText(this.running, translate(language, "player.running"));
    this.picture();
    this.keepAddress();
  }

  /** So that the moment can be shared, and is there again when the page is loaded anew. */
  private keepAddress(): void {
    const { momentMs, main, paused, seeking } = this.deck;
    const now = performance.now();
    if (momentMs === null || !paused || seeking || now - this.addressedAt < ADDRESS_EVERY_MS) return;
    const address = location.pathname + withMoment(location.search, { utcMs: momentMs, feed: main });
    if (address !== this.addressed) history.replaceState(null, "", address + location.hash);
    [this.addressed, this.addressedAt] = [address, now];
  }

  private applyTaste(): void {
    const { language, theme, hud, map } = this.bar.taste;
    document.title = `Lagebild · ${flightName(language, this.flight)}`;
    this.root.toggleAttribute("data-hud", hud);
    this.root.toggleAttribute("data-map", map);
    this.map.panel.setTheme(theme);
    this.panel.show(language);
    this.refresh();
  }

  // --- what the viewer does ---------------------------------------------------------------------------------

  private toggle(what: "hud" | "map"): void {
    const { taste } = this.bar;
    taste[what] = !taste[what];
    saveTaste(taste);
    this.applyTaste();
  }

  private setFull(full: boolean): void {
    this.root.toggleAttribute("data-full", full);
    // Where the browser has no full screen (iPhone), hiding all else is what remains.
    if (full) void document.documentElement.requestFullscreen?.().catch(() => undefined);
    else if (document.fullscreenElement) void document.exitFullscreen();
  }

  private async photo(): Promise<void> {
    const { momentMs: utcMs, sample, main: feedId } = this.deck;
    const position = hasPosition(sample) ? sample : null;
    const picture = this.mainPane?.picture;
    if (picture) await savePhoto(picture, { feedId, utcMs, position, training: false });
  }

  private swap(): void {
    const { feeds, main } = this.deck;
    const next = feeds[(feeds.indexOf(main) + 1) % feeds.length];
    if (next) this.deck.choose(next);
  }

  private leap(direction: -1 | 1): void {
    this.deck.seek((this.deck.momentMs ?? 0) + direction * LEAP_MS);
  }

  private listen(): void {
    const { deck, controls } = this;
    listenToKeys({
      h: () => this.toggle("hud"),
      m: () => this.toggle("map"),
      l: () => this.bar.switchLanguage(),
      b: () => this.bar.switchTheme(),
      s: () => this.swap(),
      f: () => this.setFull(!this.isFull),
      p: () => void this.photo(),
      "?": () => this.help.toggle(this.bar.taste.language),
      j: () => this.leap(-1),
      k: () => controls.playOrPause(),
      ",": () => deck.step(-1),
      ".": () => deck.step(1),
      digit: (n) => deck.choose(deck.feeds[n - 1] ?? deck.main),
      arrow: (direction) => this.leap(direction),
      space: () => controls.playOrPause(),
      home: () => deck.seek(deck.whole.fromMs),
      end: () => deck.seek(deck.whole.toMs),
      speed: (direction) => controls.hasten(direction),
      escape: () => this.setFull(false),
    });
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement) this.setFull(false);
    });
    // Nobody looks, and browsers stop telling of pictures.
    document.addEventListener("visibilitychange", () => document.hidden && deck.pause());
  }
}
