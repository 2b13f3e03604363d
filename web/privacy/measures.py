"""Of the record of processing: who receives data, and how they are kept safe."""

from __future__ import annotations

from collections.abc import Iterator

from flow.flights import Unsecured
from ingest.settings import PUSHED
from web.access.permissions import Permission as P
from web.access.permissions import Role
from web.access.policy import EVERYBODY, GRANTS, GUEST, TOKEN_GRANTS
from web.settings import Settings
from web.unsecured import how_unsecured, is_loopback

from .addresses import cell, shown
from .notice import tile_host

ROLES = {
    Role.VIEWER: "Einsatzleitung (viewer)",
    Role.PILOT: "Drohnenführung (pilot)",
    Role.DISPATCHER: "Leitstelle (dispatcher)",
    Role.ADMINISTRATOR: "Administration (administrator)",
}

ALLOWED = {
    P.PUBLIC: "Anmeldung und Datenschutzhinweise",
    P.PAGE: "Seiten",
    P.SELF: "eigenes Konto",
    P.WATCH: "Livebild, Telemetrie und Lage ansehen",
    P.MARK: "Markierungen und Notizen setzen",
    P.REWIND: "im laufenden Flug zurückgehen",
    P.REVIEW: "Aufzeichnungen ansehen",
    P.EXPORT: "Aufzeichnungen exportieren",
    P.KEEP: "Einsätze führen, Flüge festhalten, Aufzeichnung schalten",
    P.DELETE: "Aufzeichnungen löschen",
    P.SHARE: "Einsatz-Links ausgeben und zurücknehmen",
    P.CONNECT: "Kameras anschließen, Schlüssel ausgeben",
    P.OPERATE: "Betriebszustand und Messwerte",
    P.TRAIN: "Übungen abspielen",
    P.PUBLISH: "mit Schlüssel Bilder senden",
    P.ADMINISTER: "Konten und Zugangsschlüssel verwalten, dieses Verzeichnis",
    P.AUDIT: "Protokoll der Zugriffe lesen",
}
"""Every permission, in the words of this record."""


def recipients(settings: Settings) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| Wer | darf |"
    yield "|---|---|"
    for role, grants in GRANTS.items():
        yield f"| {ROLES[role]} | {_allowed(grants - EVERYBODY)} |"
    yield f"| Gäste mit Einsatz-Link | nur dieser Einsatz: {_allowed(GUEST - EVERYBODY)} |"
    yield f"| Programme mit Token | was bei der Ausgabe bestimmt wird, höchstens: {_allowed(TOKEN_GRANTS)} |"
    yield ""
    yield from _beyond(settings) or ("Außerhalb der eigenen Stelle niemand durch Voreinstellung.",)


def _allowed(grants: frozenset[P]) -> str:
    return ", ".join(ALLOWED[each] for each in P if each in grants - {P.PAGE, P.SELF})


def _beyond(settings: Settings) -> list[str]:
    """Whom the settings tell us to send something to."""
    told = [
        "- Stellen, denen Exporte auf rechtlicher Grundlage übergeben werden (Polizei, Staatsanwaltschaft)"
    ]
    if settings.oidc.issuer:
        told.append(f"- Anmeldedienst (OpenID Connect): {cell(shown(settings.oidc.issuer))}")
    told += [
        f"- Lagesystem (TAK, Cursor on Target), Position und Blickrichtung: {cell(shown(to))}"
        for to in settings.cot.to
    ]
    for aircraft in settings.aircraft:
        told += [
            f"- Bodenstation, Telemetrie von {aircraft.id}: {cell(shown(to))}" for to in aircraft.forward
        ]
        told += [
            f"- Bild mit Telemetrie (MPEG-TS) von {feed.id}: {cell(shown(feed.ts_out))}"
            for feed in aircraft.feed
            if feed.ts_out
        ]
    if host := tile_host(settings):
        told.append(f"- Kartendienst, vom Gerät der Zuschauenden selbst gefragt: {cell(host)}")
    return told


