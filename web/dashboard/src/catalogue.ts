/** Every word on the page, German first. `{name}` is filled in by `translate`. */

import { ACCESS_WORDS } from "./access/words";
import { ADMIN_WORDS } from "./admin/words";
import { ALARM_WORDS } from "./alarms/words";
import { CAMERA_WORDS } from "./camera/words";
import { EFFECT_WORDS } from "./effect/words";
import { FIND_WORDS } from "./flights/findWords";
import { FLIGHT_WORDS } from "./flights/words";
import { GROUND_WORDS } from "./groundWords";
import { MARK_WORDS } from "./marks/words";
import { STEP_WORDS } from "./pilot/stepWords";
import { LINK_WORDS } from "./linkWords";
import { PILOT_WORDS } from "./pilot/words";
import { REASON_WORDS } from "./reasonWords";
import { RECORDING_WORDS } from "./recordingWords";
import { EXPORT_WORDS } from "./review/export/words";
import { PLAYER_WORDS } from "./review/words";
import { REVIEW_PANEL_WORDS } from "./review/panel/words";
import { REWIND_WORDS } from "./rewind/words";
import { REC_WORDS } from "./recWords";
import { TRACK_WORDS } from "./trackWords";
import { CLOCK_WORDS } from "./clockWords";
import { TREATMENT_WORDS } from "./treatmentWords";

export type Language = "de" | "en";

type Entry = readonly [de: string, en: string];

