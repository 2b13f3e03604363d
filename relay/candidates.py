"""The addresses that viewers are told to reach the relay at (RFC 8445 5.1.1)."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket

from flow.clock import NS_PER_S, Clock

from .aiortc_seam import host_addresses
from .settings import RelaySettings

log = logging.getLogger("lagebild.relay")

RESOLVE_EVERY_NS = 60 * NS_PER_S
LOOPBACK = "127.0.0.1"


class Candidates:
    """Local addresses as they are when asked for, and the public one, looked up ahead while `run()` runs."""

    def __init__(self, settings: RelaySettings) -> None:
        self._local = settings.addresses
        self._public_host = settings.public_host
        self._public: list[str] = [settings.public_host] if _is_address(settings.public_host) else []

    def addresses(self) -> list[str]:
        """IP addresses, the most direct first, each once."""
        local = list(self._local) or [*host_addresses(), LOOPBACK]
        return list(dict.fromkeys([*local, *self._public]))

    async def run(self, clock: Clock) -> None:
        """Look the public host's name up, again every minute: behind a home router it changes."""
        while self._public_host and not _is_address(self._public_host):
            await self._resolve()
            await clock.sleep_until(clock.now_ns() + RESOLVE_EVERY_NS)

    async def _resolve(self) -> None:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self._public_host, None, type=socket.SOCK_DGRAM
            )
        except (OSError, UnicodeError) as error:  # a name that cannot be one, like "a..b", is no OSError
            log.warning(
                "webrtc.public_host '%s' is not found (%s); only local addresses are offered",
                self._public_host,
                error,
            )
            return
        self._public = list(dict.fromkeys(str(address[4][0]) for address in found))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
