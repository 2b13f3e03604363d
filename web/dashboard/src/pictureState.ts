/**
 * The four states of the picture, judged by displayed pictures and never by the connection.
 *
 *   live     the newest picture is at most `live_age_ms` old and another came within `freeze_ms`
 *   delayed  new pictures, but older than that (or of unknown age: what cannot be shown to be live is not)
 *   frozen   no new picture for `freeze_ms`; below 4 pictures a second for three picture intervals; or pictures
 *            come, and the server has seen that they are always the same one
 *   lost     no picture ever, or frozen and ingest has given the source up
 *
 * Live comes back only after `recover_ms` of good pictures, so that the word does not flicker.
 */

import type { SourceStatus, Thresholds } from "./api";

export type PictureStateName = "live" | "delayed" | "frozen" | "lost";

const SLOW_INTERVAL_MS = 250; // below 4 fps
const INTERVALS_KEPT = 9;

export interface Observation {
  now: number; // performance.now()
  ageMs: number | null; // of the newest displayed picture, at `now`
  source: SourceStatus | null; // null: the server is not reachable
  sourceFps: number | null; // as ingest counts it; used until enough pictures were displayed
  identical: boolean; // the server sees the same picture again and again
}

export class PictureState {
  name: PictureStateName = "lost";
  /** performance.now() of the newest displayed picture. */
  lastPictureAt: number | null = null;
  private intervals: number[] = [];
  private goodSince: number | null = null;
  private everLive = false;

  constructor(private readonly thresholds: Thresholds) {}

  /** A new picture is on the screen. `now` is performance.now(). */
  picture(now: number): void {
    if (this.lastPictureAt !== null && now > this.lastPictureAt) {
      this.intervals.push(now - this.lastPictureAt);
      if (this.intervals.length > INTERVALS_KEPT) this.intervals.shift();
    }
    this.lastPictureAt = now;
  }

  judge(seen: Observation): PictureStateName {
    if (!this.isMoving(seen)) this.name = this.judgeStill(seen);
    else this.name = seen.identical ? this.judgeIdentical() : this.judgeMoving(seen);
    return this.name;
  }

  /** Milliseconds without a new picture that count as frozen. */
  freezeAfterMs(sourceFps: number | null): number {
    const interval = this.interval(sourceFps);
    return interval > SLOW_INTERVAL_MS
      ? Math.max(this.thresholds.freeze_ms, 3 * interval)
      : this.thresholds.freeze_ms;
  }

  private isMoving(seen: Observation): boolean {
    return this.lastPictureAt !== null && seen.now - this.lastPictureAt < this.freezeAfterMs(seen.sourceFps);
  }

  private judgeStill(seen: Observation): PictureStateName {
    this.goodSince = null;
    if (this.lastPictureAt === null || this.name === "lost") return "lost";
    const ingestWatches = seen.source === "live" || seen.source === "stalled";
    const longGone = seen.now - this.lastPictureAt >= this.thresholds.lost_ms;
    return seen.source === "lost" || (longGone && !ingestWatches) ? "lost" : "frozen";
  }

  private judgeIdentical(): PictureStateName {
    this.goodSince = null;
    return "frozen";
  }

  private judgeMoving(seen: Observation): PictureStateName {
    if (!this.isTimely(seen)) {
      this.goodSince = null;
      return "delayed";
    }
    this.goodSince ??= seen.now;
    const steady = seen.now - this.goodSince >= this.thresholds.recover_ms;
    if (this.name !== "live" && this.everLive && !steady) return "delayed";
    this.everLive = true;
    return "live";
  }

  /** A slow feed's age grows by an interval between two pictures; there only what is beyond that is delay. */
  private isTimely(seen: Observation): boolean {
    if (seen.ageMs === null || this.lastPictureAt === null) return false;
    const interval = this.interval(seen.sourceFps);
    const sinceMs = Math.max(0, seen.now - this.lastPictureAt);
    const grownMs = interval > SLOW_INTERVAL_MS ? Math.min(sinceMs, interval) : 0;
    return seen.ageMs - grownMs <= this.thresholds.live_age_ms;
  }

  private interval(sourceFps: number | null): number {
    if (this.intervals.length >= 3) return median(this.intervals);
    return sourceFps !== null && sourceFps > 0 ? 1000 / sourceFps : 0;
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
