from __future__ import annotations

from dataclasses import replace

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.klv import checksum
from flow.codec.st0601 import St0601, encode_st0601
from flow.errors import MalformedError
from flow.samples import Group, Metadata, MetadataKind, Place, TelemetrySample
from flow.source_clock import ClockStatus
from telemetry.protocol.track_klv import KlvTrack
from tests.fakes.clock import START_NS
from tests.fakes.klv_sets import FLIGHT, UTC_US, flight, universal


def unit(data: bytes, utc_ns: int = START_NS) -> Metadata:
    return Metadata("fritz-tag", MetadataKind.KLV, utc_ns, data)


def sample(*sets: St0601) -> TelemetrySample:
    """After these sets, a second apart."""
    track, got = KlvTrack("fritz"), None
    for second, each in enumerate(sets):
        (got,) = track.take(unit(encode_st0601(each), START_NS + second * NS_PER_S))
    assert got is not None
    return got


def test_a_set_tells_everything_of_its_moment() -> None:
    got = sample(FLIGHT)
    assert (got.aircraft_id, got.utc_ns) == ("fritz", START_NS)
    assert (got.lat_deg, got.lon_deg) == pytest.approx((49.4401, 7.7491), abs=1e-6)
    assert got.alt_msl_m == pytest.approx(331.5, abs=0.2)
    assert got.alt_agl_m == pytest.approx(84, abs=0.01)
    assert (got.alt_home_m, got.battery_pct, got.fix, got.armed) == (None, None, None, None)
    assert (got.yaw_deg, got.pitch_deg, got.roll_deg) == pytest.approx((350, -4, 2.5), abs=0.01)
    assert (got.ground_speed_ms, got.climb_ms) == pytest.approx((12, 1.5), abs=0.01)
    assert (got.hfov_deg, got.vfov_deg) == pytest.approx((62, 37), abs=0.01)
    assert got.frame_centre is not None
    assert got.frame_centre.alt_msl_m == pytest.approx(247, abs=0.2)
    groups = {Group.POSITION, Group.ATTITUDE, Group.SPEED, Group.GIMBAL, Group.CAMERA}
    assert got.received_ns == dict.fromkeys(groups, START_NS)


LEVEL = replace(FLIGHT, platform_heading_deg=350.0, platform_pitch_deg=0.0, platform_roll_deg=0.0)


@pytest.mark.parametrize(
    ("platform", "sensor", "look"),
    [
        ((350, 0, 0), (25, -40, 0), (15, -40, 0)),
        ((90, 10, 0), (0, -40, 0), (90, -30, 0)),  # the platform's pitch counts along the nose
        ((90, 10, 0), (180, -40, 0), (270, -50, 0)),  # and the other way round behind it
        ((0, 0, 20), (90, -40, 0), (90, -60, 0)),  # bank right, look right: further down
        ((0, 0, 0), (0, -90, 0), (0, -90, 0)),
        ((30, 0, 0), (0, -20, 7), (30, -20, 7)),
    ],
)
def test_the_camera_looks_from_where_the_platform_points(
    platform: tuple[float, ...], sensor: tuple[float, ...], look: tuple[float, ...]
) -> None:
    got = sample(
        replace(
            FLIGHT,
            platform_heading_deg=platform[0],
            platform_pitch_deg=platform[1],
            platform_roll_deg=platform[2],
            sensor_azimuth_deg=sensor[0],
            sensor_elevation_deg=sensor[1],
            sensor_roll_deg=sensor[2],
        )
    )
    told = got.gimbal_yaw_deg, got.gimbal_pitch_deg, got.gimbal_roll_deg
    assert told == pytest.approx(look, abs=0.01)


@pytest.mark.parametrize("missing", ["platform_heading_deg", "platform_roll_deg", "sensor_elevation_deg"])
def test_without_an_attitude_nobody_knows_where_it_looks(missing: str) -> None:
    got = sample(replace(LEVEL, **{missing: None}))  # type: ignore[arg-type]
    assert (got.gimbal_yaw_deg, got.gimbal_pitch_deg, got.gimbal_roll_deg) == (None, None, None)
    assert Group.GIMBAL not in got.received_ns
    assert got.lat_deg is not None


def test_the_ellipsoid_is_not_the_sea() -> None:
    got = sample(replace(FLIGHT, sensor_alt_msl_m=None, sensor_alt_hae_m=379.0))
    assert got.alt_msl_m is None


def test_north_is_0_and_zeros_are_no_place_and_no_lens() -> None:
    got = sample(
        replace(
            FLIGHT,
            platform_heading_deg=360.0,
            sensor_lat_deg=0.0,
            sensor_lon_deg=0.0,
            frame_centre_lat_deg=0.0,
            frame_centre_lon_deg=0.0,
            hfov_deg=0.0,
        )
    )
    assert got.yaw_deg == 0
    assert (got.lat_deg, got.lon_deg, got.frame_centre, got.hfov_deg) == (None, None, None, None)


