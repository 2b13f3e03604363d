/** People with an account: made, changed, given a one-time link, logged out, blocked, deleted. */

import { me, ROLES, type Role } from "../access/me";
import { translate, type Key, type Language } from "../catalogue";
import { h, renewChildren, setText } from "../dom";
import { given, manyField, textField, type Ask } from "../flights/ask";
import { dateTime } from "../format";
import {
  changeAccount,
  deleteAccount,
  endSessions,
  getAccounts,
  invite,
  makeAccount,
  type Account,
  type AccountChange,
} from "./api";
import type { HandOver } from "./handOver";
import { accountFacts, accountName } from "./sentences";

export class AccountsPart {
  private readonly title = h("h2");
  private readonly hint = h("p", { class: "hint" });
  private readonly add = h("button", {
    type: "button",
    class: "button strong",
    onclick: () => this.askNew(),
  });
  private readonly list = h("div", { class: "incidents" });
  readonly element = h(
    "section",
    { class: "panel", "data-part": "accounts" },
    h("header", { class: "panel-head" }, this.title, this.add),
    this.hint,
    this.list,
  );
  private accounts: readonly Account[] | null = null;
  private language: Language = "de";
  private drawn = "";

  constructor(
    private readonly ask: Ask,
    private readonly hand: HandOver,
  ) {}

  /** Throws Refused. */
  async renew(): Promise<void> {
    this.accounts = await getAccounts();
    this.show(this.language);
  }

  show(language: Language): void {
    this.language = language;
    setText(this.title, translate(language, "admin.accounts"));
    setText(this.add, translate(language, "accounts.new"));
    this.hint.hidden = me()?.kind !== "local";
    setText(this.hint, translate(language, "accounts.local"));
    const drawn = JSON.stringify([language, this.accounts]);
    if (drawn === this.drawn || this.accounts === null) return;
    this.drawn = drawn;
    const none = h("p", {}, translate(language, "accounts.none"));
    const rows = this.accounts.map((one) => this.row(one));
    renewChildren(this.list, rows.length ? rows : [none], (row) => row.getAttribute("data-account") ?? "");
  }

  private row(account: Account): HTMLElement {
    const { language } = this;
    const button = (key: Key, act: () => void): HTMLElement =>
      h("button", { type: "button", class: "button", onclick: act }, translate(language, key));
    return h(
      "article",
      { class: "incident", "data-account": account.id, "data-over": account.disabled },
      h("div", {}, h("h3", {}, accountName(account)), h("p", {}, accountFacts(language, account))),
      h(
        "div",
        { class: "buttons" },
        button("accounts.change", () => this.askChange(account)),
        button("accounts.invite", () => this.askInvite(account)),
        account.sessions > 0 && button("accounts.log_out", () => this.askLogOut(account)),
        account.disabled
          ? button("accounts.enable", () => this.askDisabled(account, false))
          : button("accounts.disable", () => this.askDisabled(account, true)),
        button("accounts.delete", () => this.askDelete(account)),
      ),
    );
  }

  private askNew(): void {
    const { language } = this;
    this.ask.open(language, {
      text: translate(language, "accounts.new"),
      fields: [
        textField(language, "name", "accounts.name", "", { maxlength: 80 }),
        textField(language, "login", "accounts.login", "", { maxlength: 64, autocapitalize: "none" }),
        this.rolesField(["viewer"]),
      ],
      yes: "accounts.create",
      act: async (data) => {
        const { name, login = "", roles } = told(data);
        const account = await makeAccount({ name, login, roles });
        await this.renew();
        await this.handOut(account);
      },
    });
  }

  private askChange(account: Account): void {
    const { language } = this;
    this.ask.open(language, {
      text: accountName(account),
      fields: [
        textField(language, "name", "accounts.name", account.name, { maxlength: 80 }),
        this.rolesField(account.roles),
      ],
      yes: "accounts.change",
      act: (data) => this.change(account, changesOf(account, told(data))),
    });
  }

  private askInvite(account: Account): void {
    this.ask.open(this.language, {
      text: translate(this.language, "accounts.invite_ask", { name: account.name }),
      fields: [],
      yes: "accounts.invite_go",
      act: () => this.handOut(account),
    });
  }

  private askLogOut(account: Account): void {
    this.ask.open(this.language, {
      text: translate(this.language, "accounts.log_out_ask", { name: account.name }),
      fields: [],
      yes: "accounts.log_out",
      act: async () => {
        await endSessions(account.id);
        await this.renew();
      },
    });
  }

  private askDisabled(account: Account, disabled: boolean): void {
    const { language } = this;
    const text = disabled ? "accounts.disable_ask" : "accounts.enable_ask";
    this.ask.open(language, {
      text: translate(language, text, { name: account.name }),
      fields: [],
      yes: disabled ? "accounts.disable" : "accounts.enable",
      danger: disabled,
      act: () => this.change(account, { disabled }),
    });
  }

  private askDelete(account: Account): void {
    this.ask.open(this.language, {
      text: translate(this.language, "accounts.delete_ask", { name: account.name }),
      fields: [],
      yes: "accounts.delete_yes",
      danger: true,
      act: async () => {
        await deleteAccount(account.id);
        await this.renew();
      },
    });
  }

  private rolesField(roles: readonly Role[]): HTMLElement {
    const choices = ROLES.map((role) => [role, translate(this.language, `me.role.${role}`)] as const);
    return manyField(this.language, "roles", "accounts.roles", choices, roles);
  }

  private async change(account: Account, change: AccountChange): Promise<void> {
    if (Object.keys(change).length > 0) await changeAccount(account.id, change);
    await this.renew();
  }

  private async handOut(account: Account): Promise<void> {
    const { language } = this;
    const { url, expires_ms } = await invite(account.id);
    const words = { name: account.name, time: dateTime(language, expires_ms) };
    this.hand.show(language, translate(language, "hand.invite", words), url);
  }
}

type Told = Pick<Account, "name" | "roles"> & { login?: string };

const told = (data: FormData): Told => ({
  name: given(data, "name"),
  ...(data.has("login") && { login: given(data, "login").toLowerCase() }),
  roles: data.getAll("roles").map(String) as Role[],
});

/** Only what is to be different. */
export function changesOf(before: Account, { name, roles }: Told): AccountChange {
  const same = roles.length === before.roles.length && roles.every((role) => before.roles.includes(role));
  return { ...(name !== before.name && { name }), ...(!same && { roles }) };
}
