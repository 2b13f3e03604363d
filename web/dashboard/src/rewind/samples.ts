/** Telemetry around the shown moment of a recording, fetched piece by piece. Pure. */

import type { Sample } from "../api";
import { SampleRing } from "../telemetry";
import type { Span } from "./api";

const TICKS_PER_MS = 90;
const PIECE_MS = 20_000; // 200 samples
const BEHIND_MS = 1000;
const AHEAD_MS = 5000; // fetched before it is needed
const LAG_MS = 1500; // until then what the aircraft has told is written
const KEPT_MS = 60_000; // the ring keeps 90 s of ten samples a second

export class PastSamples {
  private ring = new SampleRing();
  private held: Span | null = null;

  /** What to fetch so that `utcMs` and what follows it are here; null: nothing now. */
  wanted(utcMs: number, nowMs: number): Span | null {
    const recordedToMs = nowMs - LAG_MS;
    if (!this.holds(utcMs)) return piece(utcMs - BEHIND_MS, recordedToMs);
    const toMs = this.held?.toMs ?? utcMs;
    return toMs < utcMs + AHEAD_MS && toMs < recordedToMs ? piece(toMs, recordedToMs) : null;
  }

  /** `samples` are all there are of `span`, and the one before it. */
  take(span: Span, samples: readonly Sample[]): void {
    const goesOn = this.held !== null && span.fromMs === this.held.toMs;
    if (!goesOn) this.ring = new SampleRing();
    for (const sample of samples) this.ring.push(sample, sample.utc_ms * TICKS_PER_MS);
    const fromMs = goesOn && this.held ? Math.max(this.held.fromMs, span.toMs - KEPT_MS) : span.fromMs;
    this.held = { fromMs, toMs: span.toMs };
  }

  /** What the aircraft told of that moment; null: nothing, or not fetched yet. */
  at(utcMs: number): Sample | null {
    return this.holds(utcMs) ? this.ring.at(utcMs * TICKS_PER_MS) : null;
  }

  /** Whether all there is of that moment is here, and not only what there was before it. */
  covers(utcMs: number): boolean {
    return this.holds(utcMs) && utcMs <= (this.held?.toMs ?? utcMs);
  }

  /** Whether what there is of that moment is here, or, of one just now, what there was before it. */
  holds(utcMs: number): boolean {
    return this.held !== null && utcMs >= this.held.fromMs && utcMs <= this.held.toMs + LAG_MS;
  }
}

const piece = (fromMs: number, recordedToMs: number): Span => ({
  fromMs,
  toMs: Math.max(fromMs + 1, Math.min(fromMs + PIECE_MS, recordedToMs)),
});
