/** The UTM metre grid of a map view. Pure: bounds in, lines in degrees out. */

import { fromUtm, toUtm, zoneOf } from "./utm";

const SPACINGS_M = [10, 100, 1000, 10_000, 100_000]; // to the squares of UTMREF
const SQUARE_M = 100_000;
const LINES_APART_PX = 56;
const LINES_MOST = 60; // of each direction
const POINTS = 6; // a grid line is slightly curved on the map

export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface GridLine {
  axis: "easting" | "northing";
  metres: number;
  major: boolean; // every tenth
  points: [lon: number, lat: number][];
}

export interface Grid {
  zone: number;
  spacing_m: number;
  lines: GridLine[];
}

/** The smallest spacing whose lines stand far enough apart; null where even the widest do not. */
export function gridSpacing(metresPerPixel: number): number | null {
  return SPACINGS_M.find((spacing) => spacing / metresPerPixel >= LINES_APART_PX) ?? null;
}

/** Lines of the zone in the middle of the view, carried on over its edges; null where a grid makes no sense. */
export function grid(bounds: Bounds, metresPerPixel: number): Grid | null {
  const spacing = gridSpacing(metresPerPixel);
  const midLat = (bounds.south + bounds.north) / 2;
  if (spacing === null || Math.abs(midLat) > 80) return null;
  const zone = zoneOf(midLat, (bounds.west + bounds.east) / 2);
  const corners = [bounds.south, bounds.north].flatMap((lat) =>
    [bounds.west, bounds.east].map((lon) => toUtm(lat, lon, zone)),
  );
  const [eastings, northings] = [corners.map((c) => c.easting_m), corners.map((c) => c.northing_m)];
  const [west, east] = [Math.min(...eastings), Math.max(...eastings)];
  const [south, north] = [Math.min(...northings), Math.max(...northings)];
  const isNorth = midLat >= 0;
  const point = (easting_m: number, northing_m: number): [number, number] => {
    const { lon_deg, lat_deg } = fromUtm({ zone, north: isNorth, easting_m, northing_m });
    return [lon_deg, lat_deg];
  };
  const along = (from: number, to: number): number[] =>
    Array.from({ length: POINTS }, (_, i) => from + ((to - from) * i) / (POINTS - 1));
  const line = (axis: GridLine["axis"], metres: number): GridLine => ({
    axis,
    metres,
    major: Math.round(metres / spacing) % 10 === 0,
    points:
      axis === "easting"
        ? along(south, north).map((northing) => point(metres, northing))
        : along(west, east).map((easting) => point(easting, metres)),
  });
  return {
    zone,
    spacing_m: spacing,
    lines: [
      ...multiples(west, east, spacing).map((metres) => line("easting", metres)),
      ...multiples(south, north, spacing).map((metres) => line("northing", metres)),
    ],
  };
}

function multiples(from: number, to: number, step: number): number[] {
  const first = Math.ceil(from / step) * step;
  const count = Math.min(LINES_MOST, Math.max(0, Math.floor((to - first) / step) + 1));
  return Array.from({ length: count }, (_, i) => first + i * step);
}

/**
 * Label of a line as printed on a map's edge: the digits that UTMREF writes within the 100 km square, as many
 * as the spacing needs (none for the squares themselves, "10" for 1 km, "100" for 100 m, "1005" for 10 m).
 */
export function gridLabel(metres: number, spacingM: number): string {
  if (spacingM >= SQUARE_M) return "";
  const digits = spacingM >= 10_000 ? 1 : spacingM >= 1000 ? 2 : spacingM >= 100 ? 3 : 4;
  const within = Math.floor((((metres % SQUARE_M) + SQUARE_M) % SQUARE_M) / 10 ** (5 - digits));
  return String(within).padStart(digits, "0");
}
