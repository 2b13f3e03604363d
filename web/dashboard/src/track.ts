/** The flown track, bounded: when it is full, every second point of it goes and the whole flight stays. */

const MOST = 2000;
const STEP_M = 1;
const M_PER_DEG = 111_320;
const JUMP_MS = 10_000; // a gap in the telemetry is not flown as a straight line

export type LonLat = [lon: number, lat: number];

export class Track {
  private parts: LonLat[][] = [];
  private lastAt = 0;
  private size = 0;

  /** Returns whether the track has changed. */
  add(lon: number, lat: number, utcMs: number): boolean {
    const part = this.parts.at(-1);
    const last = part?.at(-1);
    const gap = utcMs - this.lastAt;
    this.lastAt = utcMs;
    if (!part || !last || Math.abs(gap) > JUMP_MS) this.parts.push([[lon, lat]]);
    else if (metres(last, [lon, lat]) >= STEP_M) part.push([lon, lat]);
    else return false;
    this.size += 1;
    if (this.size > MOST) this.thin();
    return true;
  }

  get lines(): LonLat[][] {
    return this.parts;
  }

  private thin(): void {
    this.parts = this.parts
      .map((part) => part.filter((_, i) => i % 2 === 0 || i === part.length - 1))
      .slice(-MOST / 4);
    this.size = this.parts.reduce((sum, part) => sum + part.length, 0);
  }
}

/** Distance over the ground for short ways: the plate carrée is good enough for a metre. */
export function metres(a: LonLat, b: LonLat): number {
  const east = (b[0] - a[0]) * Math.cos((a[1] * Math.PI) / 180);
  return Math.hypot(east, b[1] - a[1]) * M_PER_DEG;
}
