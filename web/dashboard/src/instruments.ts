/** Heading tape and artificial horizon: thin, bright on a dark outline, the picture's centre left free. */

import { headingTicks, pitchRungs } from "./tape";

/** A canvas that is no larger than what is drawn on it: every displayed picture is blended with it. */
export class Instrument {
  readonly element = document.createElement("canvas");
  private ratio = 1;

  /** Place it inside the picture's rectangle, in CSS pixels. */
  place(left: number, top: number, width: number, height: number): void {
    this.ratio = window.devicePixelRatio || 1;
    this.element.style.cssText = `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
    this.element.width = Math.round(width * this.ratio);
    this.element.height = Math.round(height * this.ratio);
  }

  /** Draw anew, in CSS pixels with the origin in the middle; without `paint` it stays empty. */
  draw(paint: ((context: CanvasRenderingContext2D) => void) | null): void {
    const context = this.element.getContext("2d");
    if (!context) return;
    const { width, height } = this.element;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(this.ratio, 0, 0, this.ratio, width / 2, height / 2);
    context.textAlign = "center";
    context.textBaseline = "middle";
    paint?.(context);
  }
}

const BRIGHT = "#ffffff";
const OUTLINE = "rgba(0, 0, 0, 0.7)";
const TAPE_SPAN_DEG = 90;
const LADDER_SPAN_DEG = 44;
export const TAPE_HEIGHT_EM = 3.2;
export const HORIZON_SHARE = { width: 0.5, height: 0.66 }; // of the picture
const RAD = Math.PI / 180;

/** Every line twice, so that it is legible over snow and over night. */
function stroke(context: CanvasRenderingContext2D, em: number, path: () => void): void {
  for (const [style, width] of [
    [OUTLINE, 0.28],
    [BRIGHT, 0.11],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = Math.max(style === BRIGHT ? 1 : 2.5, em * width);
    context.beginPath();
    path();
    context.stroke();
  }
}

function write(context: CanvasRenderingContext2D, em: number, text: string, x: number, y: number): void {
  context.strokeStyle = OUTLINE;
  context.lineWidth = em * 0.25;
  context.lineJoin = "round";
  context.strokeText(text, x, y);
  context.fillStyle = BRIGHT;
  context.fillText(text, x, y);
}

/** Heading tape, `width` and three lines of text high. */
export function drawTape(
  context: CanvasRenderingContext2D,
  em: number,
  width: number,
  yawDeg: number,
  compass: readonly string[],
): void {
  const scale = width / TAPE_SPAN_DEG;
  const top = -TAPE_HEIGHT_EM * em * 0.5;
  const ticks = headingTicks(yawDeg, TAPE_SPAN_DEG, compass);
  stroke(context, em, () => {
    for (const { offset, major } of ticks) {
      context.moveTo(offset * scale, top + em * 1.35);
      context.lineTo(offset * scale, top + em * (major ? 1.95 : 1.65));
    }
    context.moveTo(-em * 0.4, top + em * 2.6);
    context.lineTo(0, top + em * 2.05);
    context.lineTo(em * 0.4, top + em * 2.6);
  });
  context.font = `${em * 0.9}px system-ui, sans-serif`;
  for (const { offset, label } of ticks) {
    const inside = Math.abs(offset * scale) < width / 2 - em * 1.2;
    if (label && inside) write(context, em, label, offset * scale, top + em * 0.75);
  }
}

/** Artificial horizon with pitch ladder in a picture of this size. */
export function drawHorizon(
  context: CanvasRenderingContext2D,
  em: number,
  picture: { width: number; height: number },
  { roll_deg, pitch_deg }: { roll_deg: number; pitch_deg: number },
): void {
  const scale = (picture.height * 0.52) / LADDER_SPAN_DEG;
  const [gap, end, rungEnd] = [picture.width * 0.07, picture.width * 0.19, picture.width * 0.105];
  stroke(context, em, () => {
    // the aircraft itself: fixed marks outside the horizon's ends
    for (const side of [-1, 1]) {
      context.moveTo(side * (end + em * 1.6), 0);
      context.lineTo(side * (end + em * 0.5), 0);
      context.lineTo(side * (end + em * 0.5), em * 0.5);
    }
  });
  context.rotate(-roll_deg * RAD);
  const rungs = pitchRungs(pitch_deg, LADDER_SPAN_DEG);
  stroke(context, em, () => {
    for (const { pitch, above } of rungs) {
      for (const side of [-1, 1]) {
        const y = -above * scale;
        context.moveTo(side * gap, y);
        context.lineTo(side * (pitch === 0 ? end : rungEnd), y);
        // the short foot of a rung points to the horizon
        if (pitch !== 0) context.lineTo(side * rungEnd, y + Math.sign(pitch) * em * 0.4);
      }
    }
  });
  context.font = `${em * 0.8}px system-ui, sans-serif`;
  for (const { pitch, above } of rungs) {
    if (pitch !== 0) write(context, em, String(Math.abs(pitch)), rungEnd + em * 1.1, -above * scale);
  }
}
