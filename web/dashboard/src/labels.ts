/** Which labels stand where all would lie on each other. Pure. */

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** For each box whether it stands: it is clear of every one before it that does. */
export function apart(boxes: readonly Box[]): boolean[] {
  const standing: Box[] = [];
  return boxes.map((box) => {
    const clear = standing.every((other) => !overlap(box, other));
    if (clear) standing.push(box);
    return clear;
  });
}

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
