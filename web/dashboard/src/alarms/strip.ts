/** The alarms under the bar: at most two lines, the rest counted; a tap shows them all. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute } from "../dom";
import { timeOfDay } from "../format";
import { icon } from "../icons";
import { trainingTag } from "../trainingMark";
import { alarmSentence, ownWords, spokenAlarm, type AlarmBoard, type AlarmState } from "./board";

const LINES = 2;

export class AlarmStrip {
  private readonly lines = h("button", {
    type: "button",
    class: "alarm-lines",
    hidden: true,
    onclick: () => this.open(),
  });
  private readonly spoken = h("p", { class: "alarm-spoken", role: "alert" });
  private readonly all = h("dialog", { class: "help alarm-all" });
  readonly element = h("div", { class: "alarms" }, this.lines, this.spoken, this.all);
  private drawn = "";
  private language: Language = "de";

  constructor(private readonly board: AlarmBoard) {}

  show(language: Language): void {
    const { list } = this.board;
    const drawn = JSON.stringify([language, list]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.language = language;
    this.lines.hidden = list.length === 0;
    this.lines.replaceChildren(...list.slice(0, LINES).map((alarm, i) => this.line(alarm, i, list.length)));
    setAttribute(this.lines, "title", translate(language, "alarms.all"));
    // Said once as it comes, by readers: the first is the most serious.
    this.spoken.textContent = list[0] ? spokenAlarm(language, list[0]) : "";
    if (this.all.open) this.fill();
  }

  private line(alarm: AlarmState, i: number, count: number): HTMLElement {
    const { language } = this;
    const more = i === LINES - 1 && count > LINES;
    const key: Key = `alarms.${alarm.level}`;
    return h(
      "span",
      { class: "alarm-line", "data-level": alarm.level },
      icon(alarm.level === "alarm" ? "alarm" : "warning"),
      alarm.training && trainingTag(language),
      h("span", { class: "alarm-word" }, translate(language, key)),
      h("strong", { class: "alarm-text" }, alarmSentence(language, alarm)),
      h("span", { class: "alarm-name" }, alarm.training ? "" : alarm.aircraft_name),
      h("span", { class: "alarm-since" }, translate(language, "since", { time: timeOfDay(alarm.utc_ms) })),
      more &&
        h("span", { class: "alarm-more" }, translate(language, "alarms.more", { count: count - LINES })),
    );
  }

  private open(): void {
    this.fill();
    this.all.showModal();
  }

  private fill(): void {
    const { language } = this;
    const { list } = this.board;
    const title = translate(language, "alarms.title");
    const label = translate(language, "do.close");
    const close = h(
      "button",
      { type: "button", class: "tool", "aria-label": label, onclick: () => this.all.close() },
      icon("close"),
    );
    setAttribute(this.all, "aria-label", title);
    this.all.replaceChildren(
      h("header", {}, h("h2", {}, title), close),
      ...list.map((alarm) => h("div", {}, this.line(alarm, 0, 1), this.said(alarm))),
      ...(list.length === 0 ? [h("p", {}, translate(language, "alarms.none"))] : []),
    );
  }

  private said(alarm: AlarmState): HTMLElement | string {
    const text = ownWords(this.language, alarm.values);
    return text === null ? "" : h("p", {}, translate(this.language, "alarms.said", { text }));
  }
}
