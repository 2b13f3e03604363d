/** Words of exports; part of the one catalogue. "export.reason." goes by the codes of recordings/export. */

type Entry = readonly [de: string, en: string];

export const EXPORT_WORDS = {
  "export.list": ["Exporte", "Exports"],
  "export.new": ["Exportieren …", "Export …"],
  "export.none": [
    "Noch kein Export. Ein Export ist eine ZIP-Datei mit Prüfsummen und Signatur.",
    "No export yet. An export is one ZIP file with checksums and a signature.",
  ],
  "export.load": ["Herunterladen", "Download"],
  "export.cancel": ["Abbrechen", "Cancel"],
  "export.remove": ["Entfernen", "Remove"],
  "export.waiting": ["Wartet, bis der vorige Export fertig ist", "Waits until the export before it is ready"],
  "export.running": ["Wird erstellt: {percent} %", "Being made: {percent} %"],
  "export.done": ["Fertig: {size}", "Ready: {size}"],
  "export.cancelled": ["Abgebrochen", "Cancelled"],
  "export.failed": ["Nicht erstellt: {why}", "Not made: {why}"],
  "export.left_out": ["Nicht enthalten: {part}. {why}", "Not in it: {part}. {why}"],

  // the order
  "export.title": ["Export bestellen", "Order an export"],
  "export.order": ["Export erstellen", "Make the export"],
  "export.range": ["Zeitraum", "Stretch"],
  "export.whole": ["Der ganze Flug", "The whole flight"],
  "export.select_how": [
    "Ein Teil lässt sich vorher auf der Zeitleiste mit „Anfang hier“ und „Ende hier“ auswählen.",
    "A part can be selected beforehand on the timeline, with “Start here” and “End here”.",
  ],
  "export.cameras": ["Kameras", "Cameras"],
  "export.parts": ["Inhalt", "Contents"],
  "export.part.clip": ["Film (MP4)", "Film (MP4)"],
  "export.part.burned": ["Film (MP4) mit eingeblendeten Flugdaten", "Film (MP4) with the flight data in it"],
  "export.part.ts": [
    "MPEG-TS mit KLV-Metadaten; beginnt etwas vor dem Zeitraum",
    "MPEG-TS with KLV metadata; begins a little before the stretch",
  ],
  "export.part.report": ["Bericht (PDF und HTML)", "Report (PDF and HTML)"],
  "export.part.csv": ["Flugdaten als Tabelle (CSV)", "Flight data as a table (CSV)"],
  "export.part.gpx": ["Flugweg als GPX", "Track as GPX"],
  "export.part.kml": ["Flugweg als KML", "Track as KML"],
  "export.part.geojson": ["Flugweg als GeoJSON", "Track as GeoJSON"],
  "export.part.tlog": ["Telemetrie im Original (tlog)", "Telemetry as it came (tlog)"],
  "export.short.clip": ["Film", "film"],
  "export.short.burned": ["Film mit Flugdaten", "film with flight data"],
  "export.short.ts": ["MPEG-TS", "MPEG-TS"],
  "export.short.report": ["Bericht", "report"],
  "export.short.csv": ["CSV", "CSV"],
  "export.short.gpx": ["GPX", "GPX"],
  "export.short.kml": ["KML", "KML"],
  "export.short.geojson": ["GeoJSON", "GeoJSON"],
  "export.short.tlog": ["tlog", "tlog"],
  "export.regions": ["Bereiche unkenntlich machen", "Make parts of the picture unrecognisable"],
  "export.regions_how": [
    "Rechtecke ins Bild ziehen. Was darin liegt, ist im ganzen Film dieser Kamera und auf ihren Bildern im Bericht unkenntlich. Die Rechtecke bleiben an ihrer Stelle im Bild, auch wenn sich die Kamera oder eine Person bewegt.",
    "Drag rectangles over the picture. What lies in them is unrecognisable in all of this camera's film, and in its pictures in the report. They stay where they are in the picture, even when the camera or a person moves.",
  ],
  "export.regions_ts": [
    "Eine Kamera mit solchen Bereichen kommt nicht in den MPEG-TS.",
    "A camera with such parts does not go into the MPEG-TS.",
  ],
  "export.regions_camera": ["Kamera", "Camera"],
  "export.regions_picture": ["Bild der Kamera {name}", "Picture of camera {name}"],
  "export.region_remove": ["Bereich {number} entfernen", "Remove part {number}"],
  "export.no_still": [
    "Das Bild dieses Zeitpunkts ist nicht zu haben. Eine andere Stelle im Flug zeigen.",
    "The picture of this moment is not to be had. Show another moment of the flight.",
  ],
  "export.logbook": ["Angaben fürs Flugbuch", "For the flight log"],
  "export.logbook.number": ["Flugnummer", "Number of the flight"],
  "export.logbook.pilot": ["Drohnensteuerer", "Pilot"],
  "export.logbook.place": ["Ort", "Place"],
  "export.logbook.remarks": ["Bemerkungen", "Remarks"],
  "export.no_part": ["Mindestens einen Inhalt auswählen.", "Choose at least one of the contents."],
  "export.no_feed": ["Mindestens eine Kamera auswählen.", "Choose at least one camera."],

  // why not
  "export.reason.disk_full": [
    "Der Speicher des Servers ist zu voll.",
    "There is too little room on the server's disk.",
  ],
  "export.reason.disk_failed": [
    "Der Server kann seinen Speicher nicht lesen oder beschreiben.",
    "The server cannot read or write its disk.",
  ],
  "export.reason.encoder_failed": [
    "Die Bilder lassen sich nicht neu kodieren.",
    "The pictures cannot be encoded anew.",
  ],
  "export.reason.recording_damaged": ["Die Aufzeichnung ist beschädigt.", "The recording is damaged."],
  "export.reason.not_found": ["Den Flug gibt es nicht mehr.", "The flight is no longer there."],
  "export.reason.nothing_recorded": [
    "In diesem Zeitraum wurde davon nichts aufgezeichnet.",
    "Nothing of it was recorded in that stretch.",
  ],
  "export.reason.regions": [
    "Diese Kamera hat unkenntlich gemachte Bereiche.",
    "This camera has parts that are made unrecognisable.",
  ],
  "export.reason.worker_died": [
    "Der Vorgang ist abgebrochen. Bitte noch einmal bestellen.",
    "It broke off. Please order it again.",
  ],
  "export.reason.interrupted": [
    "Der Server wurde mehrmals dabei beendet. Bitte noch einmal bestellen.",
    "The server ended several times while it was made. Please order it again.",
  ],
  "export.reason.export_failed": [
    "Die Ursache steht im Protokoll des Servers.",
    "The server's log says why.",
  ],
} as const satisfies Record<string, Entry>;
