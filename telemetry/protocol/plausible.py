"""Whether an aircraft can be where it says: a receiver led astray shows a mountain for a moment.

What cannot be is held back, and what was known keeps its own age. A place that stays is believed in the end:
the receiver has found itself, or the recording goes on elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

from .places import are_within

FASTEST_MS = 150.0
"""No aircraft of a fire brigade flies half as fast; a log played too fast may look like it."""
SLACK_M = 100.0
"""A filter that has lost its satellites for a while steps back by so much."""
STEEPEST_MS = 50.0
HELD_BACK = 3
"""So many samples in a row; the next one that agrees with them is believed."""


class Whereabouts(NamedTuple):
    """What one message says: the place in degrees (None: it says that it knows none), height and time."""

    place: tuple[float, float] | None
    alt_m: float
    time_ns: int  # arrival
    boot_ms: int | None = None

    def follows(self, before: Whereabouts) -> bool:
        """Whether one aircraft can have said both."""
        if self.place is None or before.place is None:
            return self.place is before.place
        passed_s = self._since_s(before)
        if abs(self.alt_m - before.alt_m) > SLACK_M + STEEPEST_MS * passed_s:
            return False
        return are_within(SLACK_M + FASTEST_MS * passed_s, self.place, before.place)

    def _since_s(self, before: Whereabouts) -> float:
        """Time passed, by the clock that says more: messages may have been held back, or a log run fast."""
        arrived_s = (self.time_ns - before.time_ns) / 1e9
        if self.boot_ms is None or before.boot_ms is None:
            return max(0.0, arrived_s)
        return max(0.0, arrived_s, (self.boot_ms - before.boot_ms) / 1e3)


class Plausibility:
    """Believes the first place, and every one that can be reached from the one believed before."""

    def __init__(self) -> None:
        self._believed: Whereabouts | None = None
        self._doubted: Whereabouts | None = None
        self._in_a_row = 0

    def believes(self, said: Whereabouts) -> bool:
        """Whether to show what `said` says. A place is welcome after none at any time."""
        believed = self._believed
        if believed is None or believed.place is None or said.follows(believed):
            self._believe(said)
            return True
        agrees = self._doubted is not None and said.follows(self._doubted)
        self._doubted, self._in_a_row = said, self._in_a_row + 1 if agrees else 1
        if self._in_a_row <= HELD_BACK:
            return False
        self._believe(said)
        return True

    def _believe(self, said: Whereabouts) -> None:
        self._believed, self._doubted, self._in_a_row = said, None, 0
