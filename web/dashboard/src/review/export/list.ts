/** The exports of a flight: how far each is, cancelled, downloaded, removed. */

import { translate, type Key, type Language } from "../../catalogue";
import { h, renewChildren, setText } from "../../dom";
import { refused } from "../../flights/sentences";
import { refusalCode } from "../../requests";
import { dropExport, getExports, type ExportView } from "./api";
import { exportFacts, leftOut, partNames, statusSentence } from "./order";

const SURE_MS = 5000; // a question that nobody answers is over

export class ExportList {
  private readonly title = h("h2");
  private readonly order = h("button", {
    type: "button",
    class: "button strong",
    onclick: () => this.does.order(),
  });
  private readonly trouble = h("p", { class: "trouble", role: "alert" });
  private readonly none = h("p");
  private readonly list = h("ul", { class: "exports-list" });
  readonly element = h(
    "section",
    { class: "review-exports" },
    h("header", { class: "review-head" }, this.title, this.order),
    this.trouble,
    this.none,
    this.list,
  );
  private exports: readonly ExportView[] = [];
  private language: Language = "de";
  private sure: string | null = null; // the export that is about to be removed
  private problem: string | null = null; // the code of what went wrong last
  private drawn = "";

  constructor(
    private readonly flightId: string,
    private readonly nameOf: (feed: string) => string,
    private readonly does: { order(): void },
  ) {}

  /** Whether something is being made, or will be. */
  get isBusy(): boolean {
    return this.exports.some(({ status }) => status === "waiting" || status === "running");
  }

  /** Ask for what there is. */
  async renew(): Promise<void> {
    try {
      this.exports = await getExports(this.flightId);
      this.problem = null;
    } catch (error) {
      this.problem = refusalCode(error);
    }
    this.show(this.language);
  }

  show(language: Language): void {
    this.language = language;
    setText(this.title, translate(language, "export.list"));
    setText(this.order, translate(language, "export.new"));
    setText(this.none, translate(language, "export.none"));
    setText(this.trouble, this.problem === null ? "" : refused(language, this.problem));
    this.none.hidden = this.exports.length > 0 || this.problem !== null;
    const drawn = JSON.stringify([language, this.exports, this.sure]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const rows = this.exports.map((one) => this.row(one));
    renewChildren(this.list, rows, (row) => row.getAttribute("data-export") ?? "");
  }

  private row(one: ExportView): HTMLElement {
    const { language } = this;
    const words = statusSentence(language, one);
    return h(
      "li",
      { class: "export", "data-export": one.id, "data-status": one.status },
      h("p", { class: "export-status" }, words),
      one.status === "running" && h("progress", { value: one.progress, max: 1, "aria-label": words }),
      h("p", { class: "export-facts" }, `${exportFacts(language, one)} · ${partNames(language, one.parts)}`),
      ...leftOut(language, one, this.nameOf).map((line) => h("p", { class: "export-left-out" }, line)),
      h("div", { class: "buttons" }, ...this.tools(one)),
    );
  }

  private tools(one: ExportView): HTMLElement[] {
    const say = (key: Key): string => translate(this.language, key);
    const isOpen = one.status === "waiting" || one.status === "running";
    const drop = h(
      "button",
      { type: "button", class: "button", onclick: () => void this.drop(one, isOpen) },
      say(isOpen ? "export.cancel" : this.sure === one.id ? "marks.sure" : "export.remove"),
    );
    const load =
      one.url && h("a", { class: "button strong", href: one.url, download: "" }, say("export.load"));
    return load ? [load, drop] : [drop];
  }

  /** What is ready is removed at the second tap only. */
  private async drop(one: ExportView, isOpen: boolean): Promise<void> {
    if (!isOpen && one.status === "done" && this.sure !== one.id) return this.ask(one.id);
    this.sure = null;
    const problem = await dropExport(one.id).then(() => null, refusalCode);
    await this.renew();
    if (problem !== null && problem !== "not_found") this.problem = problem;
    this.show(this.language);
  }

  private ask(id: string): void {
    this.sure = id;
    this.show(this.language);
    window.setTimeout(() => {
      if (this.sure === id) this.sure = null;
      this.show(this.language);
    }, SURE_MS);
  }
}
