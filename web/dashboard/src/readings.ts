/** What a telemetry sample says, as texts with their freshness: pure, for display and for the tests. */

import type { Group, Sample } from "./api";
import { isKey, translate, type Key, type Language } from "./catalogue";
import { number } from "./format";
import { groupAgeMs, STALE_MS } from "./telemetry";

export interface Reading {
  value: string; // "--" when unknown
  unit: string;
  ageMs: number | null; // set only when too old to rely on
}

export const READINGS = [
  "speed",
  "climb",
  "home_alt",
  "msl",
  "battery",
  "satellites",
  "mode",
  "armed",
  "gimbal",
  "attitude",
  "heading",
] as const;
export type ReadingName = (typeof READINGS)[number];
export type Readings = Record<ReadingName, Reading>;

const UNKNOWN = "--";

/** `utcMs`: the moment the values are shown for (the picture's capture, or now without one). */
export function readings(language: Language, sample: Sample | null, utcMs: number | null): Readings {
  const read = (group: Group, unit: string, text: (s: Sample) => string | null): Reading => {
    const value = sample && text(sample);
    if (!sample || value === null) return { value: UNKNOWN, unit, ageMs: null };
    const ageMs = utcMs === null ? null : groupAgeMs(sample, group, utcMs);
    return { value, unit, ageMs: ageMs !== null && ageMs > STALE_MS ? ageMs : null };
  };
  const figure = (value: number | null, digits = 0): string | null =>
    value === null ? null : number(language, value, digits);
  return {
    speed: read("speed", "m/s", (s) => figure(s.ground_speed_ms, 1)),
    climb: read("speed", "m/s", (s) => signed(language, s.climb_ms)),
    home_alt: read("position", "m", (s) => figure(s.alt_home_m)),
    msl: read("position", "m", (s) => figure(s.alt_msl_m)),
    battery: read("battery", "", (s) => battery(language, s)),
    satellites: read("fix", "", (s) => fix(language, s)),
    mode: read("mode", "", (s) => s.mode),
    armed: read("mode", "", (s) => armed(language, s.armed)),
    gimbal: read("gimbal", "", (s) =>
      s.gimbal_pitch_deg === null ? null : `${figure(s.gimbal_pitch_deg)}°`,
    ),
    attitude: read("attitude", "", (s) => (s.roll_deg === null || s.pitch_deg === null ? null : "ok")),
    heading: read("attitude", "", (s) => (s.yaw_deg === null ? null : heading(s.yaw_deg))),
  };
}

/** "007°": three digits, so that it is not read as a height. */
export const heading = (yawDeg: number): string => `${String(Math.round(yawDeg) % 360).padStart(3, "0")}°`;

function signed(language: Language, value: number | null): string | null {
  if (value === null) return null;
  const text = number(language, value, 1);
  return Number(value.toFixed(1)) > 0 ? `+${text}` : text;
}

function battery(language: Language, sample: Sample): string | null {
  const parts: string[] = [];
  if (sample.battery_pct !== null) parts.push(`${number(language, sample.battery_pct)} %`);
  if (sample.battery_v !== null) parts.push(`${number(language, sample.battery_v, 1)} V`);
  return parts.length ? parts.join(" · ") : null;
}

function fix(language: Language, sample: Sample): string | null {
  const parts: string[] = [];
  if (sample.satellites !== null) parts.push(String(sample.satellites));
  const key = `fix.${sample.fix}`;
  if (isKey(key)) parts.push(translate(language, key));
  return parts.length ? parts.join(" · ") : null;
}

function armed(language: Language, value: boolean | null): string | null {
  if (value === null) return null;
  const key: Key = value ? "read.armed" : "read.disarmed";
  return translate(language, key);
}
