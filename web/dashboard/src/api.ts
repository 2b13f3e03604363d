/** The service's HTTP and WebSocket interface, as the page reads it. Times are server time, UTC milliseconds. */

import type { AlarmState } from "./alarms/board";
import type { Look, Mark } from "./marks/api";
import { refusedBy } from "./requests";

export interface Thresholds {
  live_age_ms: number;
  freeze_ms: number;
  lost_ms: number;
  recover_ms: number;
}

/** Who may send to an input that carries no key: programs on the server, or senders at the configured addresses. */
export type Unsecured = "local" | "named";

/** What lies under the map's grid. */
export interface MapConfig {
  kind: "none" | "raster" | "pmtiles";
  url: string;
  tiles: "raster" | "vector";
  attribution: string;
  least_zoom: number;
  most_zoom: number;
}

export interface Config {
  version: string;
  title: string;
  thresholds: Thresholds;
  recording: boolean;
  map: MapConfig;
}

export type SourceStatus = "connecting" | "live" | "stalled" | "lost";

export interface CodecConfig {
  codec: string;
  width_px: number;
  height_px: number;
  profile_level_id?: string;
  reorders?: boolean;
}

/** What ingest knows of a feed's source; never the state of the picture, which only the page can judge. */
export interface SourceState {
  status: SourceStatus;
  since_ms: number;
  reason: string;
  detail: string;
  notes: string[];
  config: CodecConfig | null;
  fps: number | null;
  bitrate_bps: number | null;
  pictures: number;
  lost_packets: number;
  damaged: number;
  restarts: number;
  address: string;
  ways_off: Record<string, string>; // protocols that publishers cannot come by just now, each with a reason
}

/** What looking at the decoded pictures says of the camera; no findings: nothing is wrong. */
export interface PictureHealth {
  since_ms: number;
  findings: string[];
}

export type RenditionStatus = "off" | "starting" | "live" | "failed";

/** What the server makes of a feed's pictures: why (notes of the source), and what it costs. */
export interface RenditionState {
  rendition: "web" | "low";
  status: RenditionStatus;
  since_ms: number;
  reason: string;
  detail: string;
  why: string[];
  encoder: string;
  width_px: number | null;
  height_px: number | null;
  cpu_share: number | null; // of one core
  delay_ms: number | null; // added to the age of a picture
  dropped: number;
}

export interface Feed {
  id: string;
  name: string;
  aircraft_id: string;
  aircraft_name: string;
  air_link_ms: number;
  hfov_deg: number | null;
  unsecured: Unsecured | null;
  telemetry_unsecured: Unsecured | null;
  training: boolean; // a recording that is played for an exercise
  state: SourceState;
  health: PictureHealth | null; // null: not looked at (yet)
  renditions: RenditionState[]; // those that somebody needs or needed
}

/** Where a picture's time comes from: the camera's trusted clock, or when it reached the server. */
export type Origin = "source" | "arrival";

/** The picture with this RTP timestamp belongs to this moment of server time. */
export interface Anchor {
  rtp_timestamp: number;
  utc_ms: number;
  origin: Origin;
  epoch: number;
}

export interface Place {
  lat_deg: number;
  lon_deg: number;
  alt_msl_m: number | null;
}

export type Group =
  "position" | "attitude" | "speed" | "gimbal" | "battery" | "fix" | "mode" | "home" | "link";

/** One state of one aircraft. null means unknown and is shown as "--". */
export interface Sample {
  rtp_timestamp: number | null;
  utc_ms: number;
  aircraft_id: string;
  lat_deg: number | null;
  lon_deg: number | null;
  alt_msl_m: number | null;
  alt_home_m: number | null;
  alt_agl_m: number | null;
  roll_deg: number | null;
  pitch_deg: number | null;
  yaw_deg: number | null;
  gimbal_pitch_deg: number | null;
  gimbal_yaw_deg: number | null;
  ground_speed_ms: number | null;
  climb_ms: number | null;
  battery_pct: number | null;
  battery_v: number | null;
  fix: string | null;
  satellites: number | null;
  mode: string | null;
  armed: boolean | null;
  home: Place | null;
  received_ms: Partial<Record<Group, number>>;
  look?: Look | null; // null: as it was told last
  looks?: Record<string, Look>; // of a recording: where each camera looked, by feed
}

export interface LinkState {
  status: "connecting" | "live" | "silent" | "failed";
  since_ms: number;
  reason: string;
  detail: string;
}

export interface StatusText {
  severity: string;
  text: string;
  utc_ms: number;
}

/** Whether an aircraft's flight is kept. `reason` is a code: why not; "" where there is nothing to say. */
export interface RecordingState {
  status: "off" | "recording" | "failed";
  since_ms: number;
  flight_id: string;
  started_ms: number | null; // of the flight
  reason: string;
  detail: string;
  lost: number; // pictures of this flight that could not be written
  records: readonly RecordKind[]; // what is recorded; []: nothing
}

/** "thermal": the pictures of thermal cameras alone. */
export type RecordKind = "pictures" | "thermal" | "telemetry";

/** The room there is for recordings; `hours_left` null: nothing is being recorded. */
export interface StorageState {
  status: "ok" | "low" | "full" | "failed";
  since_ms: number;
  free_bytes: number;
  used_bytes: number; // by recordings
  hours_left: number | null;
  detail: string;
}

export type Rendition = "source" | "web" | "low";

/** Which version of the feed this viewer is sent; `pinned` null: the server decides by the viewer's way. */
export interface RenditionChosen {
  rendition: Rendition;
  target: Rendition; // what it is being moved to
  pinned: Rendition | null;
  choices: readonly Rendition[]; // the best first
}

/** Somebody who watches now. */
export interface Person {
  id: string;
  kind: "person" | "guest" | "machine" | "local";
  name: string;
  since_ms: number;
  feeds: string[];
}

/** What every page hears, whichever feed it watches. */
export type SharedMessage =
  | { type: "present"; people: Person[] } // all who watch
  | { type: "alarms"; alarms: AlarmState[] } // all that stand
  | ({ type: "alarm" } & AlarmState)
  | { type: "markers"; markers: Mark[] } // all there are
  | { type: "marker"; marker: Mark };

export type ServerMessage =
  | { type: "hello"; feed: Feed }
  | ({ type: "anchor" } & Anchor)
  | ({ type: "telemetry" } & Sample)
  | ({ type: "state"; feed_id: string } & SourceState)
  | ({ type: "health"; feed_id: string } & PictureHealth)
  | { type: "renditions"; feed_id: string; renditions: RenditionState[] }
  | { type: "feeds"; feeds: Feed[] }
  | ({ type: "link" } & LinkState)
  | ({ type: "text" } & StatusText)
  | ({ type: "recording" } & RecordingState) // of this feed's aircraft
  | ({ type: "storage" } & StorageState)
  | SharedMessage
  | ({ type: "rendition" } & RenditionChosen)
  | { type: "time"; t0: number; utc_ms: number };

async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw await refusedBy(response);
  return (await response.json()) as T;
}

export const getConfig = (): Promise<Config> => getJson("/api/v1/config");

export const getFeeds = async (): Promise<Feed[]> =>
  (await getJson<{ feeds: Feed[] }>("/api/v1/feeds")).feeds;

export function telemetryUrl(feedId: string, page: Location): string {
  const scheme = page.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${page.host}/api/v1/feeds/${encodeURIComponent(feedId)}/telemetry`;
}

export const whepUrl = (feedId: string): string => `/live/${encodeURIComponent(feedId)}/whep`;
