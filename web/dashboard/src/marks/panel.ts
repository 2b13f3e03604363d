/** All marks as a list over the map: what, where, when and by whom, and how to take one away. */

import { may } from "../access/me";
import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { timeOfDay } from "../format";
import { icon } from "../icons";
import type { Mark } from "./api";
import type { Marks } from "./store";

const SURE_MS = 4000;

export class MarksPanel {
  private readonly count = h("span", {});
  private readonly list = h("div", { class: "marks-list", hidden: true });
  readonly button = h(
    "button",
    { type: "button", class: "map-control marks-button", onclick: () => this.toggle() },
    icon("mark"),
    this.count,
  );
  readonly element = this.list;
  private drawn = "";
  private language: Language = "de";

  constructor(
    private readonly marks: Marks,
    private readonly does: { remove(mark: Mark): Promise<void>; show(mark: Mark): void },
  ) {}

  show(language: Language): void {
    const drawn = `${language} ${this.marks.version}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.language = language;
    const title = translate(language, "marks.title");
    setAttribute(this.button, "aria-label", title);
    setAttribute(this.button, "title", title);
    const { list } = this.marks;
    setText(this.count, list.length ? String(list.length) : "");
    const none = h("p", {}, translate(language, "marks.none"));
    this.list.replaceChildren(...(list.length ? list.map((mark) => this.entry(mark)) : [none]));
  }

  private toggle(): void {
    this.list.hidden = !this.list.hidden;
    setAttribute(this.button, "aria-expanded", String(!this.list.hidden));
  }

  private entry(mark: Mark): HTMLElement {
    const { language } = this;
    const label = mark.label || "--";
    const facts = translate(language, "marks.by", { time: timeOfDay(mark.utc_ms), name: mark.by || "--" });
    const go = h(
      "button",
      { type: "button", class: "mark-entry", onclick: () => this.does.show(mark) },
      h("strong", {}, label),
      h("span", { class: "mark-place" }, mark.utmref),
      h("span", { class: "mark-facts" }, facts),
    );
    return h(
      "div",
      { class: "mark-row", "data-mark": mark.id },
      go,
      may("mark") && this.removal(mark, label),
    );
  }

  /** Everybody would miss it: it takes a second tap. It goes from every page by the service's word. */
  private removal(mark: Mark, label: string): HTMLElement {
    const { language } = this;
    const button = h(
      "button",
      { type: "button", class: "mark-remove", "aria-label": translate(language, "marks.remove", { label }) },
      icon("trash"),
    );
    button.addEventListener("click", () => {
      if (button.classList.contains("sure")) {
        void this.does.remove(mark).catch(() => (button.textContent = translate(language, "marks.stays")));
        return;
      }
      button.classList.add("sure");
      button.textContent = translate(language, "marks.sure");
      window.setTimeout(() => {
        button.classList.remove("sure");
        button.replaceChildren(icon("trash"));
      }, SURE_MS);
    });
    return button;
  }
}
