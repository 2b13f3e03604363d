/** What the pilot page asks of the service. A key comes in one answer, once, and is kept nowhere. */

import { gone, isGone } from "../access/gone";
import type { Feed, LinkState, Origin, SourceState, Unsecured } from "../api";

export type Protocol =
  "srt" | "rtmp" | "whip" | "camera" | "rtp" | "mpegts" | "rtsp" | "file" | "mavlink" | "track";

export interface Way {
  protocol: Protocol;
  address: string; // HIDDEN stands for what is secret
  local: boolean;
  pulled: boolean; // Lagebild reads from there; else it is sent to
}

export const HIDDEN = "…";

/** `qr` is a data URI; "" where there is none. */
export interface ScannedWay {
  way: Way;
  qr: string;
}

export interface NewKey {
  key: string;
  ways: ScannedWay[];
}

export type StepName = "reachable" | "key" | "picture" | "codec" | "keyframes" | "telemetry" | "clock";

/** `reason` is a code: why it is red, or what a green one costs; "" where there is nothing to say. */
export interface Step {
  step: StepName;
  state: "ok" | "bad" | "waiting" | "none";
  reason: string;
}

/** One second of a feed; null: no pictures came. */
export interface Moment {
  utc_ms: number;
  bitrate_bps: number | null;
  fps: number | null;
  age_ms: number | null;
  age_origin: Origin | null;
}

/** Seconds, the newest last; one list for each figure. */
export interface Past {
  utc_ms: number[];
  bitrate_bps: (number | null)[];
  fps: (number | null)[];
  age_ms: (number | null)[];
}

/** The place that somebody marked last. null: not known. */
export interface Pointed {
  label: string;
  by: string;
  utc_ms: number;
  lat_deg: number;
  lon_deg: number;
  bearing_deg: number | null; // from the aircraft
  distance_m: number | null;
  right_deg: number | null; // of the aircraft's nose
}

export interface PilotAlarm {
  code: string;
  values: Record<string, string>;
  level: "alarm" | "warning";
  utc_ms: number;
}

/** Ground stations that read along; what they sent was dropped. */
export interface Forward {
  stations: string[];
  commands: number;
  last_command: string;
  reason: string;
}

export interface PilotFeed {
  feed: Omit<Feed, "state"> & { state: SourceState | null };
  keys: number | null; // null: it takes none
  publisher_key: "current" | "rotated" | "withdrawn" | null; // with which key whoever sends has come
  keys_readable: boolean; // else nobody can publish, and their number is not known
  ways: ScannedWay[];
  steps: Step[];
  viewers: number;
  newest: Moment | null;
}

export interface PilotLink extends LinkState {
  unassigned_system_ids: number[];
}

export interface PilotAircraft {
  id: string;
  name: string;
  telemetry: { way: Way; unsecured: Unsecured | null; state: PilotLink | null } | null;
  forward: Forward | null;
  alarms: PilotAlarm[];
  pointed: Pointed | null;
  feeds: PilotFeed[];
}

/** An address that something is sent to; `detail` is why nothing gets there, "" where nothing is known to be wrong. */
export interface Output {
  kind: "cot" | "ts";
  feed: string; // its name; "" of TAK
  to: string;
  detail: string;
}

export interface PilotView {
  utc_ms: number;
  srt_encrypted: boolean;
  aircraft: PilotAircraft[];
  outputs: Output[];
}

/** The service answered with a refusal; `code` is its reason. */
export class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

const TIMEOUT_MS = 3000;

async function ask<T>(method: string, path: string, wish?: object): Promise<T> {
  const response = await fetch(path, {
    method,
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(wish && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish) }),
  });
  const body: unknown = await response.json();
  const code = (body as { error?: { code?: string } }).error?.code ?? "";
  if (isGone(response.status, code)) gone();
  if (!response.ok) throw new Refused(code);
  return body as T;
}

const feedPath = (feedId: string): string => `/api/v1/feeds/${encodeURIComponent(feedId)}`;
const keysOf = (feedId: string): string => `${feedPath(feedId)}/keys`;

export const getPilotView = (): Promise<PilotView> => ask("GET", "/api/v1/pilot");
export const getPast = (feedId: string): Promise<Past> => ask("GET", `${feedPath(feedId)}/history`);
export const makeKey = (feedId: string): Promise<NewKey> => ask("POST", keysOf(feedId));
/** One new key in place of all others: they let nobody in any more, but whoever sends with one goes on. */
export const rotateKeys = (feedId: string): Promise<NewKey> => ask("POST", keysOf(feedId), { rotate: true });
export const withdrawKeys = (feedId: string): Promise<{ withdrawn: number }> => ask("DELETE", keysOf(feedId));
