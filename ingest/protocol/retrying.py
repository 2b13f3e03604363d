"""How long to wait before a source that failed is tried again."""

from __future__ import annotations

from flow.clock import NS_PER_S

PROVEN_NS = 10 * NS_PER_S
"""A source that ran this long is tried again at once, not with the patience its earlier failures earned."""

_GROWTH = 1.5  # so that a camera which was away for some time is found a third of that later, at most

REFUSED_MOST_S = 300.0
_REFUSED_S = (5.0, 20.0, 60.0, 120.0, 240.0, REFUSED_MOST_S)
_DOUBTED_S = (3.0, 15.0, 75.0, REFUSED_MOST_S)
"""Cameras lock an account after some five wrong passwords in a row. One that was switched on just now may not
know its users yet, whether it ever took ours or not; four tries tell that within a minute and a half."""


class Retrying:
    """Of one source. Pauses in seconds: of failures, to be shortened by up to half by chance, so that not
    all sources try at the same moment."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._failures = self._refusals = self._pictures = 0

    def failed_s(self, ran_ns: int) -> float:
        """It failed after so long."""
        self._failures = 0 if ran_ns >= PROVEN_NS else self._failures
        pause_s: float = self._first_s * _GROWTH ** min(self._failures, 32)
        self._failures += 1
        return min(self._most_s, pause_s)

    def refused_s(self, pictures: int) -> float:
        """User or password are refused; `pictures` ever came, so that they were right once if any did."""
        self._refusals = self._refusals if pictures == self._pictures else 0
        self._pictures = pictures
        pauses_s = _DOUBTED_S if pictures else _REFUSED_S
        pause_s = pauses_s[min(self._refusals, len(pauses_s) - 1)]
        self._refusals += 1
        return pause_s
