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

/** A running time: "4:07", "1:02:03". */
export function stopwatch(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

/** How long something lasted: "40 s", "12 min 40 s", "1 h 02 min". */
export function spokenDuration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor(s / 60) % 60).padStart(2, "0")} min`;
}

/** Day of a server time, in the viewer's time zone: "22.11.2026", "22 Nov 2026". */
export function dateOf(language: Language, utcMs: number, timeZone?: string): string {
  const month = language === "de" ? "2-digit" : "short";
  const options: Intl.DateTimeFormatOptions = { day: "2-digit", month, year: "numeric" };
  if (timeZone) options.timeZone = timeZone;
  return new Intl.DateTimeFormat(language === "de" ? "de-DE" : "en-GB", options).format(utcMs);
}

/** "22.11.2026 14:03" */
export const dateTime = (language: Language, utcMs: number, timeZone?: string): string =>
  `${dateOf(language, utcMs, timeZone)} ${timeOfDay(utcMs, timeZone).slice(0, 5)}`;

/** How much is stored: "812 MB", "1,4 GB", "120 GB". */
export function size(language: Language, bytes: number): string {
  if (bytes < 1e9) return `${number(language, Math.ceil(bytes / 1e6))} MB`;
  return `${number(language, bytes / 1e9, bytes < 1e10 ? 1 : 0)} GB`;
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

/** The same to the millisecond, cut off and not rounded: "14:03:22,087". */
export function exactTime(language: Language, utcMs: number, timeZone?: string): string {
  const rest = String(Math.floor(utcMs % 1000)).padStart(3, "0");
  return `${timeOfDay(utcMs, timeZone)}${language === "de" ? "," : "."}${rest}`;
}
