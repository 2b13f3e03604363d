/** What is shown once, to be handed to somebody: a one-time link, a token. */

import { copyText } from "../access/copy";
import { translate, type Language } from "../catalogue";
import { h, setText } from "../dom";

export class HandOver {
  readonly element = h("dialog", { class: "help question hand-over" });

  constructor() {
    this.element.addEventListener("close", () => this.element.replaceChildren()); // nothing of it stays
  }

  show(language: Language, words: string, secret: string): void {
    const field = h("input", {
      class: "field",
      readonly: true,
      value: secret,
      "aria-label": translate(language, "hand.secret"),
    });
    field.addEventListener("focus", () => field.select());
    const copy = h("button", { type: "button", class: "button strong" }, translate(language, "hand.copy"));
    copy.addEventListener("click", () => void this.copy(language, field, copy));
    const title = translate(language, "hand.title");
    this.element.setAttribute("aria-label", title);
    this.element.replaceChildren(
      h("h2", {}, title),
      h("p", {}, words),
      h("div", { class: "fields" }, field, copy),
      h(
        "div",
        { class: "buttons" },
        h(
          "button",
          { type: "button", class: "button", onclick: () => this.element.close() },
          translate(language, "hand.done"),
        ),
      ),
    );
    this.element.showModal();
  }

  private async copy(language: Language, field: HTMLInputElement, button: HTMLElement): Promise<void> {
    const copied = await copyText(field.value);
    if (!copied) field.select();
    setText(button, translate(language, copied ? "map.copied" : "map.copy_by_hand"));
  }
}
