/** What was known of the aircraft over the whole flight, and at each moment of it. Pure. */

import type { Point } from "../../curve";
import type { TrackPoint } from "./api";

export type Reading = "alt_home_m" | "alt_msl_m" | "ground_speed_ms" | "battery_pct" | "battery_v";

/** What is plotted, each with what stands in for it where it was never told. */
export const PLOTTED: readonly (readonly Reading[])[] = [
  ["alt_home_m", "alt_msl_m"],
  ["ground_speed_ms"],
  ["battery_pct", "battery_v"],
];

const KNOWN_MS = 3000; // what was told last still counts for so long, as on the live page

export class FlightTrack {
  /** `cuts`, in order: moments at which what was told stopped and began again. */
  constructor(
    private readonly points: readonly TrackPoint[] = [],
    private readonly cuts: readonly number[] = [],
  ) {}

  get isEmpty(): boolean {
    return this.points.length === 0;
  }

  /** The first of them that was told at all. */
  told(readings: readonly Reading[]): Reading | null {
    return readings.find((one) => this.points.some((point) => point[one] !== null)) ?? null;
  }

  of(reading: Reading): Point[] {
    return this.points.map((point) => ({ atMs: point.utc_ms, value: point[reading] }));
  }

  /** Whether nothing is missing between two moments. */
  readonly joins = (fromMs: number, toMs: number): boolean =>
    !this.cuts.some((cut) => fromMs < cut && cut <= toMs);

  /** Between the points around the moment; null where it was not known. */
  at(reading: Reading, utcMs: number): number | null {
    const i = this.points.findLastIndex((point) => point.utc_ms <= utcMs);
    const [before, after] = [this.points[i], this.points[i + 1]];
    const value = before?.[reading] ?? null;
    if (!before || value === null) return null;
    const next = after?.[reading] ?? null;
    if (!after || next === null || !this.joins(before.utc_ms, after.utc_ms))
      return utcMs - before.utc_ms <= KNOWN_MS ? value : null;
    const share = (utcMs - before.utc_ms) / (after.utc_ms - before.utc_ms);
    return value + share * (next - value);
  }
}
