"""Pixels to places on the ground and back, and the picture's outline on the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flow.errors import UnlocatableError
from flow.flights import Ellipse
from flow.samples import Place

from .camera import Vector
from .ground import Meeting
from .ground_error import ground_error
from .sight import Sight

CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
"""Top left, top right, bottom right, bottom left."""

_HIDDEN_M, _HIDDEN_SHARE = 20.0, 0.1
"""Ground that the ray to a place meets so far before it, in metres or of the way, hides it."""
_OPPOSITE = (3, 2, 1, 0)  # at the other end of the same side of the picture
_HALVINGS = 10


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a point of the picture is."""

    place: Place
    slant_range_m: float
    error: Ellipse


def locate(sight: Sight, x: float, y: float) -> Spot:
    """Where a point of the picture meets the ground. Raises UnlocatableError as Ground.meet does."""
    direction = sight.camera.ray(x, y)
    met = sight.ground.meet(direction)
    error = ground_error(direction, met, sight.accuracy, sight.ground.sigma_m, sight.motion)
    return Spot(_place(sight, met), met.range_m, error)


def footprint(sight: Sight) -> tuple[tuple[Place, ...], bool]:
    """The places of the picture's corners, and whether some are cut: at `far_m` instead.

    Raises UnlocatableError where no corner meets the ground.
    """
    met: list[Meeting | None] = []
    failed: UnlocatableError | None = None
    for x, y in CORNERS:
        try:
            met.append(sight.ground.meet(sight.camera.ray(x, y)))
        except UnlocatableError as error:
            met.append(None)
            failed = error
    if failed is not None and not any(met):
        raise failed
    places = tuple(
        _place(sight, meeting) if meeting else _cut(sight, CORNERS[i], CORNERS[_OPPOSITE[i]])
        for i, meeting in enumerate(met)
    )
    return places, failed is not None


def pixel_of(sight: Sight, place: Place) -> tuple[float, float] | None:
    """Where a place on the ground is in the picture's plane, also beside the picture; None: behind it.

    A place without a height is taken to be on the flat ground below.
    """
    plane = sight.ground.plane
    below_m, height_m = sight.ground.beneath(place)
    east, north = plane.offset(place.lat_deg, place.lon_deg, height_m)
    return sight.camera.pixel((east, north, -below_m - plane.sink_m(east, north)))


def seen_at(sight: Sight, place: Place) -> float | None:
    """How far from the picture's middle a place on the ground is, 0 to 1 at an edge; None: not in it.

    Raises UnlocatableError where the ground in that direction is too far away to mean anything.
    """
    point = pixel_of(sight, place)
    if point is None:
        return None
    aside = max(abs(2 * share - 1) for share in point)
    if aside > 1:
        return None
    met = sight.ground.meet(sight.camera.ray(*point))
    east, north = sight.ground.plane.offset(place.lat_deg, place.lon_deg, met.height_m or 0.0)
    short_m = math.hypot(met.east_m - east, met.north_m - north)
    return aside if short_m <= max(_HIDDEN_M, _HIDDEN_SHARE * met.range_m) else None


def _cut(sight: Sight, corner: tuple[float, float], other: tuple[float, float]) -> Place:
    """Where the picture's side, on its way to a corner that meets no ground, leaves the ground.

    On level ground, hills or not: it is for the eye, and searched for in many steps.
    """
    level = sight.ground.level
    try:
        met, seen, unseen = level.meet(sight.camera.ray(*other)), other, corner
    except UnlocatableError:
        return _far_off(sight, sight.camera.ray(*corner))
    for _ in range(_HALVINGS):
        middle = (seen[0] + unseen[0]) / 2, (seen[1] + unseen[1]) / 2
        try:
            met, seen = level.meet(sight.camera.ray(*middle)), middle
        except UnlocatableError:
            unseen = middle
    return _place(sight, met)


def _far_off(sight: Sight, direction: Vector) -> Place:
    """As far away as the ground is looked at, in that direction on the compass."""
    level = math.hypot(direction[0], direction[1]) or 1.0
    scale = sight.ground.far_m / level
    return Place(*sight.ground.plane.place(direction[0] * scale, direction[1] * scale))


def _place(sight: Sight, met: Meeting) -> Place:
    lat_deg, lon_deg = sight.ground.plane.place(met.east_m, met.north_m, met.height_m or 0.0)
    return Place(lat_deg, lon_deg, met.height_m)
