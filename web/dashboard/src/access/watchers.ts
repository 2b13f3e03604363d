/** Who watches: a number in the bar below, names on a tap. It never covers the picture by itself. */

import type { Person } from "../api";
import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { icon } from "../icons";
import { personFacts, personName } from "./sentences";

export class Watchers {
  private readonly count = h("span", { class: "watchers-count" });
  readonly button = h(
    "button",
    { type: "button", class: "action action-watchers", onclick: () => this.open() },
    icon("eye"),
    this.count,
  );
  private readonly title = h("h2");
  private readonly close = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.dialog.close() },
    icon("close"),
  );
  private readonly list = h("ul", { class: "people" });
  readonly dialog = h("dialog", { class: "help" }, h("header", {}, this.title, this.close), this.list);
  private people: readonly Person[] | null = null; // null: not told yet
  private language: Language = "de";

  take(people: readonly Person[]): void {
    this.people = [...people].sort((a, b) => a.since_ms - b.since_ms);
    this.show(this.language);
  }

  show(language: Language): void {
    this.language = language;
    const count = this.people?.length ?? 0;
    const words = translate(language, "watchers.count", { count });
    this.button.hidden = this.people === null;
    setText(this.count, String(count));
    setAttribute(this.button, "aria-label", words);
    setAttribute(this.button, "title", words);
    if (this.dialog.open) this.draw();
  }

  private open(): void {
    this.draw();
    this.dialog.showModal();
  }

  private draw(): void {
    const { language } = this;
    const title = translate(language, "watchers.title");
    setText(this.title, title);
    setAttribute(this.dialog, "aria-label", title);
    setAttribute(this.close, "aria-label", translate(language, "do.close"));
    const rows = (this.people ?? []).map((person) => personRow(language, person));
    const none = h("li", {}, translate(language, "watchers.none"));
    const drawn = JSON.stringify([language, this.people]);
    if (this.list.dataset["drawn"] === drawn) return;
    this.list.dataset["drawn"] = drawn;
    this.list.replaceChildren(...(rows.length ? rows : [none]));
  }
}

/** One who watches; what can be done about him stands behind. */
export function personRow(language: Language, person: Person, ...more: HTMLElement[]): HTMLElement {
  return h(
    "li",
    { class: "person", "data-person": person.id, "data-kind": person.kind },
    h(
      "span",
      { class: "person-text" },
      h("strong", {}, personName(language, person)),
      h("span", { class: "person-facts" }, personFacts(language, person)),
    ),
    ...more,
  );
}
