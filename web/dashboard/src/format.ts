/** Numbers and times as people read them: decimal comma in German, minus as U+2212, local time of day. */

import type { Language } from "./catalogue";

export function number(language: Language, value: number, digits = 0): string {
  const fixed = Math.abs(value).toFixed(digits);
  const sign = value < 0 && Number(fixed) !== 0 ? "\u2212" : "";
  return sign + (language === "de" ? fixed.replace(".", ",") : fixed);
}

/** An age: "0,18 s", "12 s", "3 min", "2 h". */
export function age(language: Language, ms: number): string {
  const s = ms / 1000;
  if (s < 10) return `${number(language, s, 2)} s`;
  return duration(s);
}

/** A time without pictures, in whole units: "12 s", "3 min", "2 h". */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** Time of day of a server time, in the viewer's time zone: "14:03:22". */
export function timeOfDay(utcMs: number, timeZone?: string): string {
  const options: Intl.DateTimeFormatOptions = {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  };
  if (timeZone) options.timeZone = timeZone;
  return new Intl.DateTimeFormat("de-DE", options).format(utcMs);
}
