/** The small sheet for a point of the picture: where it is, what it is, and who says so. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { icon } from "../icons";
import type { GroundPoint } from "./api";
import { facts } from "./sentences";

const CHOICES: readonly Key[] = [
  "mark.choice.fire",
  "mark.choice.person",
  "mark.choice.access",
  "mark.choice.danger",
  "mark.choice.meeting",
];
const MOST_CHARACTERS = 80;

export interface SheetActions {
  set(label: string, by: string): void;
  close(): void;
}

export class Sheet {
  private readonly place = h("p", { class: "sheet-place", role: "status" });
  private readonly facts = h("p", { class: "sheet-facts" });
  private readonly closeButton: HTMLButtonElement;
  private readonly choices = h("div", { class: "sheet-choices", role: "group" });
  private readonly label = h("input", {
    class: "sheet-input",
    maxlength: MOST_CHARACTERS,
    autocomplete: "off",
  });
  private readonly by = h("input", {
    class: "sheet-input",
    maxlength: MOST_CHARACTERS,
    autocomplete: "name",
  });
  private readonly setButton: HTMLButtonElement;
  private readonly form: HTMLFormElement;
  readonly element: HTMLElement;

  constructor(does: SheetActions, name: string) {
    this.closeButton = h(
      "button",
      { type: "button", class: "tool", onclick: () => does.close() },
      icon("close"),
    );
    this.setButton = h("button", { type: "submit", class: "sheet-set" });
    this.by.value = name;
    this.form = h("form", { class: "sheet-form" }, this.choices, this.label, this.by, this.setButton);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      does.set(this.label.value.trim(), this.by.value.trim());
    });
    const head = h("header", {}, h("div", {}, this.place, this.facts), this.closeButton);
    this.element = h("section", { class: "mark-sheet", hidden: true }, head, this.form);
  }

  /** A new point is asked for: nothing of the one before stands any more. */
  open(language: Language): void {
    this.word(language);
    this.label.value = "";
    this.say(translate(language, "mark.locating"));
    this.element.hidden = false;
  }

  close(): void {
    this.element.hidden = true;
  }

  /** One sentence in place of a place. */
  say(sentence: string): void {
    setText(this.place, sentence);
    this.place.classList.add("sentence");
    setText(this.facts, "");
    this.form.hidden = true;
  }

  show(language: Language, point: GroundPoint): void {
    setText(this.place, point.utmref);
    this.place.classList.remove("sentence");
    setText(this.facts, facts(language, point));
    this.form.hidden = false;
    this.setButton.disabled = false;
  }

  /** It is being set, or that has failed: one mark for one tap. */
  wait(waiting: boolean, trouble = ""): void {
    this.setButton.disabled = waiting;
    if (trouble) setText(this.facts, trouble);
    this.facts.classList.toggle("trouble", trouble !== "");
  }

  private word(language: Language): void {
    const say = (key: Key): string => translate(language, key);
    setAttribute(this.element, "aria-label", say("mark.title"));
    setAttribute(this.closeButton, "aria-label", say("do.close"));
    for (const [input, key] of [
      [this.label, "mark.what"],
      [this.by, "mark.by"],
    ] as const) {
      setAttribute(input, "placeholder", say(key));
      setAttribute(input, "aria-label", say(key));
    }
    setText(this.setButton, say("mark.set"));
    this.facts.classList.remove("trouble");
    const choice = (key: Key): HTMLElement =>
      h(
        "button",
        { type: "button", class: "sheet-choice", onclick: () => (this.label.value = say(key)) },
        say(key),
      );
    this.choices.replaceChildren(...CHOICES.map(choice));
  }
}
