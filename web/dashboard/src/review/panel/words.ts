/** Words of a review beside its pictures; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const REVIEW_PANEL_WORDS = {
  "review.loading": ["Wird geladen …", "Loading …"],

  "review.panel": ["Auswertung", "Review"],

  // timeline
  "review.line": ["Zeitleiste des Flugs", "Timeline of the flight"],
  "review.begin": ["Anfang hier", "Start here"],
  "review.begin_title": ["Auswahl beginnt an dieser Stelle (Taste I)", "The selection starts here (key I)"],
  "review.end": ["Ende hier", "End here"],
  "review.end_title": ["Auswahl endet an dieser Stelle (Taste O)", "The selection ends here (key O)"],
  "review.clear": ["Auswahl aufheben", "Clear selection"],
  "review.clear_title": ["Wieder der ganze Flug", "The whole flight again"],
  "review.selected": ["{from}–{to} · {time}", "{from}–{to} · {time}"],

  // plots
  "review.plots": ["Verlauf", "Course of the flight"],
  "review.no_telemetry": [
    "Zu diesem Flug gibt es keine Telemetrie.",
    "There is no telemetry of this flight.",
  ],
  "review.plot.alt_home_m": ["Höhe über Start", "Height above start"],
  "review.plot.alt_msl_m": ["Höhe ü. NHN", "Height AMSL"],
  "review.plot.ground_speed_ms": ["Geschwindigkeit", "Speed"],
  "review.plot.battery_pct": ["Akku", "Battery"],
  "review.plot.battery_v": ["Akkuspannung", "Battery voltage"],
  "review.plot.range": ["{min} bis {max}", "{min} to {max}"],
  "review.unit.alt_home_m": ["{value} m", "{value} m"],
  "review.unit.alt_msl_m": ["{value} m", "{value} m"],
  "review.unit.ground_speed_ms": ["{value} m/s", "{value} m/s"],
  "review.unit.battery_pct": ["{value} %", "{value} %"],
  "review.unit.battery_v": ["{value} V", "{value} V"],

  // what happened, and notes
  "review.happenings": ["Ereignisse und Notizen", "Events and notes"],
  "review.happenings_none": ["Nichts davon in diesem Flug.", "None of it in this flight."],
  "review.kinds": ["Was gezeigt wird", "What is shown"],
  "review.kind.all": ["Alles", "Everything"],
  "review.kind.note": ["Notizen", "Notes"],
  "review.kind.mark": ["Markierungen", "Marks"],
  "review.kind.alarm": ["Alarme", "Alarms"],
  "review.kind.text": ["Meldungen der Drohne", "Messages of the drone"],
  "review.kind.flight": ["Ablauf", "Course"],
  "review.one.note": ["Notiz", "Note"],
  "review.one.mark": ["Markierung", "Mark"],
  "review.one.alarm": ["Alarm", "Alarm"],
  "review.one.text": ["Meldung der Drohne", "Message of the drone"],
  "review.one.flight": ["Ablauf", "Course"],
  "review.said_by": ["{text} · {by}", "{text} · {by}"],
  "review.mark": ["Markierung", "Mark"],
  "review.bookmark": ["Lesezeichen", "Bookmark"],
  "review.rec_on": ["Aufzeichnung eingeschaltet", "Recording switched on"],
  "review.rec_off": ["Aufzeichnung ausgeschaltet", "Recording switched off"],
  "review.event.armed": ["Motoren an", "Armed"],
  "review.event.disarmed": ["Motoren aus", "Disarmed"],
  "review.event.flight_started": ["Flug beginnt", "The flight starts"],
  "review.event.flight_ended": ["Flug endet", "The flight ends"],
  "review.note_add": ["Notiz", "Note"],
  "review.note_add_title": ["Notiz zu diesem Zeitpunkt (Taste N)", "Note at this moment (key N)"],
  "review.note_at": ["Notiz zu {time}", "Note at {time}"],
  "review.note_text": ["Notiz", "Note"],
  "review.note_save": ["Speichern", "Save"],
  "review.note_change": ["Notiz von {time} ändern", "Change the note at {time}"],
  "review.note_remove": ["Notiz von {time} löschen", "Delete the note at {time}"],
  "review.note_remove_ask": ["Notiz von {time} löschen?", "Delete the note at {time}?"],

  // still
  "review.still": ["Standbild", "Still"],
  "review.still_title": [
    "Dieses Bild in voller Größe speichern, mit Zeit und Position",
    "Save this picture in full size, with time and position",
  ],
  "review.still_fetching": ["Bild von {time} wird geholt …", "Fetching the picture of {time} …"],
  "review.still_saved": ["Bild von {time} gespeichert: {name}", "Picture of {time} saved: {name}"],
  "refused.no_note": ["Diese Notiz gibt es nicht mehr.", "This note does not exist any more."],
  "refused.notes_full": [
    "Dieser Flug hat schon zu viele Notizen.",
    "There are too many notes on this flight already.",
  ],
  "refused.no_picture": [
    "Zu diesem Zeitpunkt gibt es kein Bild dieser Kamera.",
    "There is no picture of this camera at that moment.",
  ],

  "refused.recording_damaged": [
    "Ein Teil dieser Aufzeichnung ist beschädigt und nicht lesbar.",
    "Part of this recording is damaged and cannot be read.",
  ],
  "refused.decoder_failed": [
    "Dieser Teil der Aufzeichnung lässt sich nicht lesen.",
    "This part of the recording cannot be read.",
  ],

  // when was this spot filmed
  "review.spots": ["Wann haben wir diese Stelle gefilmt?", "When did we film this spot?"],
  "review.spots_how": [
    "Auf die Karte tippen: Hier steht dann, wann die Stelle im Bild war.",
    "Tap the map: what is shown here is when that spot was in the picture.",
  ],
  "review.spots_searching": ["{where} wird gesucht …", "Looking for {where} …"],
  "review.spots_none": [
    "{where} war in diesem Flug nicht im Bild, soweit das bekannt ist.",
    "{where} was not in the picture on this flight, as far as is known.",
  ],
  "review.spots_one": ["{where}: einmal im Bild", "{where}: once in the picture"],
  "review.spots_some": ["{where}: {count} Mal im Bild", "{where}: {count} times in the picture"],
  "review.spot": ["{from}–{to} · {time} · {feed}", "{from}–{to} · {time} · {feed}"],
  "review.spots_next": ["Nächste zeigen", "Show the next"],
  "review.spots_clear": ["Stelle vergessen", "Forget the spot"],
} as const satisfies Record<string, Entry>;
