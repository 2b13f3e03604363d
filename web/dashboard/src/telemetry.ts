/** Telemetry samples in the order of the pictures they belong to, and the one of a displayed picture. */

import type { Group, Sample } from "./api";

const KEPT = 900; // 30 s at 30 Hz
const NEIGHBOURS_MS = 250;
const TICKS_PER_MS = 90;
const SAME_INSTANT_TICKS = 1 * TICKS_PER_MS;
export const STALE_MS = 2000;

interface Entry {
  ticks: number;
  sample: Sample;
}

export class SampleRing {
  /** The newest sample, whether or not a picture belongs to it. */
  newest: Sample | null = null;
  private entries: Entry[] = [];

  /** `ticks`: the sample's RTP timestamp, unwrapped; null where the feed has no pictures. */
  push(sample: Sample, ticks: number | null): void {
    if (this.newest === null || sample.utc_ms >= this.newest.utc_ms) this.newest = sample;
    if (ticks === null) return;
    const after = this.entries.findLastIndex((entry) => entry.ticks <= ticks) + 1;
    const before = this.entries[after - 1];
    // Attitude came, its position a moment later: the later sample of an instant is the complete one.
    const replaced = before !== undefined && ticks - before.ticks < SAME_INSTANT_TICKS ? 1 : 0;
    this.entries.splice(after - replaced, replaced, { ticks, sample });
    if (this.entries.length > KEPT) this.entries.shift();
  }

  /** Whether the sample at `sampleTicks` has a say in what belongs to the picture at `ticks`. */
  isNeighbour(sampleTicks: number, ticks: number): boolean {
    const [low, high] = [Math.min(sampleTicks, ticks), Math.max(sampleTicks, ticks)];
    return !this.entries.some((entry) => entry.ticks > low && entry.ticks < high);
  }

  /** The sample of the picture at `ticks`: between its two neighbours, or the last one before it. */
  at(ticks: number): Sample | null {
    const after = this.entries.findLastIndex((entry) => entry.ticks <= ticks);
    const [before, next] = [this.entries[after], this.entries[after + 1]];
    if (!before) return next && next.ticks - ticks <= NEIGHBOURS_MS * TICKS_PER_MS ? next.sample : null;
    if (!next || next.ticks - before.ticks > NEIGHBOURS_MS * TICKS_PER_MS) return before.sample;
    return blend(before.sample, next.sample, (ticks - before.ticks) / (next.ticks - before.ticks));
  }
}

/** `a` with position and attitude moved by `share` (0 to 1) towards `b`. */
function blend(a: Sample, b: Sample, share: number): Sample {
  const line = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? from : from + (to - from) * share;
  const turn = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? from : from + angleBetween(from, to) * share;
  return {
    ...a,
    utc_ms: a.utc_ms + (b.utc_ms - a.utc_ms) * share,
    lat_deg: line(a.lat_deg, b.lat_deg),
    lon_deg: turn(a.lon_deg, b.lon_deg),
    alt_msl_m: line(a.alt_msl_m, b.alt_msl_m),
    alt_home_m: line(a.alt_home_m, b.alt_home_m),
    alt_agl_m: line(a.alt_agl_m, b.alt_agl_m),
    roll_deg: turn(a.roll_deg, b.roll_deg),
    pitch_deg: turn(a.pitch_deg, b.pitch_deg),
    yaw_deg: wrap360(turn(a.yaw_deg, b.yaw_deg)),
    gimbal_pitch_deg: turn(a.gimbal_pitch_deg, b.gimbal_pitch_deg),
    gimbal_yaw_deg: wrap360(turn(a.gimbal_yaw_deg, b.gimbal_yaw_deg)),
  };
}

/** From `from` to `to` the short way, -180 to 180. */
export function angleBetween(from: number, to: number): number {
  return ((((to - from + 180) % 360) + 360) % 360) - 180;
}

function wrap360(angle: number | null): number | null {
  return angle === null ? null : ((angle % 360) + 360) % 360;
}

/** How old the newest message of a group was at `utcMs` (server time); null if none ever came. */
export function groupAgeMs(sample: Sample, group: Group, utcMs: number): number | null {
  const received = sample.received_ms[group];
  return received === undefined ? null : Math.max(0, utcMs - received);
}

/** Whether a fix is good enough to stand on a map: known, and at least two-dimensional. */
export function hasPosition(sample: Sample | null): sample is Sample & { lat_deg: number; lon_deg: number } {
  if (sample === null || sample.lat_deg === null || sample.lon_deg === null) return false;
  return !(sample.lat_deg === 0 && sample.lon_deg === 0) && sample.fix !== "none";
}
