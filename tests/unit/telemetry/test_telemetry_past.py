"""What was known at a moment of a recorded flight."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest

from flow.codec.st0601 import decode_st0601
from flow.errors import NotFoundError
from flow.flights import Feed
from flow.samples import Group, Place, TelemetrySample
from telemetry.past import PastLooks
from telemetry.protocol.earth import Plane
from telemetry.protocol.freshness import AGEING, fresh
from telemetry.surroundings import PastSurroundings
from tests.fakes.height_models import write_wgs84
from tests.fakes.past_flight import HEIGHT_M, LAT, LON, Told, after, flown, told

FEEDS = (Feed("tag", "fritz", "Tageslicht", hfov_deg=90.0), Feed("wbk", "fritz", "Wärmebild"))


def past_of(samples: Sequence[TelemetrySample], terrain: tuple[str, ...] = ()) -> PastLooks:
    return PastLooks(
        FEEDS,
        Told(samples).between,
        lambda feed_id, utc_ns: 0.5,
        around=PastSurroundings(terrain),
        mission="Einsatz 4711",
        aircraft="Fritz",
    )


def sample_at(past: PastLooks, seconds: float) -> TelemetrySample:
    sample = past.sample(after(seconds))
    assert sample is not None
    return sample


def test_the_pose_is_between_what_was_told_before_and_after() -> None:
    past = past_of(flown(60.0))
    sample = sample_at(past, 30.05)
    assert (sample.lat_deg, sample.lon_deg) == pytest.approx(Plane(LAT, LON).place(0.0, 300.5), abs=1e-8)
    assert (sample.battery_pct, sample.mode, sample.armed) == (80.0, "AUTO", True)


def test_forward_is_cheap_and_a_leap_gives_the_same() -> None:
    source = Told(flown(100.0, metres=(3.0, 4.0)))
    forward = PastLooks(FEEDS, source.between, lambda feed_id, utc_ns: 0.5)
    moments = [after(number / 30) for number in range(3000)]
    answers = {at: forward.sample(at) for at in moments}
    assert source.reads <= 100 / 20 + 1
    leaping = past_of(flown(100.0, metres=(3.0, 4.0)))
    for at in random.Random(7).sample(moments, 100):
        assert leaping.sample(at) == answers[at]


def test_what_a_display_would_mark_as_old_is_not_known() -> None:
    """The battery fell silent 2.1 s before; the gimbal 1.9 s before."""
    samples = [
        replace(
            each,
            received_ns=each.received_ns
            | {
                Group.BATTERY: min(each.utc_ns, after(7.9)),
                Group.GIMBAL: min(each.utc_ns, after(8.1)),
            },
        )
        for each in flown(20.0)
    ]
    sample = sample_at(past_of(samples), 10.0)
    assert (sample.battery_pct, sample.gimbal_pitch_deg) == (None, -90.0)
    assert Group.BATTERY not in sample.received_ns
    assert sample.home is not None
    assert sample_at(past_of(samples), 9.8).battery_pct == 80.0


def test_every_field_grows_old_with_its_group() -> None:
    names = {name for group in AGEING.values() for name in group}
    assert {f.name for f in fields(TelemetrySample)} - names == {
        "aircraft_id",
        "utc_ns",
        "home",
        "received_ns",
    }


def test_a_gap_of_an_hour_is_not_bridged() -> None:
    past = past_of([*flown(10.0), *flown(10.0, start_ns=after(3610.0))])
    assert past.sample(after(9.95)) is not None
    assert sample_at(past, 11.8).lat_deg is not None  # 1.9 s after the last
    for seconds in (12.5, 1800.0, 3608.0):
        assert past.sample(after(seconds)) is None
        assert past.look("tag", after(seconds)).reason == "pose_stale"
        assert past.klv("tag", after(seconds)) is None
    assert past.sample(after(3610.5)) is not None


def test_nothing_is_known_before_the_first_and_without_telemetry() -> None:
    past = past_of(flown(10.0))
    assert past.sample(after(-1.0)) is None
    assert past.klv("tag", after(-1.0)) is None
    assert past.sample(after(-0.2)) is not None  # as the live page: the first picture comes a moment before
    empty = past_of([])
    assert empty.sample(after(5.0)) is None
    assert empty.klv("tag", after(5.0)) is None
    assert empty.look("tag", after(5.0)).reason == "no_position"
    assert empty.seen("tag", after(5.0), Place(LAT, LON)) is None


def test_without_a_fix_and_at_0_0_there_is_no_position() -> None:
    moment = told(after(1.0), 0.0, 0.0)
    nowhere = fresh(moment, after(1.0))
    without = fresh(replace(moment, lat_deg=LAT, fix="none"), after(1.0))
    assert nowhere is not None
    assert without is not None
    assert (nowhere.lat_deg, nowhere.lon_deg, nowhere.alt_home_m) == (None, None, HEIGHT_M)
    assert (without.lat_deg, without.lon_deg) == (None, None)


def test_across_the_date_line_it_is_a_short_way() -> None:
    past = past_of(flown(20.0, at=(-17.0, 179.9995), metres=(10.0, 0.0)))
    lons = [sample_at(past, number / 30).lon_deg for number in range(600)]
    assert all(lon is not None and abs(abs(lon) - 180.0) < 0.002 for lon in lons)
    assert (lons[0] or 0) > 0 > (lons[-1] or 0)
    at = next(number for number, lon in enumerate(lons) if lon is not None and lon < 0) / 30
    look = past.look("tag", after(at))
    assert look.reason == ""
    assert {corner.lon_deg > 0 for corner in look.corners} == {True, False}
    assert all(abs(abs(corner.lon_deg) - 180.0) < 0.002 for corner in look.corners)
    for lon_deg in (179.9999, -179.9999):
        assert past.seen("tag", after(at), Place(-17.0, lon_deg)) is not None
    klv = past.klv("tag", after(at))
    assert klv is not None
    assert abs(abs(decode_st0601(klv).sensor_lon_deg or 0) - 180.0) < 0.002


def test_where_a_camera_looked_and_what_it_saw() -> None:
    past = past_of(flown(60.0))
    look = past.look("tag", after(20.0))
    north, south = Plane(LAT, LON).place(0.0, 200.0 + 49.0), Plane(LAT, LON).place(0.0, 200.0 - 51.0)
    assert look.centre is not None
    assert look.centre.place.lat_deg == pytest.approx(Plane(LAT, LON).place(0.0, 200.0)[0], abs=1e-7)
    assert past.seen("tag", after(20.0), Place(*north)) == pytest.approx(0.98, abs=0.001)
    assert past.seen("tag", after(20.0), Place(*south)) is None
    with pytest.raises(NotFoundError):
        past.look("nobody", after(20.0))


def test_without_a_field_of_view_all_else_is_told() -> None:
    past = past_of(flown(10.0))
    assert past.look("wbk", after(5.0)).reason == "no_lens"
    assert past.seen("wbk", after(5.0), Place(LAT, LON)) is None
    klv = past.klv("wbk", after(5.0))
    assert klv is not None
    told_of = decode_st0601(klv)
    assert told_of.sensor_lat_deg == pytest.approx(Plane(LAT, LON).place(0.0, 50.0)[0], abs=1e-6)
    assert (told_of.hfov_deg, told_of.corners, told_of.image_source) == (None, (), "Wärmebild")


def test_a_set_is_of_its_pictures_instant() -> None:
    klv = past_of(flown(10.0)).klv("tag", after(5.05))
    assert klv is not None
    told_of = decode_st0601(klv)
    assert told_of.utc_us == after(5.05) // 1000
    assert told_of.sensor_lat_deg == pytest.approx(Plane(LAT, LON).place(0.0, 50.5)[0], abs=1e-7)
    assert (told_of.mission_id, told_of.platform_designation) == ("Einsatz 4711", "Fritz")
    assert told_of.frame_centre_lat_deg == pytest.approx(told_of.sensor_lat_deg or 0, abs=1e-6)
    assert len(told_of.corners) == 4


def test_the_ground_is_that_of_the_height_model_and_hides_what_is_behind_it(tmp_path: Path) -> None:
    """A wall of 60 m stands 100 m to the east; the camera looks there from 100 m, 30 degrees down."""
    plane = Plane(LAT, LON)
    wall = [plane.place(each, 0.0)[1] for each in (100.0, 140.0)]
    write_wgs84(
        tmp_path / "wall.tif",
        lambda x, y: 310.0 if wall[0] <= x <= wall[1] else 250.0,
        LON - 0.02,
        LAT + 0.02,
        0.04,
        1e-4,
    )
    level = flown(10.0, metres=(0.0, 0.0), gimbal_pitch_deg=-30.0, gimbal_yaw_deg=90.0)
    past = past_of(level, (str(tmp_path),))
    centre = past.look("tag", after(5.0)).centre
    assert centre is not None
    assert centre.terrain
    before, behind = (Place(*plane.place(east, 0.0)) for east in (80.0, 190.0))
    assert past.seen("tag", after(5.0), before) is not None
    assert past.seen("tag", after(5.0), behind) is None
    assert past_of(level).seen("tag", after(5.0), behind) is not None