export const CATALOGUE = {
  ...PILOT_WORDS,
  ...ACCESS_WORDS,
  ...ADMIN_WORDS,
  ...REASON_WORDS,
  ...RECORDING_WORDS,
  ...REC_WORDS,
  ...FLIGHT_WORDS,
  ...EFFECT_WORDS,
  ...FIND_WORDS,
  ...STEP_WORDS,
  ...CAMERA_WORDS,
  ...TRACK_WORDS,
  ...CLOCK_WORDS,
  ...TREATMENT_WORDS,
  ...GROUND_WORDS,
  ...ALARM_WORDS,
  ...MARK_WORDS,
  ...LINK_WORDS,
  ...REWIND_WORDS,
  ...PLAYER_WORDS,
  ...REVIEW_PANEL_WORDS,
  ...EXPORT_WORDS,
  // states of the picture
  "state.live": ["LIVE", "LIVE"],
  "state.delayed": ["VERZÖGERT", "DELAYED"],
  "state.frozen": ["EINGEFROREN", "FROZEN"],
  "state.lost": ["KEIN SIGNAL", "NO SIGNAL"],
  "age.source": ["{age} ab Kamera", "{age} from camera"],
  "age.arrival": ["≥ {age} ab Empfang", "≥ {age} from arrival"],
  "age.unknown": ["Alter unbekannt", "age unknown"],
  since: ["seit {time}", "since {time}"],
  // states of a source, in the picker
  "source.connecting": ["wartet", "waiting"],
  "source.live": ["sendet", "sending"],
  "source.stalled": ["stockt", "stalled"],
  "source.lost": ["kein Signal", "no signal"],

  // renditions (RenditionState)
  "reason.not_needed": [
    "Das Bild läuft unverändert: Jeder Browser kann es zeigen.",
    "The picture goes through untouched: every browser can show it.",
  ],
  "reason.no_source": ["Wartet auf das Bild der Drohne.", "Waiting for the drone's picture."],
  "reason.encoder_slow": [
    "Der Server ist zu langsam zum Umrechnen: Einzelne Bilder werden ausgelassen, damit nichts verspätet kommt.",
    "The server is too slow to convert every picture: some are left out so that none comes late.",
  ],
  "reason.encoder_unknown": [
    "Der eingestellte Encoder ist auf diesem Server nicht vorhanden ([encode] encoder).",
    "The configured encoder does not exist on this server ([encode] encoder).",
  ],
  "reason.encoder_failed": [
    "Das Umrechnen des Bildes ist abgebrochen. Neuer Versuch läuft.",
    "Converting the picture has failed. Trying again.",
  ],
  "reason.undecodable": [
    "Das Bild der Drohne lässt sich nicht entschlüsseln.",
    "The drone's picture cannot be decoded.",
  ],

  // lasting properties of a feed
  "note.b_frames": [
    "Die Drohne sendet B-Bilder; für Browser rechnet der Server das Bild um. Das kostet Rechenzeit und etwas Verzögerung.",
    "The drone sends B-frames; the server converts the picture for browsers. That costs processor time and some delay.",
  ],
  "note.interlaced": [
    "Die Drohne sendet Halbbilder (interlaced); für Browser rechnet der Server Vollbilder daraus. Das kostet Rechenzeit und eine Bilddauer Verzögerung.",
    "The drone sends interlaced pictures; the server makes whole ones for browsers. That costs processor time and one picture of delay.",
  ],
  "note.codec_h265": [
    "Die Drohne sendet H.265; für Browser, die es nicht zeigen, rechnet der Server das Bild in H.264 um. Das kostet Rechenzeit.",
    "The drone sends H.265; for browsers that cannot show it the server converts it to H.264. That costs processor time.",
  ],
  "note.chroma": [
    "Die Drohne sendet ein Farbformat, das Browser nicht zeigen; der Server rechnet es um. Das kostet Rechenzeit und feine Farbunterschiede.",
    "The drone sends a colour format that browsers do not show; the server converts it. That costs processor time and fine differences of colour.",
  ],
  "note.keyframe_interval_long": [
    "Vollständige Bilder kommen selten; wer später dazukommt, sieht ein umgewandeltes Bild.",
    "Whole pictures come rarely; who joins later sees a converted picture.",
  ],
  "note.intra_refresh": [
    "Die Drohne sendet keine einzelnen Vollbilder (Intra-Refresh); für Browser wird das Bild umgerechnet.",
    "The drone sends no whole pictures at once (intra refresh); the picture is converted for browsers.",
  ],
  "note.scaled": ["Das Bild wird verkleinert.", "The picture is made smaller."],
  "note.codec_mpeg2": [
    "Die Drohne sendet MPEG-2; der Server rechnet es in H.264 um. Das kostet Rechenzeit und etwas Bildqualität; auch die Aufzeichnung ist umgerechnet.",
    "The drone sends MPEG-2; the server converts it to H.264. That costs processor time and a little quality; the recording is converted, too.",
  ],
  "note.codec_mpeg4": [
    "Die Drohne sendet MPEG-4; der Server rechnet es in H.264 um. Das kostet Rechenzeit und etwas Bildqualität; auch die Aufzeichnung ist umgerechnet.",
    "The drone sends MPEG-4; the server converts it to H.264. That costs processor time and a little quality; the recording is converted, too.",
  ],
  "note.codec_mjpeg": [
    "Die Kamera sendet Einzelbilder (MJPEG); der Server rechnet sie in H.264 um. Das kostet Rechenzeit; auch die Aufzeichnung ist umgerechnet.",
    "The camera sends single pictures (MJPEG); the server converts them to H.264. That costs processor time; the recording is converted, too.",
  ],
  "note.codec_other": [
    "Die Kamera sendet ein seltenes Format; der Server rechnet es in H.264 um. Das kostet Rechenzeit; auch die Aufzeichnung ist umgerechnet.",
    "The camera sends an uncommon format; the server converts it to H.264. That costs processor time; the recording is converted, too.",
  ],
  "note.clock_untrusted": [
    "Die Kamera liefert eine Uhrzeit, der aber nicht vertraut wird (trust_clock): Das Alter zählt ab Empfang.",
    "The camera gives a time, but it is not trusted (trust_clock): the age counts from arrival.",
  ],
  "note.clock_refused": [
    "Die Uhr der Kamera geht falsch: Das Alter zählt ab Empfang.",
    "The camera's clock is wrong: the age counts from arrival.",
  ],
  "note.arrival_behind": [
    "Die Bilder kommen immer später: Stau beim Sender oder seine Uhr geht nach. Bitrate senken oder Sender neu verbinden.",
    "The pictures come later and later: a queue at the sender, or its clock is slow. Lower the bit rate or reconnect the sender.",
  ],

  // what the pictures themselves show of the camera
  "finding.black": [
    "Das Bild ist schwarz: Kappe auf der Linse? Kamera gestört?",
    "The picture is black: is the cap on the lens, has the camera failed?",
  ],
  "finding.frozen": [
    "Die Kamera sendet immer dasselbe Bild.",
    "The camera sends the same picture again and again.",
  ],
  "finding.covered": ["Etwas verdeckt die Linse.", "Something covers the lens."],
  "finding.blurred": [
    "Das Bild ist unscharf: Linse beschlagen oder verschmutzt? Schärfe falsch eingestellt?",
    "The picture is blurred: is the lens fogged or dirty, is the focus wrong?",
  ],

  // telemetry
  "link.no_messages": ["Keine Telemetrie von der Drohne.", "No telemetry from the drone."],
  "link.silent": ["Telemetrie ausgefallen seit {time}.", "Telemetry lost since {time}."],
  "link.port_in_use": [
    "Telemetrie: Den Anschluss benutzt ein anderes Programm auf dem Server.",
    "Telemetry: another program on the server uses the port.",
  ],
  "link.connect_failed": [
    "Telemetrie: Die Drohne ist nicht erreichbar. Neuer Versuch läuft.",
    "Telemetry: the drone cannot be reached. Trying again.",
  ],
  "link.file_ended": ["Telemetrie: Die Datei ist zu Ende.", "Telemetry: the file has ended."],
  "link.duplicate_system_id": [
    "Telemetrie: Zwei Drohnen melden sich mit derselben Kennung (SysID).",
    "Telemetry: two drones report with one system id.",
  ],
  "link.connecting": ["Telemetrie: Der Anschluss wird geöffnet.", "Telemetry: the link is being opened."],
  "link.not_mavlink": [
    "Telemetrie: Was ankommt, ist kein MAVLink.",
    "Telemetry: what arrives is not MAVLink.",
  ],
  "link.forbidden_sender": [
    "Telemetrie: Daten von einem nicht zugelassenen Absender werden abgewiesen.",
    "Telemetry: data from a sender that is not allowed is refused.",
  ],
  "link.address_refused": [
    "Telemetrie: Der Server darf die eingestellte Adresse nicht benutzen.",
    "Telemetry: the server may not use the configured address.",
  ],
  "link.unsupported_url": [
    "Telemetrie: Diese Art von Verbindung kennt der Server nicht.",
    "Telemetry: the server does not know this kind of link.",
  ],
  "link.not_found": ["Telemetrie: Die Datei gibt es nicht.", "Telemetry: the file does not exist."],
  "link.not_telemetry": [
    "Telemetrie: In der Datei ist keine Telemetrie.",
    "Telemetry: the file holds no telemetry.",
  ],
  "link.internal": [
    "Telemetrie: Fehler im Server, siehe Protokoll.",
    "Telemetry: an error in the server, see the log.",
  ],
  "link.share_to_aircraft": [
    "Mitlesen: Unter der Adresse ist eine Drohne. Dorthin wird nichts gesendet.",
    "Share: a drone is at the address. Nothing is sent there.",
  ],
  "link.certificate_unusable": [
    "TAK: Das eingestellte Zertifikat ist nicht zu benutzen.",
    "TAK: the configured certificate cannot be used.",
  ],
  "link.failed": ["Telemetrie gestört.", "Telemetry has failed."],

  // readings
  "read.home_alt": ["über Start", "above home"],
  "read.msl": ["ü. NHN", "AMSL"],
  "read.speed": ["Geschw.", "speed"],
  "read.climb": ["Steigen", "climb"],
  "read.battery": ["Akku", "Batt."],
  "read.satellites": ["Sat", "Sat"],
  "read.mode": ["Modus", "Mode"],
  "read.gimbal": ["Gimbal", "Gimbal"],
  "read.armed": ["MOTOREN AN", "ARMED"],
  "read.disarmed": ["Motoren aus", "disarmed"],
  "read.estimated": ["≈ Werte nahe am Bild", "≈ values near the picture"],
  "fix.none": ["kein Fix", "no fix"],
  "fix.2d": ["2D", "2D"],
  "fix.3d": ["3D", "3D"],
  "fix.dgps": ["DGPS", "DGPS"],
  "fix.rtk_float": ["RTK ≈", "RTK float"],
  "fix.rtk_fixed": ["RTK", "RTK"],
  compass: ["N NO O SO S SW W NW", "N NE E SE S SW W NW"],

  // map
  map: ["Karte", "Map"],
  "map.no_fix": ["Keine Position: kein GPS-Fix", "No position: no GPS fix"],
  "map.no_telemetry": ["Keine Position: keine Telemetrie", "No position: no telemetry"],
  "map.old": ["Position {age} alt", "Position {age} old"],
  "map.no_webgl": [
    "Dieser Browser kann keine Karte zeichnen (WebGL fehlt). Die Position steht unten als Text.",
    "This browser cannot draw a map (no WebGL). The position is below as text.",
  ],
  "map.unreachable": ["Hintergrundkarte nicht erreichbar", "Background map cannot be reached"],
  "map.elsewhere": ["Karte und Markierungen: unten auf ⇅ tippen", "Map and marks: tap ⇅ below"],
  "map.follow": ["Folgen", "Follow"],
  "map.home": ["Start", "Home"],
  "map.zoom_in": ["Näher", "Closer"],
  "map.zoom_out": ["Weiter", "Wider"],
  "map.utmref": ["UTMREF", "UTMREF"],
  "map.degrees": ["Grad (WGS84)", "Degrees (WGS84)"],
  "map.copy": ["Kopieren", "Copy"],
  "map.copied": ["Kopiert", "Copied"],
  "map.copy_by_hand": ["Markiert: jetzt kopieren", "Selected: copy it now"],

  // controls
  "do.second": ["Daneben zeigen", "Show beside"],
  "do.second_off": ["Zweites Bild schließen", "Close second picture"],
  "do.swap": ["Tauschen", "Swap"],
  "do.swap_map": ["Bild ⇅ Karte", "Picture ⇅ map"],
  "do.full": ["Vollbild", "Full screen"],
  "do.leave_full": ["Vollbild beenden", "Leave full screen"],
  "do.photo": ["Foto", "Photo"],
  "do.hud": ["Anzeige", "Overlay"],
  "do.language": ["Deutsch / Englisch", "German / English"],
  "do.bright": ["Hell / dunkel", "Bright / dark"],
  "do.help": ["Hilfe", "Help"],
  quality: [
    "Bildgröße: automatisch nach der Verbindung, oder fest",
    "Picture size: by the connection, or fixed",
  ],
  "quality.auto": ["automatisch", "automatic"],
  "quality.auto_now": ["automatisch: {now}", "automatic: {now}"],
  "quality.fixed": ["fest: {size}", "fixed: {size}"],
  "quality.short_auto": ["{size} auto", "{size} auto"],
  "quality.short_fixed": ["{size} fest", "{size} fixed"],
  "quality.full": ["voll", "full"],
  "quality.low": ["klein", "small"],
  "do.close": ["Schließen", "Close"],
  "feed.show": ["{name} zeigen", "Show {name}"],
  feeds: ["Bilder", "Feeds"],
  "feed.none": ["Kein Bild eingerichtet.", "No feed is configured."],
  "feed.unknown": ["Das Bild „{id}“ gibt es hier nicht.", "There is no feed “{id}” here."],
  video: ["Livebild {name}", "Live picture {name}"],

  // help
  "help.title": ["Hilfe und Einzelheiten", "Help and details"],
  "help.keys": ["Tasten", "Keys"],
  "help.audio": [
    "Ton wird nicht übertragen und nicht aufgezeichnet.",
    "Sound is neither transmitted nor recorded.",
  ],
  "help.age": [
    "„ab Kamera“: Alter des Bildes seit der Aufnahme. „≥ … ab Empfang“: Die Kamera liefert keine Uhrzeit, der vertraut wird; das Bild ist mindestens so alt.",
    "“from camera”: age of the picture since it was taken. “≥ … from arrival”: the camera gives no time that is trusted; the picture is at least that old.",
  ],
  "help.choose": ["Bild wählen", "Choose a feed"],
  "help.picture": [
    "{codec}, {width} × {height}, {fps} Bilder/s, {rate} Mbit/s",
    "{codec}, {width} × {height}, {fps} pictures/s, {rate} Mbit/s",
  ],
  "help.counters": [
    "{pictures} Bilder, {lost} Pakete verloren, {damaged} Bilder verworfen, {restarts} Neustarts",
    "{pictures} pictures, {lost} packets lost, {damaged} pictures dropped, {restarts} restarts",
  ],
  "help.version": ["Lagebild {version}", "Lagebild {version}"],
} as const satisfies Record<string, Entry>;

export type Key = keyof typeof CATALOGUE;

export const isKey = (key: string): key is Key => Object.hasOwn(CATALOGUE, key);

export function translate(
  language: Language,
  key: Key,
  values: Record<string, string | number> = {},
): string {
  const text: string = CATALOGUE[key][language === "de" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));
}
