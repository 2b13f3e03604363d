"""The notice on privacy (Art. 13 GDPR), as Markdown: the city's own text, or one made from the settings.

It is told as text, and the page makes elements of it: nothing of it is ever taken as HTML.
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

from flow.errors import ConfigError
from web.settings import Settings

from .addresses import plain
from .words import KEPT, KINDS, MAP, MISSING, NOTICE, OIDC, RECORDED, STREAMS, TAK, UNRECORDED, Language

log = logging.getLogger("lagebild.web")

LIMIT_BYTES = 256 * 1024


class OwnNotice:
    """A file of the city's. "NAME.en.md" beside "NAME.md" is the English one, if it is there."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError where it cannot be read."""
        self._path = path
        self._kept: dict[Path, tuple[tuple[int, int], str]] = {}
        self._read(path)

    def text(self, language: Language) -> tuple[str, Language]:
        """As it stands there now, and in which language; where it has become unreadable, as it was. Waits
        for the disk."""
        english = self._path.with_suffix(f".en{self._path.suffix}")
        if language == "en" and english.exists():
            return self._newest(english), "en"
        return self._newest(self._path), "de"

    def _newest(self, path: Path) -> str:
        try:
            return self._read(path)
        except ConfigError as error:
            log.error("%s; the notice stays as it was", error)
            known = self._kept.get(path) or self._kept[self._path]
            return known[1]

    def _read(self, path: Path) -> str:
        at = f"privacy.notice: {path}"
        try:
            status = path.stat()
            version = status.st_mtime_ns, status.st_size
            if path in self._kept and self._kept[path][0] == version:
                return self._kept[path][1]
            if status.st_size > LIMIT_BYTES:
                raise ConfigError(f"{at} has {status.st_size} bytes; {LIMIT_BYTES} are the limit")
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ConfigError(f"{at} is no text in UTF-8") from None
        except OSError as error:
            raise ConfigError(f"{at} cannot be read: {error.strerror}") from None
        self._kept[path] = version, text
        return text


def made(settings: Settings, language: Language) -> str:
    """The notice that the settings give."""
    privacy, recording, access = settings.privacy, settings.recording, settings.access
    missing = MISSING[language]
    days = {
        "einsatz_days": f"{recording.einsatz_days:g}",
        "uebung_days": f"{recording.uebung_days:g}",
        "export_days": f"{recording.export_days:g}",
    }
    return NOTICE[language].format(
        controller=plain(privacy.controller) or missing,
        officer=plain(privacy.officer) or missing,
        authority=plain(privacy.authority) or missing,
        recorded=_recorded(settings, language),
        kept=KEPT[language].format(**days) if recording.enabled else "",
        audit_days=f"{privacy.audit_days:g}",
        session_days=f"{access.session_days:g}",
        link_hours=f"{access.link_hours:g}",
        recipients=_recipients(settings, language),
    )


def kinds_said(names: tuple[str, ...], language: Language) -> str:
    """ "Bilder und Telemetrie"; "nichts"."""
    words = KINDS[language]
    return words["and"].join(words[name] for name in names) or words[""]


def tile_host(settings: Settings) -> str:
    """Whom viewers' devices fetch the map from; "": us, or nobody."""
    return urlsplit(settings.map.background).hostname or "" if "://" in settings.map.background else ""


def _recorded(settings: Settings, language: Language) -> str:
    recording = settings.recording
    if not recording.enabled:
        return UNRECORDED[language]
    return RECORDED[language].format(
        einsatz=kinds_said(recording.einsatz, language),
        uebung=kinds_said(recording.uebung, language),
        no_incident=kinds_said(recording.no_incident, language),
    )


def _recipients(settings: Settings, language: Language) -> str:
    passed_on = [
        way
        for each in settings.aircraft
        for way in (*each.forward, *(feed.ts_out for feed in each.feed))
        if way
    ]
    told = OIDC[language].format(issuer=plain(settings.oidc.issuer)) if settings.oidc.issuer else ""
    told += TAK[language] if settings.cot.to else ""
    told += STREAMS[language] if passed_on else ""
    host = tile_host(settings)
    return told + (MAP[language].format(host=plain(host)) if host else "")
