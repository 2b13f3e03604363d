"""The servers that publishers come to: opened where a feed needs them, each kept going by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from flow.clock import NS_PER_S, Clock
from flow.errors import LagebildError, SourceError

from .publications import Publications
from .settings import PublishSettings
from .sources.rtmp import RtmpServer
from .sources.srt import SrtServer

log = logging.getLogger("lagebild.ingest")

_RETRY_NS = 5 * NS_PER_S


class Server(Protocol):
    """Listens for publishers and gives each its place.

    `run()` tells `publications.available` as soon as it listens, and goes on until cancelled. Raises
    PortInUseError or ConfigError where it cannot listen.
    """

    async def run(self) -> None: ...


MakeServer: TypeAlias = Callable[[Publications, PublishSettings, Clock], Server]

SERVERS: dict[str, MakeServer] = {"rtmp": RtmpServer, "srt": SrtServer}
"""By protocol. WHIP is not among them: its publishers come through the relay's door."""


def servers_for(
    publications: Publications, settings: PublishSettings, clock: Clock
) -> Iterator[tuple[str, Server]]:
    """The servers of all protocols that some feed is pushed by."""
    for protocol in sorted(publications.protocols() & SERVERS.keys()):
        yield protocol, SERVERS[protocol](publications, settings, clock)


async def keep_serving(protocol: str, server: Server, publications: Publications, clock: Clock) -> None:
    """Run a server until cancelled; where it fails, its feeds say why, and it is tried again."""
    told = ""
    while True:
        try:
            await server.run()
            error: LagebildError = SourceError(f"the {protocol} server ended")
        except LagebildError as failure:
            error = failure
        except Exception as defect:
            log.exception("the %s server failed: a defect of Lagebild", protocol)
            error = SourceError(f"the {protocol} server failed: {defect!r}")
        if told != str(error):
            log.warning("nobody can publish by %s: %s", protocol, error)
            told = str(error)
        publications.unavailable(protocol, error)
        await clock.sleep_until(clock.now_ns() + _RETRY_NS)
