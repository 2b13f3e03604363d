/** Geometry of the head-up display: heading tape and pitch ladder. Pure. */

export interface Tick {
  offset: number; // degrees from the centre, -span/2 to span/2
  label: string | null;
  major: boolean;
}

const STEP = 5;
const LABEL_STEP = 15;

/** Ticks of the heading tape around `yawDeg`; `compass` holds the eight points from north on. */
export function headingTicks(yawDeg: number, spanDeg: number, compass: readonly string[]): Tick[] {
  const ticks: Tick[] = [];
  const first = Math.ceil((yawDeg - spanDeg / 2) / STEP) * STEP;
  for (let at = first; at <= yawDeg + spanDeg / 2; at += STEP) {
    const bearing = ((at % 360) + 360) % 360;
    const major = bearing % LABEL_STEP === 0;
    ticks.push({ offset: at - yawDeg, major, label: major ? bearingLabel(bearing, compass) : null });
  }
  return ticks;
}

function bearingLabel(bearing: number, compass: readonly string[]): string {
  return (bearing % 45 === 0 ? compass[bearing / 45] : undefined) ?? String(bearing);
}

/** Rungs of the pitch ladder that lie within `spanDeg` of the aircraft's pitch, as degrees above the centre. */
export function pitchRungs(pitchDeg: number, spanDeg: number): { pitch: number; above: number }[] {
  return [-90, -60, -30, -20, -10, 0, 10, 20, 30, 60, 90]
    .map((pitch) => ({ pitch, above: pitch - pitchDeg }))
    .filter(({ above }) => Math.abs(above) <= spanDeg / 2);
}

/** Where a picture of this shape lies inside a box, all of it visible: [left, top, width, height]. */
export function letterbox(
  box: { width: number; height: number },
  picture: { width: number; height: number },
): [number, number, number, number] {
  if (!(picture.width > 0 && picture.height > 0)) return [0, 0, box.width, box.height];
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return [(box.width - width) / 2, (box.height - height) / 2, width, height];
}
