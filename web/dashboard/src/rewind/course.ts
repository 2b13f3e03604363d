/** Where in the recording a viewer is, and where his next step leads: to a moment, or back to live. Pure. */

import type { Span } from "./api";

export const SPEEDS = [1, 2, 4, 0.5] as const;
export type Speed = (typeof SPEEDS)[number];

export const STEPS_MS = [-120_000, -30_000, -10_000, 10_000] as const;
export const KEY_STEP_MS = 10_000;

const NEAR_MS = 1500; // nearer than this to now, it is live that is wanted
const CAUGHT_UP_MS = 1000;

/** A moment that is looked for, until a picture of it is on the screen. */
export class Sought {
  /** The moment that is looked for; null once it is shown. */
  soughtMs: number | null = null;
  /** The moment of the picture that was shown last; null before the first. */
  shownMs: number | null = null;

  /** The moment to speak of: several steps in quick succession add up. */
  get momentMs(): number {
    return this.soughtMs ?? this.shownMs ?? 0;
  }

  /** Look for a moment. */
  seek(utcMs: number): void {
    this.soughtMs = utcMs;
  }

  /** A picture of that moment is on the screen. */
  show(utcMs: number): void {
    this.shownMs = utcMs;
    this.soughtMs = null;
  }
}

export class Course extends Sought {
  paused = false;
  speed: Speed = 1;

  nextSpeed(): void {
    this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length] ?? 1;
  }

  /** Whether playing has caught up with what is happening now, or with the end of what was recorded. */
  isOver(nowMs: number, atEnd: boolean): boolean {
    if (this.paused || this.soughtMs !== null || this.shownMs === null) return false;
    return atEnd || nowMs - this.shownMs < CAUGHT_UP_MS;
  }
}

/** Where a step from `fromMs` leads, kept within the recording; null: to live. */
export function destination(fromMs: number, stepMs: number, recorded: Span): number | null {
  const toMs = fromMs + stepMs;
  if (stepMs > 0 && toMs > recorded.toMs - NEAR_MS) return null;
  return Math.min(Math.max(toMs, recorded.fromMs), recorded.toMs);
}

/** The moment at a share (0 to 1) of the timeline; null: at its end, which is live. */
export function momentAt(share: number, recorded: Span): number | null {
  if (share >= 1) return null;
  return recorded.fromMs + Math.max(0, share) * (recorded.toMs - recorded.fromMs);
}

/** Where on the timeline a moment is, 0 to 1. */
export function shareOf(utcMs: number, recorded: Span): number {
  const lengthMs = recorded.toMs - recorded.fromMs;
  return lengthMs <= 0 ? 1 : Math.min(1, Math.max(0, (utcMs - recorded.fromMs) / lengthMs));
}

/** "0:42", "12:05", "1:02:05" */
export function ago(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}
