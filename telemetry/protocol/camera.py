"""The camera: how it is turned and what its lens takes in. Vectors are (east, north, up)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from .rotation import Matrix, product, rotation

Vector: TypeAlias = tuple[float, float, float]


def cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def mixed(a: float, one: Vector, b: float, other: Vector) -> Vector:
    """a one + b other."""
    return (
        a * one[0] + b * other[0],
        a * one[1] + b * other[1],
        a * one[2] + b * other[2],
    )


@dataclass(frozen=True, slots=True)
class Axes:
    """Three unit vectors at right angles: what is right, down and forward for a camera or an aircraft."""

    right: Vector
    down: Vector
    forward: Vector

    @classmethod
    def of(cls, turned: Matrix) -> Axes:
        """The axes of a body that is turned so."""
        north, east, down = turned
        ahead, right, below = ((east[i], north[i], -down[i]) for i in range(3))
        return cls(right, below, ahead)


def gimbal_axes(yaw_deg: float, pitch_deg: float, roll_deg: float = 0.0) -> Axes:
    """A camera on a gimbal, by its angles in the earth frame (TelemetrySample)."""
    return Axes.of(rotation(yaw_deg, pitch_deg, roll_deg))


def mounted_axes(yaw_deg: float, pitch_deg: float, roll_deg: float, mount_pitch_deg: float) -> Axes:
    """A camera that is fixed to an aircraft of that attitude, looking forward and `mount_pitch_deg` up."""
    return Axes.of(product(rotation(yaw_deg, pitch_deg, roll_deg), rotation(0.0, mount_pitch_deg, 0.0)))


@dataclass(frozen=True, slots=True)
class Lens:
    """An ideal lens: tangents of half its fields of view. Distortion is not known and not corrected."""

    half_width: float
    half_height: float


def lens_of(hfov_deg: float, vfov_deg: float | None, height_by_width: float | None) -> Lens | None:
    """From the fields of view, or the horizontal one and a picture of square pixels; None: not known."""
    if not 0 < hfov_deg < 180:
        return None
    half_width = math.tan(math.radians(hfov_deg) / 2)
    if vfov_deg is not None and 0 < vfov_deg < 180:
        return Lens(half_width, math.tan(math.radians(vfov_deg) / 2))
    return Lens(half_width, half_width * height_by_width) if height_by_width else None


@dataclass(frozen=True, slots=True)
class Camera:
    """Points of the picture are x and y from 0 (its left and top edge) to 1; the axis meets its middle."""

    axes: Axes
    lens: Lens

    def ray(self, x: float, y: float) -> Vector:
        """The direction, of length 1, in which that point of the picture lies."""
        aside = mixed(
            (2 * x - 1) * self.lens.half_width, self.axes.right,
            (2 * y - 1) * self.lens.half_height, self.axes.down,
        )  # fmt: skip
        east, north, up = mixed(1.0, self.axes.forward, 1.0, aside)
        length = math.sqrt(east * east + north * north + up * up)
        return east / length, north / length, up / length

    def pixel(self, direction: Vector) -> tuple[float, float] | None:
        """Where in the picture's plane that direction is, also beside the picture; None: behind it."""
        depth = dot(direction, self.axes.forward)
        if depth <= 0:
            return None
        right, down = dot(direction, self.axes.right) / depth, dot(direction, self.axes.down) / depth
        return (1 + right / self.lens.half_width) / 2, (1 + down / self.lens.half_height) / 2
