/** Words of the recording mark and of exercises; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const REC_WORDS = {
  "rec.recording": ["REC {what} {time}", "REC {what} {time}"],
  "rec.ready": ["REC bereit", "REC ready"],
  "rec.off": ["keine Aufzeichnung", "not recording"],
  "rec.failed": ["Aufzeichnung gestört", "recording disturbed"],
  "rec.unknown": ["Aufzeichnung: --", "recording: --"],
  "rec.short_recording": ["{time}", "{time}"],
  "rec.short_ready": ["bereit", "ready"],
  "rec.short_off": ["aus", "off"],
  "rec.short_failed": ["gestört", "failed"],
  "rec.short_unknown": ["--", "--"],
  "rec.title": ["Aufzeichnung {name}", "Recording {name}"],
  "rec.since_recording": [
    "Dieser Flug wird seit {time} aufgezeichnet.",
    "This flight has been recorded since {time}.",
  ],
  "rec.since_off": ["Keine Aufzeichnung seit {time}.", "No recording since {time}."],
  "rec.since_failed": ["Aufzeichnung gestört seit {time}.", "Recording disturbed since {time}."],
  "rec.what.pictures_telemetry": ["Bild+Telemetrie", "picture+telemetry"],
  "rec.what.pictures": ["nur Bild", "picture only"],
  "rec.what.thermal_telemetry": ["Wärmebild+Telemetrie", "thermal+telemetry"],
  "rec.what.thermal": ["nur Wärmebild", "thermal only"],
  "rec.what.telemetry": ["nur Telemetrie", "telemetry only"],
  "rec.kept.pictures_telemetry": [
    "Aufgezeichnet werden Bilder und Telemetrie, nie Ton.",
    "Pictures and telemetry are recorded, never sound.",
  ],
  "rec.kept.pictures": [
    "Aufgezeichnet werden nur die Bilder: keine Telemetrie, nie Ton.",
    "Only the pictures are recorded: no telemetry, never sound.",
  ],
  "rec.kept.thermal_telemetry": [
    "Aufgezeichnet werden nur Wärmebilder und Telemetrie: kein Tageslichtbild, nie Ton.",
    "Only thermal pictures and telemetry are recorded: no daylight picture, never sound.",
  ],
  "rec.kept.thermal": [
    "Aufgezeichnet werden nur Wärmebilder: kein Tageslichtbild, keine Telemetrie, nie Ton.",
    "Only thermal pictures are recorded: no daylight picture, no telemetry, never sound.",
  ],
  "rec.kept.telemetry": [
    "Aufgezeichnet wird nur die Telemetrie: kein Bild, nie Ton.",
    "Only telemetry is recorded: no picture, never sound.",
  ],
  "rec.not_told": [
    "Der Server antwortet nicht. Ob aufgezeichnet wird, ist nicht bekannt.",
    "The server does not answer. Whether it records is not known.",
  ],
  "rec.disabled": [
    "Die Aufzeichnung ist in den Einstellungen des Servers ausgeschaltet.",
    "Recording is switched off in the server's settings.",
  ],
  "rec.lost_one": [
    "1 Bild dieses Flugs konnte nicht geschrieben werden.",
    "1 picture of this flight could not be written.",
  ],
  "rec.lost": [
    "{count} Bilder dieses Flugs konnten nicht geschrieben werden.",
    "{count} pictures of this flight could not be written.",
  ],
  "rec.switch_on": ["Aufzeichnung einschalten", "Switch recording on"],
  "rec.switch_off": ["Aufzeichnung ausschalten", "Switch recording off"],
  "rec.switch_failed": [
    "Das hat nicht geklappt. Noch einmal versuchen.",
    "That did not work. Please try again.",
  ],
  "rec.name": ["Ihr Name", "Your name"],
  "rec.name_missing": ["Bitte den Namen eintragen.", "Please give your name."],

  "storage.ok": ["Speicher: {free} frei", "Storage: {free} free"],
  "storage.low": ["Speicher wird knapp: {free} frei", "Storage runs low: {free} free"],
  "storage.full": ["Speicher voll: nichts wird aufgezeichnet", "Storage full: nothing is recorded"],
  "storage.failed": ["Speicher gestört: nichts wird aufgezeichnet", "Storage failed: nothing is recorded"],
  "storage.hours": ["reicht für etwa {hours} h", "good for about {hours} h"],
  "storage.used": ["{used} belegt", "{used} used"],

  training: ["ÜBUNG", "EXERCISE"],
  "training.live": [
    "Übung: Ein aufgezeichneter Flug wird abgespielt. Dies ist kein Livebild.",
    "Exercise: a recorded flight is being played. This is not a live picture.",
  ],
} as const satisfies Record<string, Entry>;
