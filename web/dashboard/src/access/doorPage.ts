/** A page in front of the others: its bar leads nowhere, and in the middle stands one column. */

import { translate, type Key, type Language } from "../catalogue";
import { h } from "../dom";
import { PageBar } from "../pageBar";

export class DoorPage {
  private readonly bar = new PageBar(() => this.refresh(), true);
  private readonly main = h("main", { class: "pilot door" });

  /** `show` writes the column's words anew. */
  constructor(
    root: HTMLElement,
    private readonly title: Key,
    private readonly show: (language: Language) => void,
  ) {
    root.replaceChildren(this.bar.element, this.main);
  }

  get language(): Language {
    return this.bar.taste.language;
  }

  /** What stands in the middle now. */
  put(...children: HTMLElement[]): void {
    this.main.replaceChildren(...children);
    this.refresh();
  }

  refresh(): void {
    const title = translate(this.language, this.title);
    this.bar.show(title);
    document.title = `Lagebild · ${title}`;
    this.show(this.language);
  }
}

/** Where the notice on privacy is. */
export class PrivacyLink {
  readonly element = h("a", { class: "help-link", href: "/privacy" });

  show(language: Language): void {
    this.element.textContent = translate(language, "enter.privacy");
  }
}
