/** From a tap on the stage to a point of the picture on it, and back. Pure. */

import { letterbox } from "../tape";

interface Size {
  width: number;
  height: number;
}

/** The point as shares of the picture; null beside it, where the stage is black, and without a picture. */
export function pointAt(
  stage: Size,
  picture: Size,
  left: number,
  top: number,
): { x: number; y: number } | null {
  if (!(picture.width > 0 && picture.height > 0)) return null;
  const [left0, top0, width, height] = letterbox(stage, picture);
  const [x, y] = [(left - left0) / width, (top - top0) / height];
  return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : null;
}

/** Where on the stage such a point is: [left, top]. */
export function placeOf(stage: Size, picture: Size, { x, y }: { x: number; y: number }): [number, number] {
  const [left, top, width, height] = letterbox(stage, picture);
  return [left + x * width, top + y * height];
}
