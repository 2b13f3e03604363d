/** The timeline into the running recording; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const REWIND_WORDS = {
  "state.past": ["AUFZEICHNUNG", "RECORDING"],
  "rewind.shown": ["{time} · vor {ago}", "{time} · {ago} ago"],
  "rewind.ago": ["vor {ago}", "{ago} ago"],
  "rewind.timeline": ["Zeitleiste der laufenden Aufzeichnung", "Timeline of the running recording"],
  "rewind.play": ["Abspielen", "Play"],
  "rewind.pause": ["Anhalten", "Pause"],
  "rewind.speed": ["Geschwindigkeit", "Speed"],
  "rewind.live": ["LIVE", "LIVE"],
  "rewind.to_live": ["Zurück zum Livebild", "Back to the live picture"],
  "rewind.step.-120000": ["2 Minuten zurück", "Back 2 minutes"],
  "rewind.step.-30000": ["30 Sekunden zurück", "Back 30 seconds"],
  "rewind.step.-10000": ["10 Sekunden zurück", "Back 10 seconds"],
  "rewind.step.10000": ["10 Sekunden vor", "Forward 10 seconds"],
  "rewind.live_goes_on": ["läuft weiter", "goes on"],
  "rewind.seeking": ["Bild von {time} wird geholt.", "Fetching the picture of {time}."],
  "rewind.gap": ["Keine Aufzeichnung {from}–{to}", "No recording {from}–{to}"],
  "rewind.withheld": [
    "{from}–{to}: Die Aufzeichnung dieser Bilder war ausgeschaltet",
    "{from}–{to}: recording of these pictures was switched off",
  ],
  "rewind.map": ["Karte von {time} · Ring: jetzt", "Map of {time} · ring: now"],
  "rewind.map_then": ["Karte von {time}", "Map of {time}"],
  "rewind.no_marks": [
    "Markieren geht nur im Livebild: erst auf LIVE tippen.",
    "Marks can be set in the live picture only: tap LIVE first.",
  ],
  "rewind.no_photo": ["Noch kein Bild zu diesem Zeitpunkt.", "No picture of that moment yet."],
  "rewind.trouble.gone": [
    "Die Aufzeichnung ist nicht mehr da: gelöscht oder beendet.",
    "The recording is no longer there: deleted or ended.",
  ],
  "rewind.trouble.unreachable": [
    "Die Aufzeichnung ist gerade nicht erreichbar. Neuer Versuch läuft.",
    "The recording cannot be reached at present. Trying again.",
  ],
  "rewind.trouble.damaged": [
    "Dieser Teil der Aufzeichnung lässt sich nicht abspielen.",
    "This part of the recording cannot be played.",
  ],
  "rewind.trouble.unsupported": [
    "Dieser Browser kann die laufende Aufzeichnung nicht abspielen.",
    "This browser cannot play the running recording.",
  ],
  "rewind.trouble.codec_h265": [
    "Aufgezeichnet wird in H.265: Zurückspulen geht hier nicht, erst in der Auswertung.",
    "The recording is H.265: no rewinding here, only in the review.",
  ],
  "rewind.failed": [
    "Aufzeichnung steht seit {time}: davor lässt sich zurückspulen.",
    "Recording has stopped since {time}: what came before can be rewound.",
  ],
  "rewind.keys": ["10 s zurück / vor, anhalten, live", "Back / forward 10 s, pause, live"],
} as const satisfies Record<string, Entry>;
