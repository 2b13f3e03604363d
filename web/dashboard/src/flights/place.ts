/** A circle on the ground. Pure. */

import type { LonLat } from "../track";

export interface Circle {
  lat_deg: number;
  lon_deg: number;
  radius_m: number;
}

const METRES_PER_DEG = 111_195;
const CORNERS = 64;

/** As a closed line that a map can draw. */
export function circle({ lat_deg: lat, lon_deg: lon, radius_m: radius }: Circle): LonLat[] {
  const high = radius / METRES_PER_DEG;
  const wide = high / Math.max(0.01, Math.cos((lat * Math.PI) / 180));
  return Array.from({ length: CORNERS + 1 }, (_, i) => {
    const turn = (2 * Math.PI * i) / CORNERS;
    return [lon + wide * Math.sin(turn), lat + high * Math.cos(turn)];
  });
}
