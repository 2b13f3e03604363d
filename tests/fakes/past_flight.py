"""What an aircraft told in the course of a flight, made up: straight on, its camera fixed or on a gimbal."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flow.clock import NS_PER_MS, NS_PER_S
from flow.samples import Group, Place, TelemetrySample
from telemetry.protocol.earth import Plane

from .clock import START_NS

EVERY_NS = 100 * NS_PER_MS
LAT, LON = 49.44, 7.77
HEIGHT_M, SPEED_MS = 100.0, 10.0


def told(utc_ns: int, lat_deg: float, lon_deg: float, **more: Any) -> TelemetrySample:
    """A whole sample, all of it told at that very moment: north, level, looking straight down."""
    known: dict[str, Any] = {
        "alt_home_m": HEIGHT_M,
        "alt_msl_m": 250.0 + HEIGHT_M,
        "roll_deg": 0.0,
        "pitch_deg": 0.0,
        "yaw_deg": 0.0,
        "gimbal_pitch_deg": -90.0,
        "gimbal_yaw_deg": 0.0,
        "ground_speed_ms": SPEED_MS,
        "climb_ms": 0.0,
        "battery_pct": 80.0,
        "fix": "3d",
        "satellites": 14,
        "mode": "AUTO",
        "armed": True,
        "home": Place(lat_deg, lon_deg, 250.0),
    }
    of_now = (Group.POSITION, Group.ATTITUDE, Group.GIMBAL, Group.SPEED, Group.BATTERY, Group.FIX, Group.MODE)
    sample = TelemetrySample("fritz", utc_ns, lat_deg, lon_deg, **known | more)
    return replace(sample, received_ns=dict.fromkeys(of_now, utc_ns))


def flown(
    seconds: float,
    start_ns: int = START_NS,
    at: tuple[float, float] = (LAT, LON),
    metres: tuple[float, float] = (0.0, SPEED_MS),
    **more: Any,
) -> list[TelemetrySample]:
    """Ten samples a second, `metres` to the east and to the north in each second."""
    plane = Plane(*at)
    samples = []
    for number in range(round(seconds * 10)):
        place = plane.place(metres[0] * number / 10, metres[1] * number / 10)
        samples.append(told(start_ns + number * EVERY_NS, *place, **more))
    return samples


class Told:
    """Samples as a flight's file hands them out; counts how often it is read."""

    def __init__(self, samples: Sequence[TelemetrySample]) -> None:
        self._samples = samples
        self.reads = 0

    def between(self, from_ns: int, to_ns: int) -> Sequence[TelemetrySample]:
        self.reads += 1
        first = bisect_left(self._samples, from_ns + 1, key=lambda sample: sample.utc_ns)
        last = bisect_left(self._samples, to_ns + 1, key=lambda sample: sample.utc_ns)
        return self._samples[max(0, first - 1) : last]


def after(seconds: float) -> int:
    """Lagebild time so long after the start."""
    return START_NS + round(seconds * NS_PER_S)
