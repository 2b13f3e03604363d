/** The notice on privacy (Art. 13 GDPR): the city's own text. */

import { translate, type Language } from "../catalogue";
import { h, setText } from "../dom";
import { PageBar } from "../pageBar";
import { send } from "../requests";
import { draw } from "./markdown";

const AGAIN_MS = 3000;

export class PrivacyPage {
  private readonly bar = new PageBar(() => this.refresh());
  private readonly state = h("p", { class: "empty", role: "status" });
  private readonly text = h("article", { class: "notice-text" });
  private shown: Language | null = null;
  private isMissing = false;

  constructor(root: HTMLElement) {
    const main = h("main", { class: "pilot privacy" }, this.state, this.text);
    root.replaceChildren(this.bar.element, main);
    this.refresh();
  }

  async renew(): Promise<void> {
    const { language } = this.bar.taste;
    try {
      const { text } = await send<{ text: string }>("GET", `/api/v1/privacy-notice?language=${language}`);
      this.text.replaceChildren(...draw(text));
      this.shown = language;
      this.isMissing = false;
    } catch {
      this.isMissing = true;
      window.setTimeout(() => void this.renew(), AGAIN_MS);
    }
    this.refresh();
  }

  private refresh(): void {
    const { language } = this.bar.taste;
    const title = translate(language, "privacy.title");
    this.bar.show(title);
    document.title = `Lagebild · ${title}`;
    this.state.hidden = this.shown !== null;
    setText(this.state, translate(language, this.isMissing ? "why.server" : "privacy.loading"));
    if (this.shown !== null && this.shown !== language && !this.isMissing) void this.renew();
  }
}
