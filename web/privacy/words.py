"""The notice on privacy that is made from the settings, where the city has no text of its own."""

from __future__ import annotations

from typing import Literal, TypeAlias

Language: TypeAlias = Literal["de", "en"]

TITLES: dict[Language, str] = {"de": "Datenschutz", "en": "Privacy"}

MISSING: dict[Language, str] = {
    "de": "(noch nicht eingetragen)",
    "en": "(not entered yet)",
}

KINDS: dict[Language, dict[str, str]] = {
    "de": {
        "pictures": "Bilder",
        "thermal": "Bilder der Wärmebildkameras",
        "telemetry": "Telemetrie",
        "": "nichts",
        "and": " und ",
    },
    "en": {
        "pictures": "pictures",
        "thermal": "pictures of thermal cameras",
        "telemetry": "telemetry",
        "": "nothing",
        "and": " and ",
    },
}

OIDC: dict[Language, str] = {
    "de": "- Beim Anmelden über {issuer}: der Betreiber dieser Anmeldung.\n",
    "en": "- Where people log in by {issuer}: whoever runs that login.\n",
}
TAK: dict[Language, str] = {
    "de": "- Lagesysteme, an die Position und Blickrichtung der Drohnen weitergegeben werden (TAK).\n",
    "en": "- Situation systems that are told where drones are and look (TAK).\n",
}
STREAMS: dict[Language, str] = {
    "de": "- Stellen, an die Bild oder Telemetrie einzelner Drohnen weitergegeben wird.\n",
    "en": "- Places that pictures or telemetry of single drones are passed on to.\n",
}
MAP: dict[Language, str] = {
    "de": "- Der Betreiber des Kartenhintergrunds ({host}): Ihr Gerät lädt die Karte dort selbst, mit seiner "
    "Internetadresse.\n",
    "en": "- Whoever runs the map's background ({host}): your device fetches the map there itself, with its "
    "address.\n",
}

RECORDED: dict[Language, str] = {
    "de": """Aufgezeichnet werden, solange für einen Einsatz nichts anderes bestimmt ist:

- im Einsatz: {einsatz}
- in der Übung: {uebung}
- ohne Einsatz: {no_incident}

Für jeden Einsatz lässt sich das einschränken oder ganz ausschalten. Was gerade aufgezeichnet wird, steht
für alle
sichtbar über dem Bild („REC Bild+Telemetrie“, „REC nur Telemetrie“, „keine Aufzeichnung“).""",
    "en": """Unless something else is said for an incident, this is recorded:

- in an incident: {einsatz}
- in an exercise: {uebung}
- without an incident: {no_incident}

For each incident this can be narrowed or switched off. What is being recorded stands above the picture for
everybody
("REC picture+telemetry", "REC telemetry only", "not recording").""",
}
UNRECORDED: dict[Language, str] = {
    "de": "Es wird nichts aufgezeichnet: Bilder und Telemetrie werden nur übertragen und gezeigt.",
    "en": "Nothing is recorded: pictures and telemetry are only transmitted and shown.",
}
KEPT: dict[Language, str] = {
    "de": """- Aufzeichnungen von Einsätzen und von Flügen ohne Einsatz: {einsatz_days} Tage nach dem Flug.
- Aufzeichnungen von Übungen: {uebung_days} Tage nach dem Flug.
- Exporte: {export_days} Tage, längstens so lange wie der Flug.
- Länger nur, wenn jemand einen Flug mit Namen und Grund festhält, etwa als Beweismittel.
- Dass etwas gelöscht wurde, wann, von wem und nach welcher Regel, bleibt vermerkt.
""",
    "en": """- Recordings of incidents, and of flights without one: {einsatz_days} days after the flight.
- Recordings of exercises: {uebung_days} days after the flight.
- Exports: {export_days} days, and never longer than the flight.
- Longer only where somebody holds a flight, with name and reason, such as evidence.
- That something was deleted, when, by whom and by which rule, stays noted.
""",
}

