/** What people do with a recorded flight: each is asked for first, and told to the service. */

import { translate, type Language } from "../catalogue";
import { h } from "../dom";
import { Ask, checkField, given, personField, selectField, textField } from "./ask";
import { changeIncident, deleteFlight, holdFlight, releaseFlight, type Flight, type Incident } from "./api";
import type { FlightActions } from "./card";
import { incidentName, flightName } from "./sentences";
import { startTraining, times } from "./training";

const NONE = ""; // no incident

/** At which an exercise may begin: there must be something left to play. */
const lastMinute = ({ duration_ms }: Flight): number => Math.floor(duration_ms / 6000) / 10;

export interface DeskEvents {
  /** What the service knows of this flight, or of any, has changed. */
  changed(flightId: string): void;
  deleted(flightId: string): void;
  played(): void;
}

export class FlightDesk implements FlightActions {
  language: Language = "de";
  incidents: readonly Incident[] = [];

  constructor(
    private readonly ask: Ask,
    private readonly events: DeskEvents,
  ) {}

  hold(flight: Flight): void {
    const { language } = this;
    this.ask.open(language, {
      text: translate(language, "flights.hold_ask", { flight: flightName(language, flight) }),
      fields: [textField(language, "reason", "flights.reason"), personField(language)],
      yes: "flights.hold",
      act: async (data) => {
        await holdFlight(flight.id, given(data, "reason"), given(data, "by"));
        this.events.changed(flight.id);
      },
    });
  }

  release(flight: Flight): void {
    const { language } = this;
    this.ask.open(language, {
      text: translate(language, "flights.release_ask", { flight: flightName(language, flight) }),
      fields: [personField(language)],
      yes: "flights.release",
      act: async (data) => {
        await releaseFlight(flight.id, given(data, "by"));
        this.events.changed(flight.id);
      },
    });
  }

  remove(flight: Flight): void {
    const { language } = this;
    const name = flightName(language, flight);
    this.ask.open(language, {
      text: translate(language, "flights.delete_ask", { flight: name }),
      fields: [textField(language, "reason", "flights.reason"), personField(language)],
      yes: "flights.delete",
      danger: true,
      sure: { text: translate(language, "flights.delete_sure", { flight: name }), yes: "flights.delete_yes" },
      act: async (data) => {
        await deleteFlight(flight.id, given(data, "reason"), given(data, "by"));
        this.events.deleted(flight.id);
      },
    });
  }

  assign(flight: Flight): void {
    const { language, incidents } = this;
    const choices = incidents.map(({ id, ...one }) => [id, incidentName(language, one)] as const);
    const none = [NONE, translate(language, "flights.no_incident")] as const;
    const now = flight.incident?.id ?? NONE;
    const first = choices.length === 0 && h("p", {}, translate(language, "flights.assign_none"));
    this.ask.open(language, {
      text: translate(language, "flights.assign_ask", { flight: flightName(language, flight) }),
      fields: [first || selectField(language, "incident", "incidents.title", [none, ...choices], now)],
      yes: "flights.assign",
      act: async (data) => {
        await move(flight.id, now, data.has("incident") ? given(data, "incident") : now);
        this.events.changed(flight.id);
      },
    });
  }

  play(flight: Flight): void {
    const { language } = this;
    const speeds = [0.5, 1, 2, 4, 10].map((one) => [String(one), times(language, one)] as const);
    const minutes = { type: "number", min: 0, max: lastMinute(flight), step: "any", inputmode: "decimal" };
    this.ask.open(language, {
      text: translate(language, "exercise.ask", { flight: flightName(language, flight) }),
      fields: [
        textField(language, "from", "exercise.from", "0", minutes),
        selectField(language, "speed", "exercise.speed", speeds, "1"),
        checkField("loop", translate(language, "exercise.loop")),
        personField(language),
      ],
      yes: "exercise.start",
      act: async (data) => {
        await startTraining({
          flight_id: flight.id,
          by: given(data, "by"),
          from_s: Number(given(data, "from")) * 60,
          speed: Number(given(data, "speed")),
          loop: data.has("loop"),
        });
        this.events.played();
      },
    });
  }
}

/** Into an incident, which takes it out of the one it was in; or out of that. */
async function move(flightId: string, from: string, to: string): Promise<void> {
  if (from === to) return;
  if (to !== NONE) await changeIncident(to, { add_flight_ids: [flightId] });
  else await changeIncident(from, { remove_flight_ids: [flightId] });
}
