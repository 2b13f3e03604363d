/** Whether a feed arrives, why not, and what its pilot does next: in plain words. Pure. */

import type { SourceState } from "../api";
import { isKey, translate, type Key, type Language } from "../catalogue";
import { number } from "../format";
import { notes } from "../sentences";
import { advice } from "../treatment";
import type { PilotFeed, Way } from "./api";

export type Verdict = "arrives" | "missing" | "unknown";

/** Green only where pictures come now; without the server nothing is known. */
export function verdict(state: SourceState | null, serverReachable: boolean): Verdict {
  if (!serverReachable) return "unknown";
  return state?.status === "live" ? "arrives" : "missing";
}

/** Sentences that say why nothing arrives, or what is to be known of what does. */
export function reasons(language: Language, state: SourceState | null): string[] {
  if (state?.status === "live") return notes(language, state);
  const key = `reason.${state?.reason || (state?.status === "stalled" ? "stalled" : "connecting")}`;
  return [translate(language, isKey(key) ? key : "reason.source_failed")];
}

/** Steps by the reason; what is missing here depends on how the feed is reached. */
const STEPS: Record<string, Key> = {
  key_missing: "next.new_key",
  key_wrong: "next.new_key",
  key_foreign: "next.new_key",
  key_withdrawn: "next.new_key",
  bad_address: "next.new_key",
  feed_busy: "next.other_sender",
  stalled: "next.check_sender",
  publisher_silent: "next.check_sender",
  waiting_for_keyframe: "next.keyframes",
  no_keyframe: "next.keyframes",
  not_video: "next.format",
  no_video: "next.format",
  multitrack: "next.format",
  not_acceptable: "next.format",
  unsupported_codec: "next.format",
  rtp_mpeg4: "next.format",
  rtp_vp8: "next.format",
  rtp_vp9: "next.format",
  publisher_garbled: "next.format",
  unreachable: "next.check_camera",
  no_answer: "next.check_camera",
  connection_lost: "next.check_camera",
  server_refused: "next.check_camera",
  source_failed: "next.wait",
  source_restarted: "next.wait",
};

export function nextStep({ feed: { state }, keys, keys_readable, ways }: PilotFeed): Key {
  if (!state) return "next.wait";
  if (state.status === "live") return advice(state) ?? "next.nothing";
  if (!keys_readable) return "next.operator";
  const step = STEPS[state.reason];
  if (keys === 0 && (step === undefined || step === "next.new_key")) return "next.make_key";
  if (step) return step;
  const way = ways[0]?.way;
  if (state.reason === "connecting" && way?.pulled) return "next.wait";
  if (["", "connecting", "no_packets", "no_publisher", "publisher_left"].includes(state.reason))
    return usualStep(way);
  return "next.operator";
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
