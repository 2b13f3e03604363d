"""How fast running flights fill the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from flow.clock import NS_PER_S

WINDOW_NS = 300 * NS_PER_S
_LEAST_NS = 20 * NS_PER_S
"""Before that much has been watched, what was written says little: a flight begins with a keyframe."""


class WriteRate:
    """Bytes a second over the last minutes, from counters that each begin with a flight."""

    def __init__(self) -> None:
        self._grown: deque[tuple[int, int]] = deque()  # (time, bytes since the entry before)
        self._counters: dict[str, int] = {}

    def take(self, now_ns: int, written: Mapping[str, int]) -> None:
        """`written` bytes so far of each flight that is being recorded; {} where none is."""
        before, self._counters = self._counters, dict(written)
        if not written:
            self._grown.clear()  # the next flight has a rate of its own
            return
        # What a flight had written before it was first seen is from a time that nobody watched.
        grown = sum(max(0, size - before.get(flight, size)) for flight, size in written.items())
        self._grown.append((now_ns, grown))
        while len(self._grown) > 1 and self._grown[1][0] <= now_ns - WINDOW_NS:
            self._grown.popleft()

    @property
    def per_s(self) -> float | None:
        """None: nothing is recorded, or not for long enough to tell."""
        if not self._grown:
            return None
        (first_ns, _), (last_ns, _) = self._grown[0], self._grown[-1]
        if last_ns - first_ns < _LEAST_NS:
            return None
        return sum(grown for _, grown in list(self._grown)[1:]) / (last_ns - first_ns) * NS_PER_S
