/** The page of recorded flights: the list, newest first, and what belongs to it; kept true by asking again. */

import { getStanding, InstallationAlarms } from "../alarms/installation";
import { getFeeds, type StorageState } from "../api";
import { translate } from "../catalogue";
import { h, renewChildren, setAttribute, setText } from "../dom";
import { PageBar } from "../pageBar";
import { storageSentence } from "../recState";
import { refusalCode, Refused } from "../requests";
import { Ask } from "./ask";
import {
  getDeletions,
  getFlight,
  getFlights,
  getIncidents,
  getRetention,
  getStorage,
  type Flight,
  type FlightQuery,
  type Incident,
} from "./api";
import { flightCard } from "./card";
import { Finder } from "./finder";
import { FlightDesk } from "./flightDesk";
import { Fold } from "./fold";
import { IncidentsPanel, type AircraftName } from "./incidents";
import { FlightList } from "./list";
import { daysOf, deletionLine, flightName, plannedLine, refused } from "./sentences";
import { getTraining, TrainingPanel, type Training } from "./training";

const PAGE = 50;

export class FlightsPage {
  private readonly bar = new PageBar(() => this.refresh());
  private readonly offline = h("p", { class: "offline", role: "alert", hidden: true });
  private readonly alarms = new InstallationAlarms();
  private readonly storage = h("p", { class: "storage", role: "status" });
  private readonly ask = new Ask();
  private readonly desk = new FlightDesk(this.ask, {
    changed: (id) => void this.reload(id),
    deleted: (id) => this.gone(id),
    played: () => void this.follow(),
  });
  private readonly exercise = new TrainingPanel(() => this.follow());
  private readonly panel = new IncidentsPanel(this.ask, () => this.renew());
  private readonly finder = new Finder(
    () => this.bar.taste.theme,
    () => this.search(),
  );
  private readonly empty = h("p", { class: "empty", role: "status" });
  private readonly cards = h("div", { class: "flights-list" });
  private readonly more = h("button", {
    type: "button",
    class: "button strong",
    onclick: () => void this.older(),
  });
  private readonly planned = new Fold("retention.title", "retention.none", async (language) => {
    const retention = await getRetention();
    return retention.planned.map((one) =>
      plannedLine(language, one, daysOf(one.rule, retention), this.known(one.flight_id)),
    );
  });
  private readonly deletions = new Fold("deletions.title", "deletions.none", async (language) =>
    (await getDeletions()).map((one) => deletionLine(language, one)),
  );
  private readonly list = new FlightList();
  private drawn = new Map<string, [told: string, card: HTMLElement]>();
  private incidents: readonly Incident[] = [];
  private aircraft: readonly AircraftName[] = [];
  private room: StorageState | null = null;
  private training: Training | null = null;
  private asked = 0; // rises with every search, so that a late answer to the one before is dropped
  private problem: string | null = null; // the code of why there is no list
  private loaded = false;

  constructor(root: HTMLElement) {
    const main = h(
      "main",
      { class: "pilot flights" },
      this.storage,
      this.exercise.element,
      this.panel.element,
      this.finder.element,
      this.cards,
      this.empty,
      this.more,
      this.planned.element,
      this.deletions.element,
    );
    const above = h("div", { class: "page-news" }, this.offline, this.alarms.element);
    root.replaceChildren(this.bar.element, above, main, this.ask.element);
    this.ask.element.addEventListener("close", () => this.refresh());
    this.refresh();
  }

  /** Ask for everything that may have changed. */
  async renew(): Promise<void> {
    const asked = this.asked;
    const [page] = await Promise.all([this.page(this.query()), this.renewRest(), this.follow()]);
    if (page && asked === this.asked) {
      this.list.takeNewest(page, PAGE);
      this.loaded = true;
    }
    this.refresh();
  }

  /** What plays, which moves faster than the rest. */
  async follow(): Promise<void> {
    this.training = (await this.try(getTraining())) ?? this.training; // unheard, it is not over
    this.refresh();
  }

  get plays(): boolean {
    return this.training?.playing ?? false;
  }

