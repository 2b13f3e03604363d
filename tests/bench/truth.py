"""What the demo aircraft truly did (simulator --truth), and when it was where the page says it is."""

from __future__ import annotations

import bisect
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

M_PER_DEG = 111_320.0
STEPS = 40
"""Poses tried between two pictures: the time is found to a millisecond."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Metres east, north and up, and degrees of yaw scaled so that one counts like a metre."""

    utc_ms: float
    east_m: float
    north_m: float
    up_m: float
    yaw_deg: float

    def distance2(self, other: Pose) -> float:
        turn = (self.yaw_deg - other.yaw_deg + 180) % 360 - 180
        return (
            (self.east_m - other.east_m) ** 2
            + (self.north_m - other.north_m) ** 2
            + (self.up_m - other.up_m) ** 2
            + turn**2
        )


def pose(utc_ms: float, values: dict[str, Any]) -> Pose:
    """A pose from the fields that samples of the page and the truth file share."""
    lat, lon = values["lat_deg"], values["lon_deg"]
    return Pose(
        utc_ms,
        lon * M_PER_DEG * math.cos(math.radians(49.4)),
        lat * M_PER_DEG,
        values["alt_msl_m"],
        values["yaw_deg"],
    )


def heading(utc_ms: float, values: dict[str, Any]) -> Pose:
    """The attitude alone: one message of the aircraft's, so nothing of it is older than the rest."""
    return Pose(utc_ms, values["roll_deg"], values["pitch_deg"], 0.0, values["yaw_deg"])


class Truth:
    """The logged poses, searchable by time and by pose."""

    def __init__(self, file: Path, of: Callable[[float, dict[str, Any]], Pose] = pose) -> None:
        lines = file.read_text(encoding="utf-8").splitlines()[:-1]  # the last may be half written
        rows = [json.loads(line) for line in lines if '"feed": "day"' in line]
        self._poses = [of(row["utc_ms"], row) for row in rows]
        self._times = [p.utc_ms for p in self._poses]

    def moving(self, utc_ms: float) -> bool:
        """Whether the pose changes enough around then to tell the time from it (0.02 per picture)."""
        i = bisect.bisect(self._times, utc_ms)
        return 0 < i < len(self._poses) and self._poses[i - 1].distance2(self._poses[i]) > 0.02**2

    def when(self, shown: Pose) -> float | None:
        """The time within ±500 ms of `shown.utc_ms` at which the truth was nearest to `shown`."""
        first = bisect.bisect(self._times, shown.utc_ms - 500)
        last = bisect.bisect(self._times, shown.utc_ms + 500)
        best: tuple[float, float] | None = None
        for a, b in zip(self._poses[first:last], self._poses[first + 1 : last], strict=False):
            for step in range(STEPS + 1):
                between = _between(a, b, step / STEPS)
                candidate = (between.distance2(shown), between.utc_ms)
                best = min(best, candidate) if best else candidate
        return best[1] if best else None


def _between(a: Pose, b: Pose, share: float) -> Pose:
    turn = (b.yaw_deg - a.yaw_deg + 180) % 360 - 180
    return Pose(
        a.utc_ms + (b.utc_ms - a.utc_ms) * share,
        a.east_m + (b.east_m - a.east_m) * share,
        a.north_m + (b.north_m - a.north_m) * share,
        a.up_m + (b.up_m - a.up_m) * share,
        a.yaw_deg + turn * share,
    )
