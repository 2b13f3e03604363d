/** A question in a dialog: what will be done, what must be given for it, and (where it cannot be undone) once more. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setText } from "../dom";
import { keepPersonName, personName } from "../person";
import { refusalCode } from "../requests";
import { refused } from "./sentences";

export interface Question {
  text: string;
  fields: readonly HTMLElement[];
  yes: Key;
  danger?: boolean;
  /** Asked before it is done, in place of the fields. */
  sure?: { text: string; yes: Key };
  /** Throws Refused. */
  act(given: FormData): Promise<void>;
}

const MOST_CHARACTERS = 200;

/** A line of text that must be given, unless it is `optional`. */
export function textField(language: Language, name: string, label: Key, value = "", more = {}): HTMLElement {
  const input = h("input", {
    class: "field",
    name,
    value,
    maxlength: MOST_CHARACTERS,
    autocomplete: "off",
    required: true,
    ...more,
  });
  return h("label", { class: "asked" }, h("span", {}, translate(language, label)), input);
}

/** Who does it; whoever was typed last need not be typed again. */
export const personField = (language: Language): HTMLElement =>
  textField(language, "by", "flights.by", personName(), { autocomplete: "name", maxlength: 80 });

export function selectField(
  language: Language,
  name: string,
  label: Key,
  options: readonly (readonly [value: string, text: string])[],
  value: string,
): HTMLElement {
  const choices = options.map(([id, text]) => h("option", { value: id, selected: id === value }, text));
  return h(
    "label",
    { class: "asked" },
    h("span", {}, translate(language, label)),
    h("select", { class: "field", name }, ...choices),
  );
}

/** Any number of them. */
export function manyField(
  language: Language,
  name: string,
  label: Key,
  options: readonly (readonly [value: string, text: string])[],
  values: readonly string[],
): HTMLElement {
  const boxes = options.map(([id, text]) => checkField(name, text, id, values.includes(id)));
  return h("fieldset", { class: "asked" }, h("legend", {}, translate(language, label)), ...boxes);
}

export const checkField = (name: string, text: string, value = "on", checked = false): HTMLElement =>
  h("label", { class: "check" }, h("input", { type: "checkbox", name, value, checked }), text);

export class Ask {
  private readonly text = h("p");
  private readonly fields = h("div", { class: "asked-all" });
  private readonly trouble = h("p", { class: "trouble", role: "alert" });
  private readonly yes = h("button", { type: "submit", class: "button" });
  private readonly no = h("button", { type: "button", class: "button", onclick: () => this.back() });
  private readonly form = h(
    "form",
    {},
    this.text,
    this.fields,
    this.trouble,
    h("div", { class: "buttons" }, this.no, this.yes),
  );
  readonly element = h("dialog", { class: "help question" }, this.form);
  private question: Question | null = null;
  private isSure = false;
  private language: Language = "de";

  constructor() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.element.addEventListener("cancel", (event) => {
      if (this.yes.disabled) event.preventDefault(); // it is being done: how it ends is yet to be read
    });
  }

  open(language: Language, question: Question): void {
    this.language = language;
    this.question = question;
    this.isSure = false;
    this.fields.replaceChildren(...question.fields);
    setText(this.trouble, "");
    this.draw();
    this.element.showModal();
  }

  private draw(): void {
    const { question, language } = this;
    if (!question) return;
    const asked = this.isSure && question.sure ? question.sure : question;
    setText(this.text, asked.text);
    this.element.setAttribute("aria-label", asked.text);
    this.fields.hidden = this.isSure;
    setText(this.yes, translate(language, asked.yes));
    setText(this.no, translate(language, this.isSure ? "flights.back" : "pilot.cancel"));
    this.yes.classList.toggle("danger", (question.danger ?? false) && (this.isSure || !question.sure));
    this.yes.classList.toggle("strong", !question.danger);
  }

  private back(): void {
    if (this.yes.disabled) return;
    if (!this.isSure) return this.element.close();
    this.isSure = false;
    setText(this.trouble, "");
    this.draw();
    this.yes.focus();
  }

  private async submit(): Promise<void> {
    const { question } = this;
    if (!question || this.yes.disabled) return;
    const given = trimmed(new FormData(this.form));
    if (typeof given.get("by") === "string") keepPersonName(String(given.get("by")));
    if (question.sure && !this.isSure) {
      this.isSure = true;
      this.draw();
      this.no.focus(); // not where Enter, hit twice, would delete
      return;
    }
    await this.act(question, given);
  }

  private async act(question: Question, given: FormData): Promise<void> {
    setText(this.trouble, "");
    this.wait(true);
    try {
      await question.act(given);
      this.element.close();
    } catch (error) {
      setText(this.trouble, refused(this.language, refusalCode(error)));
    }
    this.wait(false);
    if (this.element.open) this.no.focus();
  }

  private wait(waiting: boolean): void {
    this.yes.disabled = this.no.disabled = waiting;
    if (waiting) setText(this.yes, translate(this.language, "flights.working"));
    else this.draw();
  }
}

/** Blanks around what was typed say nothing. */
function trimmed(data: FormData): FormData {
  const result = new FormData();
  data.forEach((value, name) => result.append(name, typeof value === "string" ? value.trim() : value));
  return result;
}

/** What was given under a name, as text. */
export const given = (data: FormData, name: string): string => String(data.get(name) ?? "");
