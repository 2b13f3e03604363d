"""Pictures and bits per second of a stream, from the pictures' own times."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median_low

from flow.clock import NS_PER_S
from flow.units import CLOCK_RATE_HZ

_WINDOW_TICKS = 3 * CLOCK_RATE_HZ
_AT_LEAST = 4  # pictures kept whatever their age, so that a slow camera has a rate too
_AT_MOST = 1024


class Rates:
    """Measures over the last three seconds; None until there are two pictures."""

    def __init__(self) -> None:
        self._pictures: deque[tuple[int, int]] = deque(maxlen=_AT_MOST)  # (dts_90k, bytes)
        self._bytes = 0

    def add(self, dts_90k: int, size: int) -> None:
        """Count a picture of `size` bytes; `dts_90k` rises."""
        if len(self._pictures) == _AT_MOST:
            self._forget_oldest()
        self._pictures.append((dts_90k, size))
        self._bytes += size
        while len(self._pictures) > _AT_LEAST and dts_90k - self._pictures[0][0] > _WINDOW_TICKS:
            self._forget_oldest()

    def clear(self) -> None:
        self._pictures.clear()
        self._bytes = 0

    @property
    def interval_ns(self) -> int | None:
        """The median time between two pictures: a pause between them is not what is usual."""
        if len(self._pictures) < 2:
            return None
        steps = (after - before for (before, _), (after, _) in pairwise(self._pictures))
        return median_low(steps) * NS_PER_S // CLOCK_RATE_HZ

    @property
    def fps(self) -> float | None:
        if len(self._pictures) < 2:
            return None
        return (len(self._pictures) - 1) * CLOCK_RATE_HZ / self._span_ticks()

    @property
    def bitrate_bps(self) -> float | None:
        if len(self._pictures) < 2:
            return None
        # The newest picture opens an interval that has not passed yet.
        return 8 * (self._bytes - self._pictures[-1][1]) * CLOCK_RATE_HZ / self._span_ticks()

    def _span_ticks(self) -> int:
        return self._pictures[-1][0] - self._pictures[0][0]

    def _forget_oldest(self) -> None:
        self._bytes -= self._pictures.popleft()[1]
