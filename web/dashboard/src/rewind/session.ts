/** One look back into the running recording, until it has caught up with what is happening now. */

import type { Sample } from "../api";
import { getIndex, Gone, type Span } from "./api";
import { Course } from "./course";
import { Reel, type Trouble } from "./reel";
import { Telemetry } from "./telemetry";
import type { Timeline } from "./timeline";

/** Why it is over, when nobody has ended it. */
export type End = "caught_up" | Exclude<Trouble, "barren">;

/** What is on the screen in place of the live picture. */
export interface Past {
  readonly video: HTMLVideoElement;
  readonly momentMs: number; // that is shown, or looked for
  readonly hasPicture: boolean; // of that moment
  readonly sample: Sample | null;
  readonly knowsSample: boolean;
  readonly gap: Span | null;
}

export interface SessionEvents {
  picture(): void;
  ended(why: End): void;
}

const GAP_SHOWN_MS = 1500;
const END_SURE_MS = 1500; // longer than a fragment takes to be written

export class Session implements Past {
  readonly course = new Course();
  private readonly reel: Reel;
  private readonly telemetry: Telemetry;
  private closed = false;
  private gapAt: number | null = null; // performance.now()
  private endAt: number | null = null;

  /** Throws where the browser cannot play from memory. */
  constructor(
    readonly flightId: string,
    feedId: string,
    private readonly nowMs: () => number, // of the server
    private readonly events: SessionEvents,
  ) {
    this.reel = new Reel(this.course, {
      index: (span, signal) => getIndex(flightId, feedId, span, signal),
      turn: () => this.follow(),
      picture: () => this.events.picture(),
      // Pictures that the browser makes nothing of are passed over.
      trouble: (why) => why !== "barren" && this.end(why),
    });
    this.telemetry = new Telemetry(flightId, {
      momentMs: () => this.course.soughtMs ?? this.course.shownMs,
      nowMs,
      told: () => this.events.picture(),
      failed: (error) => error instanceof Gone && this.end("gone"),
    });
  }

  get timeline(): Timeline {
    return this.reel.timeline;
  }

  get isUnreachable(): boolean {
    return this.reel.isUnreachable;
  }

  get video(): HTMLVideoElement {
    return this.reel.player.video;
  }

  get momentMs(): number {
    return this.course.momentMs;
  }

  /** Telemetry of the shown moment; null where none is known. */
  get sample(): Sample | null {
    return this.telemetry.at(this.momentMs);
  }

  /** Whether the telemetry of the moment has been fetched, though there may be none. */
  get knowsSample(): boolean {
    return this.telemetry.holds(this.momentMs);
  }

  /** Whether the picture of the moment is on the screen. */
  get hasPicture(): boolean {
    return this.reel.hasPicture;
  }

  /** The stretch without pictures that the shown moment lies in. */
  get gap(): Span | null {
    return this.reel.gap;
  }

  seek(utcMs: number): void {
    [this.gapAt, this.endAt] = [null, null];
    this.reel.seek(utcMs);
    this.telemetry.seek(utcMs);
  }

  /** Play or stand still, as the course says. `hidden`: nobody looks. */
  go(hidden: boolean): void {
    this.reel.go(!this.course.paused && !hidden, this.course.speed);
  }

  close(): void {
    this.closed = true;
    this.reel.close();
    this.telemetry.close();
  }

  /** Across gaps, and out at the end. */
  private follow(): void {
    const now = performance.now();
    this.gapAt = this.gap ? (this.gapAt ?? now) : null;
    // What was not recorded is said for a moment, then it goes on behind it; not while it stands still.
    if (this.gapAt !== null && !this.course.paused && now - this.gapAt > GAP_SHOWN_MS) this.reel.leaveGap();
    this.endAt = this.reel.isAtEnd ? (this.endAt ?? now) : null;
    const sure = this.endAt !== null && now - this.endAt > END_SURE_MS;
    if (this.course.isOver(this.nowMs(), sure)) this.end("caught_up");
  }

  private end(why: End): void {
    if (this.closed) return;
    this.closed = true;
    this.events.ended(why);
  }
}
