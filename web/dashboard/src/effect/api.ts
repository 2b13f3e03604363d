/** The effect of an incident, as the service tells it. Throws Refused (requests.ts). */

import type { Incident } from "../flights/api";
import { send } from "../requests";

export interface Summary {
  viewings: number;
  hours: number;
  joins: number;
  join_p50_ms: number | null;
  join_p95_ms: number | null;
  without_picture: number;
  ages: number[]; // seconds, by `age_edges_ms`, and one more
  age_edges_ms: number[];
  interruptions: number;
  interrupted_ms: number;
}

export interface FeedEffect {
  feed_id: string;
  name: string;
  aircraft_id: string;
  aircraft_name: string;
  most_at_once: number;
  summary: Summary;
}

export interface CoursePoint {
  utc_ms: number;
  viewers: number; // from then on
}

export interface Effect {
  incident: Incident;
  flights: number;
  flown_ms: number;
  summary: Summary;
  most_at_once: number;
  age_p50_ms: number | null; // not more than that
  age_p95_ms: number | null;
  joins: number[]; // by `join_edges_ms`, and one more
  join_edges_ms: number[];
  feeds: FeedEffect[];
  course: CoursePoint[];
}

const WITHIN_MS = 15_000;

export const effectPath = (incident: string): string =>
  `/api/v1/incidents/${encodeURIComponent(incident)}/effect`;

export const getEffect = (incident: string): Promise<Effect> =>
  send("GET", effectPath(incident), undefined, WITHIN_MS);
