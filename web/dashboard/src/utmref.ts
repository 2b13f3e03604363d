/** UTMREF (MGRS) as the fire service writes it: "32U MV 1005 8355", ten metres, cut off and not rounded. */

import { toUtm } from "./utm";

const BANDS = "CDEFGHJKLMNPQRSTUVWX";
const COLUMNS = ["ABCDEFGH", "JKLMNPQR", "STUVWXYZ"];
const ROWS = "ABCDEFGHJKLMNPQRSTUV";
const SQUARE_M = 100_000;

/** null beyond 80° S to 84° N, where UTM ends. */
export function utmref(latDeg: number, lonDeg: number): string | null {
  if (!(latDeg >= -80 && latDeg <= 84 && lonDeg >= -180 && lonDeg <= 180)) return null;
  const { zone, easting_m, northing_m } = toUtm(latDeg, lonDeg);
  const band = BANDS[Math.min(19, Math.floor((latDeg + 80) / 8))];
  const column = COLUMNS[(zone - 1) % 3]?.[Math.floor(easting_m / SQUARE_M) - 1];
  // The rows of even zones start five letters later.
  const row = ROWS[(Math.floor(northing_m / SQUARE_M) + (zone % 2 === 0 ? 5 : 0)) % 20];
  return `${String(zone).padStart(2, "0")}${band} ${column}${row} ${tens(easting_m)} ${tens(northing_m)}`;
}

const tens = (metres: number): string => String(Math.floor((metres % SQUARE_M) / 10)).padStart(4, "0");

/** "49,443210, 7,771640" would be ambiguous: degrees are written with a point in both languages. */
export function degrees(latDeg: number, lonDeg: number): string {
  return `${latDeg.toFixed(6)}, ${lonDeg.toFixed(6)}`;
}
