/** The bar of a page beside the live one: its title, the way to the others, bright or dark, language. */

import { AccountMenu } from "./access/accountMenu";
import { learnMe, may, me } from "./access/me";
import { translate, type Key } from "./catalogue";
import { loadTaste, saveTaste } from "./choice";
import { h, setAttribute, setText } from "./dom";
import { icon } from "./icons";

const LEARN_EVERY_MS = 2000;

export class PageBar {
  readonly taste = loadTaste();
  private readonly title = h("h1", { class: "bar-name" });
  private readonly live = h("a", { class: "tool live-link", href: "/" });
  private readonly flights = h("a", { class: "tool live-link", href: "/flights" });
  private readonly account = new AccountMenu();
  private learnedAt = -LEARN_EVERY_MS;
  private readonly languageText = h("span", { class: "language" });
  private readonly bright = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.switchTheme() },
    icon("bright"),
  );
  private readonly language = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.switchLanguage() },
    this.languageText,
  );
  readonly element = h(
    "header",
    { class: "bar" },
    h("span", { class: "brand" }, "LAGEBILD"),
    this.title,
    h("div", { class: "tools" }, this.live, this.flights, this.bright, this.language, this.account.element),
  );

  /** `changed`: the page's words are to be written anew. `isDoor`: one is not in yet, and goes nowhere else. */
  constructor(
    private readonly changed: () => void,
    private readonly isDoor = false,
  ) {
    this.account.element.hidden = isDoor;
    this.applyTaste();
  }

  show(title: string): void {
    const { language } = this.taste;
    void this.learn();
    this.account.show(language);
    const name = (button: HTMLElement, key: Key, seen = ""): void => {
      const words = translate(language, key);
      setAttribute(button, "aria-label", [seen, words].filter(Boolean).join(": ")); // WCAG 2.5.3: label in name
      setAttribute(button, "title", words);
    };
    const other = language === "de" ? "EN" : "DE";
    setText(this.title, title);
    setText(this.live, translate(language, "pilot.live"));
    setText(this.flights, translate(language, "flights.title"));
    this.live.hidden = this.isDoor || !may("watch");
    this.flights.hidden = this.isDoor || location.pathname === "/flights" || !may("review");
    setText(this.languageText, other);
    name(this.bright, "do.bright");
    name(this.language, "do.language", other);
  }

  switchLanguage(): void {
    this.taste.language = this.taste.language === "de" ? "en" : "de";
    this.applyTaste();
    this.changed();
  }

  switchTheme(): void {
    this.taste.theme = this.taste.theme === "dark" ? "bright" : "dark";
    this.applyTaste();
    this.changed();
  }

  /** Who sits here, until the service has said it. */
  private async learn(): Promise<void> {
    const now = performance.now();
    if (this.isDoor || me() !== null || now - this.learnedAt < LEARN_EVERY_MS) return;
    this.learnedAt = now;
    if (await learnMe().catch(() => null)) this.changed();
  }

  private applyTaste(): void {
    saveTaste(this.taste);
    document.documentElement.lang = this.taste.language;
    setAttribute(document.documentElement, "data-theme", this.taste.theme);
  }
}
