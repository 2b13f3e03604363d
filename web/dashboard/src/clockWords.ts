/** What is wrong with a clock; part of the one catalogue. The keys' ends are the reasons of a ClockState. */

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
} as const satisfies Record<string, Entry>;
