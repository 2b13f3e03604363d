/** Which flights: what is looked for, when, where, and of which incident. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import type { Theme } from "../mapStyle";
import type { Flight, FlightQuery, Incident } from "./api";
import { endOfDay, startOfDay } from "./days";
import { PlaceFinder } from "./placeFinder";
import { incidentName } from "./sentences";

const TYPED_MS = 300; // while somebody types, nothing is asked

export class Finder {
  private readonly input = h("input", {
    class: "field",
    type: "search",
    maxlength: 100,
    oninput: () => this.typed(),
  });
  private readonly select = h("select", { class: "field", onchange: () => this.changed() });
  private readonly from = this.day("find.from");
  private readonly to = this.day("find.to");
  private readonly place: PlaceFinder;
  readonly element: HTMLElement;
  private timer: number | undefined;
  private drawn = "";

  constructor(
    theme: () => Theme,
    private readonly changed: () => void,
  ) {
    this.place = new PlaceFinder(theme, () => this.changed());
    const fields = [this.input, this.select, this.from.label, this.to.label];
    this.element = h(
      "div",
      { class: "finder", role: "search" },
      h("div", { class: "fields" }, ...fields),
      this.place.element,
    );
  }

  get query(): Partial<FlightQuery> {
    const { circle } = this.place;
    const [from, to] = [startOfDay(this.from.input.value), endOfDay(this.to.input.value)];
    return {
      text: this.input.value.trim(),
      incident: this.select.value,
      ...(from !== null && { from_ms: from }),
      ...(to !== null && { to_ms: to }),
      ...(circle && { lat: circle.lat_deg, lon: circle.lon_deg, radius_m: circle.radius_m }),
    };
  }

  get isOn(): boolean {
    return Object.values(this.query).some((value) => value !== "");
  }

  show(language: Language, incidents: readonly Incident[], flights: readonly Flight[]): void {
    this.place.show(language, flights);
    const drawn = JSON.stringify([language, incidents.map(({ id, kind, name }) => [id, kind, name])]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    for (const [name, key] of [
      ["placeholder", "flights.search"],
      ["aria-label", "flights.search"],
    ] as const)
      setAttribute(this.input, name, translate(language, key));
    for (const { text, key } of [this.from, this.to]) setText(text, translate(language, key));
    setAttribute(this.select, "aria-label", translate(language, "incidents.title"));
    const { value } = this.select;
    this.select.replaceChildren(
      h("option", { value: "" }, translate(language, "flights.all_incidents")),
      ...incidents.map((one) => h("option", { value: one.id }, incidentName(language, one))),
    );
    this.select.value = incidents.some(({ id }) => id === value) ? value : "";
  }

  private day(key: Key): { key: Key; text: HTMLElement; input: HTMLInputElement; label: HTMLElement } {
    const text = h("span", {});
    const input = h("input", { class: "field", type: "date", onchange: () => this.changed() });
    return { key, text, input, label: h("label", { class: "day" }, text, input) };
  }

  private typed(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.changed(), TYPED_MS);
  }
}
