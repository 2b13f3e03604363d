/** Recorded flights, incidents, deletions and exercises, as the service tells them. Throws Refused (requests.ts). */

import type { StorageState } from "../api";
import { send } from "../requests";

export type Kind = "einsatz" | "uebung";
export type Rule = "einsatz_days" | "uebung_days" | "thinned" | "person" | "missing";

export interface RecordedFeed {
  id: string;
  name: string;
  codec: string | null; // null: no picture came
  width_px: number | null;
  height_px: number | null;
  segments: number;
  pictures: number;
  size_bytes: number;
  first_ms: number | null;
  last_ms: number | null;
  gaps: number;
  gap_ms: number;
}

export interface Hold {
  reason: string;
  by: string;
  since_ms: number;
}

/** `ended_ms` null: it is being recorded. `delete_on_ms` null: not as things stand. */
export interface Flight {
  id: string;
  aircraft_id: string;
  aircraft_name: string;
  started_ms: number;
  ended_ms: number | null;
  duration_ms: number;
  size_bytes: number;
  feeds: RecordedFeed[];
  repaired_ms: number | null;
  lost_bytes: number; // what the repair had to cut off
  messages: number; // of telemetry
  markers: number;
  alarms: number;
  damage: string; // what of it cannot be read
  incident: { id: string; kind: Kind; name: string } | null;
  hold: Hold | null;
  delete_on_ms: number | null;
  delete_rule: Rule | null;
  place: { lat_deg: number; lon_deg: number; utmref: string } | null; // where it began
  thumbnail_url: string | null;
}

export interface Incident {
  id: string;
  kind: Kind;
  name: string;
  opened_ms: number;
  closed_ms: number | null;
  aircraft_ids: string[];
  flight_ids: string[];
}

/** A flight that was deleted. `by` is a person, or "lagebild". */
export interface Deletion {
  id: string;
  flight_id: string;
  aircraft_id: string;
  started_ms: number;
  ended_ms: number | null;
  incident: string;
  files: number;
  size_bytes: number;
  deleted_ms: number;
  rule: Rule;
  by: string;
  reason: string;
}

export interface Planned {
  flight_id: string;
  rule: Rule;
  due_ms: number;
}

/** What will be deleted, and when, the first to go first. */
export interface Retention {
  einsatz_days: number;
  uebung_days: number;
  planned: Planned[];
}

const DELETING_MS = 65_000; // files of many gigabytes take their time

export interface FlightQuery {
  text: string;
  incident: string;
  from_ms: number;
  to_ms: number;
  lat: number;
  lon: number;
  radius_m: number;
  before: string; // a flight's id: those that come after it in the list
  limit: number;
}

const flightPath = (id: string): string => `/api/v1/flights/${encodeURIComponent(id)}`;
const incidentPath = (id: string): string => `/api/v1/incidents/${encodeURIComponent(id)}`;

/** The newest first. */
export async function getFlights(query: Partial<FlightQuery>): Promise<Flight[]> {
  const asked = Object.entries(query)
    .filter(([, value]) => value !== "")
    .map(([name, value]): [string, string] => [name, String(value)]);
  const search = new URLSearchParams(asked).toString();
  return (await send<{ flights: Flight[] }>("GET", `/api/v1/flights?${search}`)).flights;
}

export const getFlight = (id: string): Promise<Flight> => send("GET", flightPath(id));
export const holdFlight = (id: string, reason: string, by: string): Promise<void> =>
  send("PUT", `${flightPath(id)}/hold`, { reason, by });
export const releaseFlight = (id: string, by: string): Promise<void> =>
  send("DELETE", `${flightPath(id)}/hold`, { by });
export const deleteFlight = (id: string, reason: string, by: string): Promise<void> =>
  send("DELETE", flightPath(id), { reason, by }, DELETING_MS);

export const getIncidents = async (): Promise<Incident[]> =>
  (await send<{ incidents: Incident[] }>("GET", "/api/v1/incidents")).incidents;
export const openIncident = (
  what: Pick<Incident, "kind" | "name" | "aircraft_ids"> & { by: string },
): Promise<Incident> => send("POST", "/api/v1/incidents", what);
/** Only what is to be different: whatever else somebody changes at the same time stays as they want it. */
export interface IncidentChange extends Partial<Pick<Incident, "kind" | "name" | "aircraft_ids">> {
  closed?: boolean;
  add_flight_ids?: string[];
  remove_flight_ids?: string[];
}
export const changeIncident = (id: string, changes: IncidentChange): Promise<Incident> =>
  send("PATCH", incidentPath(id), changes);

export const getRetention = (): Promise<Retention> => send("GET", "/api/v1/retention");
export const getDeletions = async (): Promise<Deletion[]> =>
  (await send<{ deletions: Deletion[] }>("GET", "/api/v1/deletions")).deletions;
export const getStorage = (): Promise<StorageState> => send("GET", "/api/v1/storage");
