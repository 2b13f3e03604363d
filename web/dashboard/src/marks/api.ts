/** Where the camera looks and what people marked, as the service tells it, and the requests about it. */

import { Refused, send } from "../requests";

export interface ErrorEllipse {
  semi_major_m: number;
  semi_minor_m: number;
  bearing_deg: number;
}

type LonLat = [lon: number, lat: number];

/** What a camera sees of the ground. With a `reason` only the bearing may be known. */
export interface Look {
  reason: string;
  bearing_deg: number | null; // true north
  corners: LonLat[]; // of the picture: top left, top right, bottom right, bottom left
  cut: boolean; // a corner is above the horizon, or too far to mean anything
  centre: LonLat | null;
  slant_range_m: number | null;
  terrain: boolean;
}

/** A point of a displayed picture: its share of the width and of the height, and which picture it is. */
export interface Pixel {
  x: number;
  y: number;
  rtp_timestamp: number | null;
  utc_ms: number | null;
}

export interface GroundPoint {
  feed_id: string;
  utc_ms: number;
  lat_deg: number;
  lon_deg: number;
  alt_msl_m: number | null;
  utmref: string;
  slant_range_m: number;
  error: ErrorEllipse;
  terrain: boolean;
}

/** A place that somebody marked; the same for everybody. */
export interface Mark {
  id: string;
  aircraft_id: string;
  feed_id: string;
  utc_ms: number;
  lat_deg: number;
  lon_deg: number;
  alt_msl_m: number | null;
  utmref: string;
  label: string;
  by: string;
  error: ErrorEllipse | null;
  removed: boolean;
}

export const askGround = (feedId: string, pixel: Pixel): Promise<GroundPoint> =>
  send("POST", `/api/v1/feeds/${encodeURIComponent(feedId)}/ground`, pixel);

/**
 * The place as it was told and seen: what is typed may take longer than a picture's telemetry is kept.
 * `id` is of the page's own making, so that an answer that got lost sets no second mark.
 */
export const setMark = (
  { feed_id, utc_ms, lat_deg, lon_deg, alt_msl_m, error }: GroundPoint,
  what: { id: string; label: string; by: string },
): Promise<Mark> =>
  send("POST", "/api/v1/markers", { feed_id, utc_ms, lat_deg, lon_deg, alt_msl_m, error, ...what });

/** Gone already is gone as well. */
export async function removeMark(id: string): Promise<void> {
  try {
    await send("DELETE", `/api/v1/markers/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
  }
}
