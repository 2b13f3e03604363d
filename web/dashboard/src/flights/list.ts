/** The flights that were loaded, page by page, kept true by asking for the newest page again. Pure. */

import type { Flight } from "./api";

export class FlightList {
  private flights: Flight[] = [];
  /** Whether older ones may be asked for. */
  hasMore = false;

  get all(): readonly Flight[] {
    return this.flights;
  }

  get last(): Flight | undefined {
    return this.flights.at(-1);
  }

  clear(): void {
    this.flights = [];
    this.hasMore = false;
  }

  /** The newest page: of what it covers, what is not on it any more has been deleted. */
  takeNewest(page: readonly Flight[], limit: number): void {
    const end = page.at(-1);
    if (!end || page.length < limit) {
      this.flights = [...page];
      this.hasMore = false;
      return;
    }
    const older = this.flights.filter((flight) => newestFirst(end, flight) < 0);
    if (older.length === 0) this.hasMore = true;
    this.flights = [...page, ...older];
  }

  /** The page that follows the last one. */
  takeOlder(page: readonly Flight[], limit: number): void {
    const known = new Set(this.flights.map(({ id }) => id));
    this.flights = [...this.flights, ...page.filter(({ id }) => !known.has(id))].sort(newestFirst);
    this.hasMore = page.length >= limit;
  }

  /** One of them has changed. */
  replace(flight: Flight): void {
    this.flights = this.flights.map((one) => (one.id === flight.id ? flight : one));
  }

  remove(id: string): void {
    this.flights = this.flights.filter((flight) => flight.id !== id);
  }
}

const newestFirst = (a: Flight, b: Flight): number => b.started_ms - a.started_ms || compare(b.id, a.id);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
