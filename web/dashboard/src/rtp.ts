/** RTP timestamps: 90 kHz ticks modulo 2^32 (RFC 3550 5.1). */

const TICKS_PER_MS = 90;

export const ticksToMs = (ticks: number): number => ticks / TICKS_PER_MS;

/** Extends 32-bit timestamps to ever-counting ticks, each relative to the newest; tolerates reordering. */
export class Unwrapper {
  private last: number | null = null;

  unwrap(timestamp: number): number {
    if (this.last === null) {
      this.last = timestamp;
      return timestamp;
    }
    const step = (timestamp - this.last) | 0; // modulo 2^32, the short way
    const ticks = this.last + step;
    if (step > 0) this.last = ticks;
    return ticks;
  }
}
