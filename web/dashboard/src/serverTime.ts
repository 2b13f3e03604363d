/**
 * Server time on the page: performance.now() plus an offset from repeated round trips.
 *
 * The page's own wall clock may be an hour wrong, so it is never asked. A reply bounds the offset: the server
 * read its clock between t0 and t1. The narrowest bound of the last replies wins, widened by what two quartz
 * clocks may have drifted apart since.
 */

const WINDOW = 24;
const DRIFT = 100e-6; // two clocks of 50 ppm each
const SLACK_MS = 1;

interface Bound {
  low: number;
  high: number;
  at: number;
}

export class ServerTime {
  private bounds: Bound[] = [];

  /** One round trip: sent at `t0`, answered at `t1` (both performance.now()) with `utcMs` of the server. */
  add(t0: number, t1: number, utcMs: number): void {
    if (!(t1 >= t0) || !Number.isFinite(utcMs)) return;
    const bound = { low: utcMs - t1, high: utcMs - t0, at: t1 };
    // A reply that contradicts the others means a clock has stopped or stepped (sleep): start anew.
    if (this.bounds.some((other) => contradicts(bound, other))) this.bounds = [];
    this.bounds.push(bound);
    if (this.bounds.length > WINDOW) this.bounds.shift();
  }

  /** Server time at `now` (performance.now()), or null before the first reply. */
  at(now: number): number | null {
    const best = this.best(now);
    return best && now + (best.low + best.high) / 2;
  }

  /** By how much `at()` may be wrong at most, in milliseconds; null before the first reply. */
  uncertaintyMs(now: number): number | null {
    const best = this.best(now);
    return best && width(best, now) / 2;
  }

  private best(now: number): Bound | null {
    return this.bounds.reduce<Bound | null>(
      (best, bound) => (best === null || width(bound, now) < width(best, now) ? bound : best),
      null,
    );
  }
}

const width = (bound: Bound, now: number): number =>
  bound.high - bound.low + 2 * DRIFT * Math.max(0, now - bound.at);

function contradicts(a: Bound, b: Bound): boolean {
  const slack = SLACK_MS + DRIFT * Math.abs(a.at - b.at);
  return a.low > b.high + slack || b.low > a.high + slack;
}
