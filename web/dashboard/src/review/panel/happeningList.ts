/** The list of what happened and what was noted: to jump to, to look for one kind, to note more. */

import { translate, type Key, type Language } from "../../catalogue";
import { h, renewChildren, setAttribute, setText } from "../../dom";
import { timeOfDay } from "../../format";
import { icon, type IconName } from "../../icons";
import type { Note } from "./api";
import { KINDS, lastBefore, type Happening, type HappeningKind } from "./happenings";

export interface ListActions {
  seek(utcMs: number): void;
  change(note: Note): void;
  remove(note: Note): void;
}

const ICONS: Record<HappeningKind, IconName> = {
  note: "note",
  mark: "mark",
  alarm: "alarm",
  text: "warning",
  flight: "past",
};

export class HappeningList {
  private readonly title = h("h2");
  private readonly kinds = h("select", {
    class: "field",
    onchange: () => this.draw(),
  });
  private readonly none = h("p", { class: "happenings-none", role: "status" });
  private readonly list = h("ol", { class: "happenings-list", tabindex: "0" });
  readonly element = h(
    "section",
    { class: "review-happenings" },
    h("header", { class: "review-head" }, this.title, this.kinds),
    this.none,
    this.list,
  );
  private language: Language = "de";
  private all: readonly Happening[] = [];
  private rows: { happening: Happening; row: HTMLElement }[] = [];
  private drawn = "";
  private current: HTMLElement | null = null;

  constructor(private readonly does: ListActions) {
    this.kinds.append(...["all", ...KINDS].map((value) => h("option", { value })));
  }

  /** `loaded`: what is not in the list did not happen. */
  show(language: Language, all: readonly Happening[], loaded: boolean): void {
    [this.language, this.all] = [language, all];
    setText(this.title, translate(language, "review.happenings"));
    setAttribute(this.kinds, "aria-label", translate(language, "review.kinds"));
    for (const option of this.kinds.options)
      setText(option, translate(language, `review.kind.${option.value}` as Key));
    setAttribute(this.list, "aria-label", translate(language, "review.happenings"));
    setText(this.none, translate(language, loaded ? "review.happenings_none" : "review.loading"));
    this.draw();
  }

  /** What happened last is told apart from the rest. */
  showMoment(momentMs: number | null): void {
    const at =
      momentMs === null
        ? -1
        : lastBefore(
            this.rows.map(({ happening }) => happening),
            momentMs,
          );
    const current = this.rows[at]?.row ?? null;
    if (current === this.current) return;
    this.current?.removeAttribute("aria-current");
    current?.setAttribute("aria-current", "true");
    this.current = current;
  }

  private draw(): void {
    const { value } = this.kinds;
    const shown = this.all.filter(({ kind }) => value === "all" || kind === value);
    this.none.hidden = shown.length > 0;
    this.list.hidden = shown.length === 0;
    const drawn = JSON.stringify([this.language, shown]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.current = null;
    this.rows = shown.map((happening) => ({ happening, row: this.row(happening) }));
    renewChildren(
      this.list,
      this.rows.map(({ row }) => row),
      (row) => row.getAttribute("data-key") ?? "",
    );
  }

  private row({ key, kind, atMs, text, by, note }: Happening): HTMLElement {
    const said = by ? translate(this.language, "review.said_by", { text, by }) : text;
    const jump = h(
      "button",
      { type: "button", class: "happening-jump", onclick: () => this.does.seek(atMs) },
      icon(ICONS[kind]),
      h("span", { class: "visually-hidden" }, translate(this.language, `review.one.${kind}`)),
      h("time", { datetime: new Date(atMs).toISOString() }, timeOfDay(atMs)),
      h("span", { class: "happening-text" }, said),
    );
    return h("li", { class: "happening", "data-kind": kind, "data-key": key }, jump, ...this.tools(note));
  }

  private tools(note: Note | null): HTMLElement[] {
    if (!note) return [];
    const tool = (name: IconName, key: Key, act: () => void): HTMLElement => {
      const words = translate(this.language, key, { time: timeOfDay(note.utc_ms) });
      return h(
        "button",
        { type: "button", class: "tool", "aria-label": words, title: words, onclick: act },
        icon(name),
      );
    };
    return [
      tool("edit", "review.note_change", () => this.does.change(note)),
      tool("trash", "review.note_remove", () => this.does.remove(note)),
    ];
  }
}
