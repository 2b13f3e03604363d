/** Looking for recorded flights: time and place; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const FIND_WORDS = {
  "find.from": ["Von", "From"],
  "find.to": ["Bis", "Until"],
  "find.watch": ["Ansehen", "Watch"],
  "find.picture_of": ["Bild aus dem Flug {flight}", "Picture of the flight {flight}"],
  "find.began_at": ["Beginn bei {place}", "Began at {place}"],
  "find.effect": ["Wirkung", "Effect"],
  "place.title": ["Ort auf der Karte", "Place on the map"],
  "place.tap": [
    "Auf die Karte tippen: Es bleiben die Flüge, die dort waren. Punkte sind die Flüge der Liste.",
    "Tap the map: the flights that were there remain. Dots are the flights of the list.",
  ],
  "place.chosen": ["Flüge an diesem Ort: {count}", "Flights at this place: {count}"],
  "place.everywhere": ["Überall suchen", "Search everywhere"],
  "place.radius": ["Umkreis", "Radius"],
  "place.metres": ["im Umkreis von {distance} m", "within {distance} m"],
  "place.kilometres": ["im Umkreis von {distance} km", "within {distance} km"],
  "place.no_map": ["Dieser Browser kann keine Karte zeichnen.", "This browser cannot draw a map."],
} as const satisfies Record<string, Entry>;
