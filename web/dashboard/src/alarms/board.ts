/** The alarms that stand, of all aircraft, and what they say. Pure. */

import { isKey, translate, type Language } from "../catalogue";
import { number } from "../format";
import { statusSentence } from "../statusWords";

export interface AlarmState {
  aircraft_id: string;
  aircraft_name: string;
  code: string;
  level: "alarm" | "warning";
  active: boolean;
  utc_ms: number; // since when
  training: boolean; // of a recording that is played for an exercise
  values: Record<string, string>; // "limit": what is passed; "hours", "free" (GB) of a disk; "text": own words
}

const HEARD_KEPT = 200;

export class AlarmBoard {
  private standing = new Map<string, AlarmState>();
  private begun: Pick<AlarmState, "aircraft_id" | "utc_ms">[] = [];

  /** All that stand: what was known before is over. */
  replace(alarms: readonly AlarmState[]): void {
    this.standing = new Map(alarms.map((alarm) => [keyOf(alarm), alarm]));
    alarms.forEach((alarm) => this.note(alarm));
  }

  take(alarm: AlarmState): void {
    if (alarm.active) this.note(alarm);
    if (alarm.active) this.standing.set(keyOf(alarm), alarm);
    else this.standing.delete(keyOf(alarm));
  }

  /** The most serious first, of these the newest. */
  get list(): AlarmState[] {
    const rank = { alarm: 0, warning: 1 };
    return [...this.standing.values()].sort(
      (a, b) => rank[a.level] - rank[b.level] || b.utc_ms - a.utc_ms || a.code.localeCompare(b.code),
    );
  }

  /** When alarms of that aircraft began, also those that are over, as far as this page has heard of them. */
  heard(aircraftId: string): number[] {
    return this.begun.filter(({ aircraft_id: id }) => id === aircraftId).map(({ utc_ms: ms }) => ms);
  }

  private note({ aircraft_id, utc_ms }: AlarmState): void {
    if (this.begun.some((one) => one.utc_ms === utc_ms && one.aircraft_id === aircraft_id)) return;
    this.begun.push({ aircraft_id, utc_ms });
    if (this.begun.length > HEARD_KEPT) this.begun.shift();
  }
}

const keyOf = ({ aircraft_id: id, code }: AlarmState): string => `${id} ${code}`;

/** "Akku unter 20 %" */
export function alarmSentence(
  language: Language,
  { code, values }: Pick<AlarmState, "code" | "values">,
): string {
  const key = `alarm.${code}`;
  if (!isKey(key)) return ownWords(language, values) ?? translate(language, "alarms.other", { code });
  return translate(language, key, figures(language, values));
}

/** "20" and "3.5" as they are written here; what is not told, or is no number, is "--". */
function figures(language: Language, values: Record<string, string>): Record<string, string> {
  const written = ["limit", "free", "hours"].map((name): [string, string] => {
    const value = Number(values[name] || NaN);
    return [name, Number.isFinite(value) ? number(language, value, Number.isInteger(value) ? 0 : 1) : "--"];
  });
  return Object.fromEntries(written);
}

/** Whose alarm it is, before what it is: "Fritz: Akku schwach". The installation's own has no name. */
export function spokenAlarm(language: Language, alarm: AlarmState): string {
  const whose = alarm.training ? translate(language, "training") : alarm.aircraft_name;
  return [whose, alarmSentence(language, alarm)].filter(Boolean).join(": ");
}

/** What the aircraft said of it itself; null where it said nothing. */
export function ownWords(language: Language, values: Record<string, string>): string | null {
  const said = values["text"];
  return said ? statusSentence(language, said).text : null;
}
