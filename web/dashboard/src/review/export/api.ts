/** Exports of a flight: ordered, followed, cancelled. Throws Refused (requests.ts). */

import { send } from "../../requests";

export const PARTS = ["clip", "burned", "ts", "report", "csv", "gpx", "kml", "geojson", "tlog"] as const;
export type Part = (typeof PARTS)[number];

/** A rectangle of the picture that is made unrecognisable; all from 0 to 1, from the left and the top. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Logbook {
  number: string;
  pilot: string;
  place: string;
  remarks: string;
}

/** Without times all of the flight. */
export interface Order {
  by: string;
  from_ms?: number;
  to_ms?: number;
  feeds: string[];
  parts: Part[];
  regions: Record<string, Region[]>; // by camera
  logbook: Logbook;
  language: "de" | "en";
}

export interface ExportView {
  id: string;
  flight_id: string;
  status: "waiting" | "running" | "done" | "failed" | "cancelled";
  progress: number; // 0 to 1
  reason: string; // a code: why it failed; "": it has not
  size_bytes: number;
  url: string | null; // null: not there (yet)
  made_ms: number;
  by: string;
  parts: Part[];
  feeds: string[];
  from_ms: number;
  to_ms: number;
  left_out: { part: Part; feed_id: string; reason: string }[];
}

export const orderExport = (flightId: string, order: Order): Promise<ExportView> =>
  send("POST", `/api/v1/flights/${encodeURIComponent(flightId)}/exports`, order);

export const getExports = async (flightId: string): Promise<ExportView[]> =>
  (await send<{ exports: ExportView[] }>("GET", `/api/v1/exports?flight=${encodeURIComponent(flightId)}`))
    .exports;

/** Cancel one that is not ready yet; remove one that is, or has failed. */
export const dropExport = (id: string): Promise<unknown> =>
  send("DELETE", `/api/v1/exports/${encodeURIComponent(id)}`);
