/** What is asked of the service about one flight under review. Throws Refused (requests.ts). */

import type { RecordingView } from "../../rewind/api";
import { fetchFile, Refused, send } from "../../requests";
import type { Place } from "../reviewDeck";

/** null: not known at that moment. */
export interface TrackPoint {
  utc_ms: number;
  lat_deg: number | null;
  lon_deg: number | null;
  alt_home_m: number | null;
  alt_msl_m: number | null;
  ground_speed_ms: number | null;
  battery_pct: number | null;
  battery_v: number | null;
}

/** A whole flight in 2000 points at most; between two that a cut lies between, nothing is known. */
export interface TrackView {
  points: TrackPoint[];
  cut_ms: number[];
}

interface Happened {
  id: string;
  utc_ms: number;
}

/** An event of the recording, as far as a reviewer is told of it. */
export type RecordedEvent = Happened &
  (
    | {
        type: "marker";
        marker_id: string; // "": the event's own
        label: string;
        by: string;
        removed: boolean;
        lat_deg: number;
        lon_deg: number;
      }
    | { type: "alarm"; code: string; values: Record<string, string>; active: boolean }
    | { type: "text"; text: string; severity: string }
    | { type: "recording_switch"; on: boolean; by: string }
    | { type: "armed" | "disarmed" | "flight_started" | "flight_ended" }
  );

export interface Note {
  id: string;
  utc_ms: number;
  text: string;
  by: string;
  feed_id: string; // "": of none in particular
}

/** A stretch in which a camera saw the place; at `best_ms` it was nearest to the middle of the picture. */
export interface Spot {
  feed_id: string;
  from_ms: number;
  to_ms: number;
  best_ms: number;
  share: number; // how much of the stretch the place was in the picture, 0 to 1
}

const SEARCH_MS = 30_000; // a flight of hours is searched picture by picture
const STILL_MS = 20_000;

const path = (flightId: string, rest: string): string =>
  `/api/v1/flights/${encodeURIComponent(flightId)}/${rest}`;

export const getTrack = (flightId: string): Promise<TrackView> =>
  send("GET", path(flightId, "track.json"), undefined, STILL_MS);

/** What the files of a feed say of when there are pictures. */
export const getSegments = (flightId: string, feedId: string): Promise<RecordingView> =>
  send("GET", path(flightId, `feeds/${encodeURIComponent(feedId)}`));

export const getEvents = async (flightId: string): Promise<RecordedEvent[]> =>
  (await send<{ events: RecordedEvent[] }>("GET", path(flightId, "events"))).events;

export const getNotes = async (flightId: string): Promise<Note[]> =>
  (await send<{ notes: Note[] }>("GET", path(flightId, "notes"))).notes;
export const addNote = (
  flightId: string,
  note: { utc_ms: number; text: string; by: string; feed_id: string },
): Promise<Note> => send("POST", path(flightId, "notes"), note);
export const changeNote = (flightId: string, id: string, what: { text: string; by: string }): Promise<Note> =>
  send("PATCH", path(flightId, `notes/${encodeURIComponent(id)}`), what);
/** Gone already is gone as well. */
export async function removeNote(flightId: string, id: string, by: string): Promise<void> {
  try {
    await send("DELETE", path(flightId, `notes/${encodeURIComponent(id)}`), { by });
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
  }
}

/** When any camera of the flight had that place in its picture, in the order of time. */
export const findSpots = async (flightId: string, { lat, lon }: Place): Promise<Spot[]> =>
  (
    await send<{ spots: Spot[] }>(
      "GET",
      path(flightId, `spots?lat=${lat.toFixed(7)}&lon=${lon.toFixed(7)}`),
      undefined,
      SEARCH_MS,
    )
  ).spots.sort((a, b) => a.from_ms - b.from_ms);

export const stillUrl = (flightId: string, feedId: string, utcMs: number): string =>
  path(flightId, `feeds/${encodeURIComponent(feedId)}/still.jpg?at_ms=${Math.round(utcMs)}`);

/** The picture of that moment in full size, its time and place within it; and what it is called. */
export async function getStill(url: string): Promise<{ jpeg: Blob; name: string }> {
  const answer = await fetchFile(url, STILL_MS);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  return { jpeg: await answer.blob(), name: name ?? "lagebild.jpg" };
}
