"""What is known of a source's own clock: a camera's, an aircraft's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class ClockStatus(StrEnum):
    """How far a source's clock is believed."""

    NONE = "none"  # it sends no time
    ESTIMATING = "estimating"  # heard too short to say how it runs
    GOOD = "good"  # its times are used
    REFUSED = "refused"  # its times are not used, `reason` says why; arrivals stand in


@dataclass(frozen=True, slots=True)
class ClockState:
    """A source's clock beside Lagebild time.

    `offset_ms` is what it shows as UTC less Lagebild time, None for a clock that only counts from the start;
    `drift_ppm` is how much faster than ours it runs, None while that is not known. `reason` is a code of the
    UI catalogue: "clock_fast", "clock_slow" (no quartz runs so), "clock_bogus" (no such year), "clock_jumps",
    "clock_wrong" (it runs well, but its time of day is not ours). A reason beside another status than REFUSED
    is that of the aircraft's time of day, which times nothing. `restarts` counts how often it has begun anew.
    """

    status: ClockStatus = ClockStatus.NONE
    reason: str = ""
    offset_ms: float | None = None
    drift_ppm: float | None = None
    restarts: int = 0

    def without_figures(self) -> ClockState:
        """What of it is news."""
        return replace(self, offset_ms=None, drift_ppm=None)
