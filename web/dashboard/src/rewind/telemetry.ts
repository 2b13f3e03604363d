/** Telemetry of the shown moment of a flight, fetched before it is needed. */

import type { Sample } from "../api";
import { getSamples } from "./api";
import { Loop } from "./loop";
import { PastSamples } from "./samples";

const EVERY_MS = 1000; // what comes next is not asked for more often
const BEHIND_MS = 300; // nor what has only just been written

export interface TelemetryOwner {
  /** The moment that is shown or looked for; null: none yet. */
  momentMs(): number | null;
  /** Up to when there may be something. */
  nowMs(): number;
  /** More is known. */
  told(): void;
  failed(error: unknown): void;
}

export class Telemetry {
  private readonly samples = new PastSamples();
  private readonly loop = new Loop(
    (signal) => this.step(signal),
    (error) => this.owner.failed(error),
  );
  private askedAt = -EVERY_MS;

  constructor(
    private readonly flightId: string,
    private readonly owner: TelemetryOwner,
  ) {
    this.loop.start();
  }

  /** What the aircraft told of that moment; null: nothing, or not fetched yet. */
  at(utcMs: number): Sample | null {
    return this.samples.at(utcMs);
  }

  /** Whether what there is of that moment is here, be it nothing. */
  holds(utcMs: number): boolean {
    return this.samples.holds(utcMs);
  }

  /** Another moment is looked for. */
  seek(utcMs: number): void {
    if (!this.holds(utcMs)) this.loop.interrupt();
  }

  close(): void {
    this.loop.close();
  }

  private async step(signal: AbortSignal): Promise<boolean> {
    const momentMs = this.owner.momentMs();
    if (momentMs === null) return false;
    const span = this.samples.wanted(momentMs, this.owner.nowMs());
    const now = performance.now();
    const pauseMs = this.samples.covers(momentMs) ? EVERY_MS : this.holds(momentMs) ? BEHIND_MS : 0;
    if (span === null || now - this.askedAt < pauseMs) return false;
    this.askedAt = now;
    const told = await getSamples(this.flightId, span, signal);
    signal.throwIfAborted();
    this.samples.take(span, told);
    this.owner.told();
    return true;
  }
}
