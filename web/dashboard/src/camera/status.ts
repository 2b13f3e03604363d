/** What the camera page says of its own pictures: in one word and one sentence. Pure. */

import type { SourceState } from "../api";
import { isKey, type Key } from "../catalogue";
import type { Verdict } from "../pilot/arrival";
import type { Link } from "./whip";

export interface Seen {
  link: Link | null; // null: not filming
  refusal: string; // the server's code, of the last offer
  problem: Key | null; // why there is no camera
  state: SourceState | null; // of the feed, as the server sees it; null: the server does not answer
}

export interface Status {
  verdict: Verdict;
  word: Key;
  why: Key;
}

/** Green only where the server says that pictures come while this page is connected: they are its own. */
export function status({ link, refusal, problem, state }: Seen): Status {
  if (problem) return { verdict: "missing", word: "camera.none", why: problem };
  switch (link) {
    case null:
      return { verdict: "unknown", word: "camera.ready", why: "camera.ready_why" };
    case "connecting":
      return { verdict: "unknown", word: "camera.connecting", why: "camera.soon" };
    case "connected":
      return state?.status === "live"
        ? { verdict: "arrives", word: "pilot.arrives", why: "camera.seen" }
        : { verdict: "unknown", word: "camera.connected", why: "camera.soon" };
    case "broken":
      return { verdict: "missing", word: "camera.broken", why: sentence(refusal, "camera.again") };
    case "refused":
      return { verdict: "missing", word: "camera.refused", why: sentence(refusal, "camera.refused_why") };
  }
}

function sentence(code: string, other: Key): Key {
  const key = `reason.${code}`;
  return isKey(key) ? key : other;
}

/** The key behind `#key=`: what stands there never leaves the browser. */
export const keyIn = (fragment: string): string =>
  new URLSearchParams(fragment.replace(/^#/, "")).get("key")?.trim() ?? "";

/** Why a camera cannot be had, by the name of getUserMedia's error. */
export function problemOf(error: unknown): Key {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return "camera.denied";
  return name === "NotReadableError" ? "camera.in_use" : "camera.missing";
}
