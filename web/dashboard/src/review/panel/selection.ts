/** The stretch of a flight that somebody wants to keep: from its beginning to its end. Pure. */

import type { Span } from "../../rewind/api";

const SHORTEST_MS = 100;

export class Selection {
  private fromMs: number | null = null;
  private toMs: number | null = null;

  /** It begins here; what ended before that is no stretch any more. */
  begin(utcMs: number): void {
    this.fromMs = utcMs;
    if (this.toMs !== null && this.toMs < utcMs + SHORTEST_MS) this.toMs = null;
  }

  end(utcMs: number): void {
    this.toMs = utcMs;
    if (this.fromMs !== null && this.fromMs > utcMs - SHORTEST_MS) this.fromMs = null;
  }

  clear(): void {
    this.fromMs = this.toMs = null;
  }

  /** Within `whole`, to whose edge an open side reaches; null: nothing is selected, or nothing of it is within. */
  within(whole: Span): Span | null {
    if (this.fromMs === null && this.toMs === null) return null;
    const fromMs = Math.max(this.fromMs ?? whole.fromMs, whole.fromMs);
    const toMs = Math.min(this.toMs ?? whole.toMs, whole.toMs);
    return toMs - fromMs >= SHORTEST_MS ? { fromMs, toMs } : null;
  }
}
