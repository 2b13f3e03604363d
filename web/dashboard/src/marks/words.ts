/** Words of what the camera sees of the ground and of marks; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const MARK_WORDS = {
  "view.unknown": ["Blickfeld unbekannt: {why}", "Field of view unknown: {why}"],
  "look.no_position": ["keine Position", "no position"],
  "look.no_attitude": ["keine Fluglage", "no attitude"],
  "look.no_gimbal": ["keine Gimbal-Daten", "no gimbal data"],
  "look.no_height": ["keine Höhe über Grund", "no height above ground"],
  "look.no_lens": ["Bildwinkel der Kamera fehlt", "the lens's angle is not known"],
  "look.pose_stale": ["Telemetrie zu alt", "telemetry too old"],
  "look.above_horizon": ["Kamera schaut über den Horizont", "the camera looks above the horizon"],
  "look.too_far": ["zu weit weg", "too far away"],
  "look.no_terrain": ["keine Geländedaten", "no terrain data"],
  "view.other": ["Angaben fehlen", "data is missing"],

  "mark.locating": ["Ort wird bestimmt …", "Finding the place …"],
  "mark.refused": ["Ort nicht bestimmbar: {why}.", "The place cannot be told: {why}."],
  "mark.unreachable": [
    "Server nicht erreicht. Noch einmal versuchen.",
    "The server was not reached. Try again.",
  ],
  "mark.failed": ["Nicht markiert. Noch einmal versuchen.", "Not marked. Try again."],
  "mark.error": ["± {error} m", "± {error} m"],
  "mark.range": ["{range} m von der Kamera", "{range} m from the camera"],
  "mark.flat": ["Gelände eben angenommen", "ground assumed flat"],
  "mark.terrain": ["mit Höhenmodell", "with terrain model"],
  "mark.what": ["Was ist dort?", "What is there?"],
  "mark.by": ["Ihr Name", "Your name"],
  "mark.set": ["Markieren", "Mark it"],
  "mark.title": ["Stelle im Bild", "Place in the picture"],

  "mark.choice.fire": ["Brand", "Fire"],
  "mark.choice.person": ["Person", "Person"],
  "mark.choice.access": ["Einstieg", "Entry point"],
  "mark.choice.danger": ["Gefahr", "Danger"],
  "mark.choice.meeting": ["Treffpunkt", "Meeting point"],

  "help.mark": [
    "Ins Bild tippen: Die Stelle wird bestimmt und kann für alle auf der Karte markiert werden.",
    "Tap the picture: the place is found, and can be marked on everybody's map.",
  ],

  "marks.title": ["Markierungen", "Marks"],
  "marks.none": ["Noch nichts markiert. Ins Bild tippen.", "Nothing marked yet. Tap the picture."],
  "marks.by": ["{time} · {name}", "{time} · {name}"],
  "marks.remove": ["Löschen: {label}", "Delete: {label}"],
  "marks.sure": ["Sicher?", "Sure?"],
  "marks.stays": ["Nicht gelöscht", "Not deleted"],
} as const satisfies Record<string, Entry>;
