/** What lets machines in: made, shown once, withdrawn. */

import { translate, type Language } from "../catalogue";
import { h, renewChildren, setText } from "../dom";
import { getIncidents, type Incident } from "../flights/api";
import { given, manyField, selectField, textField, type Ask } from "../flights/ask";
import { incidentName } from "../flights/sentences";
import { getTokens, GRANTS, makeToken, withdrawToken, type Token } from "./api";
import type { HandOver } from "./handOver";
import { grantWords, tokenFacts } from "./sentences";

const MS_PER_DAY = 86_400_000;

export class TokensPart {
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
    { class: "panel", "data-part": "tokens" },
    h("header", { class: "panel-head" }, this.title, this.add),
    this.hint,
    this.list,
  );
  private tokens: readonly Token[] | null = null;
  private incidents: readonly Incident[] = [];
  private language: Language = "de";
  private drawn = "";

  constructor(
    private readonly ask: Ask,
    private readonly hand: HandOver,
  ) {}

  /** Throws Refused. */
  async renew(): Promise<void> {
    this.tokens = await getTokens();
    this.incidents = await getIncidents().catch(() => []); // nothing is recorded here
    this.show(this.language);
  }

  show(language: Language): void {
    this.language = language;
    setText(this.title, translate(language, "admin.tokens"));
    setText(this.add, translate(language, "tokens.new"));
    setText(this.hint, translate(language, "tokens.what"));
    const drawn = JSON.stringify([language, this.tokens, this.incidents]);
    if (drawn === this.drawn || this.tokens === null) return;
    this.drawn = drawn;
    const none = h("p", {}, translate(language, "tokens.none"));
    const rows = this.tokens.map((one) => this.row(one));
    renewChildren(this.list, rows.length ? rows : [none], (row) => row.getAttribute("data-token") ?? "");
  }

  private row(token: Token): HTMLElement {
    const { language } = this;
    return h(
      "article",
      { class: "incident", "data-token": token.id },
      h("div", {}, h("h3", {}, token.name), h("p", {}, tokenFacts(language, token, this.incidentOf(token)))),
      h(
        "div",
        { class: "buttons" },
        h(
          "button",
          { type: "button", class: "button", onclick: () => this.askWithdraw(token) },
          translate(language, "tokens.withdraw"),
        ),
      ),
    );
  }

  private incidentOf({ incident_id: id }: Token): string {
    if (id === null) return "";
    const incident = this.incidents.find((one) => one.id === id);
    return incident ? incidentName(this.language, incident) : id;
  }

  private askNew(): void {
    const { language } = this;
    const grants = GRANTS.map((grant) => [grant, grantWords(language, grant)] as const);
    const open = this.incidents.filter(({ closed_ms: closed }) => closed === null);
    const incidents = open.map((one) => [one.id, incidentName(language, one)] as const);
    const every = ["", translate(language, "tokens.every_incident")] as const;
    this.ask.open(language, {
      text: translate(language, "tokens.new"),
      fields: [
        textField(language, "name", "tokens.name", "", { maxlength: 80 }),
        manyField(language, "grants", "tokens.grants", grants, ["watch"]),
        textField(language, "days", "tokens.days", "", {
          type: "number",
          min: 1,
          max: 3650,
          required: false,
          inputmode: "numeric",
        }),
        selectField(language, "incident", "tokens.incident", [every, ...incidents], ""),
      ],
      yes: "tokens.create",
      act: (data) => this.make(data),
    });
  }

  private async make(data: FormData): Promise<void> {
    const [days, incident] = [Number(given(data, "days")), given(data, "incident")];
    const made = await makeToken({
      name: given(data, "name"),
      grants: data.getAll("grants").map(String),
      ...(days > 0 && { expires_ms: Date.now() + days * MS_PER_DAY }),
      ...(incident && { incident_id: incident }),
    });
    await this.renew();
    this.hand.show(this.language, translate(this.language, "hand.token", { name: made.name }), made.token);
  }

  private askWithdraw(token: Token): void {
    this.ask.open(this.language, {
      text: translate(this.language, "tokens.withdraw_ask", { name: token.name }),
      fields: [],
      yes: "tokens.withdraw",
      danger: true,
      act: async () => {
        await withdrawToken(token.id);
        await this.renew();
      },
    });
  }
}
