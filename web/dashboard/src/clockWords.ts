/**
 * What is wrong with a clock; part of the one catalogue. The keys' ends are the reasons of a ClockState: of a
 * camera, by which the age of its picture counts, and of an aircraft.
 */

type Entry = readonly [de: string, en: string];

export const CLOCK_WORDS = {
  "clock.clock_fast": [
    "Die Uhr läuft viel zu schnell und wird nicht verwendet; die Zeit des Empfangs gilt.",
    "The clock runs far too fast and is not used; the time of arrival counts.",
  ],
  "clock.clock_slow": [
    "Die Uhr läuft viel zu langsam oder steht und wird nicht verwendet; die Zeit des Empfangs gilt.",
    "The clock runs far too slow or stands still and is not used; the time of arrival counts.",
  ],
  "clock.clock_bogus": [
    "Die Uhr zeigt ein unmögliches Jahr. Uhrzeit am Gerät stellen oder auf GPS warten.",
    "The clock shows an impossible year. Set the device's time or wait for GPS.",
  ],
  "clock.clock_jumps": [
    "Die Uhr ist gesprungen und wird nicht verwendet, bis sie 30 s lang gleichmäßig läuft.",
    "The clock has jumped and is not used until it has run evenly for 30 s.",
  ],
  "clock.clock_wrong": [
    "Die Uhr der Kamera geht falsch und wird nicht verwendet. Uhrzeit an der Kamera stellen (NTP) oder trust_clock ausschalten.",
    "The camera's clock is wrong and is not used. Set the camera's time (NTP) or switch trust_clock off.",
  ],

  "aircraft_clock.clock_fast": [
    "Die Uhr der Drohne läuft viel zu schnell; Lagebild verwendet sie nicht.",
    "The drone's clock runs far too fast; Lagebild does not use it.",
  ],
  "aircraft_clock.clock_slow": [
    "Die Uhr der Drohne läuft viel zu langsam oder steht; Lagebild verwendet sie nicht.",
    "The drone's clock runs far too slow or stands still; Lagebild does not use it.",
  ],
  "aircraft_clock.clock_bogus": [
    "Die Uhr der Drohne zeigt ein unmögliches Jahr, meist bis zum ersten GPS-Empfang; Lagebild verwendet sie nicht.",
    "The drone's clock shows an impossible year, usually until its first GPS fix; Lagebild does not use it.",
  ],
  "aircraft_clock.clock_jumps": [
    "Die Uhr der Drohne ist gesprungen; Lagebild verwendet sie nicht.",
    "The drone's clock has jumped; Lagebild does not use it.",
  ],
} as const satisfies Record<string, Entry>;
