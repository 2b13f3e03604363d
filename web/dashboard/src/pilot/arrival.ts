/** Whether a feed arrives, why not, and what its pilot does next: in plain words. Pure. */

import type { SourceState } from "../api";
import { isKey, translate, type Key, type Language } from "../catalogue";
import { number } from "../format";
import { notes } from "../sentences";
import { advice } from "../treatment";
import { adviceOn } from "./advice";
import type { PilotFeed, ScannedWay, Way } from "./api";
import { protocolName } from "./parts";
import { redAdvice } from "./steps";

export type Verdict = "arrives" | "missing" | "unknown";

/** Green only where pictures come now; without the server nothing is known. */
export function verdict(state: SourceState | null, serverReachable: boolean): Verdict {
  if (!serverReachable) return "unknown";
  return state?.status === "live" ? "arrives" : "missing";
}

/** Sentences that say why nothing arrives, or what is to be known of what does. */
export function reasons(language: Language, state: SourceState | null): string[] {
  if (state?.status === "live") return notes(language, state);
  const reason = state?.reason || (state?.status === "stalled" ? "stalled" : "connecting");
  const off = Object.entries(state?.ways_off ?? {}).filter(([, why]) => why !== reason);
  return [reasonOf(language, reason), ...off.map(([protocol, why]) => wayOff(language, protocol, why))];
}

function reasonOf(language: Language, code: string): string {
  const key = `reason.${code}`;
  return translate(language, isKey(key) ? key : "reason.source_failed");
}

const wayOff = (language: Language, protocol: string, why: string): string =>
  translate(language, "pilot.way_off", {
    protocol: protocolName(language, protocol as Way["protocol"]),
    why: reasonOf(language, why),
  });

/** Why nobody can send by that way just now; "" where somebody can. */
export function offSentence(language: Language, state: SourceState | null, way: Way): string {
  const why = way.pulled ? undefined : state?.ways_off[way.protocol];
  return why === undefined ? "" : wayOff(language, way.protocol, why);
}

/** The ways that are open first, in their order. */
export function openFirst(ways: readonly ScannedWay[], state: SourceState | null): ScannedWay[] {
  const isOff = ({ way }: ScannedWay): boolean => !way.pulled && way.protocol in (state?.ways_off ?? {});
  return [...ways.filter((way) => !isOff(way)), ...ways.filter(isOff)];
}

/** The next step; what is missing at first depends on how the feed is reached. */
export function nextStep({ feed: { state }, keys, keys_readable, ways, steps }: PilotFeed): Key {
  if (!state) return "next.wait";
  if (state.status === "live") return redAdvice(steps) ?? advice(state) ?? "next.nothing";
  if (!keys_readable) return "next.operator";
  const step = state.reason === "" ? "usual" : adviceOn(state.reason);
  if (keys === 0 && (step === "usual" || step === "next.new_key")) return "next.make_key";
  const way = ways[0]?.way;
  if (way?.protocol === "file" && state.reason === "not_found") return "next.operator";
  if (step !== "usual") return step;
  return state.reason === "connecting" && way?.pulled ? "next.wait" : usualStep(way);
}

function usualStep(way: Way | undefined): Key {
  if (way?.pulled) return way.protocol === "file" ? "next.wait" : "next.check_camera";
  return way?.protocol === "rtp" || way?.protocol === "mpegts" ? "next.point_here" : "next.start";
}

/** "H.264, 1280 × 720, 25,0 Bilder/s, 4,1 Mbit/s"; "" while nothing arrives. */
export function figures(language: Language, state: SourceState | null): string {
  if (state?.status !== "live" || !state.config) return "";
  const { codec, width_px: width, height_px: height } = state.config;
  return translate(language, "help.picture", {
    codec: codec.toUpperCase().replace("H26", "H.26"),
    width,
    height,
    fps: state.fps === null ? "--" : number(language, state.fps, 1),
    rate: state.bitrate_bps === null ? "--" : number(language, state.bitrate_bps / 1e6, 1),
  });
}

const WINDOW_MS = 10_000;

/** What was lost in the last ten seconds, from counters that run since the service started. */
export class LossWatch {
  private seen: { atMs: number; lost: number; damaged: number }[] = [];

  add(atMs: number, { lost_packets: lost, damaged }: SourceState): void {
    const last = this.seen.at(-1);
    if (last && (lost < last.lost || damaged < last.damaged || atMs < last.atMs)) this.seen = []; // started anew
    this.seen.push({ atMs, lost, damaged });
    while (this.seen.length > 1 && atMs - (this.seen[1]?.atMs ?? atMs) >= WINDOW_MS) this.seen.shift();
  }

  sentence(language: Language): string {
    const [first, last] = [this.seen[0], this.seen.at(-1)];
    if (!first || !last) return "";
    const [lost, damaged] = [last.lost - first.lost, last.damaged - first.damaged];
    return lost + damaged === 0
      ? translate(language, "pilot.no_loss")
      : translate(language, "pilot.loss", { lost, damaged });
  }
}
