"""Words of reports. German first, English second; sentences of alarms are those of the dashboard."""

from __future__ import annotations

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("Flugbericht", "Flight report"),
    "exercise": ("ÜBUNG", "EXERCISE"),
    "unknown": ("unbekannt", "unknown"),
    "unfilled": ("– (nicht angegeben)", "– (not given)"),
    "incident": ("Einsatz", "Incident"),
    "incident_uebung": ("Übung", "Exercise"),
    "no_incident": ("keinem Einsatz zugeordnet", "assigned to no incident"),
    "aircraft": ("Luftfahrzeug", "Aircraft"),
    "flight": ("Aufzeichnung", "Recording"),
    "stretch": ("Zeitraum dieses Berichts", "Period of this report"),
    "to": ("bis", "to"),
    "ordered_by": ("Ausgegeben durch", "Exported by"),
    "made": ("Ausgegeben am", "Exported on"),
    "logbook": ("Flugbuch", "Flight log"),
    "number": ("Nummer", "Number"),
    "pilot": ("Drohnensteuerer", "Remote pilot"),
    "date": ("Datum (UTC)", "Date (UTC)"),
    "place": ("Ort", "Place"),
    "takeoff": ("Start", "Take-off"),
    "landing": ("Landung", "Landing"),
    "duration": ("Flugdauer", "Flight time"),
    "takeoff_place": ("Startplatz", "Take-off site"),
    "landing_place": ("Landeplatz", "Landing site"),
    "remarks": ("Bemerkungen", "Remarks"),
    "by_landed": (
        "Start und Landung: nach dem Flugzustand, den das Luftfahrzeug gemeldet hat.",
        "Take-off and landing: by the flight state that the aircraft reported.",
    ),
    "by_armed": (
        "Start und Landung: Das Luftfahrzeug hat nicht gemeldet, ob es in der Luft ist. Angegeben ist, "
        "wann die Motoren freigegeben und gesperrt wurden.",
        "Take-off and landing: the aircraft did not report whether it was in the air. Given is when "
        "its motors were armed and disarmed.",
    ),
    "by_nothing": (
        "Start und Landung sind unbekannt: Es liegt keine Telemetrie darüber vor. Die Aufzeichnung "
        "reicht von {from_} bis {to}.",
        "Take-off and landing are unknown: there is no telemetry of them. The recording lasts from "
        "{from_} to {to}.",
    ),
    "figures": ("Messwerte im Zeitraum", "Figures of the period"),
    "height": ("Größte Höhe über Start", "Greatest height above take-off"),
    "height_sea": ("Größte Höhe ü. NHN", "Greatest height above sea level"),
    "speed": ("Größte Geschwindigkeit über Grund", "Greatest ground speed"),
    "distance": ("Größte Entfernung vom Startplatz", "Greatest distance from the take-off site"),
    "battery": ("Akku zu Beginn / am Ende", "Battery at the beginning / at the end"),
    "positions": ("Positionsmeldungen", "Positions reported"),
    "map": ("Flugweg", "Track"),
    "map_caption": (
        "UTM-Gitter, {square}, Linienabstand {step}; Ziffern wie in der UTMREF-Angabe, Norden oben "
        "(Gitternord). S Start, L Landung, M Markierung, B Bild. Wo der Flugweg unterbrochen ist, fehlen "
        "Positionen von mehr als 10 s.",
        "UTM grid, {square}, lines {step} apart; digits as in UTMREF, grid north up. S take-off, "
        "L landing, M marker, B picture. Where the track is interrupted, positions of more than 10 s "
        "are missing.",
    ),
    "no_map": ("Keine Position bekannt.", "No position is known."),
    "cameras": ("Kameras", "Cameras"),
    "camera": ("Kamera", "Camera"),
    "pictures": ("Bilder von – bis (UTC)", "Pictures from – to (UTC)"),
    "gaps": ("Lücken über 2 s (UTC)", "Gaps above 2 s (UTC)"),
    "no_pictures": ("keine Bilder", "no pictures"),
    "no_gaps": ("keine", "none"),
    "unreadable": ("nicht lesbar", "cannot be read"),
    "made_unrecognisable": (
        "Teile des Bildes wurden auf Anordnung unkenntlich gemacht.",
        "Parts of the picture were made unrecognisable as ordered.",
    ),
    "repaired": (
        "Der Server endete während der Aufzeichnung. Sie wurde am {at} in Ordnung gebracht; dabei wurden "
        "{bytes} Byte abgeschnitten, die nur halb geschrieben waren.",
        "The server ended while it recorded. The recording was put in order on {at}; {bytes} bytes that were "
        "half written were cut off.",
    ),
    "goes_on": (
        "Die Aufzeichnung ging weiter, als dieser Bericht gemacht wurde.",
        "The recording went on when this report was made.",
    ),
    "stills": ("Bilder", "Pictures"),
    "aircraft_at": ("Luftfahrzeug", "Aircraft"),
    "over_start": ("m über Start", "m above take-off"),
    "position_unknown": ("Position unbekannt", "position unknown"),
    "events": ("Ereignisse", "Events"),
    "no_events": ("Keine im Zeitraum.", "None in the period."),
    "utc": ("UTC", "UTC"),
    "local": ("Ortszeit", "Local time"),
    "what": ("Was", "What"),
    "more": ("… und {count} weitere", "… and {count} more"),
    "notes": ("Notizen", "Notes"),
    "no_notes": ("Keine im Zeitraum.", "None in the period."),
    "noted_by": ("notiert von {by}", "noted by {by}"),
    "armed": ("Motoren freigegeben", "Motors armed"),
    "disarmed": ("Motoren gesperrt", "Motors disarmed"),
    "recording_on": ("Aufzeichnung eingeschaltet von {by}", "Recording switched on by {by}"),
    "recording_off": ("Aufzeichnung ausgeschaltet von {by}", "Recording switched off by {by}"),
    "flight_started": ("Beginn der Aufzeichnung", "Beginning of the recording"),
    "flight_ended": ("Ende der Aufzeichnung", "End of the recording"),
    "marker": ("Markierung {number} {label} bei {place}", "Marker {number} {label} at {place}"),
    "marker_removed": ("Markierung {number} {label} entfernt", "Marker {number} {label} removed"),
    "set_by": ("von {by}", "by {by}"),
    "alarm": ("Alarm: {what}", "Alarm: {what}"),
    "warning": ("Warnung: {what}", "Warning: {what}"),
    "over": ("Beendet: {what}", "Over: {what}"),
    "said": ("Meldung des Luftfahrzeugs: {text}", "The aircraft said: {text}"),
    "hints": ("Hinweise", "Notes on this report"),
    "hint_times": (
        "Zeiten sind die der Uhr des Servers (UTC); die Ortszeit ist die seiner Zeitzone. Wann ein Bild "
        "aufgenommen wurde, sagt die Uhr der Kamera, wo sie bekannt ist, sonst der Empfang.",
        "Times are by the server's clock (UTC); local time is that of its time zone. When a picture "
        "was taken is told by the camera's clock where that is known, else by its reception.",
    ),
    "hint_places": (
        "Positionen sind die vom Luftfahrzeug gemeldeten (WGS 84), UTMREF auf 10 m. Höhen über Start "
        "zählen vom Startplatz, Höhen ü. NHN sind die gemeldeten. Was unbekannt ist, steht als „–“ "
        "oder „unbekannt“ da; nichts wurde ergänzt.",
        "Positions are those that the aircraft reported (WGS 84), UTMREF to 10 m. Heights above "
        "take-off count from there, heights above sea level are as reported. What is unknown reads “–” "
        "or “unknown”; nothing was filled in.",
    ),
    "hint_logbook": (
        "Nummer, Drohnensteuerer, Ort und Bemerkungen hat eingegeben, wer den Export angefordert hat.",
        "Number, remote pilot, place and remarks were entered by whoever ordered the export.",
    ),
    "hint_proof": (
        "Dieser Bericht gehört zu einem unterschriebenen Export. Ob er unverändert ist, zeigt dessen Prüfung "
        "(pruefen-how-to-check.txt); ein Ausdruck allein beweist nichts.",
        "This report belongs to a signed export. Checking that one shows whether it is unchanged "
        "(pruefen-how-to-check.txt); a printout alone proves nothing.",
    ),
    "page": ("Seite {page} von {pages}", "Page {page} of {pages}"),
}

