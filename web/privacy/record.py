"""The record of processing activities (Art. 30 GDPR) as Markdown: what the configuration really does.

No secret of the settings is in it, and nobody's data. What only the city can say stands as an open point.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from flow.clock import NS_PER_S
from ingest.settings import PUSHED
from web.settings import AircraftSettings, FeedSettings, RecordingSettings, Settings

from .addresses import cell, shown
from .measures import measures, recipients
from .notice import kinds_said, tile_host

OPEN = "**offen**"


def record(settings: Settings, now_ns: int) -> str:
    """The whole, as of now."""
    parts = (
        ("1. Verantwortlicher (Art. 30 Abs. 1 Buchst. a)", _responsible),
        ("2. Zwecke der Verarbeitung (Buchst. b)", _purposes),
        ("3. Betroffene und Daten (Buchst. c)", _data),
        ("4. Kameras und Fluggeräte", _aircraft),
        ("5. Empfänger (Buchst. d)", recipients),
        ("6. Drittländer (Buchst. e)", _countries),
        ("7. Löschfristen (Buchst. f)", _periods),
        ("8. Technische und organisatorische Maßnahmen (Buchst. g)", measures),
        ("9. Was hier niemand wissen kann", _open_points),
    )
    day = f"{datetime.fromtimestamp(now_ns // NS_PER_S, UTC):%d.%m.%Y}"
    lines = [
        "# Verzeichnis von Verarbeitungstätigkeiten: Drohnenbilder im Einsatz (Lagebild)",
        "",
        f"Nach Art. 30 Abs. 1 DSGVO, erzeugt am {day} aus der Konfiguration von Lagebild "
        f"{version('lagebild')}. "
        "Es sagt, wie dieses System jetzt eingestellt ist; nach jeder Änderung ist es neu zu erzeugen "
        "(`lagebild privacy-record`).",
    ]
    for title, part in parts:
        lines += ["", f"## {title}", "", *part(settings)]
    return "\n".join(lines) + "\n"


def _said(text: str, key: str) -> str:
    return cell(text) or f"{OPEN} (`{key}`)"


def _responsible(settings: Settings) -> Iterator[str]:
    privacy = settings.privacy
    yield f"- Verantwortlicher: {_said(privacy.controller, 'privacy.controller')}"
    yield f"- Datenschutzbeauftragte Stelle: {_said(privacy.officer, 'privacy.officer')}"
    yield f"- Aufsichtsbehörde: {_said(privacy.authority, 'privacy.authority')}"
    notice = "eigener Text der Stadt" if privacy.notice else "aus der Konfiguration erzeugt"
    yield f"- Hinweise nach Art. 13 DSGVO: unter `/privacy`, ohne Anmeldung zu lesen ({notice})"
    if settings.server.title:
        yield f"- Name des Systems auf den Seiten: {cell(settings.server.title)}"


def _purposes(settings: Settings) -> Iterator[str]:
    yield "- Gefahrenabwehr: Livebild und Lage für Einsatzleitung, Drohnenführung und Leitstelle"
    if settings.recording.enabled:
        yield "- Dokumentation und Nachbereitung von Einsätzen, Beweissicherung; Ausbildung und Übung"
    yield "- Sicherheit der Verarbeitung: Anmeldung, Protokoll der Zugriffe (Art. 32 DSGVO)"


def _data(settings: Settings) -> Iterator[str]:
    recording = settings.recording
    yield "| Betroffene | Daten | gespeichert |"
    yield "|---|---|---|"
    kept = "ja, siehe 7" if recording.enabled else "nein, nur übertragen"
    yield f"| Menschen vor der Kamera, Bewohner, Fahrzeughalter | Bilder, Wärmebilder; **nie Ton** | {kept} |"
    yield f"| Drohnenführung | Flugweg, Zustand der Drohne, Zeiten | {kept} |"
    yield f"| Einsatzkräfte | Markierungen und Notizen mit dem Namen dessen, der sie setzt | {kept} |"
    yield (
        "| Personen mit Konto | Name, Anmeldename, Rollen, Geräte (Adresse, Browser), Zugriffe | ja, "
        "siehe 7 |"
    )
    yield "| Gäste mit Einsatz-Link | der Name, den sie angeben; Zugriffe (ohne Namen) | ja, siehe 7 |"
    yield "| Zuschauende | Güte der Übertragung je Sitzung, ohne Namen | " + kept + " |"
    yield ""
    if not recording.enabled:
        yield "Die Aufzeichnung ist ausgeschaltet (`recording.enabled = false`)."
        return
    yield "Aufgezeichnet wird, wenn der einzelne Einsatz nichts anderes bestimmt:"
    yield ""
    yield from _recorded(recording)
    yield ""
    yield (
        "Bestimmt ein Einsatz etwas anderes (alle Bilder, nur Wärmebilder, nur Telemetrie, nichts), gilt "
        "das sofort; wer "
        "es bestimmt hat und ab wann, steht beim Flug. Was gerade aufgezeichnet wird, sehen alle über "
        "dem Bild."
    )
    if settings.health.enabled:
        yield ""
        yield (
            "Ein Bild je Sekunde und Kamera wird im Arbeitsspeicher geprüft (schwarz, eingefroren, verdeckt)."
        )


def _recorded(recording: RecordingSettings) -> Iterator[str]:
    for name, kinds in (
        ("im Einsatz", recording.einsatz),
        ("in der Übung", recording.uebung),
        ("ohne Einsatz", recording.no_incident),
    ):
        yield f"- {name}: {kinds_said(kinds, 'de')}"


def _aircraft(settings: Settings) -> Iterator[str]:
    if not settings.aircraft:
        yield "Keine eingerichtet."
        return
    yield "| Fluggerät | Kamera | Art | Bild kommt von |"
    yield "|---|---|---|---|"
    for aircraft in settings.aircraft:
        yield f"| {_named(aircraft)} | Telemetrie | | {_telemetry(aircraft)} |"
        for feed in aircraft.feed:
            kind = "Wärmebild" if feed.thermal else "Tageslicht oder nicht angegeben"
            yield f"| {_named(aircraft)} | {_named(feed)} | {kind} | {_source(feed)} |"


def _named(one: AircraftSettings | FeedSettings) -> str:
    return f"{cell(one.name)} ({one.id})" if one.name else one.id


def _telemetry(aircraft: AircraftSettings) -> str:
    return cell(shown(aircraft.telemetry_url)) if aircraft.telemetry_url else "keine"


def _source(feed: FeedSettings) -> str:
    return (
        f"{feed.source} (wird gesendet, mit Schlüssel)" if feed.source in PUSHED else cell(shown(feed.source))
    )


def _countries(settings: Settings) -> Iterator[str]:
    yield "Lagebild übermittelt nichts in Drittländer und fragt keine Dienste des Herstellers."
    outside = [settings.oidc.issuer, *settings.cot.to, tile_host(settings)]
    if any(outside):
        yield ""
        yield f"{OPEN}: wo die unter 5 genannten Dienste stehen, ist zu prüfen."


def _periods(settings: Settings) -> Iterator[str]:
    recording, access = settings.recording, settings.access
    if recording.enabled:
        yield (
            f"- Aufzeichnungen von Einsätzen und Flügen ohne Einsatz: {recording.einsatz_days:g} Tage "
            "nach dem Flug"
        )
        yield f"- Aufzeichnungen von Übungen: {recording.uebung_days:g} Tage nach dem Flug"
        yield f"- Exporte auf dem Server: {recording.export_days:g} Tage, längstens so lange wie der Flug"
        yield (
            "- länger nur, wenn ein Flug mit Namen und Grund festgehalten wird; früher, wenn der "
            "Speicher knapp wird"
        )
        yield "- Vermerk über jede Löschung (Flug, Zeit, Regel, Person): unbefristet, ohne Bilder"
        yield (
            "- Namen der Gäste und Einsatz-Links: wie die Aufzeichnungen des Einsatzes, gerechnet von "
            "seinem Abschluss "
            "oder, wo ihn niemand abschließt, vom Ablauf des letzten Links"
        )
    yield f"- Einsatz-Links lassen {access.link_hours:g} h ein, wenn nichts anderes bestimmt wird"
    yield f"- Protokoll (wer sah, änderte, löschte was): {settings.privacy.audit_days:g} Tage, monatsweise"
    yield f"- Anmeldungen von Geräten: {access.session_days:g} Tage"
    yield "- Konten: bis die Administration sie löscht"
    yield f"- Daten liegen in: {cell(settings.server.data_dir)}"
    yield (
        f"- Betriebsprotokoll: ohne Namen und Geheimnisse, Stufe {cell(settings.server.log_level)}; seine "
        "Frist " + ("bestimmt das Betriebssystem")
    )


def _open_points(settings: Settings) -> Iterator[str]:
    yield "- Rechtsgrundlage im Landesrecht, Ergebnis der Datenschutz-Folgenabschätzung (Art. 35 DSGVO)"
    yield "- wer welches Konto hat (Seite `/admin`, `lagebild account list`), Verpflichtung der Personen"
    yield "- Verträge mit Betreibern von Server, Proxy und Anmeldung (Art. 28 DSGVO), Sicherungskopien"
