/** Where somebody points, in words for the pilot. Pure. */

import { translate, type Language } from "../catalogue";
import { duration, number, timeOfDay } from "../format";
import type { Pointed } from "./api";

const STRAIGHT_DEG = 10;

/** "Müller zeigt: „Person“" */
export function pointedHead(language: Language, { by, label }: Pointed): string {
  const who = by || translate(language, "point.somebody");
  return translate(language, label ? "point.head" : "point.nameless", { by: who, label });
}

/** "214°, 180 m, 30° rechts, vor 20 s"; while the service does not answer (null), only when that was. */
export function pointedWhere(language: Language, pointed: Pointed, utcMs: number | null): string {
  if (utcMs === null) return timeOfDay(pointed.utc_ms);
  const { bearing_deg: bearing, distance_m: distance, right_deg: right } = pointed;
  const ago = translate(language, "point.ago", {
    age: duration(Math.max(0, utcMs - pointed.utc_ms) / 1000),
  });
  if (bearing === null || distance === null) return `${translate(language, "point.no_position")}, ${ago}`;
  const turn = right === null ? "" : turned(language, right);
  const degrees = `${String(Math.round(bearing) % 360).padStart(3, "0")}°`;
  return [degrees, metres(language, distance), turn, ago].filter(Boolean).join(", ");
}

function turned(language: Language, rightDeg: number): string {
  const signed = rightDeg > 180 ? rightDeg - 360 : rightDeg;
  const degrees = Math.round(Math.abs(signed));
  if (degrees <= STRAIGHT_DEG) return translate(language, "point.ahead");
  if (degrees >= 180 - STRAIGHT_DEG) return translate(language, "point.behind");
  return translate(language, signed > 0 ? "point.right" : "point.left", { degrees });
}

/** As exact as it helps: "83 m", "180 m", "1,24 km". */
function metres(language: Language, distance: number): string {
  if (distance >= 1000) return `${number(language, distance / 1000, distance < 10_000 ? 2 : 1)} km`;
  return `${number(language, distance < 100 ? distance : Math.round(distance / 10) * 10)} m`;
}
