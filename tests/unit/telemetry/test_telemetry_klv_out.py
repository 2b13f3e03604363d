"""Samples made ST 0601 sets: what is old or unknown is left out, and sensor angles are the airframe's."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

from flow.codec.st0601 import decode_st0601, encode_st0601
from flow.doors import CameraLook, GroundPoint
from flow.flights import Ellipse, Feed
from flow.samples import Group, Metadata, MetadataKind, Place, TelemetrySample
from telemetry.protocol.klv_out import STALE_NS, Names, klv_set, relative_angles, sample_at
from telemetry.protocol.pose_track import PoseTrack
from telemetry.protocol.track_klv import KlvTrack

UTC_NS = 1_795_330_000_123_456_789
FEED = Feed("tag", "fritz", "Tageslicht", hfov_deg=62.0)
NAMES = Names("Einsatz 4711", "Multikopter Fritz", "Tageslicht")
SAMPLE = TelemetrySample(
    "fritz",
    UTC_NS,
    lat_deg=49.44,
    lon_deg=7.76,
    alt_msl_m=352.5,
    alt_agl_m=84.25,
    roll_deg=-3.5,
    pitch_deg=6.25,
    yaw_deg=311.0,
    gimbal_pitch_deg=-45.0,
    gimbal_yaw_deg=20.0,
    gimbal_roll_deg=1.5,
    ground_speed_ms=7.0,
    climb_ms=-1.25,
    hfov_deg=58.5,
    vfov_deg=36.0,
    received_ns=dict.fromkeys(Group, UTC_NS),
)


def test_names_time_and_pose() -> None:
    told = klv_set(SAMPLE, UTC_NS, FEED, NAMES)
    assert told is not None
    assert told.utc_us == 1_795_330_000_123_456
    assert (told.mission_id, told.platform_designation, told.image_source) == dataclasses.astuple(NAMES)
    assert (told.sensor_lat_deg, told.sensor_lon_deg, told.sensor_alt_msl_m) == (49.44, 7.76, 352.5)
    assert (told.platform_heading_deg, told.platform_pitch_deg, told.platform_roll_deg) == (311.0, 6.25, -3.5)
    assert (told.hfov_deg, told.vfov_deg) == (58.5, 36.0)


def test_angles_turned_into_the_airframe_and_back_are_the_same() -> None:
    """By the other way: what a set says is read as the KLV of any aircraft is."""
    dice = random.Random(5)
    for _ in range(300):
        sample = dataclasses.replace(
            SAMPLE,
            yaw_deg=dice.uniform(0, 360),
            pitch_deg=dice.uniform(-30, 30),
            roll_deg=dice.uniform(-45, 45),
            gimbal_yaw_deg=dice.uniform(0, 360),
            gimbal_pitch_deg=dice.uniform(-85, 30),
            gimbal_roll_deg=dice.uniform(-20, 20),
        )
        told = klv_set(sample, UTC_NS, FEED, NAMES)
        assert told is not None
        [back] = KlvTrack("fritz").take(Metadata("tag", MetadataKind.KLV, UTC_NS, encode_st0601(told)))
        for name in ("yaw_deg", "gimbal_yaw_deg"):
            assert abs((getattr(back, name) - getattr(sample, name) + 180) % 360 - 180) < 0.02
        for name in ("pitch_deg", "roll_deg", "gimbal_pitch_deg", "gimbal_roll_deg"):
            assert getattr(back, name) == pytest.approx(getattr(sample, name), abs=0.02)


def test_a_camera_that_looks_where_the_nose_points_has_no_relative_angles() -> None:
    sample = dataclasses.replace(SAMPLE, gimbal_yaw_deg=311.0, gimbal_pitch_deg=6.25, gimbal_roll_deg=-3.5)
    relative = relative_angles(sample)
    assert relative is not None
    assert relative.yaw_deg % 360 == pytest.approx(0, abs=1e-9) or relative.yaw_deg == pytest.approx(360)
    assert (relative.pitch_deg, relative.roll_deg) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize(
    "unknown", ["yaw_deg", "pitch_deg", "roll_deg", "gimbal_yaw_deg", "gimbal_pitch_deg"]
)
def test_half_known_angles_are_left_out(unknown: str) -> None:
    nothing: dict[str, Any] = {unknown: None}
    told = klv_set(dataclasses.replace(SAMPLE, **nothing), UTC_NS, FEED, NAMES)
    assert told is not None
    assert (told.sensor_azimuth_deg, told.sensor_elevation_deg, told.sensor_roll_deg) == (None, None, None)


def test_a_camera_without_a_gimbal_is_bolted_on() -> None:
    fixed = dataclasses.replace(SAMPLE, gimbal_pitch_deg=None, gimbal_yaw_deg=None, gimbal_roll_deg=None)
    told = klv_set(fixed, UTC_NS, dataclasses.replace(FEED, mount_pitch_deg=-30.0), NAMES)
    assert told is not None
    assert (told.sensor_azimuth_deg, told.sensor_elevation_deg, told.sensor_roll_deg) == (0.0, -30.0, 0.0)
    nothing = klv_set(fixed, UTC_NS, FEED, NAMES)
    assert nothing is not None
    assert nothing.sensor_elevation_deg is None


def test_the_pose_is_that_of_the_instant_between_two_samples() -> None:
    track, later_ns = PoseTrack(), UTC_NS + 400_000_000
    track.add(dataclasses.replace(SAMPLE, yaw_deg=350.0, gimbal_yaw_deg=20.0))
    after = dataclasses.replace(
        SAMPLE,
        utc_ns=later_ns,
        lat_deg=49.48,
        yaw_deg=30.0,
        gimbal_yaw_deg=340.0,
        received_ns=dict.fromkeys(Group, later_ns),
    )
    track.add(after)
    moment = track.at(UTC_NS + 300_000_000)
    assert moment is not None
    between = sample_at(moment)
    assert [between.lat_deg, between.yaw_deg, between.gimbal_yaw_deg] == pytest.approx([49.47, 20.0, 350.0])
    assert (between.aircraft_id, between.alt_msl_m, between.pitch_deg) == ("fritz", 352.5, 6.25)


def test_what_is_old_is_left_out() -> None:
    received_ns = {
        **SAMPLE.received_ns,
        Group.ATTITUDE: UTC_NS - STALE_NS - 1,
        Group.CAMERA: UTC_NS + STALE_NS + 1,
    }
    told = klv_set(dataclasses.replace(SAMPLE, received_ns=received_ns), UTC_NS, FEED, NAMES)
    assert told is not None
    assert (told.platform_heading_deg, told.sensor_azimuth_deg, told.vfov_deg) == (None, None, None)
    assert told.hfov_deg == 62.0  # that of the settings
    assert told.sensor_lat_deg == 49.44
    assert klv_set(SAMPLE, UTC_NS + 2 * STALE_NS, FEED, NAMES) is None


def test_where_it_looks_is_told_of_the_ground() -> None:
    corners = tuple(
        Place(49.45 + north, 7.77 + east) for north, east in ((0, 0), (0, 0.01), (-0.01, 0.01), (-0.01, 0))
    )
    centre = GroundPoint(
        "tag", UTC_NS, Place(49.445, 7.775, 268.0), 119.5, Ellipse(1.0, 1.0, 0.0), terrain=True
    )
    look = CameraLook("tag", UTC_NS, "", 20.0, corners, False, centre)
    told = klv_set(SAMPLE, UTC_NS, FEED, NAMES, look)
    assert told is not None
    back = decode_st0601(encode_st0601(told))
    assert back.slant_range_m == pytest.approx(119.5, abs=0.002)
    assert (back.frame_centre_lat_deg, back.frame_centre_lon_deg) == pytest.approx((49.445, 7.775), abs=1e-7)
    assert back.frame_centre_alt_msl_m == pytest.approx(268.0, abs=0.2)
    assert [pytest.approx((corner.lat_deg, corner.lon_deg), abs=1e-7) for corner in corners] == list(
        back.corners
    )
    cut = klv_set(SAMPLE, UTC_NS, FEED, NAMES, dataclasses.replace(look, cut=True))
    assert cut is not None
    assert cut.corners == ()
    unknown = klv_set(SAMPLE, UTC_NS, FEED, NAMES, CameraLook("tag", UTC_NS, "no_height", 20.0))
    assert unknown is not None
    assert (unknown.slant_range_m, unknown.corners) == (None, ())
