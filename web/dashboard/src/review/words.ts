/** Words of the player of recorded flights; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const PLAYER_WORDS = {
  "player.loading": ["Flug wird geladen …", "Loading the flight …"],
  "player.gone": ["Diesen Flug gibt es nicht (mehr).", "There is no such flight (any more)."],
  "player.retry": [
    "Der Flug lässt sich gerade nicht laden. Neuer Versuch läuft.",
    "The flight cannot be loaded at present. Trying again.",
  ],
  "player.unsupported": [
    "Dieser Browser kann keine Aufzeichnungen abspielen.",
    "This browser cannot play recordings.",
  ],
  "player.no_feeds": ["Von diesem Flug gibt es keine Bilder.", "There are no pictures of this flight."],
  "player.controls": ["Abspielen", "Playing"],
  "player.back": ["10 Sekunden zurück (←)", "Back 10 seconds (←)"],
  "player.forward": ["10 Sekunden vor (→)", "Forward 10 seconds (→)"],
  "player.before": ["Ein Bild zurück (,)", "One picture back (,)"],
  "player.next": ["Ein Bild vor (.)", "One picture forward (.)"],
  "player.play": ["Abspielen (Leertaste)", "Play (space)"],
  "player.pause": ["Anhalten (Leertaste)", "Pause (space)"],
  "player.speed": ["Geschwindigkeit (↑ ↓)", "Speed (↑ ↓)"],
  "player.cameras": ["Kamera groß zeigen", "Show a camera large"],
  "player.running": ["Der Flug läuft noch", "The flight is still running"],
  "player.converted": ["für den Browser umgerechnet", "converted for the browser"],
  "player.before_first": ["Bilder erst ab {time}", "Pictures from {time} only"],
  "player.after_last": ["Keine Bilder nach {time}", "No pictures after {time}"],
  "player.withheld": [
    "Die Aufzeichnung der Bilder dieser Kamera war ausgeschaltet.",
    "Recording of this camera's pictures was switched off.",
  ],
  "player.no_pictures": ["Von dieser Kamera gibt es keine Bilder.", "There are no pictures of this camera."],
  "player.unreachable": [
    "Die Aufzeichnung ist gerade nicht erreichbar. Neuer Versuch läuft.",
    "The recording cannot be reached at present. Trying again.",
  ],
  "player.trouble.gone": ["Die Aufzeichnung ist nicht mehr da.", "The recording is no longer there."],
  "player.trouble.damaged": [
    "Dieser Teil der Aufzeichnung lässt sich nicht abspielen.",
    "This part of the recording cannot be played.",
  ],
  "player.trouble.unsupported": [
    "Dieser Browser kann diese Aufzeichnung nicht abspielen.",
    "This browser cannot play this recording.",
  ],
  "player.trouble.codec_h265": [
    "Dieser Browser zeigt kein H.265, und der Server hat nichts anderes daraus gemacht.",
    "This browser does not show H.265, and the server has made nothing else of it.",
  ],
  "player.trouble.barren": [
    "Aus dieser Aufzeichnung macht der Browser kein Bild.",
    "The browser makes no picture of this recording.",
  ],
  "player.key.play": ["abspielen, anhalten", "play, pause"],
  "player.key.ten": ["10 Sekunden zurück, vor", "back, forward 10 seconds"],
  "player.key.picture": ["ein Bild zurück, vor", "one picture back, forward"],
  "player.key.speed": ["schneller, langsamer", "faster, slower"],
  "player.key.ends": ["zum Anfang, zum Ende", "to the beginning, to the end"],
  "player.key.select": ["Auswahl: Anfang, Ende · Notiz", "selection: start, end · note"],
} as const satisfies Record<string, Entry>;
