/** What the page may say of the recording: never more than the server has told, and nothing once it is silent. Pure. */

import type { RecordingState, StorageState } from "./api";
import { isKey, translate, type Language } from "./catalogue";
import { number, size, stopwatch, timeOfDay } from "./format";

export type RecKind = "recording" | "ready" | "off" | "failed" | "unknown";

export interface Seen {
  recording: RecordingState | null; // null: not told
  enabled: boolean; // in the server's settings
  reachable: boolean;
  serverMs: number | null;
}

/** What stands in the bar; null: nothing yet. */
export function recKind({ recording, enabled, reachable }: Seen): RecKind | null {
  if (!enabled) return "off";
  if (!reachable) return "unknown";
  if (!recording) return null;
  if (recording.status !== "off") return recording.status;
  return recording.reason === "no_flight" ? "ready" : "off";
}

/** What is, or would be, recorded: the end of the keys of its words; "": nothing. */
export const recWhat = ({ recording }: Seen): string => recording?.records.join("_") ?? "";

/** "Bild+Telemetrie"; "" where nothing is. */
export function recShort(language: Language, seen: Seen): string {
  const key = `rec.what.${recWhat(seen)}`;
  return isKey(key) ? translate(language, key) : "";
}

/** "12:34": how long the flight has been going on; "" where that is not known. */
export const flightTime = ({ recording, serverMs }: Seen): string =>
  typeof recording?.started_ms === "number" && serverMs !== null
    ? stopwatch(serverMs - recording.started_ms)
    : "";

/** Since when, why, and what is missing: the sentences of the sheet. */
export function recSentences(language: Language, seen: Seen): string[] {
  const { recording, enabled, reachable } = seen;
  if (!enabled) return [translate(language, "rec.disabled")];
  if (!reachable) return [translate(language, "rec.not_told")];
  if (!recording) return [];
  const { status, reason, lost, detail } = recording;
  const sinceMs = status === "recording" ? (recording.started_ms ?? recording.since_ms) : recording.since_ms;
  const key = `unrecorded.${reason}`;
  const kept = `rec.kept.${recWhat(seen)}`;
  return [
    reason === "no_flight" ? "" : translate(language, `rec.since_${status}`, { time: timeOfDay(sinceMs) }),
    isKey(key) ? translate(language, key) : reason && (detail || reason),
    lost === 1 ? translate(language, "rec.lost_one") : "",
    lost > 1 ? translate(language, "rec.lost", { count: lost }) : "",
    reason !== "switched_off" && isKey(kept) ? translate(language, kept) : "",
  ].filter(Boolean);
}

/** "Speicher: 120 GB frei, reicht für etwa 30 h" */
export function storageSentence(language: Language, storage: StorageState): string {
  const { status, free_bytes: free, hours_left: hours } = storage;
  const told = translate(language, `storage.${status}`, { free: size(language, free) });
  if (hours === null || status === "full" || status === "failed") return told;
  const digits = hours < 10 ? 1 : 0;
  return `${told}, ${translate(language, "storage.hours", { hours: number(language, hours, digits) })}`;
}
