"""How far off a place on the ground may be: what is known of position, height, angles and time, carried along
the ray (docs/decisions/0023-pixel-to-ground.md has where the figures come from).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from flow.flights import Ellipse

from .camera import Vector, cross, dot, mixed
from .ground import Meeting

CHI_95 = 2.4477
"""Half axes of the ellipse that holds 95 % of a plane normal distribution: sqrt(-2 ln 0.05) sigma."""

POSITION_M = {
    "none": 10.0,
    "2d": 10.0,
    "3d": 2.5,
    "dgps": 1.7,
    "rtk_float": 0.4,
    "rtk_fixed": 0.05,
}
"""Standard deviation of each horizontal axis by kind of fix, for receivers that do not tell it."""
POSITION_UNTOLD_M = 3.0  # no kind of fix is told either: subtitles, KLV

GPS_HEIGHT = 1.7
"""A fix is so much worse in height than in the plane."""
BAROMETER_M = 1.0
RANGEFINDER_M = 1.0

GIMBAL_TILT_DEG = 0.5
BODY_TILT_DEG = 1.0
HEADING_DEG = 2.0

CLOCK_TRUSTED_S = 0.02
CLOCK_ARRIVAL_S = 0.1

ZERO: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Standard deviations. `tilt_deg` is about each level axis, `time_s` of picture against telemetry."""

    horizontal_m: float
    tilt_deg: float
    heading_deg: float
    time_s: float


@dataclass(frozen=True, slots=True)
class Motion:
    """What an error of time turns into an error of place: metres and radians per second."""

    velocity_ms: Vector = ZERO
    turning: Vector = ZERO  # about the east, north and up axes


def ground_error(
    direction: Vector, met: Meeting, accuracy: Accuracy, vertical_m: float, motion: Motion
) -> Ellipse:
    """The 95 % ellipse of where `direction` meets the ground, to the first order.

    `vertical_m` is the standard deviation of the camera's height over that ground.
    """
    normal = (-met.slope[0], -met.slope[1], 1.0)
    slant = dot(normal, direction)
    tilt = math.radians(accuracy.tilt_deg) * met.range_m
    heading = math.radians(accuracy.heading_deg) * met.range_m
    east, north, up = direction
    late = mixed(1.0, motion.velocity_ms, met.range_m, cross(motion.turning, direction))
    causes: tuple[tuple[float, Vector], ...] = (
        (accuracy.horizontal_m, (1.0, 0.0, 0.0)),
        (accuracy.horizontal_m, (0.0, 1.0, 0.0)),
        (vertical_m, (0.0, 0.0, 1.0)),
        (tilt, (0.0, -up, north)),  # about the axis to the east
        (tilt, (up, 0.0, -east)),  # to the north
        (heading, (-north, east, 0.0)),
        (accuracy.time_s, late),
    )
    ee = en = nn = 0.0
    for sigma, moved in causes:
        along = dot(normal, moved) / slant  # the ray is that much longer before it meets the ground again
        e, n = sigma * (moved[0] - along * east), sigma * (moved[1] - along * north)
        ee, en, nn = ee + e * e, en + e * n, nn + n * n
    return ellipse_95(ee, en, nn)


def ellipse_95(ee: float, en: float, nn: float) -> Ellipse:
    """Of a covariance in square metres of east and north."""
    middle, half = (ee + nn) / 2, math.hypot((ee - nn) / 2, en)
    bearing = math.degrees(math.atan2(2 * en, nn - ee)) / 2
    least = math.sqrt(max(0.0, middle - half))
    return Ellipse(CHI_95 * math.sqrt(middle + half), CHI_95 * least, bearing % 180)
