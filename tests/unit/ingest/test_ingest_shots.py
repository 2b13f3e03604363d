"""Which telemetry belongs to a picture: what was known at its moment, and nothing stale."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.exif import Shot
from flow.flights import Feed
from flow.samples import Group, TelemetrySample
from flow.units import UtcOrigin, captured_ns
from ingest.protocol.shots import Track, shot_of
from tests.fakes.clock import START_NS

CAMERA = Feed("fritz-tag", "fritz", "Tageslicht", air_link_ms=120.0)
FIXED = replace(CAMERA, mount_pitch_deg=-45.0)
SHOT = Shot(START_NS, 64, 48, "", "")


def sample(at_ns: int = START_NS, **changes: Any) -> TelemetrySample:
    received = dict.fromkeys(Group, at_ns) | changes.pop("received", {})
    whole = TelemetrySample(
        "fritz", at_ns, lat_deg=49.4, lon_deg=7.7, alt_msl_m=335.0, yaw_deg=90.0,
        gimbal_pitch_deg=-60.0, gimbal_yaw_deg=100.0, fix="3d", received_ns=received,
    )  # fmt: skip
    return replace(whole, **changes)


def place(shot: Shot) -> tuple[float | None, ...]:
    return shot.lat_deg, shot.lon_deg, shot.alt_msl_m, shot.direction_deg, shot.elevation_deg


def test_a_whole_sample_gives_a_whole_place() -> None:
    assert place(shot_of(CAMERA, sample(), SHOT)) == (49.4, 7.7, 335.0, 100.0, -60.0)
    assert place(shot_of(CAMERA, None, SHOT)) == (None,) * 5


def test_a_group_that_is_stale_is_left_out_alone() -> None:
    old = {Group.POSITION: START_NS - 2 * NS_PER_S - 1}
    assert place(shot_of(CAMERA, sample(received=old), SHOT)) == (None, None, None, 100.0, -60.0)
    just = {Group.POSITION: START_NS - 2 * NS_PER_S}
    assert place(shot_of(CAMERA, sample(received=just), SHOT))[:2] == (49.4, 7.7)


def test_without_a_fix_there_is_no_place() -> None:
    for changes in ({"fix": "none"}, {"fix": None}, {"lat_deg": 0.0, "lon_deg": 0.0}):
        assert place(shot_of(CAMERA, sample(**changes), SHOT)) == (None, None, None, 100.0, -60.0)


def test_what_is_no_number_is_not_known() -> None:
    shot = shot_of(CAMERA, sample(gimbal_yaw_deg=math.nan, alt_msl_m=math.inf, lat_deg=None), SHOT)
    assert place(shot) == (None, None, None, None, -60.0)


def test_a_camera_without_gimbal_looks_where_the_aircraft_does_if_that_is_configured() -> None:
    bare = sample(gimbal_yaw_deg=None, gimbal_pitch_deg=None)
    assert shot_of(CAMERA, bare, SHOT).direction_deg is None
    assert shot_of(FIXED, bare, SHOT).direction_deg == 90.0


def test_the_sample_of_a_picture_is_the_nearest_within_a_second() -> None:
    track = Track()
    assert track.at(START_NS) is None
    for ms in (-900, -50, 40, 300):
        track.add(sample(START_NS + ms * NS_PER_MS))
    nearest = track.at(START_NS)
    assert nearest is not None
    assert nearest.utc_ns == START_NS + 40 * NS_PER_MS
    assert track.at(START_NS + 1301 * NS_PER_MS) is None
    assert track.at(START_NS - 1901 * NS_PER_MS) is None


def test_a_picture_timed_by_its_arrival_was_taken_one_air_link_earlier() -> None:
    assert captured_ns(START_NS, UtcOrigin.ARRIVAL, CAMERA.air_link_ms) == START_NS - 120 * NS_PER_MS
    assert captured_ns(START_NS, UtcOrigin.SOURCE, CAMERA.air_link_ms) == START_NS
