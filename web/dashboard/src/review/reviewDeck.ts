/** What plays a recorded flight, as everything beside its pictures sees it; and the map that follows it. */

import type { Flight } from "../flights/api";

/** The one moment that all pictures of the page show. UTC in milliseconds. */
export interface ReviewDeck {
  readonly flight: Flight;
  readonly feeds: readonly string[]; // that are shown; in the order of the page
  readonly main: string; // the feed of the large picture
  /** Of the shown picture, or that is looked for; null: nothing has been shown yet. */
  readonly momentMs: number | null;
  readonly paused: boolean;
  readonly speed: number;
  /** Any moment of the flight; in a gap it is the gap that is shown. */
  seek(utcMs: number): void;
  play(): void;
  pause(): void;
  /** Called after any of the above is different, at most once a displayed picture. Returns what ends it. */
  onChange(listener: () => void): () => void;
}

/** A place on the ground. */
export interface Place {
  lat: number; // degrees, WGS84
  lon: number;
}

/** The map beside the pictures. */
export interface ReviewMap {
  /** Called for every click (not for a drag) on the map itself. Returns what ends it. */
  onClick(listener: (place: Place) => void): () => void;
  /** One mark at the place that is asked about; it replaces the one before. null: none. */
  showSpot(place: Place | null): void;
}
