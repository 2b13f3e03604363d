"""When something recorded happens again: laps, and recorded clocks that must not be followed blindly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

NS_PER_S = 1_000_000_000

STEP_BACK_LIMIT_NS = NS_PER_S
STEP_AHEAD_LIMIT_NS = 3600 * NS_PER_S
"""Beyond these a recorded clock was set or restarted: no real flight pauses for an hour."""


class Send(NamedTuple):
    """One datagram of a schedule. `port` counts the outputs: the videos from 0, the telemetry after them."""

    time_ns: int  # Unix time
    port: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Lap:
    """One pass through the recording: its start in Unix time, and how many times faster than life it runs."""

    start_utc_ns: int
    speed: float

    def utc_ns(self, elapsed_ns: int) -> int:
        """The moment at which something happens again that happened `elapsed_ns` into the recording."""
        return self.start_utc_ns + round(elapsed_ns / self.speed)


class Pace:
    """Turns a recorded clock into time since its first reading, which never runs back.

    Small steps back (two links in one log) wait for the clock to catch up. Where the clock jumps, what
    follows comes `after_jump_ns` later.
    """

    def __init__(self) -> None:
        self.elapsed_ns = 0  # from the first reading to the newest
        self._last_ns: int | None = None

    def advance(self, clock_ns: int, after_jump_ns: int = 0) -> int:
        """Follow the clock to a new reading; return `elapsed_ns`."""
        step_ns = 0 if self._last_ns is None else clock_ns - self._last_ns
        if not -STEP_BACK_LIMIT_NS <= step_ns <= STEP_AHEAD_LIMIT_NS:
            self.elapsed_ns += after_jump_ns
            self._last_ns = clock_ns
        elif self._last_ns is None or step_ns > 0:
            self.elapsed_ns += step_ns
            self._last_ns = clock_ns
        return self.elapsed_ns
