/** The pilot page: every aircraft with its cameras, kept true by asking the service every second. */

import { translate } from "../catalogue";
import { h, setText } from "../dom";
import type { AlarmState } from "../alarms/board";
import { InstallationAlarms } from "../alarms/installation";
import { PageBar } from "../pageBar";
import { TrainingTag } from "../trainingMark";
import { AircraftNews } from "./aircraftNews";
import type { PilotAircraft, PilotView } from "./api";
import { FeedCard } from "./feedCard";
import { OutputNews } from "./outputs";
import { TelemetryRow } from "./telemetryRow";

interface Group {
  element: HTMLElement;
  title: HTMLElement;
  training: TrainingTag;
  telemetry: TelemetryRow;
  news: AircraftNews;
}

export class PilotPage {
  private readonly bar = new PageBar(() => this.refresh());
  private readonly offline = h("p", { class: "offline", role: "alert", hidden: true });
  private readonly empty = h("p", { class: "empty", hidden: true });
  private readonly alarms = new InstallationAlarms();
  private readonly outputs = new OutputNews();
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
    const above = h("div", { class: "page-news" }, this.offline, this.alarms.element);
    root.replaceChildren(this.bar.element, above, this.list);
    // A page kept for "back" must not come back with a key on it.
    window.addEventListener("pagehide", () => this.cards.forEach((card) => card.forget()));
    this.refresh();
  }

  /** What the service has just told; null: it does not answer. */
  take(view: PilotView | null, alarms: readonly AlarmState[] | null): void {
    this.alarms.take(alarms);
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
    this.list.replaceChildren(this.outputs.element, ...aircraft.map((one) => this.group(one)), this.empty);
  }

  private group({ id, feeds }: PilotAircraft): HTMLElement {
    const title = h("h2");
    const [telemetry, news, training] = [new TelemetryRow(), new AircraftNews(), new TrainingTag()];
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
      h("div", { class: "aircraft-head" }, title, training.element),
      telemetry.element,
      news.element,
      h("div", { class: "cards" }, ...cards),
    );
    this.groups.set(id, { element, title, training, telemetry, news });
    return element;
  }

  private refresh(): void {
    const { language } = this.bar.taste;
    const { serverReachable, view } = this;
    this.bar.show(translate(language, "pilot.title"));
    this.offline.hidden = serverReachable;
    setText(this.offline, translate(language, "why.server"));
    this.empty.hidden = view === null || view.aircraft.some(({ feeds }) => feeds.length > 0);
    setText(this.empty, translate(language, "pilot.none"));
    this.alarms.show(language);
    this.outputs.show(language, (serverReachable && view?.outputs) || []);
    for (const aircraft of view?.aircraft ?? []) {
      const group = this.groups.get(aircraft.id);
      if (!group) continue;
      setText(group.title, aircraft.name);
      group.training.show(
        language,
        aircraft.feeds.some(({ feed }) => feed.training),
      );
      group.telemetry.show(aircraft, language, serverReachable);
      group.news.show(aircraft, language, serverReachable && view ? view.utc_ms : null);
      const shown = {
        language,
        encrypted: view?.srt_encrypted ?? false,
        serverReachable,
        link: aircraft.telemetry?.state ?? null,
      };
      for (const feed of aircraft.feeds) this.cards.get(feed.feed.id)?.show(feed, shown);
    }
  }
}
