"""Where a source's clock stands against ours: the lower envelope of its arrivals."""

from __future__ import annotations

from collections import deque

_SLOTS = 16


class EarliestArrival:
    """Maps times of a free-running source clock to Lagebild time.

    Delays only ever add. So the least of (arrival - source time) over the last `window_ns` is the offset
    between the two clocks plus the least transport delay, and every picture or message mapped with it is
    free of its own jitter. The window, kept in slots, follows a clock that drifts: 100 ppm over 10 s are
    1 ms. Slots in which nothing arrives do not count: after a silence nobody can tell what was held back
    from what is new, and what was known before gives the older age. Values may step back a little when a
    less delayed arrival shows that the earlier ones were late.
    """

    def __init__(self, window_ns: int) -> None:
        self._slot_ns = max(1, window_ns // _SLOTS)
        self._slot = 0  # of the newest arrival
        self._idle = 0  # slots in which nothing came
        self._least: deque[tuple[int, int]] = deque()  # (slot, offset_ns), offsets rising: at most _SLOTS + 1

    @property
    def offset_ns(self) -> int | None:
        """Lagebild time minus source time as of the newest arrival; None before the first."""
        return self._least[0][1] if self._least else None

    def map(self, source_ns: int, arrival_ns: int) -> int:
        """Take what arrived at `arrival_ns` (rising) with `source_ns`; return that moment in Lagebild time.

        The result is never later than `arrival_ns`.
        """
        slot, offset_ns = self._slot_of(arrival_ns), arrival_ns - source_ns
        while self._least and self._least[0][0] <= slot - _SLOTS:
            self._least.popleft()
        while self._least and self._least[-1][1] >= offset_ns:
            self._least.pop()
        if not self._least or self._least[-1][0] < slot:
            self._least.append((slot, offset_ns))
        return source_ns + self._least[0][1]

    def _slot_of(self, arrival_ns: int) -> int:
        slot = arrival_ns // self._slot_ns - self._idle
        skipped = max(0, slot - self._slot - 1)
        self._idle += skipped
        self._slot = slot - skipped
        return self._slot

    def reset(self) -> None:
        """Forget everything: the source's clock has jumped."""
        self._least.clear()
