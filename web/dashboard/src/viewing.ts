/**
 * What this viewer got to see, for the measured effect: how soon there was a picture, how old the pictures
 * were, and how often they stopped. Pure.
 *
 * The server keeps one Viewing for each connection, so what is reported counts from the last connection's last
 * report. `joined_ms` belongs to the connection in which the first picture came; later ones report null with
 * seconds in `ages`, which means: the picture was there already.
 */

import type { PictureStateName } from "./pictureState";

/** Upper edges of the buckets; one more is for what is older. As recordings/viewing.py has them. */
export const AGE_EDGES_MS: readonly number[] = [100, 200, 300, 500, 750, 1000, 2000, 5000, 10_000];

const REPORT_EVERY_MS = 10_000;
const SECOND_MS = 1000;
const ASLEEP_MS = 5000; // between two looks: the browser had put the page to sleep, nobody watched

export interface ViewingReport {
  type: "viewing";
  joined_ms: number | null;
  ages: number[]; // seconds
  interruptions: number;
  interrupted_ms: number;
}

interface Counted {
  ages: readonly number[];
  interruptions: number;
  interruptedMs: number;
}

const NOTHING: Counted = {
  ages: [...AGE_EDGES_MS, Infinity].map(() => 0),
  interruptions: 0,
  interruptedMs: 0,
};

export class Viewing {
  private joinedMs: number | null = null;
  private joinTold = false; // in a connection before this one
  private seen = NOTHING;
  private reported = NOTHING;
  private before = NOTHING; // what earlier connections have reported
  private isInterrupted = false;
  private seenAt: number;
  private countedAt: number;
  private reportedAt: number;

  /** `openedAt`: when the picture was asked for. All times are performance.now(). */
  constructor(private readonly openedAt: number) {
    this.seenAt = this.countedAt = this.reportedAt = openedAt;
  }

  /** A picture is on the screen (or decoded, while the tab is hidden). */
  picture(now: number): void {
    this.joinedMs ??= Math.max(0, now - this.openedAt);
  }

  /** Another connection: what it is told begins where the one before ended. */
  reconnected(): void {
    this.before = this.reported;
    this.joinTold ||= this.joinedMs !== null;
  }

  /** Several times a second: what is shown now. `ageMs` null: of unknown age. */
  look(now: number, state: PictureStateName, ageMs: number | null): void {
    const gapMs = now - this.seenAt;
    this.seenAt = now;
    if (gapMs > ASLEEP_MS) this.countedAt = now;
    else if (this.isInterrupted) this.add({ interruptedMs: this.seen.interruptedMs + gapMs });
    this.judge(state);
    if (now - this.countedAt < SECOND_MS) return;
    this.countedAt += SECOND_MS;
    if (ageMs !== null && (state === "live" || state === "delayed")) this.count(ageMs);
  }

  /** Nobody sees the live picture now: neither its age nor its stops count. */
  lookAway(now: number): void {
    this.seenAt = this.countedAt = now;
    this.isInterrupted = false;
  }

  isDue(now: number): boolean {
    return now - this.reportedAt >= REPORT_EVERY_MS;
  }

  report(now: number): ViewingReport {
    const { seen, before } = this;
    this.reportedAt = now;
    this.reported = seen;
    return {
      type: "viewing",
      joined_ms: this.joinTold || this.joinedMs === null ? null : Math.round(this.joinedMs),
      ages: seen.ages.map((seconds, i) => seconds - (before.ages[i] ?? 0)),
      interruptions: seen.interruptions - before.interruptions,
      interrupted_ms: Math.round(seen.interruptedMs - before.interruptedMs),
    };
  }

  private judge(state: PictureStateName): void {
    const stopped = this.joinedMs !== null && (state === "frozen" || state === "lost");
    if (stopped && !this.isInterrupted) this.add({ interruptions: this.seen.interruptions + 1 });
    this.isInterrupted = stopped;
  }

  private count(ageMs: number): void {
    const found = AGE_EDGES_MS.findIndex((edge) => ageMs <= edge);
    const bucket = found < 0 ? AGE_EDGES_MS.length : found;
    this.add({ ages: this.seen.ages.map((seconds, i) => (i === bucket ? seconds + 1 : seconds)) });
  }

  private add(changes: Partial<Counted>): void {
    this.seen = { ...this.seen, ...changes };
  }
}
