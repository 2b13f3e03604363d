"""Which certificate is used now: files that change are read again, and one of ours is renewed.

Connections keep what they have begun with; new ones get the newest. What cannot be used is never taken: the
one before stays, and the log says why.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from flow.clock import NS_PER_S, Clock
from flow.errors import ConfigError
from relay.aiortc_seam import host_addresses
from web.access.forwarded import Proxies
from web.settings import Settings
from web.unsecured import is_loopback

from .certificate import NS_PER_DAY, Certificate, read_certificate, server_context
from .made import made_certificate, own_names

log = logging.getLogger("lagebild.web")

LOOK_EVERY_S = 10.0

Source: TypeAlias = Callable[[int], Certificate]
"""Gives the certificate that is to be used, as of now (ns); waits for the disk. Raises ConfigError."""


class Keeper:
    """`certificate` and `context` are the newest that can be used. Raises ConfigError where there is none."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source, self._clock = source, clock
        self._complaint, self._complained_ns = "", 0
        self.certificate = source(clock.now_ns())
        self.context: ssl.SSLContext = server_context(self.certificate)
        self._stamp = _stamp(self.certificate)
        self._complain(self.certificate.complaint(clock.now_ns()))

    async def run(self) -> None:
        """Look again now and then, until cancelled."""
        while True:
            await self._clock.sleep_until(self._clock.now_ns() + round(LOOK_EVERY_S * NS_PER_S))
            await self.look()

    async def look(self) -> None:
        """Take what is there now, where it is another and can be used."""
        now_ns = self._clock.now_ns()
        try:
            found = await asyncio.to_thread(self._found, now_ns)
        except ConfigError as error:
            self._complain(f"{error}; the certificate from before is still used")
            return
        if found is not None:
            if found[0].fingerprint != self.certificate.fingerprint:
                log.info("the certificate is another now: SHA-256 %s", found[0].fingerprint)
            self.certificate, self.context, self._stamp = found
        self._complain(self.certificate.complaint(now_ns))

    def _found(self, now_ns: int) -> tuple[Certificate, ssl.SSLContext, object] | None:
        """None where nothing has changed. In a thread; what is written meanwhile is seen the next time."""
        stamp = _stamp(self.certificate)
        found = self._source(now_ns)
        if found == self.certificate and stamp == self._stamp:
            return None
        return found, server_context(found), stamp

    def _complain(self, complaint: str) -> None:
        """Once a day, while it is the same."""
        now_ns = self._clock.now_ns()
        if complaint and (complaint != self._complaint or now_ns >= self._complained_ns + NS_PER_DAY):
            log.warning("TLS: %s: %s", self.certificate.chain, complaint)
            self._complained_ns = now_ns
        self._complaint = complaint


def source_of(settings: Settings) -> Source | None:
    """Where the page's certificate comes from; None where it is not encrypted by us: on this machine alone,
    or behind a proxy."""
    tls, server = settings.tls, settings.server
    if tls.certificate:
        return lambda _: read_certificate(Path(tls.certificate), Path(tls.key))
    if is_loopback(server.host) or Proxies(server.proxies):
        return None
    # Not those of IPv6: they change by themselves (RFC 8981), and with each the certificate would.
    addresses = [each for each in host_addresses() if ":" not in each]
    names = own_names((*server.names, settings.webrtc.public_host), server.host, addresses)
    return lambda now_ns: made_certificate(Path(server.data_dir), names, now_ns)


def keeper_of(settings: Settings, clock: Clock) -> Keeper | None:
    """The page's; None where it is not encrypted by us. Raises ConfigError."""
    source = source_of(settings)
    return Keeper(source, clock) if source else None


def _stamp(certificate: Certificate) -> object:
    """Which files these are; None where they are gone."""
    try:
        return [
            (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            for stat in (certificate.chain.stat(), certificate.key.stat())
        ]
    except OSError:
        return None
