/** The page: chosen feeds, layout, the loop that keeps texts true, and what the viewer does. */

import { blank, showEnded } from "./access/black";
import { onGone } from "./access/gone";
import { followTheDevice } from "./comingAndGoing";
import { firstFeeds, LivePeople, noFeedWords } from "./access/livePeople";
import { may } from "./access/me";
import { AlarmBoard } from "./alarms/board";
import { AlarmStrip } from "./alarms/strip";
import type { Config, Feed, SharedMessage } from "./api";
import { Bar, barView } from "./bar";
import { Channel } from "./channel";
import { firstChoice, loadTaste, saveTaste, withChoice, type Feeds } from "./choice";
import { h, setAttribute, setText } from "./dom";
import { Help } from "./help";
import { listenToKeys } from "./keys";
import { MapPanel, type Watched } from "./mapPanel";
import { MarkDesk } from "./marks/desk";
import { Pane } from "./pane";
import { savePhoto } from "./photo";
import { Picker } from "./picker";
import { RewindDesk } from "./rewind/desk";
import { KEY_STEP_MS } from "./rewind/course";
import { ServerTime } from "./serverTime";
import { Recorder } from "./surface";
import { pageTitle } from "./trainingMark";
import { watched } from "./watched";

const TICK_MS = 50; // a stopped picture is grey at most this late
const TEXT_EVERY = 3; // ticks: six times a second is as fast as a number can be read

export class App {
  private readonly taste = loadTaste();
  private readonly time = new ServerTime();
  private readonly recorder = new Recorder(this.time);
  private readonly panes = new Map<string, Pane>();
  private readonly help = new Help({
    language: () => {
      this.switchLanguage();
      if (this.help.element.open) this.openHelp();
    },
    bright: () => this.switchTheme(),
    me: () => this.bar.account.open(),
  });
  private readonly people = new LivePeople(() => this.mainPane?.channel.feed ?? null);
  private readonly bar: Bar;
  private readonly picker: Picker;
  private readonly alarms = new AlarmBoard();
  private readonly strip = new AlarmStrip(this.alarms);
  private readonly desk = new MarkDesk((mark) => this.map.goTo(mark));
  private readonly map: MapPanel;
  private readonly rewind = new RewindDesk(this.time, {
    change: () => this.refresh(),
    picture: (pane) => this.pastPicture(pane),
  });
  private readonly pictures = h("div", { class: "pictures" });
  private readonly empty = h("p", { class: "empty", hidden: true });
  private readonly root: HTMLElement;
  private chosen: Feeds;
  private ticks = 0;
  private ticking: number | undefined;
  private isOver = false; // this viewer may watch no more

  constructor(
    root: HTMLElement,
    private readonly config: Config,
    private feeds: Feed[],
  ) {
    this.root = root;
    this.bar = new Bar({
      hud: () => this.toggle("hud"),
      language: () => this.switchLanguage(),
      bright: () => this.switchTheme(),
      help: () => this.showHelp(),
      leaveFull: () => this.setFull(false),
      fix: (fixed) => this.mainPane?.channel.fix(fixed),
    });
    const does = {
      choose: (id: string) => this.choose(id),
      toggleSecond: (id: string) => this.toggleSecond(id),
      swap: () => this.swap(),
      flip: () => this.flip(),
      full: () => this.setFull(!this.isFull),
      photo: () => void this.photo(),
      map: () => this.toggle("map"),
    };
    this.picker = new Picker(does, ...this.people.buttons);
    this.map = new MapPanel(this.taste.theme, this.desk.marks, this.desk.panel, config.map);
    root.replaceChildren(
      this.bar.element,
      this.strip.element,
      h("main", { class: "views" }, this.pictures, this.map.element, this.desk.sheet.element, this.empty),
      this.rewind.bar.element,
      this.picker.element,
      this.help.element,
      ...this.people.dialogs,
    );
    this.chosen = firstChoice(location.search, feeds, window.innerWidth);
    this.listen();
    this.applyTaste();
    this.openChosen();
    this.ticking = window.setInterval(() => this.tick(), TICK_MS);
    onGone(() => this.end());
    if (feeds.length === 0) void firstFeeds(() => this.isOver).then((found) => this.setFeeds(found));
    void this.map.load().then(() => this.refresh());
    window.lagebild = this.recorder.surface(
      () => this.open(),
      () => this.rewind.past,
    );
  }

  private get isFull(): boolean {
    return this.root.hasAttribute("data-full");
  }

  private get mainPane(): Pane | null {
    return this.panes.get(this.chosen.main ?? "") ?? null;
  }

