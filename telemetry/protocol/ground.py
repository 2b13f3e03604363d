"""What the ground around a camera is asked for, and flat ground; that of a height model is in relief.py."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from flow.errors import UnlocatableError
from flow.samples import Place

from .camera import Vector
from .earth import Plane

FAR_HEIGHTS = 20.0
"""Ground further off than so many heights is met at less than 3 degrees: half a degree then moves it by a
sixth of the way."""
FAR_M = 5_000.0


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where a ray meets the ground, from below the camera. `slope` is what the ground rises by per metre to
    the east and to the north; `height_m` is its height over the sea, None where that is not known."""

    range_m: float
    east_m: float
    north_m: float
    height_m: float | None
    slope: tuple[float, float] = (0.0, 0.0)


class Ground(Protocol):
    """The ground around a camera."""

    plane: Plane  # its origin is below the camera
    far_m: float
    terrain: bool
    sigma_m: float  # of the camera's height over it

    @property
    def level(self) -> FlatGround:
        """Flat ground as high as that below the camera."""
        ...

    def meet(self, direction: Vector) -> Meeting:
        """The first point of the ground in that direction (of length 1).

        Raises UnlocatableError: "above_horizon", "too_far", "no_terrain".
        """
        ...

    def beneath(self, place: Place) -> tuple[float, float]:
        """How far that place on the ground is below the camera, but for the Earth's curve, and its height
        over the sea (0 where that is not known)."""
        ...


def far_of(above_m: float) -> float:
    """How far the ground is looked at from that height over it."""
    return min(FAR_HEIGHTS * above_m, FAR_M)


class FlatGround:
    """Ground of one height over the sea, curved as the Earth is; the camera is `above_m` over it."""

    terrain = False

    def __init__(self, plane: Plane, above_m: float, height_m: float | None, sigma_m: float) -> None:
        self.plane, self.sigma_m = plane, sigma_m
        self.far_m = far_of(above_m)
        self._above_m, self._height_m = above_m, height_m

    @property
    def level(self) -> FlatGround:
        return self

    def meet(self, direction: Vector) -> Meeting:
        east, north, up = direction
        # On the sphere: curve s² + up s + above = 0, of which the smaller s is this side of the horizon.
        curve = self.plane.sink_m(east, north)
        root = up * up - 4 * curve * self._above_m
        if up >= 0 or root < 0:
            raise above_horizon()
        range_m = 2 * self._above_m / (math.sqrt(root) - up)
        if range_m > self.far_m:
            raise too_far(self.far_m)
        return Meeting(range_m, east * range_m, north * range_m, self._height_m)

    def beneath(self, place: Place) -> tuple[float, float]:
        if self._height_m is None or place.alt_msl_m is None:
            return self._above_m, self._height_m or 0.0
        return self._above_m + self._height_m - place.alt_msl_m, place.alt_msl_m


def above_horizon() -> UnlocatableError:
    return UnlocatableError("that point of the picture is above the horizon", code="above_horizon")


def too_far(far_m: float) -> UnlocatableError:
    return UnlocatableError(f"the ground there is more than {far_m:.0f} m away", code="too_far")


def no_terrain() -> UnlocatableError:
    return UnlocatableError("the height model has no height there, or is still being read", code="no_terrain")
