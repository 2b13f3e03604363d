/** What the pages of coming in are made of: one column of big fields, big buttons, and a line that says what is wrong. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";

/** A labelled field as big as a glove. */
export class BigField {
  readonly input: HTMLInputElement;
  private readonly label = h("span");
  readonly element: HTMLElement;

  constructor(
    private readonly key: Key,
    more: Record<string, unknown>,
    ...beside: HTMLElement[]
  ) {
    this.input = h("input", { class: "field big", required: true, autocapitalize: "none", ...more });
    const label = h("label", { class: "asked" }, this.label, this.input);
    this.element = h("div", { class: "big-field" }, label, ...beside);
  }

  get value(): string {
    return this.input.value.trim();
  }

  show(language: Language): void {
    setText(this.label, translate(language, this.key));
  }
}

/** A password, and a button that shows what was typed: with gloves one mistypes. */
export class PasswordField extends BigField {
  private readonly eye: HTMLButtonElement;

  constructor(key: Key, autocomplete: "current-password" | "new-password") {
    const eye = h("button", { type: "button", class: "button eye" });
    super(key, { type: "password", name: autocomplete, autocomplete, maxlength: 1024 }, eye);
    this.eye = eye;
    eye.addEventListener("click", () => this.flip());
  }

  override get value(): string {
    return this.input.value; // blanks belong to it
  }

  override show(language: Language): void {
    super.show(language);
    setText(this.eye, translate(language, this.input.type === "password" ? "login.show" : "login.hide"));
  }

  private flip(): void {
    this.input.type = this.input.type === "password" ? "text" : "password";
    this.eye.dispatchEvent(new CustomEvent("flipped", { bubbles: true })); // its word follows
    this.input.focus();
  }
}

export const bigButton = (type: "submit" | "button", onclick?: () => void): HTMLButtonElement =>
  h("button", { type, class: "button strong big", onclick });

/** The column. `onsubmit` is given no event: nothing is sent by the browser itself. */
export function column(onsubmit: () => void, ...children: (HTMLElement | null)[]): HTMLFormElement {
  const form = h("form", { class: "door-form", novalidate: true }, ...children);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onsubmit();
  });
  return form;
}

/** What went wrong; heard as well as seen. */
export class Trouble {
  readonly element = h("p", { class: "trouble", role: "alert" });

  say(text: string): void {
    setText(this.element, text);
    setAttribute(this.element, "data-said", text ? "" : null);
  }
}