  private open(): Channel[] {
    return [this.chosen.main, this.chosen.second].flatMap((id) => this.panes.get(id ?? "")?.channel ?? []);
  }

  // --- what the viewer does ---------------------------------------------------------------------------------

  private choose(id: string): void {
    if (id === this.chosen.main) return;
    const second = id === this.chosen.second ? this.chosen.main : this.chosen.second;
    this.setChosen({ main: id, second });
  }

  private toggleSecond(id: string): void {
    if (id !== this.chosen.main)
      this.setChosen({ ...this.chosen, second: id === this.chosen.second ? null : id });
  }

  private swap(): void {
    const { main, second } = this.chosen;
    if (second) this.setChosen({ main: second, second: main });
  }

  private flip(): void {
    this.root.toggleAttribute("data-map-first");
  }

  private toggle(what: "hud" | "map"): void {
    this.taste[what] = !this.taste[what];
    this.applyTaste();
  }

  private switchLanguage(): void {
    this.taste.language = this.taste.language === "de" ? "en" : "de";
    this.applyTaste();
  }

  private switchTheme(): void {
    this.taste.theme = this.taste.theme === "dark" ? "bright" : "dark";
    this.applyTaste();
  }

  private setFull(full: boolean): void {
    this.root.toggleAttribute("data-full", full);
    // Where the browser has no full screen (iPhone), hiding all else is what remains.
    if (full) void document.documentElement.requestFullscreen?.().catch(() => undefined);
    else if (document.fullscreenElement) void document.exitFullscreen();
  }

  private showHelp(): void {
    if (this.help.element.open) this.help.element.close();
    else this.openHelp();
  }

  private openHelp(): void {
    this.help.open(
      this.taste.language,
      this.config.version,
      this.open().map(({ feed }) => feed),
    );
  }

  private async photo(): Promise<void> {
    const pane = this.mainPane;
    const picture = pane?.picture();
    if (pane && picture) await savePhoto(picture, pane.photoFacts(this.taste.language));
    else if (this.rewind.past) this.rewind.say("rewind.no_photo");
  }

  // --- feeds and panes --------------------------------------------------------------------------------------

  private setChosen(chosen: Feeds): void {
    this.chosen = chosen;
    history.replaceState(null, "", location.pathname + withChoice(location.search, chosen) + location.hash);
    this.openChosen();
  }

  private openChosen(): void {
    const wanted = [this.chosen.main, this.chosen.second].filter((id) => id !== null);
    for (const id of this.panes.keys()) if (!wanted.includes(id)) this.closePane(id);
    for (const id of wanted) if (!this.panes.has(id)) this.openPane(id);
    for (const [id, pane] of this.panes) pane.element.classList.toggle("main", id === this.chosen.main);
    this.root.toggleAttribute("data-pair", this.panes.size > 1);
    this.rewind.watch(this.mainPane);
    this.refresh();
  }

  private openPane(id: string): void {
    const feed = this.feeds.find((one) => one.id === id);
    if (!feed) return;
    const channel = new Channel(feed, this.config, this.time, {
      picture: () => {
        this.recorder.picture(channel);
        pane.refreshHud(this.taste.language);
      },
      sample: () => {
        this.recorder.sample(channel);
        pane.refreshHud(this.taste.language);
      },
      change: () => this.showMap(),
      feeds: (feeds) => this.setFeeds(feeds),
      shared: (message) => this.hear(message),
      ended: () => this.end(),
    });
    const pane: Pane = new Pane(channel, this.time, (event) => {
      if (id === this.chosen.second) this.swap();
      else if (!may("mark")) return;
      else if (this.rewind.past)
        this.rewind.say("rewind.no_marks"); // it would be set at another moment
      else void this.desk.point(pane, event);
    });
    this.panes.set(id, pane);
    this.pictures.append(pane.element);
  }

  private hear(message: SharedMessage): void {
    if (message.type === "alarms") this.alarms.replace(message.alarms);
    else if (message.type === "alarm") this.alarms.take(message);
    else if (message.type === "present") this.people.take(message.people);
    else this.desk.take(message);
    this.showShared();
  }

  private closePane(id: string): void {
    const pane = this.panes.get(id);
    if (pane) this.desk.leave(pane);
    this.panes.delete(id);
    pane?.channel.close();
    pane?.close();
    this.recorder.forget(id);
  }

