/** The links of an incident: make one, hold its QR code up to a tablet, see who came, take it back. */

import { translate, type Key, type Language } from "../catalogue";
import type { Person } from "../api";
import { h, setAttribute, setText } from "../dom";
import type { Incident } from "../flights/api";
import { incidentName } from "../flights/sentences";
import { icon } from "../icons";
import { refusalCode } from "../requests";
import { dismiss, getLinks, getPresent, makeLink, qrAddress, revokeLink, type Link } from "./api";
import { copyText } from "./copy";
import { bigButton, Trouble } from "./parts";
import { holds, lasting, linkFacts, personName, refusedWords } from "./sentences";
import { SureButton } from "./sureButton";
import { personRow } from "./watchers";

const HOURS: readonly number[] = [4, 12, 24, 72, 168];
const USUAL_HOURS = 24;
const RENEW_MS = 3000;

export class LinkSheet {
  private readonly title = h("h2");
  private readonly close = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.element.close() },
    icon("close"),
  );
  private readonly body = h("div", { class: "link-body" });
  private readonly trouble = new Trouble();
  readonly element = h(
    "dialog",
    { class: "help links" },
    h("header", {}, this.title, this.close),
    this.body,
    this.trouble.element,
  );
  private readonly note = h("input", { class: "field", name: "note", maxlength: 80, autocomplete: "off" });
  private readonly hours = h("select", { class: "field", name: "hours" });
  private language: Language = "de";
  private incident: Incident | null = null;
  private links: readonly Link[] = [];
  private guests: readonly Person[] = [];
  private shown: Link | null = null; // whose QR code is held up
  private timer: number | undefined;
  private drawn = "";

  constructor() {
    this.element.addEventListener("close", () => window.clearInterval(this.timer));
  }

  /** Asked of one incident, or (several) of which. */
  open(language: Language, incidents: readonly Incident[]): void {
    this.language = language;
    this.incident = incidents.length === 1 ? (incidents[0] ?? null) : null;
    this.links = [];
    this.shown = null;
    this.drawn = "";
    this.note.value = "";
    this.trouble.say("");
    if (this.incident) this.begin(this.incident);
    else this.choose(incidents);
    if (!this.element.open) this.element.showModal();
  }

  private say(key: Key, values: Record<string, string | number> = {}): string {
    return translate(this.language, key, values);
  }

  private entitle(title: string): void {
    setText(this.title, title);
    setAttribute(this.element, "aria-label", title);
    setAttribute(this.close, "aria-label", this.say("do.close"));
  }

  private choose(incidents: readonly Incident[]): void {
    this.entitle(this.say("links.which"));
    const rows = incidents.map((one) =>
      h(
        "button",
        { type: "button", class: "button big", onclick: () => this.begin(one) },
        incidentName(this.language, one),
      ),
    );
    const none = [
      h("p", {}, this.say("links.no_incident")),
      h("a", { class: "help-link", href: "/flights" }, this.say("flights.title")),
    ];
    this.body.replaceChildren(...(rows.length ? rows : none));
  }

  private begin(incident: Incident): void {
    this.incident = incident;
    this.entitle(this.say("links.title", { incident: incidentName(this.language, incident) }));
    const [usual] = this.hours.value ? [Number(this.hours.value)] : [USUAL_HOURS];
    this.hours.replaceChildren(
      ...HOURS.map((one) =>
        h("option", { value: one, selected: one === usual }, lasting(this.language, one)),
      ),
    );
    this.draw();
    window.clearInterval(this.timer);
    this.timer = window.setInterval(() => void this.renew(), RENEW_MS);
    void this.renew();
  }

  private async renew(): Promise<void> {
    const { incident } = this;
    if (!incident) return;
    try {
      const [links, people] = await Promise.all([getLinks(incident.id), getPresent()]);
      this.links = links;
      this.guests = people.filter(({ kind }) => kind === "guest");
      this.shown = links.find(({ id }) => id === this.shown?.id) ?? null;
      this.draw();
    } catch (error) {
      this.trouble.say(refusedWords(this.language, refusalCode(error)));
    }
  }

  private draw(): void {
    const { language, links, guests, shown } = this;
    const drawn = JSON.stringify([language, this.incident?.id, links, guests, shown?.id]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    if (shown) this.body.replaceChildren(...this.code(shown));
    else this.body.replaceChildren(this.maker(), ...this.list(), ...this.people());
  }

  /** The QR code as big as there is room: it is held up to a camera. */
  private code(link: Link): HTMLElement[] {
    const name = link.note || this.say("links.unnamed");
    const address = h("input", {
      class: "field",
      readonly: true,
      value: link.url,
      "aria-label": this.say("links.address"),
    });
    address.addEventListener("focus", () => address.select());
    const copy: HTMLButtonElement = h(
      "button",
      { type: "button", class: "button", onclick: () => void this.copy(link, address, copy) },
      this.say("links.copy"),
    );
    return [
      h("h3", { class: "link-name" }, name),
      h("img", {
        class: "link-qr",
        src: qrAddress(this.incident?.id ?? "", link.id),
        alt: this.say("links.qr", { note: name }),
      }),
      h(
        "p",
        { class: "hint" },
        `${this.say("links.hold_up")} · ${linkFacts(this.language, link, Date.now())}`,
      ),
      h("div", { class: "fields" }, address, copy),
      h(
        "div",
        { class: "buttons" },
        h(
          "button",
          { type: "button", class: "button", onclick: () => this.showCode(null) },
          this.say("links.back"),
        ),
        this.revocation(link),
      ),
    ];
  }

  private async copy(link: Link, address: HTMLInputElement, button: HTMLElement): Promise<void> {
    const copied = await copyText(link.url);
    if (!copied) address.select();
    setText(button, this.say(copied ? "map.copied" : "map.copy_by_hand"));
  }

  private maker(): HTMLElement {
    const make = bigButton("submit");
    setText(make, this.say("links.make"));
    const form = h(
      "form",
      { class: "link-maker" },
      h("p", {}, this.say("links.what")),
      h("label", { class: "asked" }, h("span", {}, this.say("links.note")), this.note),
      h("label", { class: "asked" }, h("span", {}, this.say("links.hours")), this.hours),
      make,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      make.disabled = true;
      void this.make().finally(() => (make.disabled = false));
    });
    return form;
  }

  private async make(): Promise<void> {
    const { incident } = this;
    if (!incident) return;
    await this.do(async () => {
      const link = await makeLink(incident.id, this.note.value.trim(), Number(this.hours.value));
      this.note.value = "";
      this.links = [link, ...this.links];
      this.shown = link;
    });
  }

  private list(): HTMLElement[] {
    const now = Date.now();
    const rows = [...this.links]
      .sort((a, b) => Number(holds(b, now)) - Number(holds(a, now)) || b.created_ms - a.created_ms)
      .map((link) => this.row(link, holds(link, now)));
    return [
      h("h3", {}, this.say("links.list")),
      rows.length ? h("ul", { class: "people" }, ...rows) : h("p", { class: "hint" }, this.say("links.none")),
    ];
  }

  private row(link: Link, isValid: boolean): HTMLElement {
    return h(
      "li",
      { class: "person", "data-link": link.id, "data-over": !isValid },
      h(
        "span",
        { class: "person-text" },
        h("strong", {}, link.note || this.say("links.unnamed")),
        h("span", { class: "person-facts" }, linkFacts(this.language, link, Date.now())),
      ),
      isValid &&
        h(
          "span",
          { class: "buttons" },
          h(
            "button",
            { type: "button", class: "button", onclick: () => this.showCode(link) },
            this.say("links.show"),
          ),
          this.revocation(link),
        ),
    );
  }

  private people(): HTMLElement[] {
    const rows = this.guests.map((guest) => {
      const name = personName(this.language, guest);
      const button = new SureButton(this.language, "watchers.dismiss", "links.dismiss_sure", () =>
        this.do(() => dismiss(guest.id)),
      );
      setAttribute(button.element, "aria-label", `${this.say("watchers.dismiss")}: ${name}`);
      return personRow(this.language, guest, button.element);
    });
    return [
      h("h3", {}, this.say("links.guests")),
      rows.length
        ? h("ul", { class: "people" }, ...rows)
        : h("p", { class: "hint" }, this.say("links.no_guests")),
    ];
  }

  private revocation(link: Link): HTMLElement {
    return new SureButton(this.language, "links.revoke", "links.revoke_sure", () =>
      this.do(async () => {
        await revokeLink(this.incident?.id ?? "", link.id);
        this.shown = null;
      }),
    ).element;
  }

  private showCode(link: Link | null): void {
    this.shown = link;
    this.draw();
  }

  /** Do it, say what went wrong, and look again. */
  private async do(act: () => Promise<void>): Promise<void> {
    this.trouble.say("");
    try {
      await act();
      this.draw();
    } catch (error) {
      this.trouble.say(refusedWords(this.language, refusalCode(error)));
    }
    await this.renew();
  }
}
