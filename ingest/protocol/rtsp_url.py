"""Addresses of cameras: what is sent, what is shown, and who we are there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import quote, unquote, urljoin, urlsplit

from flow.errors import ConfigError, SourceError
from ingest.addresses import shown, unzoned, zoned

from .rtsp_auth import Credentials

DEFAULT_PORT = 554
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_KEPT = "%/:=&?~#+!$,;'@()*[]"  # what `quote` leaves as it is: everything but spaces, controls and umlauts


@dataclass(frozen=True, slots=True)
class RtspUrl:
    """`request` is the absolute URL as requests name it: never with user and password."""

    host: str
    port: int
    request: str = field(repr=False)  # its query may hold secrets
    credentials: Credentials | None = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ConfigError with code "unsupported_url", whose text holds nothing of the address."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, DEFAULT_PORT if parts.port is None else parts.port
        except ValueError:
            raise _wrong("its address cannot be read") from None
        if parts.scheme.lower() != "rtsp" or not host or not port:
            raise _wrong("it needs a host, like rtsp://192.0.2.7:554/main")
        userinfo, _, place = parts.netloc.rpartition("@")
        if "#" in url or (not userinfo and "@" in url):
            raise _wrong("in a user or a password, # is written %23, / %2F, ? %3F and @ %40")
        user, separator, password = (unquote(part) for part in userinfo.partition(":"))
        if _UNSAFE.search(host) or any(ord(sign) < 0x20 for sign in user + password):
            raise _wrong("there is a control character in it")
        credentials = Credentials(user, password) if user or separator else None
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        return cls(zoned(host), port, safe(f"rtsp://{unzoned(place)}{target}"), credentials)

    @property
    def shown(self) -> str:
        """For people: without secrets."""
        return shown(self.request)

    def moved(self, location: str) -> RtspUrl:
        """Where a redirect leads. The password goes along to the same host only. Raises SourceError."""
        try:
            target = RtspUrl.parse(urljoin(self.request, location))
        except (ConfigError, ValueError):
            detail = f"{self.shown} redirects to something that is no rtsp:// address"
            raise SourceError(detail, code="redirected") from None
        _, _, zone = self.host.partition("%")
        if zone and target.host.startswith("fe80:") and "%" not in target.host:
            target = replace(target, host=f"{target.host}%{zone}")  # on our link, whose name only we know
        if target.credentials is None and target.host == self.host:
            return replace(target, credentials=self.credentials)
        return target


def safe(url: str) -> str:
    """`url` in one word of ASCII, whatever somebody wrote into it."""
    return quote(url, safe=_KEPT)


def _wrong(problem: str) -> ConfigError:
    return ConfigError(f"this rtsp:// source cannot be used: {problem}", code="unsupported_url")
