/** The map of a recorded flight: its whole way, what was marked, and the aircraft of the shown moment. */

import type { Config, Sample } from "../api";
import type { Language } from "../catalogue";
import type { Flight } from "../flights/api";
import { MapPanel } from "../mapPanel";
import type { Theme } from "../mapStyle";
import { Marks } from "../marks/store";
import type { LonLat } from "../track";
import { utmref } from "../utmref";
import { getEvents, getTrack, type TrackView } from "./panel/api";

const HALF_WAY_ROUND_DEG = 180;

export class FlightMap {
  private readonly marks = new Marks();
  readonly panel: MapPanel;

  constructor(
    private readonly flight: Flight,
    config: Config,
    theme: Theme,
  ) {
    this.panel = new MapPanel(theme, this.marks, null, config.map);
  }

  /** What does not change while it is played. Never throws: a map without it is still one. */
  async load(): Promise<void> {
    await Promise.allSettled([this.panel.load(), this.loadWay(), this.loadMarks()]);
  }

  show(
    language: Language,
    feedId: string,
    momentMs: number | null,
    sample: Sample | null,
    isKnown: boolean,
  ): void {
    const { aircraft_id, aircraft_name } = this.flight;
    const feed = { aircraft_id, aircraft_name, hfov_deg: null, training: false };
    const past = { utcMs: momentMs ?? this.flight.started_ms, live: null, isKnown };
    const look = sample?.looks?.[feedId] ?? null;
    const watched = { feed, sample, linkTrouble: null, text: null, look, past };
    this.panel.show(language, [watched], momentMs, performance.now());
  }

  private async loadWay(): Promise<void> {
    this.panel.showFlown(linesOf(await getTrack(this.flight.id)));
  }

  private async loadMarks(): Promise<void> {
    const { id: flight_id, aircraft_id } = this.flight;
    for (const event of await getEvents(flight_id)) {
      if (event.type !== "marker") continue;
      const { marker_id, lat_deg, lon_deg } = event;
      const place = { aircraft_id, feed_id: "", alt_msl_m: null, error: null };
      const name = { id: marker_id || event.id, utmref: utmref(lat_deg, lon_deg) ?? "" };
      this.marks.take({ ...event, ...place, ...name });
    }
    this.panel.showMarks();
  }
}

/** The way without what nobody knows, and without a line round the world at the date line. */
export function linesOf({ points, cut_ms: cuts }: TrackView): LonLat[][] {
  const lines: LonLat[][] = [];
  let before: { utc_ms: number; lon: number } | null = null;
  for (const { utc_ms, lat_deg: lat, lon_deg: lon } of points) {
    if (lat === null || lon === null) {
      before = null;
      continue;
    }
    const last: typeof before = before;
    const isCut = last !== null && cuts.some((cut) => last.utc_ms < cut && cut <= utc_ms);
    const isFar = last !== null && Math.abs(lon - last.lon) > HALF_WAY_ROUND_DEG;
    if (last === null || isCut || isFar) lines.push([]);
    lines.at(-1)?.push([lon, lat]);
    before = { utc_ms, lon };
  }
  return lines;
}
