/** Incidents and exercises: opened, changed, closed and opened again by people. */

import { translate, type Key, type Language } from "../catalogue";
import { h, renewChildren, setText } from "../dom";
import { dateTime } from "../format";
import { Ask, given, manyField, personField, selectField, textField } from "./ask";
import { changeIncident, openIncident, type Incident, type IncidentChange, type Kind } from "./api";
import { incidentName } from "./sentences";

/** Id and name. */
export type AircraftName = readonly [id: string, name: string];

const KINDS: readonly Kind[] = ["einsatz", "uebung"];

export class IncidentsPanel {
  private readonly title = h("h2");
  private readonly open = h("div", { class: "incidents" });
  private readonly count = h("summary");
  private readonly closed = h("div", { class: "incidents" });
  private readonly fold = h("details", {}, this.count, this.closed);
  private readonly begin = h("button", {
    type: "button",
    class: "button strong",
    onclick: () => this.askNew(),
  });
  readonly element = h(
    "section",
    { class: "panel" },
    h("header", { class: "panel-head" }, this.title, this.begin),
    this.open,
    this.fold,
  );
  private language: Language = "de";
  private aircraft: readonly AircraftName[] = [];
  private drawn = "";

  constructor(
    private readonly ask: Ask,
    private readonly changed: () => Promise<void>,
  ) {}

  show(language: Language, incidents: readonly Incident[], aircraft: readonly AircraftName[]): void {
    const drawn = JSON.stringify([language, incidents, aircraft]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.language = language;
    this.aircraft = aircraft;
    const [open, closed] = [true, false].map((is) =>
      incidents.filter((one) => (one.closed_ms === null) === is),
    );
    setText(this.title, translate(language, "incidents.title"));
    setText(this.begin, translate(language, "incidents.open_new"));
    const none = h("p", {}, translate(language, "incidents.none"));
    this.list(this.open, open?.length ? open.map((one) => this.row(one)) : [none]);
    this.fold.hidden = !closed?.length;
    setText(this.count, translate(language, "incidents.closed", { count: closed?.length ?? 0 }));
    this.list(
      this.closed,
      (closed ?? []).map((one) => this.row(one)),
    );
  }

  private list(parent: Element, rows: readonly HTMLElement[]): void {
    renewChildren(parent, rows, (row) => row.getAttribute("data-incident") ?? "");
  }

  private row(incident: Incident): HTMLElement {
    const { language } = this;
    const closed = incident.closed_ms !== null;
    const button = (key: Key, act: () => void): HTMLElement =>
      h("button", { type: "button", class: "button", onclick: act }, translate(language, key));
    return h(
      "article",
      { class: "incident", "data-incident": incident.id, "data-kind": incident.kind },
      h("div", {}, h("h3", {}, incidentName(language, incident)), h("p", {}, this.facts(incident))),
      h(
        "div",
        { class: "buttons" },
        h(
          "a",
          { class: "button", href: `/incidents/${encodeURIComponent(incident.id)}` },
          translate(language, "find.effect"),
        ),
        button("incidents.change", () => this.askChange(incident)),
        closed
          ? button("incidents.reopen", () => this.askClosed(incident, false))
          : button("incidents.close", () => this.askClosed(incident, true)),
      ),
    );
  }

  private facts({
    opened_ms: opened,
    closed_ms: closed,
    aircraft_ids: ids,
    flight_ids: flights,
  }: Incident): string {
    const { language } = this;
    const from = dateTime(language, opened);
    const names = new Map(this.aircraft);
    return [
      closed === null
        ? translate(language, "incidents.since", { time: from })
        : translate(language, "incidents.until", { from, to: dateTime(language, closed) }),
      ids.map((id) => names.get(id) ?? id).join(", "),
      translate(language, "incidents.flights", { count: flights.length }),
    ]
      .filter(Boolean)
      .join(" · ");
  }

  private askNew(): void {
    this.ask.open(this.language, {
      text: translate(this.language, "incidents.open_new"),
      fields: [...this.fields("einsatz", "", []), personField(this.language)],
      yes: "incidents.open",
      act: (data) => this.do(openIncident({ ...told(data), by: given(data, "by") })),
    });
  }

  private askChange(incident: Incident): void {
    const { kind, name, aircraft_ids: aircraft } = incident;
    this.ask.open(this.language, {
      text: incidentName(this.language, incident),
      fields: this.fields(kind, name, aircraft),
      yes: "incidents.change",
      act: (data) => this.do(changeIncident(incident.id, changesOf(incident, told(data), this.aircraft))),
    });
  }

  private askClosed(incident: Incident, closed: boolean): void {
    const name = incidentName(this.language, incident);
    this.ask.open(this.language, {
      text: closed ? translate(this.language, "incidents.close_ask", { name }) : name,
      fields: [],
      yes: closed ? "incidents.close" : "incidents.reopen",
      act: () => this.do(changeIncident(incident.id, { closed })),
    });
  }

  private fields(kind: Kind, name: string, aircraft: readonly string[]): HTMLElement[] {
    const { language } = this;
    const kinds = KINDS.map((one) => [one, translate(language, `incidents.kind_${one}`)] as const);
    return [
      selectField(language, "kind", "incidents.kind", kinds, kind),
      textField(language, "name", "incidents.name", name),
      manyField(language, "aircraft", "incidents.aircraft", this.aircraft, aircraft),
    ];
  }

  private async do(change: Promise<Incident>): Promise<void> {
    await change;
    await this.changed();
  }
}

/** What somebody has changed of it. Of drones only those that were `offered` can be taken from it. */
export function changesOf(
  before: Incident,
  { kind, name, aircraft_ids }: Pick<Incident, "kind" | "name" | "aircraft_ids">,
  offered: readonly AircraftName[],
): IncidentChange {
  const known = new Set(offered.map(([id]) => id));
  const aircraft = [...before.aircraft_ids.filter((id) => !known.has(id)), ...aircraft_ids];
  const same =
    aircraft.length === before.aircraft_ids.length &&
    aircraft.every((id) => before.aircraft_ids.includes(id));
  return {
    ...(kind !== before.kind && { kind }),
    ...(name !== before.name && { name }),
    ...(!same && { aircraft_ids: aircraft }),
  };
}

const told = (data: FormData): Pick<Incident, "kind" | "name" | "aircraft_ids"> => ({
  kind: given(data, "kind") as Kind,
  name: given(data, "name"),
  aircraft_ids: data.getAll("aircraft").map(String),
});
