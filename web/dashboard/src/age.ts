/** From a displayed picture's RTP timestamp to its capture time and age, by the anchors the server sends. */

import type { Anchor, Origin } from "./api";
import { ticksToMs, type Unwrapper } from "./rtp";

const KEPT = 16;
const FRESH_MS = 10_000; // they come about twice a second

/** When a picture was captured (or arrived, see `origin`), in server time. */
export interface Capture {
  utcMs: number;
  origin: Origin;
}

export class Anchors {
  private kept: { ticks: number; utcMs: number; origin: Origin }[] = [];
  private newestAt: number | null = null;

  constructor(private readonly unwrapper: Unwrapper) {}

  /** `now` is performance.now(). */
  add(anchor: Anchor, now: number): void {
    const ticks = this.unwrapper.unwrap(anchor.rtp_timestamp);
    this.kept.push({ ticks, utcMs: anchor.utc_ms, origin: anchor.origin });
    if (this.kept.length > KEPT) this.kept.shift();
    this.newestAt = now;
  }

  /**
   * Capture time of the picture at `ticks` (unwrapped): counted from the newest anchor that is not after it,
   * since an anchor may already belong to the next run of the source. null without any.
   */
  capture(ticks: number): Capture | null {
    const anchor = this.kept.findLast((one) => one.ticks <= ticks) ?? this.kept[0];
    if (!anchor) return null;
    return { utcMs: anchor.utcMs + ticksToMs(ticks - anchor.ticks), origin: anchor.origin };
  }

  /** Whether the server still vouches for the relation; without it an age would be a guess. */
  fresh(now: number): boolean {
    return this.newestAt !== null && now - this.newestAt <= FRESH_MS;
  }
}

/**
 * When the picture was captured, in server time: where only its arrival is known, the configured delay of the
 * air link earlier, or earlier still.
 */
export function capturedMs(capture: Capture, airLinkMs: number): number {
  return capture.utcMs - (capture.origin === "arrival" ? airLinkMs : 0);
}

/** Age in milliseconds at server time `serverNowMs`: never negative; of an arrival, the true one is at least that. */
export function ageMs(capture: Capture, serverNowMs: number, airLinkMs: number): number {
  return Math.max(0, serverNowMs - capturedMs(capture, airLinkMs));
}
