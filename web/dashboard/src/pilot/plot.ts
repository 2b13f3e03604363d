/** A plot of the last minutes: numbers to lines, gaps left as gaps. Pure. */

import { curve, type Point } from "../curve";

export interface Plot {
  lines: string; // path data, one piece for each run without a gap
  min: number | null;
  max: number | null;
  now: number | null; // of the newest point; null: none came in it
}

const SECOND_MS = 1000;
const GAP_MS = 2.5 * SECOND_MS; // further apart: what was between was not seen

const joins = (fromMs: number, toMs: number): boolean => toMs - fromMs <= GAP_MS;

/** `points` in the order of their time; `spanMs` ends at the newest and is as wide as the plot. */
export function plot(points: readonly Point[], spanMs: number, width: number, height: number): Plot {
  const toMs = points.at(-1)?.atMs ?? 0;
  const span = { fromMs: toMs - spanMs, toMs };
  const shown = points.filter(({ atMs }) => atMs > span.fromMs);
  return { ...curve(shown, span, { width, height }, joins), now: shown.at(-1)?.value ?? null };
}
