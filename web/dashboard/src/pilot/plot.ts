/** A plot of the last minutes: numbers to lines, gaps left as gaps. Pure. */

export interface Point {
  atMs: number;
  value: number | null;
}

export interface Plot {
  lines: string; // path data, one piece for each run without a gap
  min: number | null;
  max: number | null;
  now: number | null; // of the newest point; null: none came in it
}

const SECOND_MS = 1000;
const GAP_MS = 2.5 * SECOND_MS; // further apart: what was between was not seen
const FLAT_SHARE = 0.1; // what changes less than this share of itself is drawn as flat, not as mountains

/** `points` in the order of their time; `spanMs` ends at the newest and is as wide as the plot. */
export function plot(points: readonly Point[], spanMs: number, width: number, height: number): Plot {
  const endMs = points.at(-1)?.atMs ?? 0;
  const shown = points.filter(({ atMs }) => atMs > endMs - spanMs);
  const values = shown.flatMap(({ value }) => (value === null ? [] : [value]));
  const now = shown.at(-1)?.value ?? null;
  if (values.length === 0) return { lines: "", min: null, max: null, now };
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(max - min, Math.abs(max) * FLAT_SHARE, Number.MIN_VALUE);
  const middle = (min + max) / 2;
  const x = (atMs: number): number => width - ((endMs - atMs) / spanMs) * width;
  const y = (value: number): number => height * (0.5 - (value - middle) / room);
  return { lines: pieces(shown, x, y), min, max, now };
}

function pieces(points: readonly Point[], x: (atMs: number) => number, y: (value: number) => number): string {
  let path = "";
  let before: number | null = null; // when the last drawn point was
  for (const { atMs, value } of points) {
    if (value === null) {
      before = null;
      continue;
    }
    const joins = before !== null && atMs - before <= GAP_MS;
    const at = `${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`;
    path += joins ? `L${at}` : `M${at}h.1`; // a lone point is seen, too
    before = atMs;
  }
  return path;
}
