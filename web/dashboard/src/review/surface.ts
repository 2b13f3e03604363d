/**
 * `window.lagebildReview`: what the page shows, for browser tests and benchmarks. Times are UTC, milliseconds.
 *
 *   .momentMs          the moment that is named on the page: of the main picture, or that is looked for; or null
 *   .displayedMs       by camera: the own time of the picture on the screen; null where it shows none of the moment
 *   .seeking           the main picture of the moment is not on the screen yet
 *   .paused .speed .main
 *   .lastSeekMs        how long the last seek or step took until the main picture was on the screen
 *   .gap               the gap of the main camera that the moment lies in, or null
 *   .sample            telemetry drawn with the picture, or null
 *   .seek(utcMs) .step(±1)   what a person does by the line and the keys
 */

import type { Sample } from "../api";
import type { Span } from "../rewind/api";
import type { Deck } from "./deck";

export interface ReviewSurface {
  readonly momentMs: number | null;
  readonly displayedMs: Record<string, number | null>;
  readonly seeking: boolean;
  readonly paused: boolean;
  readonly speed: number;
  readonly main: string;
  readonly lastSeekMs: number | null;
  readonly gap: Span | null;
  readonly sample: Sample | null;
  seek(utcMs: number): void;
  step(direction: 1 | -1): void;
}

declare global {
  interface Window {
    lagebildReview?: ReviewSurface;
  }
}

export const surfaceOf = (deck: Deck): ReviewSurface => ({
  get momentMs() {
    return deck.momentMs;
  },
  get displayedMs() {
    return Object.fromEntries([...deck.cameras].map(([id, { displayedMs }]) => [id, displayedMs]));
  },
  get seeking() {
    return deck.seeking;
  },
  get paused() {
    return deck.paused;
  },
  get speed() {
    return deck.speed;
  },
  get main() {
    return deck.main;
  },
  get lastSeekMs() {
    return deck.lastSeekMs;
  },
  get gap() {
    return deck.cameras.get(deck.main)?.gap ?? null;
  },
  get sample() {
    return deck.sample;
  },
  seek: (utcMs) => deck.seek(utcMs),
  step: (direction) => deck.step(direction),
});
