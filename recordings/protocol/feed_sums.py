"""What the fragments of a feed come to, segment after segment: pictures, and the gaps between them."""

from __future__ import annotations

from flow.clock import NS_PER_S
from flow.units import CLOCK_RATE_HZ

from .segment_index import Fragment

_GAP_90K = CLOCK_RATE_HZ
_GAP_PICTURES = 3


class FeedSums:
    """`take` every fragment of a feed in order."""

    def __init__(self) -> None:
        self.pictures = 0
        self.gaps = 0
        self.gap_90k = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._last: Fragment | None = None

    @property
    def gap_ns(self) -> int:
        return ns_of(self.gap_90k)

    def take(self, fragment: Fragment) -> None:
        if self._last is not None and (hole_90k := gap_90k(self._last, fragment)):
            self.gaps += 1
            self.gap_90k += hole_90k
        self.pictures += fragment.pictures
        self.first_ns = fragment.utc_ns if self.first_ns is None else self.first_ns
        self.last_ns = end_ns(fragment)
        self._last = fragment


def gap_90k(before: Fragment, after: Fragment) -> int:
    """How long nothing was kept between two fragments; 0 where they adjoin.

    A gap is a hole of more than a second, and of three pictures where they come more slowly.
    """
    hole_90k = after.dts_90k - before.end_90k
    if hole_90k <= _GAP_90K:  # almost always; an hour has thousands of fragments
        return 0
    interval_90k = (before.end_90k - before.dts_90k) / max(1, before.pictures)
    return hole_90k if hole_90k > _GAP_PICTURES * interval_90k else 0


def end_ns(fragment: Fragment) -> int:
    """When its last picture ends, in Lagebild time."""
    return fragment.utc_ns + ns_of(fragment.end_90k - fragment.dts_90k)


def ns_of(ticks_90k: int) -> int:
    return ticks_90k * NS_PER_S // CLOCK_RATE_HZ
