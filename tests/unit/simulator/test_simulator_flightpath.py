"""The flight: endless, smooth, and repeating exactly."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from simulator import mission
from simulator.flightpath import LOOP_S, STANDING_M, Pose, Track, is_on_ground, pose_at
from simulator.place import HOME_XY

DT = 0.05


def angles(pose: Pose) -> tuple[float, ...]:
    return (pose.roll_deg, pose.pitch_deg, pose.bearing_deg, pose.camera_bearing_deg, pose.camera_pitch_deg)


def turn(a: float, b: float) -> float:
    return abs(math.remainder(a - b, 360))


def test_it_repeats_exactly() -> None:
    for t in (0.0, 33.3, 171.0, 303.7):
        now, later = pose_at(t), pose_at(t + LOOP_S)
        assert (later.x, later.y, later.height_m) == pytest.approx((now.x, now.y, now.height_m), abs=1e-6)
        assert all(turn(a, b) < 1e-5 for a, b in zip(angles(now), angles(later), strict=True))


def test_no_step_anywhere_in_the_loop_nor_at_its_seam() -> None:
    poses = [pose_at(t) for t in np.arange(-2, LOOP_S + 2, DT)]
    for before, after in itertools.pairwise(poses):
        moved = math.dist((before.x, before.y, before.height_m), (after.x, after.y, after.height_m))
        assert moved < 12 * DT
        assert math.dist(before.velocity_ms, after.velocity_ms) < 8 * DT
        assert all(turn(a, b) < 45 * DT for a, b in zip(angles(before), angles(after), strict=True))


def test_velocity_is_the_derivative_of_position() -> None:
    for t in (20.0, 75.5, 201.0, 250.2):
        before, after = pose_at(t - 0.05), pose_at(t + 0.05)
        measured = (
            (after.x - before.x) / 0.1,
            (after.y - before.y) / 0.1,
            (after.height_m - before.height_m) / 0.1,
        )
        assert pose_at(t).velocity_ms == pytest.approx(measured, abs=0.05)


def test_it_stays_within_what_such_an_aircraft_does() -> None:
    poses = [pose_at(t) for t in np.arange(0, LOOP_S, 0.25)]
    assert all(STANDING_M - 1e-9 <= pose.height_m < 90 for pose in poses)
    assert all(math.hypot(*pose.velocity_ms[:2]) < 12 for pose in poses)
    assert all(abs(pose.roll_deg) < 20 and abs(pose.pitch_deg) < 20 for pose in poses)
    assert all(-90 < pose.camera_pitch_deg <= -30 for pose in poses)
    assert min(pose.camera_pitch_deg for pose in poses) < -88
    assert max(pose.height_m for pose in poses) > 80


def test_it_stands_at_home_level_and_still() -> None:
    pose = pose_at(0.0)
    assert is_on_ground(0.0)
    assert mission.landed_state_at(0.0) == 1  # MAV_LANDED_STATE_ON_GROUND
    assert (pose.x, pose.y) == pytest.approx(HOME_XY, abs=0.01)
    assert (pose.height_m, pose.roll_deg, pose.pitch_deg) == pytest.approx((STANDING_M, 0, 0), abs=1e-6)


def test_a_track_passes_near_its_corners_and_rests_between_equal_knots() -> None:
    track = Track(2.0, (0, 0), (10, 5), (20, 5), (40, 0))
    assert track.at(15) == 5
    assert track.at(100) == pytest.approx(0)
    assert track.at(5) == pytest.approx(2.5)
    assert 4.3 < track.at(10) < 5


def test_the_battery_falls_from_take_off_to_landing() -> None:
    levels = [mission.battery_pct_at(t) for t in np.arange(0, 308, 1.0)]
    assert all(b < a for a, b in itertools.pairwise(levels))
    assert levels[0] == pytest.approx(95, abs=2)
    assert levels[-1] == pytest.approx(31, abs=2)


def test_every_text_comes_once_a_loop() -> None:
    times = np.arange(26.0, 26.0 + LOOP_S + 0.01, 1 / 30)
    texts = [text for a, b in itertools.pairwise(times) for _, text in mission.texts_between(a, b)]
    assert len(texts) == len(set(texts)) == 6
