/** Why there is no picture, in sentences that a tired person understands at once. Pure. */

import type {
  LinkState,
  PictureHealth,
  RenditionChosen,
  RenditionState,
  SourceState,
  StatusText,
} from "./api";
import { isKey, translate, type Key, type Language } from "./catalogue";
import { duration, timeOfDay } from "./format";
import type { PictureStateName } from "./pictureState";
import { renditionOf, treatment, trouble } from "./treatment";
import type { Refusal } from "./whep";

/** Reasons that mean no more, after there were pictures, than that they have stopped. */
const FELL_SILENT = ["", "no_packets", "stalled"];

const NO_PLACE: Record<Refusal, Key> = {
  feed_full: "why.feed_full",
  address_full: "why.address_full",
  starting: "why.starting",
  crowded: "why.crowded",
};

/** MAV_SEVERITY down to warning. */
const WARNINGS = ["emergency", "alert", "critical", "error", "warning"];
const WARNING_SHOWN_MS = 30_000;

export interface NoPicture {
  state: PictureStateName;
  gapMs: number | null; // since the last displayed picture; null: there was none
  serverReachable: boolean;
  source: SourceState | null;
  renditions: RenditionState[];
  chosen: RenditionChosen | null; // what the server sends this viewer, if it has said so
  refusal: Refusal | null; // why the server takes no more viewers, if it said so
  identical: boolean; // pictures come, but always the same one
}

/** The sentence for a frozen or lost picture; null while pictures come. */
export function noPicture(language: Language, seen: NoPicture): { head: string; why: string } | null {
  if (seen.state === "live" || seen.state === "delayed") return null;
  const head =
    seen.gapMs === null
      ? translate(language, "no_picture.yet")
      : translate(language, seen.identical ? "no_picture.new" : "no_picture.since", {
          duration: duration(seen.gapMs / 1000),
        });
  return { head, why: converting(language, seen) ?? translate(language, why(seen)) };
}

/**
 * The drone sends, but what this viewer is to be sent is made of it, and does not come (yet): why. null where
 * that is not the reason. A rendition that was made until now goes off when nobody needed it for a moment.
 */
function converting(language: Language, seen: NoPicture): string | null {
  const { source, renditions, gapMs } = seen;
  if (seen.refusal || !seen.serverReachable || seen.identical || source?.status !== "live") return null;
  const feed = { state: source, renditions };
  // Where there were pictures, what it is to be sent next is not what has stopped.
  const chosen =
    seen.chosen && gapMs !== null ? { ...seen.chosen, target: seen.chosen.rendition } : seen.chosen;
  const wrong = trouble(language, feed, chosen);
  if (wrong !== null) return wrong;
  if (!chosen || chosen.target === "source") return null;
  const made = renditionOf(feed, chosen.target);
  if (made?.status === "live" || made?.reason === "not_needed") return null;
  const what = treatment(language, feed, chosen.target)?.what ?? "";
  const waits = made?.reason === "waiting_for_keyframe";
  return translate(language, waits ? "why.converting_keyframe" : "why.converting", { what });
}

function why({ gapMs, serverReachable, source, refusal, identical }: NoPicture): Key {
  if (refusal) return NO_PLACE[refusal]; // the server said so itself
  if (!serverReachable) return "why.server";
  if (identical) return "why.identical";
  if (!source) return "why.opening";
  if (source.status === "live") return gapMs === null ? "why.opening" : "why.path";
  if (gapMs !== null && FELL_SILENT.includes(source.reason)) return "why.silent";
  return keyOr(
    `reason.${source.reason}`,
    source.status === "connecting" ? "reason.connecting" : "why.silent",
  );
}

/** Lasting properties worth telling while the picture plays or not. */
export function notes(language: Language, source: SourceState): string[] {
  return source.notes.map((note) => translateOr(language, `note.${note}`, note));
}

/** What is wrong with the camera while pictures come; that they are all the same is a state of the picture. */
export function findings(language: Language, health: PictureHealth | null): string[] {
  const codes = health?.findings.filter((code) => code !== "frozen") ?? [];
  return codes.map((code) => translateOr(language, `finding.${code}`, code));
}

/** Reasons that say no more than that it is silent. */
const NOTHING_COMES = new Set(["no_messages", "no_metadata", ""]);

/** What is wrong with the telemetry link; null while all is well. */
export function linkSentence(language: Language, link: LinkState | null): string | null {
  if (!link) return null;
  if (link.status === "live") {
    // Live, and yet something to know: two aircraft share one system id, and only one of them is shown.
    return link.reason ? translateOr(language, `link.${link.reason}`, link.detail) : null;
  }
  if (link.status === "silent" && NOTHING_COMES.has(link.reason))
    return translate(language, "link.silent", { time: timeOfDay(link.since_ms) });
  return translate(
    language,
    keyOr(`link.${link.reason}`, link.status === "failed" ? "link.failed" : "link.no_messages"),
  );
}

/** The aircraft's own words (STATUSTEXT) with their time, while they are news and warn of something; else null. */
export function warning(text: StatusText | null, serverMs: number | null): string | null {
  if (!text || serverMs === null || !WARNINGS.includes(text.severity)) return null;
  return serverMs - text.utc_ms > WARNING_SHOWN_MS ? null : `${timeOfDay(text.utc_ms)} ${text.text}`;
}

const keyOr = (key: string, other: Key): Key => (isKey(key) ? key : other);

const translateOr = (language: Language, key: string, other: string): string =>
  isKey(key) ? translate(language, key) : other;
