"""Where a flight was, coarsely enough to be found by: squares of a grid in degrees.

A square is 0.002 degrees wide and high: 220 m to the north, 140 m to the east in the middle of Germany.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

CELL_DEG = 0.002
_COLUMNS = round(360 / CELL_DEG)
_ROWS = round(180 / CELL_DEG)
_METRES_PER_DEG = 111_195.0
RADIUS_MOST_M = 20_000.0


class Near(NamedTuple):
    """A circle on the ground."""

    lat_deg: float
    lon_deg: float
    radius_m: float


def cell_at(lat_deg: float, lon_deg: float) -> int:
    """The square that a place lies in. Latitude -90 to 90, longitude any."""
    return _row(lat_deg) * _COLUMNS + _column(lon_deg)


def cells_between(start: tuple[float, float], end: tuple[float, float]) -> Iterator[int]:
    """The squares that a straight way from one (latitude, longitude) to another leads through, its end
    included and its start not; across the date line the short way."""
    north_deg = end[0] - start[0]
    east_deg = (end[1] - start[1] + 180) % 360 - 180
    steps = max(1, math.ceil(max(abs(north_deg), abs(east_deg)) / CELL_DEG))
    for step in range(1, steps + 1):
        share = step / steps
        yield cell_at(start[0] + share * north_deg, start[1] + share * east_deg)


def runs_near(near: Near) -> Iterator[tuple[int, int]]:
    """Every square that the circle touches, as runs of first and last, row by row."""
    reach_deg = near.radius_m / _METRES_PER_DEG
    for row in range(_row(near.lat_deg - reach_deg), _row(near.lat_deg + reach_deg) + 1):
        half_deg = _half_width_deg(near, row, reach_deg)
        if half_deg >= 180 - CELL_DEG:
            yield row * _COLUMNS, (row + 1) * _COLUMNS - 1
            continue
        first, last = _column(near.lon_deg - half_deg), _column(near.lon_deg + half_deg)
        if first <= last:
            yield row * _COLUMNS + first, row * _COLUMNS + last
        else:  # across the date line
            yield row * _COLUMNS + first, (row + 1) * _COLUMNS - 1
            yield row * _COLUMNS, row * _COLUMNS + last


def _half_width_deg(near: Near, row: int, reach_deg: float) -> float:
    """How far to the east and the west the circle reaches at that row, where it is widest there."""
    south_deg, north_deg = row * CELL_DEG - 90, (row + 1) * CELL_DEG - 90
    off_deg = max(south_deg - near.lat_deg, near.lat_deg - north_deg, 0.0)
    half_deg = math.sqrt(max(0.0, reach_deg**2 - off_deg**2))
    narrowest = math.cos(math.radians(min(90.0, max(abs(south_deg), abs(north_deg)))))
    return half_deg / narrowest if narrowest > 1e-6 else 180.0


def _row(lat_deg: float) -> int:
    return min(max(math.floor((lat_deg + 90) / CELL_DEG), 0), _ROWS - 1)


def _column(lon_deg: float) -> int:
    return math.floor((lon_deg + 180) % 360 / CELL_DEG) % _COLUMNS
