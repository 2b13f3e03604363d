"""Whether keyframes that stay the same mean a picture that stays the same. No I/O, no clock."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

from flow.clock import NS_PER_MS, NS_PER_S
from flow.units import AccessUnit

from .health import Figures

_SUSPICIOUS_S = 4.0  # half of what a frozen picture needs
_SEEN_SHORT_NS = 3 * NS_PER_S  # as long as the longest of short groups
_SEEN_LONG_NS = 7 * NS_PER_S  # what a finding needs where all is decoded anyway
_STEP_NS = 4 * NS_PER_S  # samples further apart leave out too much
_LONGEST_NS = 30 * NS_PER_S
"""An inquiry ends without a verdict after this: no picture between keyframes could be had."""

_VALID_NS = 60 * NS_PER_S
"""So long a verdict is believed, and so long after an inquiry there is no other."""

_KEYFRAMES_KEPT = 64
_ALL_KEYFRAMES = 30  # in a row: there is nothing between them
_ROUNDING_NS = NS_PER_MS


class Doubt:
    """Follows the samples of one feed.

    What plays a recording in a loop repeats its keyframes while everything moves between them. So where only
    keyframes are decoded, stillness is believed only once the pictures between were seen to be still as
    well, for as long as a group lasts, or as a finding needs: `asks` says when they have to be decoded.
    """

    def __init__(self) -> None:
        self._keyframes_ns: deque[int] = deque(maxlen=_KEYFRAMES_KEPT)
        self._in_a_row = 0
        self._sampled_ns = 0
        self._seen_ns = 0  # for how long pictures between keyframes were seen to be still
        self._proven_ns: int | None = None
        self._suspects = False
        self._began_ns: int | None = None  # the inquiry
        self._next_ns = 0  # no other before

    def picture(self, unit: AccessUnit) -> None:
        """The feed's next picture, decoded or not."""
        self._in_a_row = self._in_a_row + 1 if unit.keyframe else 0
        if unit.keyframe:
            self._keyframes_ns.append(unit.utc_ns)

    def judged(self, figures: Figures, *, long_groups: bool) -> Figures:
        """A sample's figures, without its stillness where that is not to be believed (yet)."""
        step_ns, self._sampled_ns = figures.utc_ns - self._sampled_ns, figures.utc_ns
        if not figures.still_s > 0:  # another picture, or one without anything in it
            self._seen_ns, self._proven_ns = 0, None
        elif 0 < step_ns <= _STEP_NS and self._is_between(figures.utc_ns):
            self._seen_ns += step_ns
        if self._seen_ns >= (_SEEN_LONG_NS if long_groups else _SEEN_SHORT_NS) - _ROUNDING_NS:
            self._seen_ns, self._proven_ns = 0, figures.utc_ns
        if self._proven_ns is not None and figures.utc_ns - self._proven_ns > _VALID_NS:
            self._seen_ns, self._proven_ns = 0, None
        self._suspects = figures.still_s >= _SUSPICIOUS_S and self._proven_ns is None
        return replace(figures, still_s=math.nan) if self._suspects else figures

    def asks(self, now_ns: int) -> bool:
        """Whether all pictures have to be decoded now, to know."""
        if not self._suspects or (self._began_ns is not None and now_ns - self._began_ns > _LONGEST_NS):
            if self._began_ns is not None:
                self._began_ns, self._next_ns = None, now_ns + _VALID_NS
            return False
        if self._began_ns is None and now_ns >= self._next_ns:
            self._began_ns = now_ns
        return self._began_ns is not None

    def _is_between(self, utc_ns: int) -> bool:
        return self._in_a_row >= _ALL_KEYFRAMES or utc_ns not in self._keyframes_ns
