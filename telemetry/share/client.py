"""Somebody at the other end of a share. What it says decides whether it is told anything, and no more."""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.clock import NS_PER_S
from telemetry.protocol.station import Speech, Station

from .ledger import Ledger

CLIENTS_MOST = 16
HEARD_MOST_BYTES = 64 * 1024
"""Read of one client in a second; a ground station says about 1 KB. What is more waits, or is lost."""


@dataclass(slots=True)
class Client:
    """A ground station, or what pretends to be one.

    `known` once it has said something that ground stations say. An `aircraft` is never told anything, not
    even its own telemetry: whoever has its address for a share gets nothing sent there.
    """

    name: str
    heard_ns: int
    known: bool = False
    aircraft: bool = False
    _station: Station = field(default_factory=Station)
    _second: int = 0
    _bytes: int = 0

    def may_say(self, now_ns: int) -> int:
        """How many bytes of it are still read in this second."""
        if now_ns // NS_PER_S != self._second:
            self._second, self._bytes = now_ns // NS_PER_S, 0
        return max(0, HEARD_MOST_BYTES - self._bytes)

    def hear(self, data: bytes, ledger: Ledger, shared: frozenset[int], now_ns: int, datagram: bool) -> None:
        """Take note of what it says; `shared` are the system ids whose messages it would be told."""
        data = data[: self.may_say(now_ns)]
        self._bytes += len(data)
        for said in self._station.hear(data, datagram=datagram):
            self.heard_ns = now_ns
            self.aircraft |= said.speech is Speech.AIRCRAFT or said.system_id in shared
            self.known |= said.speech in (Speech.PRESENCE, Speech.REQUEST)
            ledger.note(self.name, said)
