/** Words for telemetry that comes within a feed's stream, or from a file beside it; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const TRACK_WORDS = {
  "link.no_metadata": [
    "Telemetrie: Im Videostrom kommt keine mit.",
    "Telemetry: none comes within the stream.",
  ],
  "link.bad_checksum": [
    "Telemetrie: Was im Videostrom mitkommt, ist unterwegs beschädigt worden (Prüfsumme) und wird verworfen.",
    "Telemetry: what comes within the stream was damaged on its way (checksum) and is dropped.",
  ],
  "link.no_checksum": [
    "Telemetrie: Die Metadaten im Videostrom haben keine Prüfsumme (MISB ST 0601) und werden verworfen.",
    "Telemetry: the metadata within the stream have no checksum (MISB ST 0601) and are dropped.",
  ],
  "link.unknown_set": [
    "Telemetrie: Die Metadaten im Videostrom sind von einer Art, die Lagebild nicht versteht.",
    "Telemetry: the metadata within the stream are of a kind that Lagebild does not understand.",
  ],
  "link.malformed": [
    "Telemetrie: Die Metadaten im Videostrom sind unlesbar und werden verworfen.",
    "Telemetry: the metadata within the stream cannot be read and are dropped.",
  ],
  "note.metadata_flood": [
    "Im Videostrom kommen mehr Metadaten, als ein Flug je hat: Was zu viel ist, wird verworfen. Das Bild leidet nicht.",
    "More metadata come within the stream than any flight has: what is too much is dropped. The picture does not suffer.",
  ],
  "pilot.way_track": ["Im Videostrom", "Within the stream"],
  "pilot.track_feed": ["aus dem Videostrom von {feed}", "from within the stream of {feed}"],
  "pilot.track_file": ["aus der Datei {file}", "from the file {file}"],
} as const satisfies Record<string, Entry>;
