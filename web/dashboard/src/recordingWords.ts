/** Words of recording and of the room for it; part of the one catalogue. "alarm." goes by the codes that
 *  recordings raise, "unrecorded." by those of RecordingState (flow/recording.py). */

type Entry = readonly [de: string, en: string];

export const RECORDING_WORDS = {
  "alarm.disk_low": [
    "Speicher für Aufnahmen wird knapp: noch {free} GB, reicht {hours} h",
    "Room for recordings runs low: {free} GB left, good for {hours} h",
  ],
  "alarm.disk_full": [
    "Speicher voll: Es wird nicht mehr aufgezeichnet",
    "Disk full: nothing is recorded any more",
  ],
  "alarm.disk_failed": [
    "Speicher gestört: Es wird nicht mehr aufgezeichnet",
    "Disk failure: nothing is recorded any more",
  ],
  "alarm.clock_ahead": [
    "Server war {days} Tage aus, oder seine Uhr geht vor: Datum prüfen. Aufnahmen mit abgelaufener Frist: {flights}. Gelöscht wird erst nach 24 h Betrieb",
    "The server was off for {days} days, or its clock is ahead: check the date. Recordings whose days are over: {flights}. They go only after 24 h of running",
  ],
  "alarm.recording_failed": ["Dieser Flug wird nicht aufgezeichnet", "This flight is not being recorded"],
  "alarm.recording_gap": [
    "Hier fehlen Bilder in der Aufnahme",
    "Pictures are missing from the recording here",
  ],

  "unrecorded.no_flight": [
    "Kein Flug. Aufgezeichnet wird von selbst, sobald die Drohne startet.",
    "No flight. Recording begins by itself when the drone takes off.",
  ],
  "unrecorded.switched_off": [
    "Die Aufzeichnung dieser Drohne ist ausgeschaltet.",
    "Recording is switched off for this drone.",
  ],
  "unrecorded.not_wanted": [
    "Aufzeichnung ausgeschaltet: für diesen Einsatz oder in den Einstellungen des Servers.",
    "Recording is switched off: for this incident, or in the server's settings.",
  ],
  "unrecorded.disk_full": [
    "Der Speicher des Servers ist voll, und nichts darf gelöscht werden. Flüge freigeben oder löschen.",
    "The server's disk is full, and nothing may be deleted. Release or delete flights.",
  ],
  "unrecorded.disk_failed": [
    "Der Server kann nicht auf seinen Speicher schreiben. Datenträger prüfen.",
    "The server cannot write to its disk. Check the drive.",
  ],
  "unrecorded.disk_stalled": [
    "Der Speicher des Servers antwortet nicht. Noch ist nichts verloren: Die Aufnahme wartet im Arbeitsspeicher.",
    "The server's disk does not answer. Nothing is lost yet: the recording waits in memory.",
  ],
  "unrecorded.disk_slow": [
    "Der Speicher des Servers ist zu langsam: Ein Teil der Aufnahme geht verloren.",
    "The server's disk is too slow: part of the recording is being lost.",
  ],
} as const satisfies Record<string, Entry>;