  private async renewRest(): Promise<void> {
    const [incidents, feeds, room, alarms] = await Promise.all([
      this.try(getIncidents()),
      getFeeds().catch(() => null),
      this.try(getStorage()),
      this.try(getStanding()),
    ]);
    this.incidents = incidents ?? this.incidents;
    if (feeds)
      this.aircraft = [
        ...new Map(
          feeds.filter(({ training }) => !training).map((feed) => [feed.aircraft_id, feed.aircraft_name]),
        ),
      ];
    this.room = room;
    this.alarms.take(alarms);
  }

  private async page(query: Partial<FlightQuery>): Promise<Flight[] | null> {
    try {
      const page = await getFlights(query);
      this.problem = null;
      return page;
    } catch (error) {
      this.problem = refusalCode(error);
      return null;
    }
  }

  private query(): Partial<FlightQuery> {
    return { ...this.finder.query, limit: PAGE };
  }

  private search(): void {
    this.asked += 1;
    this.loaded = false;
    this.list.clear();
    void this.renew();
  }

  private async older(): Promise<void> {
    const [asked, last] = [this.asked, this.list.last];
    if (!last) return;
    this.more.disabled = true;
    const page = await this.page({ ...this.query(), before: last.id });
    this.more.disabled = false;
    if (page && asked === this.asked) this.list.takeOlder(page, PAGE);
    this.refresh();
  }

  private async reload(id: string): Promise<void> {
    const flight = await this.try(getFlight(id));
    if (flight) this.list.replace(flight);
    this.incidents = (await this.try(getIncidents())) ?? this.incidents;
    this.refresh();
    void this.planned.refresh();
  }

  private gone(id: string): void {
    this.list.remove(id);
    this.refresh();
    void this.planned.refresh();
    void this.deletions.refresh();
  }

  private known(id: string): Flight | undefined {
    return this.list.all.find((flight) => flight.id === id);
  }

  /** null where the service refused, or could not be asked. */
  private async try<T>(answer: Promise<T>): Promise<T | null> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Refused) return null;
      throw error;
    }
  }

  private refresh(): void {
    const { language } = this.bar.taste;
    this.desk.language = language;
    this.desk.incidents = this.incidents;
    this.bar.show(translate(language, "flights.title"));
    this.offline.hidden = this.problem === null;
    setText(this.offline, this.trouble(this.problem ?? ""));
    this.alarms.show(language);
    this.storage.hidden = this.room === null;
    if (this.room) setText(this.storage, storageSentence(language, this.room));
    setAttribute(this.storage, "data-storage", this.room?.status ?? "");
    this.exercise.show(language, this.training, this.playedName());
    this.finder.show(language, this.incidents, this.list.all);
    if (!this.ask.element.open) {
      this.panel.show(language, this.incidents, this.aircraft); // else the question could not give back the keyboard
      this.drawCards();
    }
    setText(this.more, translate(language, "flights.more"));
    this.more.hidden = !this.list.hasMore;
    this.empty.hidden = this.list.all.length > 0 || this.problem !== null;
    const nothing = this.finder.isOn ? "flights.none_found" : "flights.none";
    setText(this.empty, translate(language, this.loaded ? nothing : "flights.loading"));
    this.planned.show(language);
    this.deletions.show(language);
  }

  private trouble(code: string): string {
    const { language } = this.bar.taste;
    if (code === "") return translate(language, "why.server");
    return code === "not_found" ? translate(language, "rec.disabled") : refused(language, code); // no such route
  }

  private playedName(): string {
    const flight = this.known(this.training?.flight_id ?? "");
    return flight ? flightName(this.bar.taste.language, flight) : (this.training?.aircraft_name ?? "");
  }

  /** A card is made anew only where its flight has changed: what somebody is about to tap stays. */
  private drawCards(): void {
    const { language } = this.bar.taste;
    const before = this.drawn;
    this.drawn = new Map(
      this.list.all.map((flight) => {
        const told = JSON.stringify([language, flight]);
        const known = before.get(flight.id);
        return [flight.id, known?.[0] === told ? known : [told, flightCard(language, flight, this.desk)]];
      }),
    );
    const cards = [...this.drawn.values()].map(([, card]) => card);
    renewChildren(this.cards, cards, (card) => card.getAttribute("data-flight") ?? "");
  }
}