NOTICE: dict[Language, str] = {
    "de": """Hinweise nach Art. 13 und 14 DSGVO zur Übertragung von Drohnenbildern mit Lagebild.

## Wer verantwortlich ist

{controller}

Datenschutzbeauftragte Stelle: {officer}

## Wozu

Bilder und Positionen von Drohnen werden zur Gefahrenabwehr übertragen: damit die Einsatzleitung sieht, was
geschieht, Menschen findet und Einsatzkräfte schützt. Bei Übungen dienen sie der Ausbildung.
Rechtsgrundlage ist Art. 6 Abs. 1 Buchst. e DSGVO mit dem Brand- und Katastrophenschutzrecht des Landes;
für die Anmeldung und das Protokoll der Zugriffe außerdem die Pflicht zur Sicherheit der Verarbeitung (Art.
32 DSGVO).

## Welche Daten

- Bilder der Drohnenkameras, auch Wärmebilder. Auf ihnen können Menschen, Wohnungen und Fahrzeuge zu sehen
  sein.
- Position, Höhe, Blickrichtung und Zustand der Drohnen, gesetzte Markierungen und Notizen mit dem Namen
  dessen, der sie gesetzt hat.
- **Nie Ton**: Er wird schon beim Eingang verworfen (§ 201 StGB).
- Wer sich anmeldet: Name, Anmeldename, Rollen, angemeldete Geräte. Wer über einen Einsatz-Link kommt: der
  Name, den er angibt. Alle, die zusehen, sehen die Namen der anderen.
- Wer was wann angesehen, exportiert, geändert oder gelöscht hat, mit der Adresse seines Geräts (Protokoll).
- Wie gut das Bild bei den Zuschauenden ankam, ohne Namen.

## Was aufgezeichnet wird

{recorded}

## Wie lange

{kept}- Namen, die über Einsatz-Links angegeben wurden: nach dem Einsatz so lange wie seine Aufzeichnungen.
- Das Protokoll, wer was sah, änderte oder löschte: {audit_days} Tage.
- Anmeldungen von Geräten: {session_days} Tage. Einsatz-Links gelten {link_hours} Stunden, wenn nichts
  anderes eingestellt wird.

## Wer die Daten erhält

- Einsatzleitung, Drohnenführung und Leitstelle, jede im Umfang ihrer Rolle; wer einen Einsatz-Link hat,
  sieht nur diesen Einsatz.
- Stellen, denen Aufzeichnungen auf rechtlicher Grundlage übergeben werden, etwa Polizei oder
  Staatsanwaltschaft.
{recipients}
Eine Übermittlung in Drittländer ist nicht vorgesehen. Es gibt keine automatisierten Entscheidungen und
kein Profiling; niemand wird im Bild automatisch erkannt.

## Ihre Rechte

Sie können Auskunft, Berichtigung, Löschung und Einschränkung der Verarbeitung verlangen und der
Verarbeitung aus Gründen Ihrer besonderen Situation widersprechen (Art. 15 bis 18 und 21 DSGVO). Wenden Sie
sich an die oben genannte Stelle; Ort und Uhrzeit helfen, die Aufnahme zu finden. Beschweren können Sie
sich bei: {authority}
""",
    "en": """Information under Art. 13 and 14 GDPR on the transmission of drone pictures with Lagebild.

## Who is responsible

{controller}

Data protection officer: {officer}

## What for

Pictures and positions of drones are transmitted to avert danger: so that incident command sees what
happens, finds people and protects crews. In exercises they serve training. The legal basis is Art. 6 (1)
(e) GDPR with the state's law on fire and civil protection; for logins and the log of accesses also the
duty to process safely (Art. 32 GDPR).

## Which data

- Pictures of the drones' cameras, thermal ones, too. People, homes and vehicles may be seen in them.
- Position, height, heading and state of the drones, marks and notes with the name of whoever set them.
- **Never sound**: it is discarded as it comes in (section 201 of the German Criminal Code).
- Of whoever logs in: name, login name, roles, devices. Of whoever comes by an incident link: the name that
  is given. Everybody who watches sees the names of the others.
- Who watched, exported, changed or deleted what and when, with the address of the device (the log).
- How well pictures arrived with those who watch, without names.

## What is recorded

{recorded}

## How long

{kept}- Names given with incident links: after the incident for as long as its recordings.
- The log of who saw, changed or deleted what: {audit_days} days.
- Logins of devices: {session_days} days. Incident links are valid for {link_hours} hours, unless set
  otherwise.

## Who receives the data

- Incident command, drone crews and dispatchers, each as far as their role goes; whoever has an incident
  link sees that incident alone.
- Those whom recordings are handed to on a legal basis, such as police or prosecution.
{recipients}
Nothing is meant to be transferred to third countries. No decisions are automated, there is no profiling,
and nobody is recognised in pictures automatically.

## Your rights

You may ask for access, rectification, erasure and restriction of processing, and object on grounds of your
particular situation (Art. 15 to 18 and 21 GDPR). Turn to the office named above; place and time help to
find the recording. You may complain to: {authority}
""",
}
