/** From a tap on the stage to a point of the picture on it, and back; and which picture that is. Pure. */

import { capturedMs, type Capture } from "../age";
import { letterbox } from "../tape";
import { Refused } from "../requests";
import type { Pixel } from "./api";

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

/**
 * Which picture is on the screen, as the service is asked for it: never "now", which it shows only when live.
 *
 * Throws Refused where that cannot be said. A camera that sends one old picture again and again gives it new
 * times (`identical`).
 */
export function momentOf(
  shown: { rtpTimestamp: number | null; capture: Capture | null },
  airLinkMs: number,
  identical: boolean,
): Pick<Pixel, "rtp_timestamp" | "utc_ms"> {
  if (identical) throw new Refused("identical");
  const { rtpTimestamp, capture } = shown;
  if (rtpTimestamp === null && capture === null) throw new Refused("pose_stale");
  return { rtp_timestamp: rtpTimestamp, utc_ms: capture && capturedMs(capture, airLinkMs) };
}
