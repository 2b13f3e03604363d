/** The audit log: searched, read on, taken along as a file, and checked. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { given } from "../flights/ask";
import { dateOf, number, timeOfDay } from "../format";
import { refusalCode } from "../requests";
import { refusedWords } from "../access/sentences";
import { auditFile, checkAudit, getAudit, type AuditCheck, type AuditEntry, type AuditQuery } from "./api";
import { aboutWords, actionWords, whoWords } from "./sentences";

const PAGE = 100;
const ACTIONS = [
  ...["logged_in", "login_failed", "logged_out", "entered", "watched", "left", "took_still", "opened"],
  ...["downloaded", "exported", "made", "changed", "deleted", "revoked", "read_audit", "refused"],
  ...["published", "started", "stopped"],
];
const COLUMNS: readonly Key[] = [
  "audit.time",
  "audit.column_who",
  "audit.column_what",
  "audit.column_about",
  "audit.column_address",
];

export class AuditPart {
  private readonly title = h("h2");
  private readonly from = h("input", { class: "field", type: "datetime-local", name: "from" });
  private readonly to = h("input", { class: "field", type: "datetime-local", name: "to" });
  private readonly who = h("input", { class: "field", name: "who", maxlength: 80, autocomplete: "off" });
  private readonly about = h("input", { class: "field", name: "about", maxlength: 80, autocomplete: "off" });
  private readonly action = h("select", { class: "field", name: "action" });
  private readonly labels: readonly (readonly [HTMLElement, Key])[];
  private readonly search = h("button", { type: "submit", class: "button strong" });
  private readonly form: HTMLFormElement;
  private readonly csv = h("a", { class: "button", download: "" });
  private readonly jsonl = h("a", { class: "button", download: "" });
  private readonly check = h("button", { type: "button", class: "button", onclick: () => void this.prove() });
  private readonly verdict = h("p", { class: "verdict-line", role: "status" });
  private readonly head = h("thead");
  private readonly rows = h("tbody");
  private readonly table = h(
    "div",
    { class: "audit-table", tabindex: 0, role: "region" },
    h("table", {}, this.head, this.rows),
  );
  private readonly none = h("p", { role: "status" });
  private readonly more = h("button", { type: "button", class: "button", onclick: () => void this.older() });
  readonly element: HTMLElement;
  private entries: AuditEntry[] | null = null;
  private hasMore = false;
  private query: Partial<AuditQuery> = {};
  private problem: string | null = null;
  private verdictOf: AuditCheck | "checking" | string | null = null;
  private language: Language = "de";

  constructor() {
    const label = (input: HTMLElement, key: Key): readonly [HTMLElement, Key, HTMLElement] => {
      const words = h("span");
      return [words, key, h("label", { class: "asked" }, words, input)];
    };
    const labelled = [
      label(this.from, "audit.from"),
      label(this.to, "audit.to"),
      label(this.who, "audit.who"),
      label(this.action, "audit.action"),
      label(this.about, "audit.about"),
    ];
    this.labels = labelled.map(([words, key]) => [words, key] as const);
    this.form = h("form", { class: "audit-form" }, ...labelled.map(([, , field]) => field), this.search);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.renew();
    });
    this.element = h(
      "section",
      { class: "panel", "data-part": "audit" },
      h(
        "header",
        { class: "panel-head" },
        this.title,
        h("div", { class: "buttons" }, this.check, this.csv, this.jsonl),
      ),
      this.verdict,
      this.form,
      this.table,
      this.none,
      this.more,
    );
  }

  async renew(): Promise<void> {
    this.query = queryOf(new FormData(this.form));
    this.entries = null;
    await this.load();
  }

  private async older(): Promise<void> {
    this.more.disabled = true;
    await this.load(this.entries?.at(-1)?.seq);
    this.more.disabled = false;
  }

  private async load(before?: number): Promise<void> {
    try {
      const page = await getAudit({ ...this.query, limit: PAGE, ...(before !== undefined && { before }) });
      this.entries = [...(this.entries ?? []), ...page];
      this.hasMore = page.length === PAGE;
      this.problem = null;
    } catch (error) {
      this.problem = refusalCode(error);
    }
    this.show(this.language);
  }

  private async prove(): Promise<void> {
    this.check.disabled = true;
    this.verdictOf = "checking";
    this.show(this.language);
    try {
      this.verdictOf = await checkAudit();
    } catch (error) {
      this.verdictOf = refusalCode(error);
    }
    this.check.disabled = false;
    this.show(this.language);
  }

  show(language: Language): void {
    this.language = language;
    const say = (key: Key): string => translate(language, key);
    setText(this.title, say("admin.audit"));
    for (const [words, key] of this.labels) setText(words, say(key));
    setText(this.search, say("audit.search"));
    setText(this.check, say("audit.check"));
    setText(this.csv, say("audit.csv"));
    setText(this.jsonl, say("audit.jsonl"));
    setAttribute(this.csv, "href", auditFile(this.query, "csv"));
    setAttribute(this.jsonl, "href", auditFile(this.query, "jsonl"));
    setAttribute(this.table, "aria-label", say("audit.table"));
    setText(this.more, say("audit.more"));
    this.more.hidden = !this.hasMore;
    this.showActions();
    this.showVerdict();
    this.showEntries();
  }

  private showActions(): void {
    const chosen = this.action.value;
    const words = ACTIONS.map((one) => [one, actionWords(this.language, one)] as const);
    const every = ["", translate(this.language, "audit.every_action")] as const;
    this.action.replaceChildren(
      ...[every, ...words].map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
    );
  }

  private showVerdict(): void {
    const { verdictOf: verdict, language } = this;
    const whole = typeof verdict === "object" && verdict !== null ? String(verdict.intact) : null;
    setAttribute(this.verdict, "data-whole", whole);
    this.verdict.hidden = verdict === null;
    if (verdict === null) return;
    if (typeof verdict === "string")
      return setText(
        this.verdict,
        verdict === "checking" ? translate(language, "audit.checking") : refusedWords(language, verdict),
      );
    const detail = verdict.findings.map((one) => one.text).join(" ");
    const count = number(language, verdict.entries);
    setText(
      this.verdict,
      translate(language, verdict.intact ? "audit.whole" : "audit.broken", { count, detail }),
    );
  }

  private showEntries(): void {
    const { language, entries, problem } = this;
    const head = COLUMNS.map((key) => h("th", { scope: "col" }, translate(language, key)));
    this.head.replaceChildren(h("tr", {}, ...head));
    this.rows.replaceChildren(...(entries ?? []).map((one) => row(language, one)));
    this.table.hidden = !entries?.length;
    this.none.hidden = problem === null && Boolean(entries?.length);
    const nothing = translate(language, entries === null ? "audit.loading" : "audit.none");
    setText(this.none, problem === null ? nothing : refusedWords(language, problem));
  }
}

const row = (language: Language, entry: AuditEntry): HTMLElement =>
  h(
    "tr",
    { "data-entry": entry.seq, "data-action": entry.action },
    h("td", { class: "audit-time" }, `${dateOf(language, entry.utc_ms)} ${timeOfDay(entry.utc_ms)}`),
    h("td", {}, whoWords(language, entry)),
    h("td", {}, actionWords(language, entry.action)),
    h("td", { class: "audit-about" }, aboutWords(entry)),
    h("td", {}, entry.address || "--"),
  );

/** What was asked for. A time is typed in the viewer's own zone. */
export function queryOf(data: FormData): Partial<AuditQuery> {
  const time = (name: string): number => Date.parse(given(data, name));
  const [from, to] = [time("from"), time("to")];
  const words = (["who", "action", "about"] as const)
    .map((name) => [name, given(data, name).trim()] as const)
    .filter(([, value]) => value !== "");
  return {
    ...(Number.isFinite(from) && { from_ms: from }),
    ...(Number.isFinite(to) && { to_ms: to }),
    ...Object.fromEntries(words),
  };
}
