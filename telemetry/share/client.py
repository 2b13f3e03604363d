"""Somebody at the other end of a share. What it says decides whether it is told anything, and no more."""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.clock import NS_PER_MS, NS_PER_S
from telemetry.protocol.station import AIRCRAFT_ASK_TOO, Speech, Station

from .ledger import Ledger

CLIENTS_MOST = 16
HEARD_MOST_BYTES = 16 * 1024
"""Read of one client in a second; a ground station says about 1 KB. What is more waits, or is lost."""
HEARD_A_TURN_BYTES = 4 * 1024
"""Read of all clients of a port in a turn: messages can be so small that these are 300, some milliseconds."""
TURN_NS = 50 * NS_PER_MS


@dataclass(slots=True)
class Allowance:
    """So many bytes in every so many nanoseconds."""

    most_bytes: int
    every_ns: int
    _turn: int = 0
    _bytes: int = 0

    def left(self, now_ns: int) -> int:
        if now_ns // self.every_ns != self._turn:
            self._turn, self._bytes = now_ns // self.every_ns, 0
        return max(0, self.most_bytes - self._bytes)

    def take(self, size: int) -> None:
        self._bytes += size


def of_a_port() -> Allowance:
    """What all clients of one port may say together."""
    return Allowance(HEARD_A_TURN_BYTES, TURN_NS)


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
    spoken: bool = False  # it has sent anything at all
    _station: Station = field(default_factory=Station)
    _own: Allowance = field(default_factory=lambda: Allowance(HEARD_MOST_BYTES, NS_PER_S))

    def may_say(self, now_ns: int) -> int:
        """How many bytes of it are still read in this second."""
        return self._own.left(now_ns)

    def hear(
        self,
        data: bytes,
        ledger: Ledger,
        shared: frozenset[int],
        now_ns: int,
        port: Allowance,
        *,
        datagram: bool,
    ) -> None:
        """Take note of what it says; `shared` are the system ids whose messages it would be told, `port` is
        what is still read of all its clients."""
        self.spoken = True
        data = data[: min(self._own.left(now_ns), port.left(now_ns))]
        self._own.take(len(data))
        port.take(len(data))
        for said in self._station.hear(data, datagram=datagram):
            self.heard_ns = now_ns
            self.aircraft |= said.speech is Speech.AIRCRAFT or said.system_id in shared
            self.known |= said.speech is Speech.PRESENCE or (
                said.speech is Speech.REQUEST and said.name not in AIRCRAFT_ASK_TOO
            )
            ledger.note(self.name, said)
