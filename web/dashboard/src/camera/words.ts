/** The camera page's words; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const CAMERA_WORDS = {
  "camera.title": ["Filmen: {name}", "Film: {name}"],
  "camera.start": ["Filmen", "Film"],
  "camera.stop": ["Beenden", "Stop"],
  "camera.turn": ["Andere Kamera", "Other camera"],
  "camera.silent": ["Ohne Ton: Er wird nicht aufgenommen.", "Without sound: it is not taken."],

  // in one word, and why
  "camera.ready": ["BEREIT", "READY"],
  "camera.ready_why": ["Auf „Filmen“ tippen und die Kamera erlauben.", "Tap “Film” and allow the camera."],
  "camera.connecting": ["VERBINDET", "CONNECTING"],
  "camera.connected": ["VERBUNDEN", "CONNECTED"],
  "camera.soon": ["Gleich kommt das erste Bild an.", "The first picture arrives in a moment."],
  "camera.seen": [
    "Das Bild ist auf der Lageseite zu sehen. Diese Seite offen lassen.",
    "The picture is on the live page. Leave this page open.",
  ],
  "camera.broken": ["UNTERBROCHEN", "INTERRUPTED"],
  "camera.again": ["Neuer Versuch läuft von selbst.", "Trying again by itself."],
  "camera.refused": ["ABGELEHNT", "REFUSED"],
  "camera.refused_why": [
    "Der Server nimmt dieses Bild nicht an. Betreuer holen.",
    "The server does not take this picture. Call its operator.",
  ],
  "camera.none": ["KEINE KAMERA", "NO CAMERA"],
  "camera.denied": [
    "Der Browser darf die Kamera nicht benutzen. In den Einstellungen der Seite erlauben, dann noch einmal.",
    "The browser may not use the camera. Allow it in the page's settings, then try again.",
  ],
  "camera.in_use": [
    "Die Kamera ist von einer anderen App belegt. Diese schließen, dann noch einmal.",
    "Another app has the camera. Close it, then try again.",
  ],
  "camera.missing": ["Dieses Gerät hat keine Kamera.", "This device has no camera."],

  // before it can begin
  "camera.key": ["Schlüssel", "Key"],
  "camera.key_ask": [
    "Schlüssel der Kamera eintippen, oder den QR-Code der Pilotenseite scannen.",
    "Type the camera's key, or scan the QR code of the pilot page.",
  ],
  "camera.key_take": ["Übernehmen", "Use it"],
  "camera.key_other": ["Anderer Schlüssel", "Another key"],
  "camera.insecure": [
    "Auf dieser Seite gibt der Browser die Kamera nicht frei: Das tut er nur über https oder auf dem Server selbst (localhost). https hat diese Version noch nicht. Bis dahin: eine App mit WHIP; ihre Adresse steht auf der Pilotenseite.",
    "The browser does not give the camera to this page: it does so only by https, or on the server itself (localhost). This version has no https yet. Until then: an app with WHIP; its address is on the pilot page.",
  ],
} as const satisfies Record<string, Entry>;
