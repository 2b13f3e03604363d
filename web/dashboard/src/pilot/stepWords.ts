/** Words of the pilot page for steps, plots, and for what comes of the aircraft; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const STEP_WORDS = {
  "step.reachable": ["Erreichbar", "Reachable"],
  "step.key": ["Schlüssel", "Key"],
  "step.access": ["Zugang", "Access"], // of a camera that takes no key
  "step.picture": ["Bild", "Picture"],
  "step.codec": ["Codec", "Codec"],
  "step.keyframes": ["Keyframes", "Keyframes"],
  "step.telemetry": ["Telemetrie", "Telemetry"],
  "step.clock": ["Uhr", "Clock"],
  "step_state.ok": ["in Ordnung", "well"],
  "step_state.bad": ["nicht in Ordnung", "not well"],
  "step_state.waiting": ["noch nicht bekannt", "not known yet"],
  "step_state.none": ["nicht nötig", "not needed"],
  "steps.none_key": ["braucht keinen Schlüssel", "needs no key"],
  "steps.none_telemetry": ["keine eingerichtet", "none is configured"],
  "steps.none_clock": ["keine Uhrzeit: Alter ab Empfang", "no time: age from arrival"],

  "next.telemetry": [
    "Telemetrie an der Drohne oder Bodenstation einschalten und an die Adresse oben senden.",
    "Switch telemetry on at the drone or ground station and send it to the address above.",
  ],
  "next.metadata": [
    "Am Encoder KLV-Metadaten nach MISB ST 0601 mit Prüfsumme einschalten.",
    "Switch on KLV metadata by MISB ST 0601, with checksum, at the encoder.",
  ],
  "next.radio": [
    "Das Funkmodul am Server einstecken. Lagebild versucht es von selbst weiter.",
    "Plug the radio into the server. Lagebild keeps trying by itself.",
  ],
  "next.signing": [
    "An der Drohne Signieren einschalten, mit demselben Schlüssel wie am Server; der Betreuer kennt ihn.",
    "Switch signing on at the drone, with the key of the server, which its operator knows.",
  ],
  "next.system_id": [
    "Jeder Drohne eine eigene Kennung geben (ArduPilot: SYSID_THISMAV).",
    "Give each drone a system id of its own (ArduPilot: SYSID_THISMAV).",
  ],
  "next.clock": [
    "Uhr am Sender nach GPS oder Netz stellen. Das Bild läuft weiter, sein Alter zählt ab Empfang.",
    "Set the sender's clock by GPS or network. The picture goes on, its age counts from arrival.",
  ],

  "pilot.more": ["Einzelheiten", "Details"],
  "pilot.less": ["Weniger", "Less"],
  "pilot.watch_none": ["Niemand sieht zu", "Nobody watches"],
  "pilot.watch_one": ["1 sieht zu", "1 watches"],
  "pilot.watch_many": ["{count} sehen zu", "{count} watch"],

  "plot.bitrate": ["Bitrate", "Bit rate"],
  "plot.fps": ["Bilder/s", "Pictures/s"],
  "plot.age": ["Bildalter", "Picture age"],
  "plot.span": ["letzte 5 Minuten", "last 5 minutes"],
  "plot.range": ["{min} bis {max}", "{min} to {max}"],
  "plot.said": ["{name}: jetzt {now}, {range}", "{name}: now {now}, {range}"],

  "point.head": ["{by} zeigt: „{label}“", "{by} points at “{label}”"],
  "point.nameless": ["{by} zeigt auf eine Stelle", "{by} points at a place"],
  "point.somebody": ["Jemand", "Somebody"],
  "point.ago": ["vor {age}", "{age} ago"],
  "point.no_position": ["Position der Drohne unbekannt", "the drone's position is not known"],
  "point.ahead": ["voraus", "ahead"],
  "point.behind": ["hinter der Drohne", "behind the drone"],
  "point.right": ["{degrees}° rechts", "{degrees}° to the right"],
  "point.left": ["{degrees}° links", "{degrees}° to the left"],

  "forward.commands": [
    "Eine Bodenstation hat Befehle gesendet; sie wurden verworfen ({count}, zuletzt {what} von {station}).",
    "A ground station has sent commands; they were dropped ({count}, the last {what} from {station}).",
  ],
  "forward.one": ["1 Bodenstation liest mit", "1 ground station reads along"],
  "forward.many": ["{count} Bodenstationen lesen mit", "{count} ground stations read along"],
  "forward.trouble": [
    "Bodenstationen können nicht mitlesen. {why}",
    "Ground stations cannot read along. {why}",
  ],
  "output.cot": [
    "TAK bekommt nichts von uns ({to}). Netz und Adresse prüfen, den Grund nennt das Protokoll.",
    "TAK gets nothing from us ({to}). Check network and address; the log names the reason.",
  ],
  "output.ts": [
    "„{feed}“ kommt nicht nach draußen ({to}). Netz und Adresse prüfen, den Grund nennt das Protokoll.",
    "“{feed}” does not get out ({to}). Check network and address; the log names the reason.",
  ],
} as const satisfies Record<string, Entry>;
