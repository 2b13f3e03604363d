/** Numbers over time as the path of a drawing; what is unknown is left out. Pure. */

export interface Point {
  atMs: number;
  value: number | null;
}

export interface Curve {
  lines: string; // path data, one piece for each run without a gap
  min: number | null;
  max: number | null;
}

const FLAT_SHARE = 0.1; // what changes less than this share of itself is drawn as flat, not as mountains

/** `points` in the order of their time; `span` is as wide as the drawing. `joins`: nothing is missing between. */
export function curve(
  points: readonly Point[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
  { width, height }: { width: number; height: number },
  joins: (fromMs: number, toMs: number) => boolean,
): Curve {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0) return { lines: "", min: null, max: null };
  const min = values.reduce((a, b) => Math.min(a, b));
  const max = values.reduce((a, b) => Math.max(a, b));
  const room = Math.max(max - min, Math.abs(max) * FLAT_SHARE, Number.MIN_VALUE);
  const middle = (min + max) / 2;
  const x = (atMs: number): number => width - ((toMs - atMs) / (toMs - fromMs)) * width;
  const y = (value: number): number => height * (0.5 - (value - middle) / room);
  return { lines: pieces(points, x, y, joins), min, max };
}

function pieces(
  points: readonly Point[],
  x: (atMs: number) => number,
  y: (value: number) => number,
  joins: (fromMs: number, toMs: number) => boolean,
): string {
  let path = "";
  let before: number | null = null; // when the last drawn point was
  for (const { atMs, value } of points) {
    if (value === null) {
      before = null;
      continue;
    }
    const at = `${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`;
    path += before !== null && joins(before, atMs) ? `L${at}` : `M${at}h.1`; // a lone point is seen, too
    before = atMs;
  }
  return path;
}