ALARMS: dict[str, tuple[str, str]] = {
    "battery_percent": ("Akku unter {limit} %", "Battery below {limit} %"),
    "battery_volts": ("Akku unter {limit} V", "Battery below {limit} V"),
    "battery_falling": ("Akkuspannung stark gefallen", "Battery voltage has dropped far"),
    "battery_low": ("Akku schwach", "Battery low"),
    "battery_critical": ("Akku fast leer", "Battery nearly empty"),
    "link_quality": ("Funkverbindung unter {limit} %", "Radio link below {limit} %"),
    "fence_breached": ("Außerhalb des Geofence", "Outside the geofence"),
    "no_fix": ("GPS-Position verloren", "GPS position lost"),
    "no_fix_to_arm": ("Kann nicht starten: kein GPS-Fix", "Cannot start: no GPS fix"),
    "few_satellites": ("Weniger als {limit} Satelliten", "Fewer than {limit} satellites"),
    "returning": ("Drohne kehrt zum Start zurück", "Returning to where it took off"),
    "telemetry_age": ("Keine Telemetrie mehr", "No more telemetry"),
    "crash": ("Absturz gemeldet", "Crash reported"),
    "parachute": ("Fallschirm ausgelöst", "Parachute released"),
    "termination": ("Flug wird abgebrochen", "Flight is being terminated"),
    "locate": ("Suchalarm: Drohne piept", "Locator alarm: the aircraft beeps"),
    "motor": ("Motor gestört", "Motor trouble"),
    "fence": ("Erlaubten Bereich verlassen", "Left the permitted area"),
    "radio_failsafe": ("Fernsteuerung verloren", "Remote control lost"),
    "gcs_failsafe": ("Bodenstation verloren", "Ground station lost"),
    "terrain_failsafe": ("Geländedaten fehlen", "Terrain data is missing"),
    "gps_glitch": ("GPS-Position unsicher", "GPS position unreliable"),
    "ekf": ("Lageschätzung unsicher", "Attitude estimate unreliable"),
    "compass": ("Kompass gestört", "Compass disturbed"),
    "vibration": ("Starke Vibrationen", "Strong vibration"),
    "failsafe": ("Failsafe: Drohne handelt selbstständig", "Failsafe: acting by itself"),
    "disk_low": (
        "Speicher für Aufnahmen wird knapp: noch {free} GB, reicht {hours} h",
        "Room for recordings runs low: {free} GB left, good for {hours} h",
    ),
    "disk_full": (
        "Speicher voll: Es wird nicht mehr aufgezeichnet",
        "Disk full: nothing is recorded any more",
    ),
    "disk_failed": (
        "Speicher gestört: Es wird nicht mehr aufgezeichnet",
        "Disk failure: nothing is recorded any more",
    ),
    "clock_ahead": (
        "Server war {days} Tage aus, oder seine Uhr geht vor: Datum prüfen. Aufnahmen mit abgelaufener "
        "Frist: {flights}. Gelöscht wird erst nach 24 h Betrieb",
        "The server was off for {days} days, or its clock is ahead: check the date. Recordings whose "
        "days are over: {flights}. They go only after 24 h of running",
    ),
    "recording_failed": ("Dieser Flug wird nicht aufgezeichnet", "This flight is not being recorded"),
    "recording_gap": ("Hier fehlen Bilder in der Aufnahme", "Pictures are missing from the recording here"),
}


def word(key: str, language: str, **values: object) -> str:
    return _WORDS[key][language == "en"].format(**values)


def alarm_sentence(code: str, language: str, values: dict[str, str]) -> str:
    """What the dashboard says; the code itself where it has no sentence."""
    if code not in ALARMS:
        return values.get("text") or code
    return ALARMS[code][language == "en"].format_map(_Known(values))


class _Known(dict[str, str]):
    """A value that was not told is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"
