/** The recording of a flight as the service tells it. Times in milliseconds; `media` counts from its first picture. */

import type { Sample } from "../api";
import type { Look } from "../marks/api";
import { refusedBy } from "../requests";

/** Columns of equal length, one entry per fragment. */
export interface FragmentTable {
  offset: number[];
  size: number[];
  media_ms: number[];
  utc_ms: number[];
  keyframe: boolean[];
  url?: string[]; // where each is a file of its own, header and all: offset 0, size -1
}

/** One file of pictures. `start_ms` and `end_ms` are UTC: of its first picture, and of the end of its last. */
export interface SegmentView {
  number: number;
  url: string;
  mime: string;
  start_ms: number;
  end_ms: number;
  media_start_ms: number;
  init_bytes: number;
  open: boolean;
  fragments: FragmentTable; // of the window that was asked for
}

export interface RecordingView {
  flight_id: string;
  feed_id: string;
  started_ms: number;
  ended_ms: number | null;
  playable: boolean;
  reason: string; // "codec_h265", "no_segments"
  segments: SegmentView[];
  gaps?: [from_ms: number, to_ms: number][]; // UTC: between pictures, longer than a second
  withheld?: [from_ms: number, to_ms: number | null][]; // UTC: its pictures were not wanted; null: still not
}

/** A stretch of UTC. */
export interface Span {
  fromMs: number;
  toMs: number;
  withheld?: boolean; // of a gap: nothing was to be recorded then
}

/** There is no such recording (any more). */
export class Gone extends Error {}

const WITHIN_MS = 10_000;

/** Aborted by `signal`, or where the service is too slow. Throws Gone, or what fetch throws. */
async function ask(url: string, signal: AbortSignal, headers: HeadersInit = {}): Promise<Response> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]);
  const response = await fetch(url, { cache: "no-store", signal: either, headers });
  if (response.status === 404 || response.status === 410) throw new Gone(url);
  if (!response.ok) throw await refusedBy(response);
  return response;
}

const query = ({ fromMs, toMs }: Span): string => `?from_ms=${Math.floor(fromMs)}&to_ms=${Math.ceil(toMs)}`;

/** Which version of the pictures: as they were recorded, or made for browsers. */
export type Rendition = "source" | "web";

/** Where the pictures of a flight are. Fragments of `span` only, reaching back to the keyframe; none without. */
export async function getFlightIndex(
  flightId: string,
  feedId: string,
  span: Span | null,
  signal: AbortSignal,
  rendition: Rendition = "source",
): Promise<RecordingView> {
  const asked = new URLSearchParams(span ? query(span) : "");
  if (rendition !== "source") asked.set("rendition", rendition);
  const path = `/api/v1/flights/${encodeURIComponent(flightId)}/feeds/${encodeURIComponent(feedId)}`;
  return (await (await ask(asked.size ? `${path}?${asked}` : path, signal)).json()) as RecordingView;
}

/** The same of a flight that is being recorded, or was until just now. */
export async function getIndex(
  flightId: string,
  feedId: string,
  span: Span | null,
  signal: AbortSignal,
): Promise<RecordingView> {
  const asked = span ? query(span) : "";
  try {
    const running = await ask(`/api/v1/feeds/${encodeURIComponent(feedId)}/recording${asked}`, signal);
    const view = (await running.json()) as RecordingView;
    if (view.flight_id === flightId) return view;
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
  }
  return getFlightIndex(flightId, feedId, span, signal); // it has ended meanwhile, and can be watched to its end
}

/** Telemetry of `span`, beginning with the newest sample before it, and where each camera looked. */
export async function getSamples(flightId: string, span: Span, signal: AbortSignal): Promise<Sample[]> {
  const url = `/api/v1/flights/${encodeURIComponent(flightId)}/telemetry.json${query(span)}&looks=1`;
  const told = (await (await ask(url, signal)).json()) as SamplesView;
  return told.samples.map((sample, at) => ({ ...sample, looks: looksAt(told.looks ?? {}, at) }));
}

/** Columns of as many looks as there are samples, by feed. */
interface SamplesView {
  samples: Sample[];
  looks?: Record<string, Look[]>;
}

function looksAt(looks: Record<string, Look[]>, at: number): Record<string, Look> {
  return Object.fromEntries(
    Object.entries(looks).flatMap(([feedId, column]) => {
      const look = column[at];
      return look ? [[feedId, look]] : [];
    }),
  );
}

/** When alarms of a flight began. */
export async function getAlarms(flightId: string, signal: AbortSignal): Promise<number[]> {
  const answer = await ask(`/api/v1/flights/${encodeURIComponent(flightId)}/events`, signal);
  const { events } = (await answer.json()) as {
    events: { type: string; utc_ms: number; active?: boolean }[];
  };
  return events.flatMap(({ type, utc_ms, active }) => (type === "alarm" && active ? [utc_ms] : []));
}

/** Bytes `from` to `to` (exclusive) of a segment. Throws where the service sends others. */
export async function getBytes(
  url: string,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<ArrayBuffer> {
  const response = await ask(url, signal, { Range: `bytes=${from}-${to - 1}` });
  const bytes = await response.arrayBuffer();
  if (response.status !== 206 || bytes.byteLength !== to - from) throw new Error(`${url}: not that range`);
  return bytes;
}

/** The whole of a file. */
export const getFile = async (url: string, signal: AbortSignal): Promise<ArrayBuffer> =>
  (await ask(url, signal)).arrayBuffer();
