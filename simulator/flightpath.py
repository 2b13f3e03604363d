"""Where the aircraft is and how it holds itself and its camera: a pure function of time that repeats."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from simulator.place import HOME_XY, SCALE

LOOP_S = 320.0
START_S = 26.0
"""Where in the loop a demo starts: climbing, with a picture worth seeing."""

GRAVITY_MS2 = 9.81
WIND_MS = (2.6, 1.5)
"""Wind velocity in the scene, east and north: it carries the smoke too."""

_HOME_RADIUS_M = math.hypot(*HOME_XY)
_HOME_BEARING_DEG = math.degrees(math.atan2(*HOME_XY)) % 360
STANDING_M = 0.3
"""Height of autopilot and camera over the ground while the aircraft stands."""

_ROUNDING_S = 4.0
_LIFTOFF_S = 5.0
_TOUCHDOWN_S = 308.0


@dataclass(frozen=True, slots=True)
class Pose:
    """The truth at one instant. Bearings are of the grid; heights over ground and speeds are true metres."""

    x: float
    y: float
    height_m: float
    velocity_ms: tuple[float, float, float]  # grid east, grid north, up
    roll_deg: float
    pitch_deg: float
    bearing_deg: float
    camera_bearing_deg: float
    camera_pitch_deg: float

    @property
    def scene_position(self) -> tuple[float, float, float]:
        return (self.x, self.y, self.height_m * SCALE)


class Track:
    """A periodic polyline over time whose corners are rounded by a quintic: three continuous derivatives.

    It rests exactly where two neighbouring knots are equal and never overshoots.
    """

    def __init__(self, rounding_s: float, *knots: tuple[float, float]) -> None:
        self._rounding_s = rounding_s
        self._times = [time for time, _ in knots]
        self._values = [value for _, value in knots]
        pairs = zip(knots, [*knots[1:], (knots[0][0] + LOOP_S, knots[0][1])], strict=True)
        self._slopes = [(after - before) / (end - start) for (start, before), (end, after) in pairs]

    def at(self, t: float) -> float:
        t = (t - self._times[0]) % LOOP_S + self._times[0]
        piece = max(i for i, time in enumerate(self._times) if time <= t)
        value = self._values[piece] + self._slopes[piece] * (t - self._times[piece])
        for i, corner in enumerate(self._times):
            since = (t - corner + LOOP_S / 2) % LOOP_S - LOOP_S / 2
            if abs(since) < self._rounding_s:
                bend = self._slopes[i] - self._slopes[i - 1]
                value += bend * (self._rounded_ramp(since) - max(since, 0.0))
        return value

    def _rounded_ramp(self, since: float) -> float:
        u = (since / self._rounding_s + 1) / 2
        return 2 * self._rounding_s * (u**6 - 3 * u**5 + 2.5 * u**4)


_HEIGHT_M = Track(
    _ROUNDING_S,
    (0, STANDING_M),
    (_LIFTOFF_S, STANDING_M),
    (32, 74),
    (46, 84),
    (196, 84),
    (218, 46),
    (280, 46),
    (297, 8),
    (_TOUCHDOWN_S, STANDING_M),
)
_RADIUS_M = Track(
    5.0,
    *((0, _HOME_RADIUS_M), (24, _HOME_RADIUS_M), (44, 98), (148, 92), (170, 1.5), (190, 1.5)),
    *((212, 62), (276, 62), (290, _HOME_RADIUS_M)),
)
_BEARING_DEG = Track(
    5.0,
    *((0, _HOME_BEARING_DEG), (30, _HOME_BEARING_DEG), (134, _HOME_BEARING_DEG + 480)),
    *((158, _HOME_BEARING_DEG + 480), (190, _HOME_BEARING_DEG + 510)),
    *((212, _HOME_BEARING_DEG + 470), (276, _HOME_BEARING_DEG + 20), (288, _HOME_BEARING_DEG)),
)
_NOSE_OFF_DEG = Track(5.0, (0, 35), (14, 35), (36, 0), (60, -9), (120, 6), (230, -7), (290, 0), (308, 35))


def pose_at(t: float) -> Pose:
    """The pose `t` seconds into the endless flight."""
    step = 0.04
    before, here, after = (_position(t + dt) for dt in (-step, 0.0, step))
    velocity = [(b - a) / (2 * step) for a, b in zip(before, after, strict=True)]
    acceleration = [(a - 2 * m + b) / step**2 for a, m, b in zip(before, here, after, strict=True)]
    nose = _BEARING_DEG.at(t) + 180 + _NOSE_OFF_DEG.at(t)
    airborne = _airborne(here[2])
    bearing = nose + airborne * _sway(t, 1.1, (17, 0.4), (41, 2.2))
    roll, pitch = _tilt(bearing, velocity, acceleration)
    camera_bearing, camera_pitch = _camera(t)
    return Pose(
        x=here[0],
        y=here[1],
        height_m=here[2],
        velocity_ms=(velocity[0], velocity[1], velocity[2]),
        roll_deg=airborne * (roll + _sway(t, 0.7, (149, 1.0), (263, 3.1))),
        pitch_deg=airborne * (pitch + _sway(t, 0.6, (131, 2.0), (241, 0.3))),
        bearing_deg=bearing % 360,
        camera_bearing_deg=camera_bearing % 360,
        camera_pitch_deg=camera_pitch,
    )


def is_on_ground(t: float) -> bool:
    t %= LOOP_S
    return t < _LIFTOFF_S - _ROUNDING_S or t >= _TOUCHDOWN_S + _ROUNDING_S


def _position(t: float) -> tuple[float, float, float]:
    """East, north and up of the barn: polar about the fire, swaying in the wind."""
    height = _HEIGHT_M.at(t)
    place = cmath.rect(_RADIUS_M.at(t), math.radians(_BEARING_DEG.at(t)))  # real north, imaginary east
    airborne = _airborne(height)
    x = place.imag + airborne * _sway(t, 0.35, (29, 0.0), (67, 1.7))
    y = place.real + airborne * _sway(t, 0.30, (31, 4.0), (59, 0.9))
    return x, y, height + airborne * _sway(t, 0.15, (37, 2.5), (71, 5.0))


def _camera(t: float) -> tuple[float, float]:
    """Bearing and pitch of the stabilised camera: it follows the barn and does not feel the wind."""
    down = math.degrees(math.atan2(_HEIGHT_M.at(t), _RADIUS_M.at(t)))
    pitch = -(30 + 2 * math.log1p(math.exp((down - 30) / 2)))  # approaches the lower stop at -30 softly
    wander = _sway(t, 1.6, (7, 0.0), (11, 2.0)) * min(1.0, (90 + pitch) / 20)
    bearing = _BEARING_DEG.at(t) + 180 + _sway(t, 2.2, (5, 1.0), (13, 0.0))
    return bearing, min(-30.0, pitch + wander)


def _tilt(bearing_deg: float, velocity: list[float], acceleration: list[float]) -> tuple[float, float]:
    """Roll and pitch of a multicopter that accelerates so and leans into the air that meets it."""
    drag_per_s = 0.11
    east, north = (a + drag_per_s * (v - w) for a, v, w in zip(acceleration, velocity, WIND_MS, strict=False))
    yaw = math.radians(bearing_deg)
    forward = east * math.sin(yaw) + north * math.cos(yaw)
    right = east * math.cos(yaw) - north * math.sin(yaw)
    lift = GRAVITY_MS2 + acceleration[2]
    return math.degrees(math.atan2(right, lift)), math.degrees(math.atan2(-forward, lift))


def _airborne(height_m: float) -> float:
    """0 on the ground, 1 from 4 m up, smooth between."""
    u = min(1.0, max(0.0, (height_m - STANDING_M) / 4))
    return u * u * u * (10 - 15 * u + 6 * u * u)


def _sway(t: float, amplitude: float, *waves: tuple[int, float]) -> float:
    """A sum of sines, each (whole waves per loop, phase), that repeats with the loop."""
    total = sum(math.sin(2 * math.pi * count * t / LOOP_S + phase) for count, phase in waves)
    return amplitude * total / len(waves)
