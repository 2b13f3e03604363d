/** What somebody has filled in, as an order; and what is said of an export. Pure. */

import { isKey, translate, type Key, type Language } from "../../catalogue";
import { given } from "../../flights/ask";
import { refused } from "../../flights/sentences";
import { dateTime, number, size } from "../../format";
import type { Span } from "../../rewind/api";
import { selectionWords } from "../panel/line";
import { PARTS, type ExportView, type Order, type Part, type Region } from "./api";

/** What is wanted where nobody says otherwise. */
export const USUAL_PARTS: readonly Part[] = ["clip", "report", "gpx", "csv"];

export type Regions = ReadonlyMap<string, readonly Region[]>;

/** `selection` null: all of the flight. */
export function orderOf(data: FormData, selection: Span | null, regions: Regions, language: Language): Order {
  const wanted = given(data, "range") === "selection" ? selection : null;
  const typed = (name: string): string => given(data, name).trim();
  const feeds = data.getAll("feeds").map(String);
  const drawn = [...regions].filter(([feed, some]) => some.length > 0 && feeds.includes(feed));
  return {
    by: typed("by"),
    ...(wanted && { from_ms: wanted.fromMs, to_ms: wanted.toMs }),
    feeds,
    parts: PARTS.filter((part) => data.getAll("parts").includes(part)),
    regions: Object.fromEntries(drawn.map(([feed, some]) => [feed, [...some]])),
    logbook: {
      number: typed("number"),
      pilot: typed("pilot"),
      place: typed("place"),
      remarks: typed("remarks"),
    },
    language,
  };
}

/** Why it cannot be ordered so; null: it can. */
export function lack({ feeds, parts }: Order): Key | null {
  if (parts.length === 0) return "export.no_part";
  return feeds.length === 0 ? "export.no_feed" : null;
}

/** "22.11.2026 14:20 · Meier · 14:03:22–14:04:01 · 39 s" */
export const exportFacts = (language: Language, one: ExportView): string =>
  [
    dateTime(language, one.made_ms),
    one.by,
    selectionWords(language, { fromMs: one.from_ms, toMs: one.to_ms }),
  ].join(" · ");

export const partNames = (language: Language, parts: readonly Part[]): string =>
  parts.map((part) => translate(language, `export.short.${part}`)).join(", ");

/** How far it is, or what has become of it. */
export function statusSentence(language: Language, one: ExportView): string {
  switch (one.status) {
    case "waiting":
      return translate(language, "export.waiting");
    case "cancelled":
      return translate(language, "export.cancelled");
    case "running":
      return translate(language, "export.running", { percent: number(language, 100 * one.progress) });
    case "done":
      return translate(language, "export.done", { size: exportSize(language, one.size_bytes) });
    case "failed":
      return translate(language, "export.failed", { why: reasonOf(language, one.reason) });
  }
}

/** What was wanted and could not be made, one sentence each. */
export const leftOut = (language: Language, one: ExportView, nameOf: (feed: string) => string): string[] =>
  one.left_out.map(({ part, feed_id: feed, reason }) =>
    translate(language, "export.left_out", {
      part: [translate(language, `export.short.${part}`), feed && nameOf(feed)].filter(Boolean).join(" "),
      why: reasonOf(language, reason),
    }),
  );

function reasonOf(language: Language, code: string): string {
  const key = `export.reason.${code}`;
  return isKey(key) ? translate(language, key) : refused(language, code);
}

const exportSize = (language: Language, bytes: number): string =>
  bytes < 1e6 ? `${number(language, Math.ceil(bytes / 1000))} kB` : size(language, bytes);
