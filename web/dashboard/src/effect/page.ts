/** The page of an incident's effect: four figures, three charts, a table; to be printed and filed. */

import { translate, type Key } from "../catalogue";
import { h, setText } from "../dom";
import { PageBar } from "../pageBar";
import { refusalCode } from "../requests";
import { barChart, stairChart } from "./charts";
import { effectPath, getEffect, type Effect } from "./api";
import { ageBars, cells, facts, figures, joinBars, ticks, type Figure } from "./sentences";

const COLUMNS: readonly Key[] = [
  "effect.camera",
  "effect.column_visits",
  "effect.column_most",
  "effect.column_hours",
  "effect.column_first",
  "effect.column_first_most",
  "effect.column_interruptions",
];

export class EffectPage {
  private readonly bar = new PageBar(() => this.draw());
  private readonly offline = h("p", { class: "offline", role: "alert", hidden: true });
  private readonly main = h("main", { class: "pilot effect" });
  private effect: Effect | null = null;
  private problem: string | null = null; // the code of why there is none

  constructor(
    root: HTMLElement,
    private readonly incident: string,
  ) {
    root.replaceChildren(this.bar.element, h("div", { class: "page-news" }, this.offline), this.main);
    this.draw();
  }

  get goesOn(): boolean {
    return this.problem !== "not_found" && this.effect?.incident.closed_ms === null;
  }

  async renew(): Promise<void> {
    try {
      this.effect = await getEffect(this.incident);
      this.problem = null;
    } catch (error) {
      this.problem = refusalCode(error);
    }
    this.draw();
  }

  private say(key: Key, values: Record<string, string | number> = {}): string {
    return translate(this.bar.taste.language, key, values);
  }

  private draw(): void {
    const { effect, problem } = this;
    const name = effect?.incident.name ?? "";
    this.bar.show(this.say("effect.title"));
    document.title = `Lagebild · ${name || this.say("effect.title")}`;
    this.offline.hidden = problem === null || problem === "not_found";
    setText(this.offline, this.say("why.server"));
    if (effect) this.main.replaceChildren(...this.content(effect));
    else {
      const why = problem === "not_found" ? "effect.gone" : "effect.loading";
      this.main.replaceChildren(h("p", { class: "effect-empty", role: "status" }, this.say(why)));
    }
  }

  private content(effect: Effect): HTMLElement[] {
    const { language } = this.bar.taste;
    return [
      this.head(effect),
      ...(effect.summary.viewings === 0
        ? [h("p", { class: "effect-empty", role: "status" }, this.say("effect.nobody"))]
        : [
            h("section", { class: "figures" }, ...figures(language, effect).map(figure)),
            h("section", { class: "charts" }, ...this.charts(effect)),
          ]),
      ...(effect.feeds.length ? [this.table(effect)] : []),
      h("p", { class: "effect-note" }, this.say("effect.note")),
    ];
  }

  private head(effect: Effect): HTMLElement {
    return h(
      "header",
      { class: "effect-head" },
      h(
        "div",
        {},
        h("h2", {}, effect.incident.name),
        h("p", {}, facts(this.bar.taste.language, effect).join(" · ")),
      ),
      h(
        "div",
        { class: "buttons" },
        h(
          "a",
          { class: "button", href: `${effectPath(this.incident)}.csv`, download: "" },
          this.say("effect.csv"),
        ),
        h(
          "button",
          { type: "button", class: "button", onclick: () => window.print() },
          this.say("effect.print"),
        ),
      ),
    );
  }

  private charts(effect: Effect): HTMLElement[] {
    const { language } = this.bar.taste;
    const titled = (key: Key, chart: (title: string) => HTMLElement, unit?: Key): HTMLElement => {
      const title = this.say(key);
      const of = unit ? h("span", { class: "chart-unit" }, this.say(unit)) : null;
      return h("figure", {}, h("figcaption", {}, h("h3", {}, title), of), chart(title));
    };
    const joins = joinBars(language, effect);
    const ages = ageBars(language, effect.summary);
    const { course } = effect;
    return [
      titled("effect.joins_title", () => barChart(joins), "effect.joins_unit"),
      titled("effect.ages_title", () => barChart(ages), "effect.ages_unit"),
      ...(course.length > 1
        ? [titled("effect.course_title", (title) => stairChart(title, course, ticks(course)))]
        : []),
    ];
  }

  private table(effect: Effect): HTMLElement {
    const { language } = this.bar.taste;
    const row = (texts: readonly string[]): HTMLElement =>
      h("tr", {}, ...texts.map((text, i) => h(i === 0 ? "th" : "td", i === 0 ? { scope: "row" } : {}, text)));
    return h(
      "section",
      { class: "panel effect-table", tabindex: 0, "aria-label": this.say("effect.table_title") },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...COLUMNS.map((key) => h("th", { scope: "col" }, this.say(key))))),
        h("tbody", {}, ...effect.feeds.map((feed) => row(cells(language, feed)))),
      ),
    );
  }
}

const figure = ({ title, value, more }: Figure): HTMLElement =>
  h(
    "div",
    { class: "panel figure" },
    h("h3", {}, title),
    h("p", { class: "figure-value" }, value),
    ...more.map((text) => h("p", {}, text)),
  );