def measures(settings: Settings) -> Iterator[str]:
    """Lines of Markdown."""
    yield f"- **Erreichbarkeit:** {_reached(settings)}"
    yield f"- **Verschlüsselung der Seiten:** {_encrypted(settings)}"
    yield "- **Verschlüsselung des Livebilds:** immer (DTLS-SRTP); Verbindungen mit Port " + _picture_way(
        settings
    )
    yield f"- **Zugang:** {_access(settings)}"
    yield "- **Rechte:** eine einzige Tabelle, Verweigerung als Regelfall; Gäste sehen nur ihren Einsatz"
    yield (
        f"- **Einsatz-Links:** gelten {settings.access.link_hours:g} h (wenn nicht anders bestimmt), sind "
        "jederzeit "
        "zurückzunehmen; laufende Bilder enden dann sofort; wer zusieht, ist für alle sichtbar"
    )
    yield f"- **Eingänge:** {_inputs(settings)}"
    yield (
        "- **Protokoll der Zugriffe:** wer was wann gesehen, exportiert, geändert, gelöscht hat; nur "
        "anfügend, jede "
        "Zeile durch Prüfsummen an die vorige gebunden; ohne Geheimnisse; Namen von Gästen stehen nicht darin"
    )
    yield "- **Ton:** wird beim Eingang verworfen, nie aufgezeichnet (§ 201 StGB)"
    yield "- **Integrität von Exporten:** SHA-256 und Signatur (Ed25519), prüfbar mit `lagebild verify`"
    yield (
        f"- **Verfügbarkeit:** Warnung {settings.recording.warn_hours:g} h bevor der Speicher voll ist, "
        f"{settings.recording.reserve_mb} MB bleiben frei; höchstens {settings.viewers.per_feed} "
        "Zuschauende je Kamera "
        f"und {settings.viewers.per_address} je Adresse"
    )
    yield (
        "- **Verschlüsselung der Datenträger:** nicht durch Lagebild; durch das Betriebssystem "
        "sicherzustellen"
    )


def _reached(settings: Settings) -> str:
    server = settings.server
    if is_loopback(server.host):
        reached = f"nur von diesem Rechner ({cell(server.host)})"
    else:
        reached = f"aus dem Netz ({cell(server.host)}, Port {server.port})"
    if server.names:
        reached += f", unter den Namen {cell(', '.join(server.names))}"
    if server.proxies:
        reached += f"; über Proxys: {cell(', '.join(server.proxies))}"
    return reached


def _encrypted(settings: Settings) -> str:
    if settings.tls.certificate:
        return "TLS mit eigenem Zertifikat"
    if settings.server.proxies:
        return "TLS am Proxy"
    if is_loopback(settings.server.host):
        return "keine, weil nur dieser Rechner zugreift"
    return "TLS mit einem Zertifikat, das Lagebild selbst gemacht hat (Fingerabdruck wird angezeigt)"


def _picture_way(settings: Settings) -> str:
    webrtc = settings.webrtc
    way = f"{webrtc.port} (UDP{' und TCP' if webrtc.tcp else ''})"
    return way + (f", von außen unter {cell(webrtc.public_host)}" if webrtc.public_host else "")


def _access(settings: Settings) -> str:
    access, oidc = settings.access, settings.oidc
    ways = "Konten mit Passwort (argon2id, keine voreingestellten Passwörter, Bremse gegen Raten)"
    if oidc.issuer:
        roles = ", ".join(
            f"{name}: {cell(' / '.join(claims))}"
            for name, claims in (
                ("Einsatzleitung", oidc.viewer),
                ("Drohnenführung", oidc.pilot),
                ("Leitstelle", oidc.dispatcher),
                ("Administration", oidc.administrator),
            )
            if claims
        )
        ways += (
            f"; OpenID Connect ({cell(oidc.name or oidc.issuer)}, gefragt wird nach "
            f"{cell(', '.join(oidc.scopes))}; "
            f"Rollen aus „{cell(oidc.roles_claim)}“: {roles or 'keine zugeordnet'})"
        )
    ways += f"; ein Gerät bleibt {access.session_days:g} Tage angemeldet (signierte HttpOnly-Cookies)"
    trusts = access.this_machine and is_loopback(settings.server.host) and not settings.server.proxies
    here = "ohne Anmeldung und mit allen Rechten" if trusts else "nur mit Anmeldung"
    return f"{ways}; von diesem Rechner aus {here}"


def _inputs(settings: Settings) -> str:
    feeds = [feed for aircraft in settings.aircraft for feed in aircraft.feed]
    pushed = [feed.id for feed in feeds if feed.source in PUSHED]
    told = []
    if pushed:
        told.append(f"mit Schlüssel je Kamera (nur als Prüfsumme gespeichert): {', '.join(pushed)}")
    if settings.publish.srt_passphrase:
        told.append("SRT verschlüsselt")
    signed = [each.id for each in settings.aircraft if each.signing_key]
    if signed:
        told.append(f"Telemetrie nur mit Signatur (MAVLink 2): {', '.join(signed)}")
    told += _unsecured(settings)
    return "; ".join(told) or "keine, die auf andere warten"


def _unsecured(settings: Settings) -> list[str]:
    """Who can feed in something without a key, in plain words: that belongs into an honest record."""
    addresses = [
        (f"Telemetrie {each.id}", each.mavlink, each.allow_from)
        for each in settings.aircraft
        if not each.signing_key
    ]
    addresses += [
        (f"Bild {feed.id}", feed.source, feed.allow_from) for each in settings.aircraft for feed in each.feed
    ]
    words = {Unsecured.LOCAL: "nur Programme auf diesem Rechner", Unsecured.NAMED: "nur die Absender"}
    return [
        f"ohne Schlüssel: {what} ({words[how]}{cell(' ' + ', '.join(senders)) if senders else ''})"
        for what, address, senders in addresses
        if (how := how_unsecured(address))
    ]
