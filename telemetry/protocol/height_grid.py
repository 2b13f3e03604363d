"""A piece of a height model in memory, asked many times for every look at the ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TILE = 16
"""Cells along a tile's side."""


@dataclass(frozen=True, slots=True)
class HeightGrid:
    """Heights over the sea at the centres of cells, row by row from the north-west; NaN: not known.

    `tops_m` are the greatest heights of tiles of TILE by TILE cells, their far edges included; NaN where one
    is not known. `sigma_m` is the standard deviation of the model's own heights.
    """

    north_deg: float  # of the first row's centres
    west_deg: float  # of the first column's
    row_deg: float  # from row to row, to the south
    column_deg: float
    rows: int
    columns: int
    heights_m: Sequence[float]
    lowest_m: float
    highest_m: float
    tops_m: Sequence[float]
    tile_columns: int
    cell_m: float
    sigma_m: float

    def cell(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """Row and column of a place; whole numbers are the centres of cells."""
        beside_deg = math.remainder(lon_deg - self.west_deg, 360.0)  # the date line may be between
        return (self.north_deg - lat_deg) / self.row_deg, beside_deg / self.column_deg

    def covers(self, row: float, column: float) -> bool:
        return 0 <= row <= self.rows - 1 and 0 <= column <= self.columns - 1

    def height_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """Bilinear between the four cells around; None outside, or where one of them is not known."""
        height = self.height_at(*self.cell(lat_deg, lon_deg))
        return None if math.isnan(height) else height

    def height_at(self, row: float, column: float) -> float:
        """The same by row and column; NaN where not known."""
        if not self.covers(row, column):
            return math.nan
        top, left = min(int(row), self.rows - 2), min(int(column), self.columns - 2)
        down, right = row - top, column - left
        at, heights = top * self.columns + left, self.heights_m
        upper = heights[at] + right * (heights[at + 1] - heights[at])
        at += self.columns
        lower = heights[at] + right * (heights[at + 1] - heights[at])
        return upper + down * (lower - upper)

    def top_m(self, row: float, column: float) -> float:
        """The greatest height of the tile that is covered there; NaN where some of it is not known."""
        return self.tops_m[int(row) // TILE * self.tile_columns + int(column) // TILE]

    def slope(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """What the ground rises by per metre to the east and to the north; 0 where unknown."""
        east = self._rise_m(lat_deg, lon_deg, 0.0, self.column_deg)
        north = self._rise_m(lat_deg, lon_deg, self.row_deg, 0.0)
        metres = 2 * self.cell_m
        wide = metres * math.cos(math.radians(lat_deg)) * self.column_deg / self.row_deg
        return east / wide, north / metres

    def _rise_m(self, lat_deg: float, lon_deg: float, lat: float, lon: float) -> float:
        after, before = (
            self.height_m(lat_deg + lat, lon_deg + lon),
            self.height_m(lat_deg - lat, lon_deg - lon),
        )
        return 0.0 if after is None or before is None else after - before


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The height model around an aircraft, None while it is being read, and its height where that aircraft
    started, if it is known."""

    grid: HeightGrid | None = None
    home_m: float | None = None
