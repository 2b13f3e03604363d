"""What the aircraft itself believes: its clock and its sensors, wrong on purpose where a test asks for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator import place
from simulator.flightpath import Pose


@dataclass(frozen=True, slots=True)
class ClockError:
    """How wrong a clock is at the start, and how much faster than true time it runs."""

    offset_ms: float = 0.0
    drift_ppm: float = 0.0

    def __add__(self, other: ClockError) -> ClockError:
        return ClockError(self.offset_ms + other.offset_ms, self.drift_ppm + other.drift_ppm)


@dataclass(frozen=True, slots=True)
class Errors:
    """Standard deviations of the sensors, and how wrong the clocks are; all zero by default.

    `clock` is common to all; `camera_clock` and `autopilot_clock` come on top of it.
    """

    gps_m: float = 0.0
    alt_m: float = 0.0
    attitude_deg: float = 0.0
    gimbal_deg: float = 0.0
    clock: ClockError = ClockError()
    camera_clock: ClockError = ClockError()
    autopilot_clock: ClockError = ClockError()


@dataclass(frozen=True, slots=True)
class AircraftClock:
    """The clock that time-stamps RTP and sender reports, or MAVLink; right unless told otherwise."""

    start_ms: int
    error: ClockError = ClockError()

    def at(self, true_ms: float) -> float:
        """What it shows, in ms since the Unix epoch."""
        return true_ms + self.error.offset_ms + (true_ms - self.start_ms) * self.error.drift_ppm * 1e-6


@dataclass(frozen=True, slots=True)
class State:
    """A pose in the words of MAVLink: WGS84, true north, NED velocity, heights over sea level and home."""

    lat_deg: float
    lon_deg: float
    alt_msl_m: float
    height_m: float
    velocity_ned_ms: tuple[float, float, float]
    roll_deg: float
    pitch_deg: float
    yaw_deg: float
    camera_yaw_deg: float
    camera_pitch_deg: float


def true_state(pose: Pose) -> State:
    fix = place.to_fix(pose.x, pose.y, pose.height_m)
    east, north, up = pose.velocity_ms
    turn = math.radians(place.CONVERGENCE_DEG)
    return State(
        lat_deg=fix.lat_deg,
        lon_deg=fix.lon_deg,
        alt_msl_m=fix.alt_msl_m,
        height_m=pose.height_m,
        velocity_ned_ms=(
            north * math.cos(turn) - east * math.sin(turn),
            north * math.sin(turn) + east * math.cos(turn),
            -up,
        ),
        roll_deg=pose.roll_deg,
        pitch_deg=pose.pitch_deg,
        yaw_deg=place.true_bearing_deg(pose.bearing_deg),
        camera_yaw_deg=place.true_bearing_deg(pose.camera_bearing_deg),
        camera_pitch_deg=pose.camera_pitch_deg,
    )


_M_PER_DEG = 111_200.0


class Sensors:
    """Turns truth into what the aircraft reports; the same seed gives the same errors.

    They wander like those of real sensors: first-order Gauss-Markov, slow for GPS and height, quick for
    angles.
    """

    def __init__(self, errors: Errors, seed: int) -> None:
        self._random = np.random.default_rng([seed, 0x5E])
        angles, gimbal = errors.attitude_deg, errors.gimbal_deg
        self._sigma = np.array(
            [errors.gps_m, errors.gps_m, errors.alt_m, angles, angles, angles, gimbal, gimbal]
        )
        self._time_constant_s = np.array([20.0, 20.0, 30.0, 2.0, 2.0, 8.0, 1.0, 1.0])
        self._now = self._sigma * self._random.standard_normal(8)

    def measure(self, truth: State, elapsed_s: float) -> State:
        """The state as reported `elapsed_s` after the previous one."""
        kept = np.exp(-elapsed_s / self._time_constant_s)
        fresh = np.sqrt(1 - kept**2) * self._sigma * self._random.standard_normal(8)
        self._now = kept * self._now + fresh
        north, east, up, roll, pitch, yaw, camera_yaw, camera_pitch = (float(value) for value in self._now)
        return State(
            lat_deg=truth.lat_deg + north / _M_PER_DEG,
            lon_deg=truth.lon_deg + east / (_M_PER_DEG * math.cos(math.radians(truth.lat_deg))),
            alt_msl_m=truth.alt_msl_m + up,
            height_m=truth.height_m + up,
            velocity_ned_ms=truth.velocity_ned_ms,
            roll_deg=truth.roll_deg + roll,
            pitch_deg=truth.pitch_deg + pitch,
            yaw_deg=(truth.yaw_deg + yaw) % 360,
            camera_yaw_deg=(truth.camera_yaw_deg + camera_yaw) % 360,
            camera_pitch_deg=max(-90.0, truth.camera_pitch_deg + camera_pitch),
        )
