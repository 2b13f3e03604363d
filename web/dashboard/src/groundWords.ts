/** Why a place on the ground cannot be told, and what goes wrong with markers; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const GROUND_WORDS = {
  "ground.no_position": [
    "Position der Drohne unbekannt: kein GPS.",
    "The drone's position is unknown: no GPS.",
  ],
  "ground.no_attitude": [
    "Lage oder Kurs der Drohne unbekannt: Blickrichtung nicht bestimmbar.",
    "The drone's attitude or heading is unknown: no telling where it looks.",
  ],
  "ground.no_gimbal": [
    "Das Gimbal meldet keine Blickrichtung. Bei fester Kamera „mount_pitch_deg“ einstellen.",
    "The gimbal does not tell where it looks. For a fixed camera, set “mount_pitch_deg”.",
  ],
  "ground.no_height": [
    "Höhe über Grund unbekannt, oder die Drohne steht am Boden.",
    "Height over the ground is unknown, or the drone is on the ground.",
  ],
  "ground.no_lens": [
    "Bildwinkel der Kamera unbekannt: „hfov_deg“ einstellen.",
    "The camera's field of view is unknown: set “hfov_deg”.",
  ],
  "ground.pose_stale": [
    "Zu diesem Bild gibt es keine Telemetrie: sie liegt mehr als 1 s daneben.",
    "There is no telemetry for this picture: it is more than 1 s away.",
  ],
  "ground.identical": [
    "Die Kamera sendet immer dasselbe Bild: Wo sie dabei war, ist nicht genau bekannt.",
    "The camera sends the same picture again and again: where it was then is not exactly known.",
  ],
  "ground.above_horizon": [
    "Kein Schnittpunkt mit dem Boden: Bildpunkt liegt über dem Horizont.",
    "No ground there: that point of the picture is above the horizon.",
  ],
  "ground.too_far": [
    "Zu weit weg: Der Blick trifft den Boden zu flach für eine brauchbare Position.",
    "Too far: the view meets the ground too flatly for a useful position.",
  ],
  "ground.no_terrain": [
    "Das Höhenmodell endet dort oder wird noch gelesen.",
    "The height model ends there, or is still being read.",
  ],
  "ground.markers_full": [
    "Es sind schon 500 Markierungen gesetzt. Bitte erst welche löschen.",
    "500 markers are set already. Please remove some first.",
  ],
} as const satisfies Record<string, Entry>;