def test_each_group_keeps_its_last_word_and_its_age() -> None:
    """A sender need not tell everything each time."""
    only_attitude = St0601(UTC_US, platform_heading_deg=10.0, platform_pitch_deg=0.0)
    got = sample(FLIGHT, only_attitude)
    assert got.utc_ns == START_NS + NS_PER_S
    assert got.lat_deg == pytest.approx(49.4401, abs=1e-6)
    assert got.yaw_deg == pytest.approx(10, abs=0.01)
    assert got.roll_deg is None
    assert got.received_ns[Group.POSITION] == START_NS
    assert got.received_ns[Group.ATTITUDE] == START_NS + NS_PER_S


def test_a_set_dated_wrong_does_not_date_those_that_follow() -> None:
    track = KlvTrack("fritz")
    track.take(unit(flight(0), START_NS + 3600 * NS_PER_S))
    (got,) = track.take(unit(encode_st0601(St0601(UTC_US, platform_heading_deg=1.0)), START_NS))
    assert (got.utc_ns, got.received_ns) == (START_NS, {Group.ATTITUDE: START_NS})
    assert (got.lat_deg, got.ground_speed_ms) == (None, None)


def test_a_set_that_is_sent_again_and_again_makes_nothing_younger() -> None:
    """As an encoder does that has lost its autopilot."""
    track = KlvTrack("fritz")
    assert track.take(unit(flight(0), START_NS))
    assert not any(track.take(unit(flight(0), START_NS + n * NS_PER_S)) for n in range(1, 5))
    (got,) = track.take(unit(flight(1), START_NS + 5 * NS_PER_S))
    assert got.received_ns[Group.POSITION] == START_NS + 5 * NS_PER_S
    timeless = encode_st0601(FLIGHT).replace(b"\x02\x08" + UTC_US.to_bytes(8, "big"), b"\x02\x08" + bytes(8))
    timeless = timeless[:-2] + checksum(timeless[:-2]).to_bytes(2, "big")
    for second in range(3):  # nobody says that it is the same moment
        assert track.take(unit(timeless, START_NS + (6 + second) * NS_PER_S))


def test_a_set_that_says_nothing_makes_no_sample() -> None:
    assert KlvTrack("fritz").take(unit(encode_st0601(St0601(UTC_US, mission_id="Übung")))) == []


def test_what_is_broken_is_refused_and_changes_nothing() -> None:
    track = KlvTrack("fritz")
    track.take(unit(flight(0)))
    for bad in (flight(1)[:-1] + b"\0", flight(1)[:40], b"", b"\x06\x0e\x2b\x34" + bytes(13)):
        with pytest.raises(MalformedError):
            track.take(unit(bad, START_NS + NS_PER_S))
    (got,) = track.take(unit(encode_st0601(St0601(UTC_US, platform_heading_deg=1.0)), START_NS + NS_PER_S))
    assert got.received_ns[Group.POSITION] == START_NS


def test_the_universal_set_tells_the_look_itself() -> None:
    sets = universal(
        {
            "0701020102040200": 38.25,
            "0701020102060200": -77.37,
            "0701100106000000": -102.75,
            "0701100102000000": 124.5,
            "0701100103000000": -37.5,
            "0701020103020000": 38.24,
            "0701020103040000": -77.35,
        }
    )
    (got,) = KlvTrack("fritz").take(unit(sets))
    assert (got.lat_deg, got.lon_deg, got.yaw_deg) == (38.25, -77.37, 257.25)
    assert (got.gimbal_yaw_deg, got.gimbal_pitch_deg, got.gimbal_roll_deg) == (124.5, -37.5, None)
    assert got.frame_centre == Place(38.24, -77.35)
    beyond = universal({"0701020102040200": 138.0, "0701020102060200": 1.0})
    assert KlvTrack("fritz").take(unit(beyond)) == []


def test_the_senders_clock_is_told_and_moves_nothing() -> None:
    track = KlvTrack("fritz")
    (got,) = track.take(unit(flight(0), START_NS + 250 * NS_PER_MS))
    assert got.utc_ns == START_NS + 250 * NS_PER_MS
    assert track.clock is not None
    assert (track.clock.status, track.clock.offset_ms) == (ClockStatus.GOOD, -250)
    track.take(unit(flight(0), START_NS + 300 * NS_PER_MS))
    assert track.clock.offset_ms == -250  # jitter
    track.take(unit(encode_st0601(replace(FLIGHT, utc_us=1_348_087_244_105_300))))
    assert (track.clock.status, track.clock.reason) == (ClockStatus.REFUSED, "clock_bogus")
