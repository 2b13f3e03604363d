/** What happened in a flight, and what was noted of it since: one list, in the order of time. Pure. */

import { alarmSentence } from "../../alarms/board";
import { translate, type Language } from "../../catalogue";
import { statusSentence } from "../../statusWords";
import type { Note, RecordedEvent } from "./api";

export const KINDS = ["note", "mark", "alarm", "text", "flight"] as const;
export type HappeningKind = (typeof KINDS)[number];

export interface Happening {
  key: string; // of its own, whatever the language
  kind: HappeningKind;
  atMs: number;
  text: string;
  by: string; // "": nobody
  note: Note | null; // that can be changed
}

/** The first to have happened comes first. */
export function happenings(
  language: Language,
  events: readonly RecordedEvent[],
  notes: readonly Note[],
): Happening[] {
  const told = standing(events).map((event) => happeningOf(language, event));
  return [...told, ...notes.map(noted)].sort((a, b) => a.atMs - b.atMs);
}

/** Which of them was the last to happen before that moment, or at it; -1: none yet. */
export const lastBefore = (all: readonly Happening[], utcMs: number): number =>
  all.findLastIndex(({ atMs }) => atMs <= utcMs);

/** Events to tell of: marks as they were in the end, alarms where they began. */
function standing(events: readonly RecordedEvent[]): RecordedEvent[] {
  const last = new Map<string, RecordedEvent>();
  for (const event of events) last.set(placeOf(event), event);
  return [...last.values()].filter((event) =>
    event.type === "marker" ? !event.removed : event.type !== "alarm" || event.active,
  );
}

const placeOf = (event: RecordedEvent): string =>
  event.type === "marker" ? `mark ${event.marker_id || event.id}` : event.id;

function happeningOf(language: Language, event: RecordedEvent): Happening {
  const { utc_ms: atMs } = event;
  const made = (kind: HappeningKind, text: string, by = ""): Happening => ({
    key: placeOf(event),
    kind,
    atMs,
    text,
    by,
    note: null,
  });
  switch (event.type) {
    case "marker":
      return made("mark", event.label || translate(language, "review.mark"), event.by);
    case "alarm":
      return made("alarm", alarmSentence(language, event));
    case "text":
      return made("text", statusSentence(language, event.text).text);
    case "recording_switch":
      return made("flight", translate(language, event.on ? "review.rec_on" : "review.rec_off"), event.by);
    default:
      return made("flight", translate(language, `review.event.${event.type}`));
  }
}

const noted = (note: Note): Happening => ({
  key: `note ${note.id}`,
  kind: "note",
  atMs: note.utc_ms,
  text: note.text,
  by: note.by,
  note,
});
