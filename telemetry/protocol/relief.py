"""The ground of a height model, and where a ray from the camera meets it."""

from __future__ import annotations

import math

from flow.samples import Place

from .camera import Vector
from .earth import Plane
from .ground import FlatGround, Meeting, above_horizon, far_of, no_terrain, too_far
from .height_grid import TILE, HeightGrid

_CLOSE_M = 0.01
_STEP_CELLS = 0.5
_LEAST_LEVEL = 0.05  # a ray that falls more steeply is followed as if it fell so


class Relief:
    """The camera is `camera_m` over the sea, the ground below it lower, at `beneath_m`."""

    terrain = True

    def __init__(
        self, plane: Plane, camera_m: float, beneath_m: float, grid: HeightGrid, sigma_m: float
    ) -> None:
        self.level = FlatGround(plane, camera_m - beneath_m, beneath_m, sigma_m)
        self.plane, self.sigma_m = plane, math.hypot(sigma_m, grid.sigma_m)
        self.far_m = far_of(camera_m - grid.lowest_m)
        self._camera_m, self._grid = camera_m, grid
        self._cell = grid.cell(*plane.place(0.0, 0.0))

    def meet(self, direction: Vector) -> Meeting:
        """Tile by tile, over those whose top is below the ray; through the others by half a cell a step."""
        east, north, up = direction
        rows, columns = self._cells_a_metre(direction)
        step_m = _STEP_CELLS * self._grid.cell_m / max(math.hypot(east, north), _LEAST_LEVEL)
        range_m = self._free_m(up)
        while range_m <= self.far_m:
            row, column = self._cell[0] + rows * range_m, self._cell[1] + columns * range_m
            if not self._grid.covers(row, column):
                raise no_terrain()
            leave_m = min(range_m + max(step_m, _left(row, rows, column, columns)), self.far_m + step_m)
            lowest_m = min(self._ray_m(direction, range_m), self._ray_m(direction, leave_m))
            if not lowest_m > self._grid.top_m(row, column):  # also where some of the tile is not known
                under_m = self._under_m(direction, (rows, columns), (range_m, leave_m, step_m))
                if under_m is not None:
                    return self._meeting(direction, self._halved(direction, under_m - step_m, under_m))
            if up >= 0 and lowest_m > self._grid.highest_m:
                raise above_horizon()
            range_m = leave_m
        raise too_far(self.far_m)

    def beneath(self, place: Place) -> tuple[float, float]:
        known = place.alt_msl_m
        if known is None:
            known = self._grid.height_m(place.lat_deg, place.lon_deg)
        height_m = self._grid.lowest_m if known is None else known
        return self._camera_m - height_m, height_m

    def _cells_a_metre(self, direction: Vector) -> tuple[float, float]:
        """Rows and columns that the ray crosses; straight to a metre within 2 km, which only the search for
        the right cells relies on."""
        span_m = self.far_m / 2
        row, column = self._grid.cell(*self.plane.place(direction[0] * span_m, direction[1] * span_m))
        return (row - self._cell[0]) / span_m, (column - self._cell[1]) / span_m

    def _free_m(self, up: float) -> float:
        """How far the ray is above everything there is."""
        return max(0.0, (self._camera_m - self._grid.highest_m) / -up) if up < 0 else 0.0

    def _ray_m(self, direction: Vector, range_m: float) -> float:
        """The ray's height over the sea."""
        east, north, up = direction
        return self._camera_m + up * range_m + self.plane.sink_m(east, north) * range_m * range_m

    def _under_m(
        self, direction: Vector, cells: tuple[float, float], part: tuple[float, float, float]
    ) -> float | None:
        """The first step in that part of the ray (from, to, by) that is below the ground; None: none is."""
        range_m, leave_m, step_m = part
        row, column = (at + each * range_m for at, each in zip(self._cell, cells, strict=True))
        rows, columns = cells[0] * step_m, cells[1] * step_m
        curve, height_at = self.plane.sink_m(direction[0], direction[1]), self._grid.height_at
        while range_m < leave_m + step_m:
            clearance_m = self._camera_m + (direction[2] + curve * range_m) * range_m - height_at(row, column)
            if clearance_m <= 0:
                return range_m
            if math.isnan(clearance_m):
                raise no_terrain()
            range_m, row, column = range_m + step_m, row + rows, column + columns
        return None

    def _halved(self, direction: Vector, free_m: float, under_m: float) -> float:
        while under_m - free_m > _CLOSE_M:
            middle = (free_m + under_m) / 2
            ground_m = self._grid.height_m(*self._point(direction, middle))
            if ground_m is None:
                raise no_terrain()
            if self._ray_m(direction, middle) > ground_m:
                free_m = middle
            else:
                under_m = middle
        return under_m

    def _point(self, direction: Vector, range_m: float) -> tuple[float, float]:
        height_m = self._ray_m(direction, range_m)
        return self.plane.place(direction[0] * range_m, direction[1] * range_m, height_m)

    def _meeting(self, direction: Vector, range_m: float) -> Meeting:
        slope = self._grid.slope(*self._point(direction, range_m))
        height_m = self._ray_m(direction, range_m)
        return Meeting(range_m, direction[0] * range_m, direction[1] * range_m, height_m, slope)


def _left(row: float, rows: float, column: float, columns: float) -> float:
    """Metres of the ray to the end of its tile, from there by so many cells a metre."""
    return min(_to_edge(row, rows), _to_edge(column, columns))


def _to_edge(at: float, per_m: float) -> float:
    if per_m == 0:
        return math.inf
    edge = (math.floor(at / TILE) + (per_m > 0)) * TILE
    return (edge - at) / per_m
