/** The mark of inputs that carry no key, with what that means on tap. */

import type { Unsecured } from "./api";
import { translate, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { icon } from "./icons";

/** How picture and telemetry are open to strangers; null: they are not. */
export interface Openness {
  picture: Unsecured | null;
  telemetry: Unsecured | null;
}

export class UnsecuredMark {
  private readonly word = h("span", { class: "unsecured-word" });
  private readonly text = h("div");
  private readonly close = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.dialog.close() },
    icon("close"),
  );
  private readonly title = h("h2");
  private readonly dialog = h(
    "dialog",
    { class: "help" },
    h("header", {}, this.title, this.close),
    this.text,
  );
  private readonly button = h(
    "button",
    { type: "button", class: "unsecured", onclick: () => this.dialog.showModal() },
    icon("unlocked"),
    this.word,
  );
  readonly element = h("div", { class: "unsecured-mark", hidden: true }, this.button, this.dialog);

  show(language: Language, { picture, telemetry }: Openness): void {
    this.element.hidden = picture === null && telemetry === null;
    if (this.element.hidden) return;
    const word = translate(language, "unsecured");
    setText(this.word, word);
    setText(this.title, word);
    setAttribute(this.button, "aria-label", word);
    setAttribute(this.button, "title", word);
    setAttribute(this.dialog, "aria-label", word);
    setAttribute(this.close, "aria-label", translate(language, "do.close"));
    const sentences = [
      picture && translate(language, "unsecured.picture") + translate(language, `unsecured.${picture}`),
      telemetry && translate(language, "unsecured.telemetry") + translate(language, `unsecured.${telemetry}`),
    ].filter((sentence) => sentence !== null);
    if (this.text.textContent !== sentences.join(""))
      this.text.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
  }
}
