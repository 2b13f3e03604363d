/** A recorded flight in words: what there is of it, what is missing, and until when. Pure. */

import { isKey, translate, type Language } from "../catalogue";
import { dateOf, dateTime, number, size, spokenDuration } from "../format";
import type { Deletion, Flight, Incident, Planned, RecordedFeed, Retention, Rule } from "./api";

const MS_PER_DAY = 86_400_000;

/** "Fritz, 22.11.2026 14:03": what people call it by. */
export const flightName = (
  language: Language,
  flight: Pick<Flight, "started_ms"> & { aircraft_name: string },
): string => `${flight.aircraft_name}, ${dateTime(language, flight.started_ms)}`;

/** "H.264, 1280 × 720, 412 MB, 2 Lücken (zusammen 12 s)" */
export function feedSentence(language: Language, feed: RecordedFeed): string {
  if (feed.codec === null || feed.pictures === 0) return translate(language, "flights.no_picture");
  const codec = feed.codec.toUpperCase().replace("H26", "H.26");
  const shape = feed.width_px && feed.height_px ? `${feed.width_px} × ${feed.height_px}` : "";
  return [codec, shape, size(language, feed.size_bytes), gaps(language, feed)].filter(Boolean).join(", ");
}

function gaps(language: Language, { gaps: count, gap_ms: ms }: RecordedFeed): string {
  const time = spokenDuration(ms);
  if (count === 0) return translate(language, "flights.no_gap");
  return translate(language, count === 1 ? "flights.one_gap" : "flights.gaps", { count, time });
}

/** What was recorded beside the pictures. */
export function extras(language: Language, { messages, markers, alarms }: Flight): string[] {
  return [
    translate(language, messages > 0 ? "flights.telemetry" : "flights.no_telemetry"),
    markers > 0 ? translate(language, "flights.markers", { count: number(language, markers) }) : "",
    alarms > 0 ? translate(language, "flights.alarms", { count: number(language, alarms) }) : "",
  ].filter(Boolean);
}

/** What is wrong with it, and was made good; [] where nothing is. */
export function wrongs(
  language: Language,
  { repaired_ms: repaired, lost_bytes: lost, damage }: Flight,
): string[] {
  const time = repaired === null ? "" : dateTime(language, repaired);
  const key = lost > 0 ? "flights.repaired_lost" : "flights.repaired";
  return [
    repaired === null ? "" : translate(language, key, { time, size: smallSize(language, lost) }),
    damage ? translate(language, "flights.damaged") : "",
  ].filter(Boolean);
}

/** Until when it is kept, and by which rule. */
export function keeping(language: Language, flight: Flight): string {
  const { hold, delete_on_ms: on, ended_ms: ended } = flight;
  if (hold)
    return translate(language, "flights.held", {
      reason: hold.reason,
      by: hold.by,
      time: dateTime(language, hold.since_ms),
    });
  if (on === null)
    return translate(language, ended === null ? "flights.deletes_running" : "flights.deletes_never");
  const days = ended === null ? null : Math.round((on - ended) / MS_PER_DAY);
  return translate(language, "flights.deletes_on", {
    date: dateOf(language, on),
    rule: ruleWords(language, flight.delete_rule, days),
  });
}

/** "60 Tage Einsatz"; where the days are not known, or do not count, why it is so. */
export function ruleWords(language: Language, rule: Rule | null, days: number | null = null): string {
  const counted = `flights.rule.${days === 1 ? "one_" : ""}${rule ?? ""}`;
  if (days !== null && isKey(counted)) return translate(language, counted, { days });
  const key = `flights.why.${rule ?? ""}`;
  return isKey(key) ? translate(language, key) : (rule ?? "--");
}

/** "Einsatz Dachstuhlbrand": the kind is always said. */
export const incidentName = (language: Language, { kind, name }: Pick<Incident, "kind" | "name">): string =>
  `${translate(language, `incidents.kind_${kind}`)} ${name}`.trim();

/** "22.01.2027: Fritz, 22.11.2026 14:03 · 60 Tage Einsatz"; a flight that is not loaded goes by its id. */
export function plannedLine(
  language: Language,
  planned: Planned,
  days: number | null,
  flight?: Flight,
): string {
  return translate(language, "retention.line", {
    date: dateOf(language, planned.due_ms),
    flight: flight ? flightName(language, flight) : planned.flight_id,
    rule: ruleWords(language, planned.rule, days),
  });
}

/** After how many days a rule deletes; null: it does not go by days. */
export const daysOf = (
  rule: Rule,
  { einsatz_days: einsatz, uebung_days: uebung }: Retention,
): number | null => (rule === "einsatz_days" ? einsatz : rule === "uebung_days" ? uebung : null);

export function deletionLine(language: Language, deletion: Deletion): string {
  const line = translate(language, "deletions.line", {
    date: dateTime(language, deletion.deleted_ms),
    flight: `${deletion.aircraft_id}, ${dateTime(language, deletion.started_ms)}`,
    size: size(language, deletion.size_bytes),
    rule: ruleWords(language, deletion.rule),
    by: deletion.by,
  });
  return [line, deletion.incident, deletion.reason].filter(Boolean).join(" · ");
}

/** Why the service said no. */
export function refused(language: Language, code: string): string {
  const key = `refused.${code}`;
  return isKey(key) ? translate(language, key) : `${translate(language, "refused.failed")} (${code})`;
}

/** A cut-off tail is small. */
const smallSize = (language: Language, bytes: number): string =>
  bytes < 1e6 ? `${number(language, Math.ceil(bytes / 1000))} kB` : size(language, bytes);
