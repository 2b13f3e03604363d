/** What the pilot page asks of the service. A key comes in one answer, once, and is kept nowhere. */

import type { Feed, LinkState, SourceState, Unsecured } from "../api";

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

export interface PilotFeed {
  feed: Omit<Feed, "state"> & { state: SourceState | null };
  keys: number | null; // null: it takes none
  keys_readable: boolean; // else nobody can publish, and their number is not known
  ways: ScannedWay[];
}

export interface PilotLink extends LinkState {
  unassigned_system_ids: number[];
}

export interface PilotAircraft {
  id: string;
  name: string;
  telemetry: { way: Way; unsecured: Unsecured | null; state: PilotLink | null } | null;
  feeds: PilotFeed[];
}

export interface PilotView {
  utc_ms: number;
  srt_encrypted: boolean;
  aircraft: PilotAircraft[];
}

/** The service answered with a refusal; `code` is its reason. */
export class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

const TIMEOUT_MS = 3000;

async function ask<T>(method: string, path: string): Promise<T> {
  const response = await fetch(path, { method, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body: unknown = await response.json();
  if (!response.ok) throw new Refused((body as { error?: { code?: string } }).error?.code ?? "");
  return body as T;
}

const keysOf = (feedId: string): string => `/api/v1/feeds/${encodeURIComponent(feedId)}/keys`;

export const getPilotView = (): Promise<PilotView> => ask("GET", "/api/v1/pilot");
export const makeKey = (feedId: string): Promise<NewKey> => ask("POST", keysOf(feedId));
export const withdrawKeys = (feedId: string): Promise<{ withdrawn: number }> => ask("DELETE", keysOf(feedId));
