/** Which bytes of a recording to fetch next, what to throw away, and where there is nothing to fetch. Pure. */

import type { Fragment } from "./timeline";

/** Media time in milliseconds. */
export interface Range {
  start: number;
  end: number;
}

/** Fragments that lie beside each other in one segment. */
export interface Run {
  fragments: readonly Fragment[];
  from: number; // bytes
  to: number; // exclusive
}

const AHEAD_MS = 10_000; // at single speed
const FIRST_MS = 700; // a seek's first run: what is to be shown, and enough to begin with
const RUN_MS = 3000;
const RUN_BYTES = 4 * 1024 * 1024;
const KEPT_BEHIND_MS = 30_000; // so that ten seconds back are there at once, twice
const KEPT_AHEAD_MS = 60_000;
const INSIDE_MS = 5; // no fragment is shorter
const HOLE_MS = 20; // browsers play across less
const NEAR_END_MS = 300;

const covering = (buffered: readonly Range[], mediaMs: number): Range | undefined =>
  buffered.find(({ start, end }) => start <= mediaMs + INSIDE_MS && mediaMs + INSIDE_MS < end);

const at = (fragments: readonly Fragment[], mediaMs: number): number =>
  fragments.findLastIndex((one) => one.mediaMs <= mediaMs + INSIDE_MS);

const placeOf = ({ segment, offset }: Fragment): string => `${segment.number}:${offset}`;

/** The place after a fragment, by which the next is known to follow without a break. */
export const placeAfter = ({ segment, offset, size }: Fragment): string =>
  `${segment.number}:${offset + size}`;

/**
 * The next fragments that playing from `positionMs` needs; null: enough is here, or there are no more.
 *
 * `after` is the place after what the browser was given last: only there may it go on without a keyframe.
 */
export function nextRun(
  fragments: readonly Fragment[],
  buffered: readonly Range[],
  positionMs: number,
  rate: number,
  after: string | null,
): Run | null {
  const here = Math.max(0, at(fragments, positionMs));
  const missing = fragments.findIndex((one, i) => i >= here && !covering(buffered, one.mediaMs));
  const first = fragments[missing];
  if (!first || first.mediaMs > positionMs + AHEAD_MS * Math.max(1, rate)) return null;
  const keyframe = fragments.findLastIndex((one, i) => i <= missing && one.keyframe);
  const next = fragments.findIndex((one) => placeOf(one) === after);
  const from = next <= missing ? Math.max(keyframe, next) : keyframe;
  if (from < 0) return null; // what is known begins behind its keyframe
  const lengthMs = missing === here ? positionMs - first.mediaMs + FIRST_MS : RUN_MS;
  return runFrom(fragments, from, missing, first.mediaMs + Math.max(FIRST_MS, lengthMs));
}

/** From `from`, at least to `least`, on to `toMs`; of one segment, and of bounded size beyond `least`. */
function runFrom(fragments: readonly Fragment[], from: number, least: number, toMs: number): Run | null {
  const run: Fragment[] = [];
  let bytes = 0;
  for (const [i, one] of fragments.entries()) {
    const last = run.at(-1);
    if (i < from) continue;
    if (last && placeAfter(last) !== placeOf(one)) break;
    if (last && (bytes + one.size > RUN_BYTES || (i > least && one.mediaMs >= toMs))) break;
    run.push(one);
    bytes += one.size;
  }
  const first = run[0];
  return first ? { fragments: run, from: first.offset, to: first.offset + bytes } : null;
}

/** What the browser may forget, so that its memory stays bounded. */
export function expendable(buffered: readonly Range[], positionMs: number, all = false): Range[] {
  const [low, high] = all
    ? [positionMs - 1000, positionMs + 1000]
    : [positionMs - KEPT_BEHIND_MS, positionMs + KEPT_AHEAD_MS];
  return buffered.flatMap(({ start, end }) => [
    ...(start < low - 1000 || end <= low ? [{ start, end: Math.min(end, low) }] : []),
    ...(end > high ? [{ start: Math.max(start, high), end }] : []),
  ]);
}

/** The stretch without pictures that playing has come to, or a seek has led into; null where there is none. */
export function holeAt(
  fragments: readonly Fragment[],
  buffered: readonly Range[],
  positionMs: number,
): Range | null {
  const here = at(fragments, positionMs);
  const [fragment, next] = [fragments[here], fragments[here + 1]];
  if (!fragment) return next ? { start: positionMs, end: next.mediaMs } : null;
  const range = covering(buffered, fragment.mediaMs);
  if (!range || !next || range.end - positionMs > NEAR_END_MS) return null;
  return next.mediaMs - range.end > HOLE_MS ? { start: range.end, end: next.mediaMs } : null;
}

/** Whether all there is has been played. */
export function isAtEnd(
  fragments: readonly Fragment[],
  buffered: readonly Range[],
  positionMs: number,
): boolean {
  const last = fragments.at(-1);
  const range = last && covering(buffered, last.mediaMs);
  return last === undefined || (range !== undefined && positionMs > range.end - NEAR_END_MS);
}
