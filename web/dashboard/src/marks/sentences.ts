/** What is said of a look at the ground, of a point on it, and of a refusal. Pure. */

import { isKey, translate, type Key, type Language } from "../catalogue";
import { number } from "../format";
import type { GroundPoint, Look } from "./api";

export const LOOK_OLD_MS = 2000;
export const LOOK_GONE_MS = 5000;

/** How far a look may be relied on; what it says is of the newest sample, `ageMs` ago. */
export function lookFreshness(ageMs: number | null): "fresh" | "old" | "gone" {
  if (ageMs === null || ageMs > LOOK_GONE_MS) return "gone";
  return ageMs > LOOK_OLD_MS ? "old" : "fresh";
}

/** Why it cannot be told where the camera looks; null where it can, and while nothing was told. */
export function lookSentence(language: Language, look: Look | null): string | null {
  return look?.reason ? translate(language, "view.unknown", { why: why(language, look.reason) }) : null;
}

/** Why a place was not found or not marked, by the code of the refusal. */
export function refusal(language: Language, code: string): string {
  if (code === "") return translate(language, "mark.unreachable");
  const own = `ground.${code}`;
  if (isKey(own)) return translate(language, own);
  if (!isKey(`look.${code}`)) return translate(language, "mark.failed");
  return translate(language, "mark.refused", { why: why(language, code) });
}

/** "± 3,1 m · 143 m von der Kamera · Gelände eben angenommen" */
export function facts(language: Language, point: GroundPoint): string {
  const error = point.error.semi_major_m;
  return [
    translate(language, "mark.error", { error: number(language, error, error < 10 ? 1 : 0) }),
    translate(language, "mark.range", { range: number(language, point.slant_range_m) }),
    translate(language, point.terrain ? "mark.terrain" : "mark.flat"),
  ].join(" · ");
}

function why(language: Language, reason: string): string {
  const key: Key | `look.${string}` = `look.${reason}`;
  return translate(language, isKey(key) ? key : "view.other");
}
