"""MAVLink for `make bench-telemetry`: ten quiet aircraft, one that floods, one 25 times too fast."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from flow.codec.tlog import read_tlog
from tests.fakes.aircraft import FakeAircraft

QUIET_IDS = range(11, 21)
FLOOD_ID = 30
FAST_ID = 1  # the real log's own
FAST = 25
FLOOD_HZ = 500
LOG = "telemetry/copter_real_cmac_2015.tlog"


@dataclass(frozen=True, slots=True, order=True)
class Datagram:
    """One message, `at_s` after the window began."""

    at_s: float
    data: bytes = field(compare=False)


@dataclass
class Aircraft:
    """One that sends what autopilots stream to a ground station: about 40 messages a second."""

    system_id: int
    attitude_hz: int = 20
    texts: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._mavlink = FakeAircraft(self.system_id)
        self._boot_ms = 60_000

    def window(self, seconds: float) -> list[Datagram]:
        """The messages of the next `seconds`; one STATUSTEXT a second, which must not get lost."""
        plane, boot, told = self._mavlink, self._boot_ms, []
        for number in range(round(seconds * self.attitude_hz)):
            at_s = number / self.attitude_hz
            boot_ms = boot + round(at_s * 1000)
            told.append(Datagram(at_s, plane.attitude(boot_ms, roll=5 * math.sin(at_s), yaw=at_s * 20)))
            if number % max(1, self.attitude_hz // 10) == 0:
                told.append(Datagram(at_s, plane.position(boot_ms, 49.44 + at_s * 1e-5, 7.77)))
                told.append(Datagram(at_s, plane.hud()))
            if number % self.attitude_hz == 0:
                told += [
                    Datagram(at_s, plane.heartbeat(armed=True)),
                    Datagram(at_s, plane.system_status()),
                    Datagram(at_s, plane.gps()),
                    Datagram(at_s, plane.text(f"text {next(self.texts)}")),
                ]
        self._boot_ms += round(seconds * 1000)
        return told


class FastLog:
    """A recorded flight, 25 times as fast as it was flown; made of fake messages where there are no feeds."""

    def __init__(self, messages: Sequence[tuple[float, bytes]]) -> None:
        self._messages = messages
        self._next = 0
        self._began_s = messages[0][0]

    def window(self, seconds: float) -> list[Datagram]:
        told = []
        until_s = self._began_s + seconds * FAST
        while self._next < len(self._messages) and self._messages[self._next][0] < until_s:
            at_s, data = self._messages[self._next]
            told.append(Datagram((at_s - self._began_s) / FAST, data))
            self._next += 1
        self._began_s = until_s
        return told


class Traffic:
    """Everything that one receiver is sent, window by window."""

    def __init__(self, log: Sequence[tuple[float, bytes]]) -> None:
        quiet = [Aircraft(system_id) for system_id in QUIET_IDS]
        self._sources: list[Aircraft | FastLog] = [*quiet, Aircraft(FLOOD_ID, FLOOD_HZ), FastLog(log)]

    def window(self, seconds: float) -> list[Datagram]:
        return sorted(datagram for source in self._sources for datagram in source.window(seconds))


def fast_log() -> tuple[str, list[tuple[float, bytes]]]:
    """(what it is, its messages with their times in seconds)."""
    feeds = os.environ.get("LAGEBILD_FEEDS")
    if not feeds:
        made = Aircraft(FAST_ID).window(600)
        return "made at test time", [(datagram.at_s, datagram.data) for datagram in sorted(made)]
    with (Path(feeds) / LOG).open("rb") as stream:
        return LOG, [(us / 1e6, data) for us, data in read_tlog(stream)]
