/** What will be deleted, and what was: folded away, and asked for when it is opened. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setText } from "../dom";
import { refusalCode } from "../requests";
import { refused } from "./sentences";

export class Fold {
  private readonly title = h("summary");
  private readonly lines = h("ul", { class: "lines" });
  readonly element = h(
    "details",
    { class: "panel", ontoggle: () => void this.refresh() },
    this.title,
    this.lines,
  );
  private language: Language = "de";

  /** `load` gives the lines in a language, or throws Refused. */
  constructor(
    private readonly name: Key,
    private readonly none: Key,
    private readonly load: (language: Language) => Promise<string[]>,
  ) {}

  show(language: Language): void {
    const other = language !== this.language;
    this.language = language;
    setText(this.title, translate(language, this.name));
    if (other) void this.refresh();
  }

  async refresh(): Promise<void> {
    if (!this.element.open) return;
    const { language } = this;
    const lines = await this.load(language).catch((error: unknown) => [
      refused(language, refusalCode(error)),
    ]);
    const shown = lines.length > 0 ? lines : [translate(language, this.none)];
    this.lines.replaceChildren(...shown.map((line) => h("li", {}, line)));
  }
}
