"""Quaternion to camera axis."""

from __future__ import annotations

import math

import pytest
from pymavlink.quaternion import Quaternion

from telemetry.protocol.gimbal import camera_axis

LOCK, VEHICLE, EARTH = 16, 32, 64


def quaternion(roll: float, pitch: float, yaw: float) -> list[float]:
    """(w, x, y, z) by pymavlink's own arithmetic."""
    return [float(part) for part in Quaternion([math.radians(angle) for angle in (roll, pitch, yaw)]).q]


@pytest.mark.parametrize("yaw", [0, 45, 179, 181, 300])
@pytest.mark.parametrize(
    ("roll", "pitch"),
    [(0, 20), (5, 20), (0, 0), (5, 0), (0, -45), (5, -45), (5, -89), (0, -90)],
)
def test_earth_frame(roll: float, pitch: float, yaw: float) -> None:
    axis = camera_axis(quaternion(roll, pitch, yaw), EARTH)
    assert axis is not None
    assert axis.pitch_deg == pytest.approx(pitch, abs=0.02)
    true_yaw = axis.true_yaw_deg(None)
    assert true_yaw is not None
    assert math.remainder(true_yaw - yaw, 360) == pytest.approx(0, abs=0.05)
    assert 0 <= true_yaw < 360


def test_straight_up_keeps_its_yaw() -> None:
    axis = camera_axis(quaternion(0, 90, 30), EARTH)
    assert axis is not None
    assert (axis.pitch_deg, axis.true_yaw_deg(None)) == pytest.approx((90, 30), abs=0.02)


def test_vehicle_frame_needs_a_heading() -> None:
    axis = camera_axis(quaternion(0, -30, 20), VEHICLE)
    assert axis is not None
    assert axis.true_yaw_deg(None) is None
    assert axis.true_yaw_deg(350.0) == pytest.approx(10)
    assert axis.pitch_deg == pytest.approx(-30)


@pytest.mark.parametrize(
    ("flags", "is_true"), [(0, False), (LOCK, True), (LOCK | VEHICLE, False), (EARTH, True)]
)
def test_flags_tell_the_frame(flags: int, is_true: bool) -> None:
    axis = camera_axis(quaternion(0, -30, 20), flags)
    assert axis is not None
    assert axis.yaw_is_true is is_true


@pytest.mark.parametrize("q", [[math.nan] * 4, [0.0] * 4, [math.inf, 0, 0, 0]])
def test_no_quaternion(q: list[float]) -> None:
    assert camera_axis(q, EARTH) is None
