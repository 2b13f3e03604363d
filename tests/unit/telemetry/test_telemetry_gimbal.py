"""Quaternion to camera axis."""

from __future__ import annotations

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect
from pymavlink.quaternion import Quaternion
from pymavlink.rotmat import Matrix3

from telemetry.protocol.gimbal import (
    CameraAxis,
    GimbalChoice,
    Source,
    Speaker,
    camera_axis,
    mounted_axis,
    orientation_axis,
    status_axis,
)

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


@pytest.mark.parametrize("flags", [EARTH, VEHICLE])
@pytest.mark.parametrize(("roll", "pitch"), [(0, 0), (8, -30), (-20, -60), (5, 20)])
def test_roll_about_the_axis(roll: float, pitch: float, flags: int) -> None:
    axis = camera_axis(quaternion(roll, pitch, 40), flags)
    assert axis is not None
    assert axis.roll_deg == pytest.approx(roll, abs=0.01)


def test_straight_down_has_no_roll_of_its_own() -> None:
    """There roll and yaw are one turn; it is told as yaw."""
    axis = camera_axis(quaternion(0, -90, 30), EARTH)
    assert axis is not None
    assert (axis.roll_deg, axis.true_yaw_deg(None)) == pytest.approx((0, 30), abs=0.02)


@pytest.mark.parametrize("vehicle", [(0, 0), (10, 0), (0, -15), (-25, 8)])
@pytest.mark.parametrize("camera", [(0, 0, 0), (0, -45, 0), (5, -30, 60), (-10, 20, -120), (0, -80, 15)])
def test_an_axis_on_the_body(vehicle: tuple[float, float], camera: tuple[float, float, float]) -> None:
    """Against pymavlink's matrices: those of the body and of the camera, one after the other."""
    body, mount = Matrix3(), Matrix3()
    body.from_euler(*map(math.radians, vehicle), 0.0)
    mount.from_euler(*map(math.radians, camera))
    roll, pitch, yaw = (math.degrees(angle) for angle in (body * mount).to_euler())
    axis = mounted_axis(*camera, *vehicle)
    assert (axis.roll_deg, axis.pitch_deg) == pytest.approx((roll, pitch), abs=1e-6)
    assert math.remainder(axis.yaw_deg - yaw, 360) == pytest.approx(0, abs=1e-6)
    assert not axis.yaw_is_true


def orientation(roll: float, pitch: float, yaw: float, absolute: float) -> object:
    return dialect.MAVLink_mount_orientation_message(0, roll, pitch, yaw, absolute)


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        ((1, -45, 20, 0), (1, -45, 60)),  # an old sender: the heading is 40
        ((1, -45, 20, 75), (1, -45, 75)),
        ((math.nan, -45, 20, math.nan), (None, -45, 60)),
    ],
)
def test_mount_orientation(angles: tuple[float, ...], expected: tuple[float | None, float, float]) -> None:
    axis = orientation_axis(orientation(*angles))
    assert axis is not None
    assert (axis.roll_deg, axis.pitch_deg, axis.true_yaw_deg(40.0)) == expected


@pytest.mark.parametrize("angles", [(0, math.nan, 0, 0), (0, -45, math.nan, 0), (0, 1e9, 0, 0)])
def test_no_mount_orientation(angles: tuple[float, ...]) -> None:
    assert orientation_axis(orientation(*angles)) is None


def status(pitch: int, roll: int = 0, yaw: int = 0) -> object:
    return dialect.MAVLink_mount_status_message(0, 0, pitch, roll, yaw)


def test_mount_status_of_the_body_needs_its_tilt() -> None:
    assert status_axis(status(-4500), None, of_body=True) is None
    axis = status_axis(status(-4500), (0.0, 10.0), of_body=True)
    assert axis is not None
    assert axis.pitch_deg == pytest.approx(-35)
    level = status_axis(status(-4500, 100, 2000), None, of_body=False)
    assert level is not None
    assert (level.pitch_deg, level.roll_deg, level.yaw_deg, level.yaw_is_true) == (-45, 1, 20, False)
    assert status_axis(status(494_000_000, 76_000_000), None, of_body=False) is None  # a place, not angles


AXIS = CameraAxis(-30.0, 0.0, True)
DEVICE, OTHER = Speaker(Source.DEVICE, 154), Speaker(Source.DEVICE, 171)
ORIENTATION, STATUS = Speaker(Source.ORIENTATION, 1), Speaker(Source.STATUS, 1)
S = 1_000_000_000


def shown(*heard: tuple[float, Speaker]) -> list[bool]:
    choice = GimbalChoice()
    return [choice.take(speaker, AXIS, round(at_s * S)) for at_s, speaker in heard]


def test_the_best_message_heard_lately_is_shown() -> None:
    assert shown((0, STATUS), (0.1, ORIENTATION), (0.2, STATUS), (0.3, DEVICE), (0.4, ORIENTATION)) == [
        True, True, False, True, False,
    ]  # fmt: skip


def test_another_one_steps_in_after_two_seconds() -> None:
    assert shown((0, DEVICE), (1.9, STATUS), (2.1, STATUS), (2.2, DEVICE), (3, STATUS)) == [
        True, False, True, True, False,
    ]  # fmt: skip


def test_of_equals_the_first_is_shown_until_it_falls_silent() -> None:
    assert shown((0, DEVICE), (1, OTHER), (2, DEVICE), (4.1, OTHER), (4.2, DEVICE)) == [
        True, False, True, True, False,
    ]  # fmt: skip


def test_who_says_nothing_of_use_makes_way() -> None:
    choice = GimbalChoice()
    assert choice.take(DEVICE, None, 0)
    assert choice.axis is None
    assert choice.take(STATUS, AXIS, S)
    assert not choice.take(DEVICE, None, S)
    assert choice.axis is AXIS
