"""When in the film a measurement was taken whose own clock counts from another moment than the film."""

from __future__ import annotations

import math
from dataclasses import dataclass

_SAME_S = 0.05
"""So far outside its payload a measurement may lie: streams are not written in step."""


@dataclass(slots=True)
class RowClock:
    """Finds `film time - own time` from which payload each measurement came in.

    A payload holds what was measured between its own time and the next one's, so every one of them bounds
    that difference from both sides; measurements four times a second bring the bounds together within a few
    payloads, closer than they lie apart. Where the bounds contradict each other the source's clock has
    begun anew, and so have they; a film that is played again is known by its first measurement.
    """

    _least_s: float = -math.inf
    _most_s: float = math.inf
    _origin: tuple[float, float] | None = None  # own time and film time of the first payload

    def learn(self, payload_s: float, duration_s: float, own_s: list[float]) -> None:
        """A payload at `payload_s` of the film, as long as `duration_s`, held measurements of these times."""
        if not own_s:
            return
        first_s, last_s = min(own_s), max(own_s)
        least_s, most_s = payload_s - first_s, payload_s + duration_s - last_s
        if self._origin is not None and self._origin[0] == first_s:
            shift_s = payload_s - self._origin[1]
            self._least_s, self._most_s = self._least_s + shift_s, self._most_s + shift_s
            self._origin = (first_s, payload_s)
        if least_s > self._most_s + _SAME_S or most_s < self._least_s - _SAME_S:
            self._least_s, self._most_s, self._origin = -math.inf, math.inf, None
        self._origin = self._origin or (first_s, payload_s)
        self._least_s, self._most_s = max(self._least_s, least_s), min(self._most_s, most_s)

    def film_s(self, own_s: float) -> float:
        """Where in the film a measurement of that time lies; `learn` must have been called before."""
        return own_s + (self._least_s + self._most_s) / 2