  /** Black, at once: no last picture, no map. */
  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    const watched = this.open().map(({ feed }) => feed.id);
    blank(this.root);
    window.clearInterval(this.ticking);
    this.rewind.live();
    for (const id of [...this.panes.keys()]) this.closePane(id);
    showEnded(this.root, this.taste.language, watched);
  }

  private setFeeds(feeds: Feed[]): void {
    if (this.isOver) return;
    this.feeds = feeds;
    for (const feed of feeds) {
      const pane = this.panes.get(feed.id);
      if (pane) pane.channel.feed = feed;
    }
    if (this.chosen.main === null) this.chosen = firstChoice(location.search, feeds, window.innerWidth);
    this.openChosen();
  }

  // --- keeping the page true --------------------------------------------------------------------------------

  private tick(): void {
    const now = performance.now();
    let changed = false;
    for (const { channel } of this.panes.values()) {
      const before = channel.state.name;
      if (channel.judge(now) !== before) changed = true;
    }
    this.ticks += 1;
    if (changed || this.ticks % TEXT_EVERY === 0) this.refresh();
  }

  private refresh(): void {
    if (this.isOver) return;
    const { language } = this.taste;
    const main = this.mainPane;
    for (const pane of this.panes.values()) pane.refresh(language);
    this.showBadge(main);
    this.bar.badge.element.hidden = main === null;
    this.bar.quality.show(language, main?.channel.chosen ?? null, main?.channel.feed ?? null);
    const serverMs = this.time.at(performance.now());
    this.bar.show(language, barView(this.config, main?.channel ?? null, serverMs, this.taste.hud));
    this.picker.show({
      language,
      feeds: this.feeds,
      chosen: this.chosen,
      mapOn: this.taste.map,
      pictureState: (id) => this.panes.get(id)?.channel.state.name ?? null,
    });
    this.showEmpty();
    this.showTitle();
    this.showShared();
    this.showMap();
  }

  private showBadge(main: Pane | null): void {
    const { language } = this.taste;
    const { badge } = this.bar;
    const { past } = this.rewind;
    const nowMs = this.time.at(performance.now());
    if (past) badge.showPast(language, past.momentMs, (nowMs ?? past.momentMs) - past.momentMs);
    else if (main) badge.show(main.channel, language, main.lastPictureUtcMs);
    this.root.toggleAttribute("data-past", past !== null);
  }

  private showMap(): void {
    const now = performance.now();
    this.map.show(this.taste.language, this.watched(), this.time.at(now), now);
  }

  /** Another picture of the recording is on the screen: what belongs to it comes with it. */
  private pastPicture(pane: Pane): void {
    pane.refreshHud(this.taste.language);
    this.showMap();
  }

  private showTitle(): void {
    const title = pageTitle(this.taste.language, this.config.title, this.mainPane?.channel.feed ?? null);
    if (document.title !== title) document.title = title;
  }

  private showShared(): void {
    this.people.show(this.taste.language);
    this.strip.show(this.taste.language);
    this.desk.show(this.taste.language);
    this.map.showMarks();
    this.rewind.show(this.taste.language, this.desk.marks.list, this.alarms);
  }

  private showEmpty(): void {
    const { language } = this.taste;
    this.empty.hidden = this.mainPane !== null;
    setText(this.empty, noFeedWords(language, this.chosen.main));
  }

  private watched(): Watched[] {
    const { past } = this.rewind;
    const { main } = this.chosen;
    return this.open().map((one) => watched(this.taste.language, one, one.feed.id === main ? past : null));
  }

  private applyTaste(): void {
    const { language, theme, hud, map } = this.taste;
    saveTaste(this.taste);
    document.documentElement.lang = language;
    setAttribute(document.documentElement, "data-theme", theme);
    this.root.toggleAttribute("data-hud", hud);
    this.root.toggleAttribute("data-map", map);
    this.map.setTheme(theme);
    this.refresh();
  }

  /** One thing at a time: what lies on top goes first. */
  private leave(): void {
    if (this.desk.isOpen) this.desk.close();
    else if (this.rewind.past) this.rewind.live();
    else this.setFull(false);
  }

  private listen(): void {
    listenToKeys({
      h: () => this.toggle("hud"),
      m: () => this.toggle("map"),
      l: () => this.switchLanguage(),
      b: () => this.switchTheme(),
      s: () => this.swap(),
      f: () => this.setFull(!this.isFull),
      p: () => void this.photo(),
      "?": () => this.showHelp(),
      digit: (n) => {
        const feed = this.feeds[n - 1];
        if (feed) this.choose(feed.id);
      },
      arrow: (direction) => this.rewind.step(direction * KEY_STEP_MS),
      space: () => this.rewind.pause(),
      end: () => this.rewind.live(),
      escape: () => this.leave(),
    });
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement) this.setFull(false);
    });
    followTheDevice(() => this.open());
  }
}
