/** A button for what others would feel at once: it takes a second tap, within four seconds. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setText } from "../dom";

const SURE_MS = 4000;

export class SureButton {
  readonly element: HTMLButtonElement;
  private isSure = false;

  constructor(
    private readonly language: Language,
    private readonly words: Key,
    private readonly sure: Key,
    private readonly act: () => Promise<void>,
  ) {
    this.element = h("button", { type: "button", class: "button", onclick: () => this.tap() });
    this.show(false);
  }

  private show(isSure: boolean): void {
    this.isSure = isSure;
    setText(this.element, translate(this.language, isSure ? this.sure : this.words));
    this.element.classList.toggle("danger", isSure);
  }

  private tap(): void {
    if (!this.isSure) {
      this.show(true);
      window.setTimeout(() => this.show(false), SURE_MS);
      return;
    }
    this.element.disabled = true;
    void this.act().finally(() => {
      this.element.disabled = false;
      this.show(false);
    });
  }
}
