/** Heading tape and artificial horizon: thin, bright on a dark outline, the picture's centre left free. */

import { headingTicks, pitchRungs } from "./tape";

export interface Instruments {
  em: number; // font size in canvas pixels
  yaw_deg: number | null;
  horizon: { roll_deg: number; pitch_deg: number } | null;
  compass: readonly string[];
}

const BRIGHT = "#ffffff";
const OUTLINE = "rgba(0, 0, 0, 0.7)";
const TAPE_SPAN_DEG = 90;
const LADDER_SPAN_DEG = 44;
const RAD = Math.PI / 180;

export function drawInstruments(canvas: HTMLCanvasElement, seen: Instruments): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.lineCap = "butt";
  context.textAlign = "center";
  context.textBaseline = "middle";
  if (seen.yaw_deg !== null) drawTape(context, canvas.width, seen.em, seen.yaw_deg, seen.compass);
  if (seen.horizon) drawHorizon(context, canvas, seen.em, seen.horizon);
}

/** Every line twice, so that it is legible over snow and over night. */
function stroke(context: CanvasRenderingContext2D, em: number, path: () => void): void {
  for (const [style, width] of [[OUTLINE, 0.28], [BRIGHT, 0.11]] as const) {
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

function drawTape(
  context: CanvasRenderingContext2D,
  width: number,
  em: number,
  yawDeg: number,
  compass: readonly string[],
): void {
  const tape = Math.min(width * 0.46, em * 30);
  const scale = tape / TAPE_SPAN_DEG;
  const [centre, top] = [width / 2, em * 0.5];
  const ticks = headingTicks(yawDeg, TAPE_SPAN_DEG, compass);
  stroke(context, em, () => {
    for (const { offset, major } of ticks) {
      context.moveTo(centre + offset * scale, top + em * 1.35);
      context.lineTo(centre + offset * scale, top + em * (major ? 1.95 : 1.65));
    }
    context.moveTo(centre, top + em * 2.05);
    context.lineTo(centre - em * 0.4, top + em * 2.6);
    context.moveTo(centre, top + em * 2.05);
    context.lineTo(centre + em * 0.4, top + em * 2.6);
  });
  context.font = `${em * 0.9}px system-ui, sans-serif`;
  for (const { offset, label } of ticks) {
    if (label && Math.abs(offset) < TAPE_SPAN_DEG / 2 - 2) write(context, em, label, centre + offset * scale, top + em * 0.75);
  }
}

function drawHorizon(
  context: CanvasRenderingContext2D,
  { width, height }: { width: number; height: number },
  em: number,
  { roll_deg, pitch_deg }: { roll_deg: number; pitch_deg: number },
): void {
  const scale = (height * 0.52) / LADDER_SPAN_DEG;
  const [gap, horizonEnd, rungEnd] = [width * 0.07, width * 0.19, width * 0.105];
  context.save();
  context.translate(width / 2, height / 2);
  stroke(context, em, () => {
    // the aircraft itself: fixed marks outside the horizon's ends
    for (const side of [-1, 1]) {
      context.moveTo(side * (horizonEnd + em * 1.6), 0);
      context.lineTo(side * (horizonEnd + em * 0.5), 0);
      context.lineTo(side * (horizonEnd + em * 0.5), em * 0.5);
    }
  });
  context.rotate(-roll_deg * RAD);
  const rungs = pitchRungs(pitch_deg, LADDER_SPAN_DEG);
  stroke(context, em, () => {
    for (const { pitch, above } of rungs) {
      for (const side of [-1, 1]) {
        const y = -above * scale;
        context.moveTo(side * gap, y);
        context.lineTo(side * (pitch === 0 ? horizonEnd : rungEnd), y);
        // the short foot of a rung points to the horizon
        if (pitch !== 0) context.lineTo(side * rungEnd, y + Math.sign(pitch) * em * 0.4);
      }
    }
  });
  context.font = `${em * 0.8}px system-ui, sans-serif`;
  for (const { pitch, above } of rungs) {
    if (pitch !== 0) write(context, em, String(Math.abs(pitch)), rungEnd + em * 1.1, -above * scale);
  }
  context.restore();
}
