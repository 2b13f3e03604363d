"""Which pictures of a stretch are copied as they are, and which must be encoded again. No I/O.

A stretch begins and ends at any picture; a copy begins where a decoder can begin, and leaves out none that
those in it refer to. What is before and after it is encoded again: the edges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Run:
    """Pictures `first` to before `end` in the order of decoding, of which those are meant that are shown from
    `from_90k` to `to_90k`, both included."""

    copied: bool
    first: int
    end: int
    from_90k: int
    to_90k: int


def within(pts_90k: Column, utc_ns: Column, from_ns: int, to_ns: int) -> tuple[int, int] | None:
    """When the first and the last picture are shown that was taken from `from_ns` to before `to_ns`."""
    shown = pts_90k[(utc_ns >= from_ns) & (utc_ns < to_ns)]
    return (int(shown.min()), int(shown.max())) if len(shown) else None


def whole(pts_90k: Column, span_90k: tuple[int, int]) -> Run:
    """All of a span encoded again."""
    numbers = np.flatnonzero((pts_90k >= span_90k[0]) & (pts_90k <= span_90k[1]))
    return Run(False, int(numbers[0]), int(numbers[-1]) + 1, *span_90k)


def runs(
    pts_90k: Column,
    keyframes: Sequence[int],
    span_90k: tuple[int, int],
    begins_anew: Callable[[int], bool],
) -> list[Run]:
    """A span that holds a picture, in runs. `begins_anew` is asked of few keyframes only."""
    everything = whole(pts_90k, span_90k)
    first, end, (low, high) = everything.first, everything.end, span_90k
    inside = (pts_90k >= low) & (pts_90k <= high)
    latest = np.maximum.accumulate(pts_90k[first:end])  # none that is decoded before it is shown after it:
    usable = [n for n in keyframes if first <= n < end and inside[n] and latest[n - first] == pts_90k[n]]
    start = next((n for n in usable if begins_anew(n)), None)
    if start is None:
        return [everything]
    wanted = inside & (pts_90k >= pts_90k[start])
    stop = _first_left_out(pts_90k, wanted, start, end)
    rear = bool(wanted[stop:end].any())
    if rear:
        stop = next((n for n in reversed(usable) if start < n <= stop and begins_anew(n)), start)
    if stop == start:
        return [everything]
    front = _front(pts_90k, first, start, low)
    copy = Run(True, start, stop, int(pts_90k[start]), high)
    return [*front, copy, *([_rear(pts_90k, stop, end, high)] if rear else [])]


def _first_left_out(pts_90k: Column, wanted: Column, start: int, end: int) -> int:
    """Others after it may refer to it. What is shown before `start` is never referred to after it."""
    left_out = np.flatnonzero((pts_90k[start:end] >= pts_90k[start]) & ~wanted[start:end])
    return start + int(left_out[0]) if len(left_out) else end


def _front(pts_90k: Column, first: int, start: int, low: int) -> list[Run]:
    """What is shown before `start`, some of it perhaps decoded after it."""
    shown = int(pts_90k[start])
    earlier = np.flatnonzero((pts_90k[first:] < shown) & (pts_90k[first:] >= low))
    return [Run(False, first, first + int(earlier[-1]) + 1, low, shown - 1)] if len(earlier) else []


def _rear(pts_90k: Column, stop: int, end: int, high: int) -> Run:
    later = pts_90k[stop:end]
    return Run(False, stop, end, int(later.min()), high)
