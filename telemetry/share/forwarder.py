"""The read-only share of an aircraft's MAVLink: ground stations read along, and nothing they say goes on.

`udpout:HOST:PORT` sends to a ground station, `udpin:HOST:PORT` tells those that have said something (until
10 s of silence), `tcpin:HOST:PORT` those that connect. The bytes are the aircraft's own, as they came: signed
ones stay signed. Nothing here holds a socket of a link, or could ask for one: the only way from the aircraft
is the bus, and the bus has no way back (docs/decisions/0022-what-leaves-the-house.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Protocol

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import ConfigError, LagebildError, OverflowedError
from flow.samples import ForwardState, RawTelemetry
from telemetry.gate import Gate, host_port
from telemetry.settings import Sharing

from .ledger import Ledger
from .tcp import TcpShare
from .udp import open_udp

log = logging.getLogger(__name__)

FORMS = "udpout:HOST:PORT, udpin:HOST:PORT or tcpin:HOST:PORT"
TURN_NS = 50 * NS_PER_MS
REPORT_NS = NS_PER_S
RETRY_NS = 5 * NS_PER_S
WAITING_MOST_BYTES = 1024 * 1024
_SYSTEM_ID_AT = {0xFE: 3, 0xFD: 5}  # MAVLink 1, 2


class Share(Protocol):
    """A way out that is open."""

    address: str

    @property
    def stations(self) -> list[str]: ...

    @property
    def aircraft(self) -> str: ...

    def send(self, message: bytes) -> None: ...

    def poll(self, shared: frozenset[int], now_ns: int) -> None: ...

    async def aclose(self) -> None: ...


class Forwarder:
    """All shares of one aircraft. `run()` until cancelled; one that cannot be opened is retried."""

    def __init__(self, bus: Bus, clock: Clock, sharing: Sharing, links: tuple[str, ...] = ()) -> None:
        self._bus, self._clock, self._sharing, self._links = bus, clock, sharing, links
        self.name = f"share of {sharing.aircraft_id}"
        self._ledger = Ledger(sharing.aircraft_id, clock)
        self._shares: dict[str, Share] = {}
        self._trouble: dict[str, tuple[str, str]] = {}  # reason and detail by URL
        self._shared: frozenset[int] = frozenset()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for url in self._sharing.to:
                    group.create_task(self._keep_open(url))
                group.create_task(self._pass_on())
                group.create_task(self._watch())
        finally:
            for share in self._shares.values():
                await share.aclose()
            self._shares.clear()

    async def _keep_open(self, url: str) -> None:
        while True:
            try:
                self._shares[url] = await self._open(url)
            except LagebildError as error:
                if self._trouble.get(url) != (error.code, str(error)):
                    log.warning("%s: %s", self.name, error)
                self._trouble[url] = error.code, str(error)
            else:
                self._trouble.pop(url, None)
                log.info("%s: %s", self.name, self._shares[url].address)
                return
            await self._clock.sleep_until(self._clock.now_ns() + RETRY_NS)

    async def _open(self, url: str) -> Share:
        kind, _, rest = url.partition(":")
        if kind not in ("udpout", "udpin", "tcpin"):
            raise ConfigError(f"share '{url}' is not understood; use {FORMS}", code="unsupported_url")
        host, port = host_port(url, rest, FORMS)
        if kind == "udpout":
            if (host, port) in (_place(link) for link in self._links):
                text = f"share '{url}' is where an aircraft's telemetry comes from; nothing is sent there"
                raise ConfigError(text, code="share_to_aircraft")
            return await open_udp(url, host, port, self._ledger, None)
        gate = Gate(url, host, self._sharing.allow_from, "forward_allow_from")
        if kind == "udpin":
            return await open_udp(url, host, port, self._ledger, gate)
        share = TcpShare(self._ledger, gate, self._clock)
        await share.open(host, port)
        return share

    async def _pass_on(self) -> None:
        """Hand each message to every share; a share never waits, so nobody holds up another."""
        with self._bus.lossless(RawTelemetry, self._sharing.aircraft_id, WAITING_MOST_BYTES) as messages:
            missed = 0
            while True:
                with contextlib.suppress(OverflowedError):
                    async for message in messages:
                        self._give(message.data)
                    return
                self._ledger.lost += messages.dropped - missed
                missed = messages.dropped

    def _give(self, message: bytes) -> None:
        at = _SYSTEM_ID_AT.get(message[0])
        if at is not None:
            self._shared |= {message[at]}
        self._ledger.messages += 1
        for share in self._shares.values():
            share.send(message)

    async def _watch(self) -> None:
        """Hear what stations say, a bounded lot of it, and report."""
        reported_ns, told = 0, self._state()
        while True:
            now_ns = self._clock.now_ns()
            for share in self._shares.values():
                share.poll(self._shared, now_ns)
            state = self._state()
            if now_ns - reported_ns >= REPORT_NS or _gist(told) != _gist(state):
                reported_ns, told = now_ns, state
                self._bus.publish(state)
            await self._clock.sleep_until(now_ns + TURN_NS)

    def _state(self) -> ForwardState:
        shares = [self._shares[url] for url in self._sharing.to if url in self._shares]
        ledger = self._ledger
        reason, detail = next(iter(self._trouble.values()), ("", ""))
        aircraft = next((share.aircraft for share in shares if share.aircraft), "")
        if aircraft and not reason:
            reason = "share_to_aircraft"
            detail = f"{aircraft} is an aircraft, no ground station: nothing is sent there"
        return ForwardState(
            self._sharing.aircraft_id,
            addresses=tuple(share.address for share in shares),
            stations=tuple(name for share in shares for name in share.stations),
            messages=ledger.messages,
            commands=ledger.commands,
            requests=ledger.requests,
            lost=ledger.lost,
            last_command=ledger.last_command,
            reason=reason,
            detail=detail,
        )


def _place(link: str) -> tuple[str, int] | None:
    try:
        return host_port(link, link.partition(":")[2], FORMS)
    except ConfigError:
        return None  # a file, a serial port


def _gist(state: ForwardState) -> tuple[object, ...]:
    return state.addresses, state.stations, state.commands, state.reason
