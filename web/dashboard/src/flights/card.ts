/** One recorded flight in the list: what there is of it, until when, and what can be done with it. */

import { translate, type Key, type Language } from "../catalogue";
import { h } from "../dom";
import { dateTime, size, spokenDuration } from "../format";
import { icon } from "../icons";
import { trainingTag } from "../trainingMark";
import type { Flight } from "./api";
import { extras, feedSentence, flightName, incidentName, keeping, wrongs } from "./sentences";

export interface FlightActions {
  hold(flight: Flight): void;
  release(flight: Flight): void;
  remove(flight: Flight): void;
  assign(flight: Flight): void;
  play(flight: Flight): void;
}

export function flightCard(language: Language, flight: Flight, does: FlightActions): HTMLElement {
  return h(
    "article",
    { class: "flight", "data-flight": flight.id },
    picture(language, flight),
    head(language, flight),
    h("p", { class: "flight-incident" }, incident(language, flight)),
    flight.place &&
      h(
        "p",
        { class: "flight-place" },
        translate(language, "find.began_at", { place: placeText(flight.place) }),
      ),
    h("ul", { class: "flight-feeds" }, ...flight.feeds.map((feed) => feedLine(language, feed))),
    h("p", { class: "flight-extras" }, extras(language, flight).join(" · ")),
    ...wrongs(language, flight).map((text) => h("p", { class: "flight-wrong" }, icon("warning"), text)),
    flight.damage && h("p", { class: "technical" }, flight.damage),
    h("p", { class: "flight-keeping", "data-held": flight.hold !== null }, keeping(language, flight)),
    actions(language, flight, does),
  );
}

function head(language: Language, flight: Flight): HTMLElement {
  const running = flight.ended_ms === null;
  return h(
    "header",
    { class: "flight-head" },
    h("h3", {}, `${flight.aircraft_name} · ${dateTime(language, flight.started_ms)}`),
    h("span", {}, spokenDuration(flight.duration_ms)),
    h("span", {}, size(language, flight.size_bytes)),
    flight.incident?.kind === "uebung" && trainingTag(language),
    running && h("strong", { class: "flight-running" }, icon("rec"), translate(language, "flights.running")),
  );
}

/** The way to the flight itself, with a picture of it where there is one. */
function picture(language: Language, flight: Flight): HTMLElement {
  const name = translate(language, "find.picture_of", { flight: flightName(language, flight) });
  return h(
    "a",
    { class: "flight-picture", href: reviewPath(flight), "aria-label": name },
    flight.thumbnail_url ? h("img", { src: flight.thumbnail_url, alt: "", loading: "lazy" }) : icon("photo"),
  );
}

const reviewPath = ({ id }: Flight): string => `/flights/${encodeURIComponent(id)}`;

const placeText = ({ lat_deg: lat, lon_deg: lon, utmref }: NonNullable<Flight["place"]>): string =>
  utmref || `${lat.toFixed(5)}, ${lon.toFixed(5)}`;

const incident = (language: Language, flight: Flight): string =>
  flight.incident ? incidentName(language, flight.incident) : translate(language, "flights.no_incident");

const feedLine = (language: Language, feed: Flight["feeds"][number]): HTMLElement =>
  h(
    "li",
    {},
    translate(language, "flights.feed", { name: feed.name || feed.id, what: feedSentence(language, feed) }),
  );

function actions(language: Language, flight: Flight, does: FlightActions): HTMLElement {
  const button = (key: Key, act: (flight: Flight) => void, more = ""): HTMLElement =>
    h(
      "button",
      { type: "button", class: `button ${more}`, onclick: () => act(flight) },
      translate(language, key),
    );
  const ended = flight.ended_ms !== null;
  return h(
    "div",
    { class: "buttons" },
    h("a", { class: "button strong", href: reviewPath(flight) }, translate(language, "find.watch")),
    button("flights.play", (one) => does.play(one)),
    button("flights.assign", (one) => does.assign(one)),
    flight.hold
      ? button("flights.release", (one) => does.release(one))
      : button("flights.hold", (one) => does.hold(one)),
    ended && !flight.hold && button("flights.delete", (one) => does.remove(one)),
  );
}
