"""When something recorded happens again: laps, and recorded clocks that must not be followed blindly."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


class Cut(NamedTuple):
    """A stretch of a recording that is passed over."""

    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Lap:
    """One pass through the recording, or a part of it: when it starts in Unix time, and how many times faster
    than life it runs. Times of the recording (`elapsed_ns`) count from its beginning."""

    start_utc_ns: int
    speed: float
    from_ns: int = 0
    to_ns: int | None = None  # None: to the end
    cuts: tuple[Cut, ...] = ()  # in order

    def utc_ns(self, elapsed_ns: int) -> int:
        """The moment at which something happens again that happened `elapsed_ns` into the recording."""
        return self.start_utc_ns + round(
            (self._played_ns(elapsed_ns) - self._played_ns(self.from_ns)) / self.speed
        )

    def elapsed_ns(self, utc_ns: int) -> int:
        """The place in the recording that is played at this moment."""
        elapsed_ns = self._played_ns(self.from_ns) + round((utc_ns - self.start_utc_ns) * self.speed)
        for cut in self.cuts:
            if elapsed_ns > cut.from_ns:
                elapsed_ns += cut.to_ns - cut.from_ns
        return elapsed_ns if self.to_ns is None else min(elapsed_ns, self.to_ns)

    def is_over(self, elapsed_ns: int) -> bool:
        return self.to_ns is not None and elapsed_ns >= self.to_ns

    def plays(self, elapsed_ns: int) -> bool:
        """Whether what happened then happens again: it is not before the start, and not cut out."""
        return elapsed_ns >= self.from_ns and not any(c.from_ns < elapsed_ns < c.to_ns for c in self.cuts)

    def next(self, length_ns: int) -> Lap:
        """The same once more, right after this one; the recording is `length_ns` long."""
        end_ns = length_ns if self.to_ns is None else min(length_ns, self.to_ns)
        return replace(self, start_utc_ns=self.utc_ns(max(end_ns, self.from_ns)))

    def _played_ns(self, elapsed_ns: int) -> int:
        """Without what is cut out before."""
        return elapsed_ns - sum(
            min(elapsed_ns, cut.to_ns) - cut.from_ns for cut in self.cuts if elapsed_ns > cut.from_ns
        )


class Pace:
    """Turns a recorded clock into time since its first reading, or since `zero_ns`, which never runs back.

    Small steps back (two links in one log) wait for the clock to catch up. Where the clock jumps, what
    follows comes `after_jump_ns` later. A clock with a `zero_ns` is the archive's own: it was never set
    ahead, and however long it is until the next reading, so long nothing came.
    """

    def __init__(self, zero_ns: int | None = None) -> None:
        self.elapsed_ns = 0  # from the first reading to the newest
        self._last_ns = zero_ns
        self._is_true = zero_ns is not None

    def advance(self, clock_ns: int, after_jump_ns: int = 0) -> int:
        """Follow the clock to a new reading; return `elapsed_ns`."""
        step_ns = 0 if self._last_ns is None else clock_ns - self._last_ns
        if self._jumps(step_ns):
            self.elapsed_ns += after_jump_ns
            self._last_ns = clock_ns
        elif self._last_ns is None or step_ns > 0:
            self.elapsed_ns += step_ns
            self._last_ns = clock_ns
        return self.elapsed_ns

    def _jumps(self, step_ns: int) -> bool:
        return step_ns < -STEP_BACK_LIMIT_NS or (step_ns > STEP_AHEAD_LIMIT_NS and not self._is_true)
