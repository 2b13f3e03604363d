/** What its pilot must know of an aircraft beside its cameras: alarms, where somebody points, ground stations. */

import { alarmSentence } from "../alarms/board";
import { isKey, translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { timeOfDay } from "../format";
import { icon } from "../icons";
import { utmref } from "../utmref";
import type { Forward, PilotAircraft, PilotAlarm, Pointed } from "./api";
import { pointedHead, pointedWhere } from "./pointing";

/** What ground stations do that read along; [] while none does. */
export function forwardSentences(language: Language, forward: Forward | null): string[] {
  if (!forward) return [];
  const { stations, commands, last_command: last, reason } = forward;
  const count = stations.length;
  const [what, station] = last.split(" from ");
  const why = isKey(`link.${reason}`) ? translate(language, `link.${reason}` as "link.failed") : reason;
  return [
    reason && translate(language, "forward.trouble", { why }),
    commands > 0 &&
      translate(language, "forward.commands", {
        count: commands,
        what: what || "?",
        station: station || "?",
      }),
    count > 0 && translate(language, count === 1 ? "forward.one" : "forward.many", { count }),
  ].filter((sentence): sentence is string => Boolean(sentence));
}

export class AircraftNews {
  private readonly alarms = h("ul", { class: "alarms", role: "alert" });
  private readonly arrow = h("span", { class: "point-arrow", "aria-hidden": "true" }, icon("arrow"));
  private readonly head = h("p", { class: "point-head" });
  private readonly where = h("p", { class: "point-where" });
  private readonly place = h("p", { class: "point-place" });
  private readonly pointed = h(
    "div",
    { class: "pointed", role: "status" },
    this.arrow,
    h("div", { class: "point-text" }, this.head, this.where, this.place),
  );
  private readonly forward = h("div", { class: "forward" });
  readonly element = h("div", { class: "news" }, this.alarms, this.pointed, this.forward);

  /** `utcMs` null: the service does not answer. Alarms and places then stand as they were told, with their time. */
  show({ alarms, pointed, ...aircraft }: PilotAircraft, language: Language, utcMs: number | null): void {
    const forward = utcMs === null ? null : aircraft.forward;
    this.showAlarms(language, alarms);
    this.showPointed(language, pointed, utcMs);
    const sentences = forwardSentences(language, forward);
    setAttribute(this.forward, "data-late", String((forward?.commands ?? 0) > 0));
    if (this.forward.textContent !== sentences.join(""))
      this.forward.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
  }

  private showAlarms(language: Language, alarms: readonly PilotAlarm[]): void {
    const lines = alarms.map((alarm) => `${timeOfDay(alarm.utc_ms)} ${alarmSentence(language, alarm)}`);
    this.alarms.hidden = lines.length === 0;
    if (this.alarms.textContent !== lines.join(""))
      this.alarms.replaceChildren(
        ...lines.map((line, i) => h("li", { "data-level": alarms[i]?.level }, icon("warning"), line)),
      );
  }

  private showPointed(language: Language, pointed: Pointed | null, utcMs: number | null): void {
    this.pointed.hidden = pointed === null;
    if (!pointed) return;
    const rightDeg = utcMs === null ? null : pointed.right_deg; // the aircraft flies on
    this.arrow.hidden = rightDeg === null;
    this.arrow.style.transform = `rotate(${(rightDeg ?? 0).toFixed(0)}deg)`;
    setText(this.head, pointedHead(language, pointed));
    setText(this.where, pointedWhere(language, pointed, utcMs));
    setText(this.place, utmref(pointed.lat_deg, pointed.lon_deg) ?? "");
  }
}
