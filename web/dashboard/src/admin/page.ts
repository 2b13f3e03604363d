/** The page for administrators: accounts, tokens, the audit log. */

import { may, me, type Permission } from "../access/me";
import { refusedWords } from "../access/sentences";
import { translate, type Key } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { Ask } from "../flights/ask";
import { PageBar } from "../pageBar";
import { refusalCode } from "../requests";
import { AccountsPart } from "./accounts";
import { AuditPart } from "./auditLog";
import { HandOver } from "./handOver";
import { TokensPart } from "./tokens";

const PARTS = [
  ["accounts", "admin.accounts", "administer"],
  ["tokens", "admin.tokens", "administer"],
  ["audit", "admin.audit", "audit"],
] as const satisfies readonly (readonly [string, Key, Permission])[];

type Name = (typeof PARTS)[number][0];

export class AdminPage {
  private readonly bar = new PageBar(() => this.refresh());
  private readonly offline = h("p", { class: "offline", role: "alert", hidden: true });
  private readonly ask = new Ask();
  private readonly hand = new HandOver();
  private readonly parts = {
    accounts: new AccountsPart(this.ask, this.hand),
    tokens: new TokensPart(this.ask, this.hand),
    audit: new AuditPart(),
  };
  private readonly tabs = PARTS.map(([name]) => ({
    name,
    button: h("button", { type: "button", class: "way-tab", onclick: () => this.open(name) }),
  }));
  private readonly nav = h("nav", { class: "way-tabs" }, ...this.tabs.map(({ button }) => button));
  private readonly forbidden = h("p", { class: "empty", role: "status", hidden: true });
  private name: Name;
  private problem: string | null = null;

  constructor(root: HTMLElement) {
    const asked = window.location.hash.slice(1);
    this.name = PARTS.find(([name]) => name === asked)?.[0] ?? "accounts";
    const main = h(
      "main",
      { class: "pilot flights admin" },
      this.nav,
      this.forbidden,
      ...Object.values(this.parts).map(({ element }) => element),
    );
    root.replaceChildren(
      this.bar.element,
      h("div", { class: "page-news" }, this.offline),
      main,
      this.ask.element,
      this.hand.element,
    );
    this.ask.element.addEventListener("close", () => this.refresh());
    this.refresh();
  }

  /** Ask for what is shown. */
  async renew(): Promise<void> {
    if (!this.isAllowed(this.name)) return this.refresh();
    try {
      await this.parts[this.name].renew();
      this.problem = null;
    } catch (error) {
      this.problem = refusalCode(error);
    }
    this.refresh();
  }

  private open(name: Name): void {
    this.name = name;
    history.replaceState(null, "", `#${name}`);
    this.refresh();
    void this.renew();
  }

  private isAllowed(name: Name): boolean {
    return PARTS.some(([one, , permission]) => one === name && may(permission));
  }

  private refresh(): void {
    const { language } = this.bar.taste;
    const title = translate(language, "admin.title");
    this.bar.show(title);
    document.title = `Lagebild · ${title}`;
    this.offline.hidden = this.problem === null;
    const why =
      this.problem === "" ? translate(language, "why.server") : refusedWords(language, this.problem ?? "");
    setText(this.offline, why);
    setAttribute(this.nav, "aria-label", translate(language, "admin.parts"));
    for (const { name, button } of this.tabs) {
      const [, key] = PARTS.find(([one]) => one === name) ?? PARTS[0];
      button.hidden = !this.isAllowed(name);
      setText(button, translate(language, key));
      setAttribute(button, "aria-pressed", String(name === this.name));
    }
    const isAllowed = this.isAllowed(this.name);
    this.forbidden.hidden = isAllowed || me() === null;
    setText(this.forbidden, translate(language, "admin.forbidden"));
    for (const [name, part] of Object.entries(this.parts)) {
      part.element.hidden = name !== this.name || !isAllowed;
      if (name === this.name && !this.ask.element.open) part.show(language);
    }
  }
}
