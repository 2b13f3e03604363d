"""Attitudes as rotations of north-east-down into a body's axes: nose, right, down."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

from .places import compass_deg

Row: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Row, Row, Row]
"""Its columns are the body's axes in north-east-down."""

_VERTICAL = 0.01  # of the horizontal part of a unit vector: 0.6 degrees from straight up or down


class Angles(NamedTuple):
    """Degrees: yaw from true north 0 to 360, pitch up, roll right side down; applied in that order."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Matrix:
    """The rotation by these angles: yaw, then pitch, then roll, each about the axes turned so far."""
    (cy, sy), (cp, sp), (cr, sr) = (
        (math.cos(angle), math.sin(angle)) for angle in map(math.radians, (yaw_deg, pitch_deg, roll_deg))
    )
    return (
        (cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
        (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
        (-sp, cp * sr, cp * cr),
    )


def product(outer: Matrix, inner: Matrix) -> Matrix:
    """`inner` as seen from a body that is turned by `outer`."""
    columns = tuple(zip(*inner, strict=True))
    first, second, third = (
        (_dot(row, columns[0]), _dot(row, columns[1]), _dot(row, columns[2])) for row in outer
    )
    return first, second, third


def angles(matrix: Matrix) -> Angles:
    """The angles of a rotation. One that looks straight down or up has no yaw of its own: there, yaw is where
    the top of its picture points, and roll 0."""
    (north, _, top_north), (east, _, top_east), (down, right_down, down_down) = matrix
    pitch_deg = -math.degrees(math.asin(max(-1.0, min(1.0, down))))
    if math.hypot(north, east) < _VERTICAL:
        sign = math.copysign(1.0, down)
        return Angles(
            compass_deg(math.degrees(math.atan2(-sign * top_east, -sign * top_north))), pitch_deg, 0.0
        )
    yaw_deg = compass_deg(math.degrees(math.atan2(east, north)))
    return Angles(yaw_deg, pitch_deg, math.degrees(math.atan2(right_down, down_down)))


def _dot(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
