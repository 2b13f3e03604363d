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
  values: Record<string, string>; // "limit": what is passed; "text": the aircraft's own words
}

export class AlarmBoard {
  private standing = new Map<string, AlarmState>();

  /** All that stand: what was known before is over. */
  replace(alarms: readonly AlarmState[]): void {
    this.standing = new Map(alarms.map((alarm) => [keyOf(alarm), alarm]));
  }

  take(alarm: AlarmState): void {
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
}

const keyOf = ({ aircraft_id: id, code }: AlarmState): string => `${id} ${code}`;

/** "Akku unter 20 %" */
export function alarmSentence(
  language: Language,
  { code, values }: Pick<AlarmState, "code" | "values">,
): string {
  const key = `alarm.${code}`;
  if (!isKey(key)) return ownWords(language, values) ?? translate(language, "alarms.other", { code });
  const limit = Number(values["limit"]);
  const digits = Number.isInteger(limit) ? 0 : 1;
  return translate(language, key, { limit: Number.isFinite(limit) ? number(language, limit, digits) : "--" });
}

/** What the aircraft said of it itself; null where it said nothing. */
export function ownWords(language: Language, values: Record<string, string>): string | null {
  const said = values["text"];
  return said ? statusSentence(language, said).text : null;
}
