/** Words for what is wrong with a telemetry link; part of the one catalogue, by the link's `reason`. */

type Entry = readonly [de: string, en: string];

export const LINK_WORDS = {
  "link.serial_not_found": [
    "Telemetrie: Das Funkmodul steckt nicht am Server.",
    "Telemetry: the radio is not plugged into the server.",
  ],
  "link.serial_forbidden": [
    "Telemetrie: Der Server darf das Funkmodul nicht lesen. Die Gruppe nennt das Protokoll.",
    "Telemetry: the server may not read the radio. The log names the group.",
  ],
  "link.serial_busy": [
    "Telemetrie: Das Funkmodul benutzt ein anderes Programm auf dem Server.",
    "Telemetry: another program on the server uses the radio.",
  ],
  "link.serial_gone": [
    "Telemetrie: Das Funkmodul wurde abgezogen. Neuer Versuch läuft.",
    "Telemetry: the radio was unplugged. Trying again.",
  ],
  "link.serial_unusable": [
    "Telemetrie: Der eingestellte Anschluss ist kein Funkmodul.",
    "Telemetry: the configured port is no radio.",
  ],
  "link.signature_missing": [
    "Telemetrie ohne Signatur wird abgewiesen: Signieren an der Drohne einschalten.",
    "Unsigned telemetry is refused: switch signing on at the drone.",
  ],
  "link.signature_wrong": [
    "Telemetrie mit falscher Signatur wird abgewiesen: Schlüssel vergleichen.",
    "Telemetry with a wrong signature is refused: compare the keys.",
  ],
  "link.signature_replayed": [
    "Alte signierte Telemetrie wird abgewiesen: eine Aufzeichnung, oder eine Uhr geht nach.",
    "Old signed telemetry is refused: a recording, or a clock is behind.",
  ],
  "link.position_implausible": [
    "Telemetrie: Die Drohne meldet unmögliche Positionen. Gezeigt wird die letzte gute.",
    "Telemetry: the drone reports impossible positions. The last good one is shown.",
  ],
} as const satisfies Record<string, Entry>;
