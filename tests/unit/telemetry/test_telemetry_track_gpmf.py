"""GPMF made samples: the right fields, in the right units, at the right moment of the film."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import av
import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.errors import MalformedError
from flow.samples import Group, Metadata, MetadataKind, Place, TelemetrySample
from telemetry.protocol.row_clock import RowClock
from telemetry.protocol.track_gpmf import GpmfTrack
from tests.fakes.gpmf import attd, device, entry, glpi, gps5, nest, position, stream

START_NS = 1_795_330_000 * NS_PER_S
ORIGIN_90K = 1_795_330_000 * 90_000
KARMA_FRAME_S = 1001 / 30_000


def payload(data: bytes, film_ms: int = 0) -> Metadata:
    return Metadata(
        "film", MetadataKind.GPMF, START_NS + film_ms * NS_PER_MS, data, ORIGIN_90K + film_ms * 90
    )


def film_s(sample: TelemetrySample) -> float:
    return (sample.utc_ns - START_NS) / NS_PER_S


def test_position_attitude_and_speed() -> None:
    data = device(glpi(position(1000, 49.25, -7.5, home_m=2.5)), attd((1000, 0.1, -0.2, -0.5)))
    [_, sample] = GpmfTrack("karma").take(payload(data))
    assert (sample.aircraft_id, sample.lat_deg, sample.lon_deg) == ("karma", 49.25, -7.5)
    assert (sample.alt_msl_m, sample.alt_home_m) == (10.0, 2.5)
    assert [sample.ground_speed_ms, sample.climb_ms] == pytest.approx([5.0, 0.5])
    assert sample.roll_deg == pytest.approx(math.degrees(0.1))
    assert sample.pitch_deg == pytest.approx(math.degrees(-0.2))
    assert sample.yaw_deg == pytest.approx(360 - math.degrees(0.5))
    assert sample.received_ns.keys() == {Group.POSITION, Group.SPEED, Group.ATTITUDE}
    assert sample.gimbal_pitch_deg is None


def test_battery_home_fix_and_the_pilots_speeds() -> None:
    battery = (-17126, 2034, 11318400, 3030, 3600, 3590, 3590, 3570, 657, 0, 0, 0, 1, 1, 57)
    volts = [1000, 1000, 1, 100, 1000, 1000, 1000, 1000, 1, 1, 1, 1, 1, 1, 1]
    degrees = [10_000_000, 10_000_000, 1000]
    home = (492500000, 75000000, 17000, 0, 0, 0, 0, 0)
    fix = (900_000, 1, 2, 3, 25, 42, 59, 33000, 3, 20)
    data = device(
        stream("KBAT", "lLlsSSSSSSSBBBb", volts, [battery]),
        stream("BPOS", "lllfffff", [*degrees, 1, 1, 1, 1, 1], [home]),
        stream("GPRI", "JlllSSSSBB", [1_000_000, *degrees, 100, 100, 100, 100, 1, 1], [fix]),
        glpi(position(1000, 49.25, -7.5)),
        stream("VFRH", "ffffsS", [1, 1, 1, 1, 1, 1], [(6.0, 4.5, 10.0, -0.25, 331, 50)]),
    )
    track = GpmfTrack("karma")
    track.take(payload(data))
    [sample] = track.take(payload(data, 1001))
    assert (sample.ground_speed_ms, sample.climb_ms) == (5.0, 0.5)  # the display's come with the next
    assert [sample.battery_pct, sample.battery_v] == pytest.approx([57.0, 14.35])
    assert sample.home == Place(49.25, 7.5)
    assert (sample.fix, sample.satellites) == ("3d", 20)
    [later] = track.take(payload(device(glpi(position(3000, 49.25, -7.5))), 2002))
    assert (later.battery_pct, later.fix) == (57.0, "3d")
    assert later.received_ns[Group.BATTERY] < later.received_ns[Group.POSITION]


def test_a_hero_camera_without_a_fix_tells_no_position() -> None:
    row = (490000000, 75000000, 300000, 1500, 200)
    track = GpmfTrack("hero")
    with_fix = track.take(payload(device(gps5(3, row, row, above="MSLV"))))
    assert [film_s(sample) for sample in with_fix] == pytest.approx([0.0, 0.5005])
    assert (with_fix[0].lat_deg, with_fix[0].alt_msl_m, with_fix[0].fix) == (49.0, 300.0, "3d")
    assert with_fix[0].ground_speed_ms == 1.5
    [without] = track.take(payload(device(gps5(0, row)), 1001))
    assert (without.lat_deg, without.alt_msl_m, without.ground_speed_ms, without.fix) == (
        None,
        None,
        None,
        "none",
    )


def test_a_height_above_the_ellipsoid_is_none_above_the_sea() -> None:
    """48 m lie between them in Germany; GoPro's are of the ellipsoid unless they say otherwise."""
    row = (490000000, 75000000, 300000, 1500, 200)
    (told,) = GpmfTrack("hero").take(payload(device(gps5(3, row))))
    assert (told.lat_deg, told.alt_msl_m) == (49.0, None)


def test_the_camera_under_a_drone_that_tells_of_itself_is_not_asked() -> None:
    row = (480000000, 85000000, 300000, 1500, 200)
    track = GpmfTrack("karma")
    (told,) = track.take(payload(device(glpi(position(1000, 49.25, -7.5)), gps5(3, row))))
    assert (told.lat_deg, told.alt_home_m, told.climb_ms) == (49.25, 2.0, 0.5)
    (alone,) = track.take(payload(device(gps5(3, row)), 1001))  # and makes nothing of the drone's younger
    assert (alone.lat_deg, alone.alt_msl_m, alone.alt_home_m, alone.climb_ms) == (48.0, None, None, None)


def test_gps9_tells_the_fix_of_each_row() -> None:
    scale = [10_000_000, 10_000_000, 1000, 1000, 100, 1, 1000, 100, 1]
    rows = [(490000000, 75000000, 300000, 1500, 200, 9822, 50602000, 150, fix) for fix in (3, 0)]
    first, second = GpmfTrack("hero").take(payload(device(stream("GPS9", "lllllllSS", scale, rows))))
    assert (first.lat_deg, first.fix) == (49.0, "3d")
    assert (second.lat_deg, second.fix) == (None, "none")


def test_nonsense_is_unknown() -> None:
    data = device(
        glpi(position(1000, 0.0, 0.0)),
        attd((1250, math.nan, 0.0, 0.0)),
        stream("KBAT", "lLlsSSSSSSSBBBb", [1], [(0,) * 14 + (-1,)]),
    )
    first, second = GpmfTrack("karma").take(payload(data))
    assert (first.lat_deg, first.lon_deg, first.alt_msl_m) == (None, None, None)
    assert first.alt_home_m == 2.0
    assert second.roll_deg is None
    assert (second.battery_pct, second.battery_v) == (None, None)


def test_a_broken_payload_is_refused_and_the_next_is_read() -> None:
    track, whole = GpmfTrack("karma"), device(glpi(position(1000, 49.25, -7.5)))
    with pytest.raises(MalformedError):
        track.take(payload(whole[:-8]))
    assert track.take(payload(whole, 1001))


def test_times_of_no_use_are_spread_over_the_payload() -> None:
    huge = stream("GLPI", "dllllsssS", [1] * 9, [(1e300, *position(0, 1e-7, 1e-7)[1:])] * 4)
    samples = GpmfTrack("karma").take(payload(device(huge)))
    assert [film_s(sample) for sample in samples] == pytest.approx([0, 0.25025, 0.5005, 0.75075])


def test_rows_find_their_moment_by_which_payload_they_came_in() -> None:
    """A drone started 146.07 s before the film: four rows a second, 252 ms apart, so they beat against it."""
    track, off_s = GpmfTrack("karma"), 145.834
    own_ms = [146_071 + 252 * index for index in range(60)]
    errors_ms: list[float] = []
    for number in range(10):
        begin_ms = number * 1001
        rows = [at for at in own_ms if begin_ms <= at - off_s * 1000 < begin_ms + 1001]
        samples = track.take(payload(device(glpi(*[position(at, 49.0, 7.0) for at in rows])), begin_ms))
        assert len(samples) == len(rows)
        for at, sample in zip(rows, samples, strict=True):
            errors_ms.append(abs(film_s(sample) * 1000 - (at - off_s * 1000)))
    assert max(errors_ms) < 252 / 2
    assert max(errors_ms[20:]) < KARMA_FRAME_S * 1000


def test_a_second_pass_of_a_film_is_as_the_first_should_have_been() -> None:
    """Its last payload is cut off with the film, and says nothing of how long the next one is."""
    track, own_ms = GpmfTrack("karma"), [146_071 + 252 * index for index in range(60)]
    passes: list[list[float]] = []
    for begin_ms in (0, 12_078):
        times: list[float] = []
        for number in range(13):
            rows = [at for at in own_ms if 0 <= at - 145_834 - number * 1001 < 1001 and number < 12]
            data = device(glpi(*[position(at, 49.0, 7.0) for at in rows])) if rows else device()
            times += [film_s(each) for each in track.take(payload(data, begin_ms + number * 1001))]
        passes.append([1000 * at - begin_ms for at in times])
    first, second = passes
    assert second == pytest.approx([at - 145_834 for at in own_ms[: len(second)]], abs=KARMA_FRAME_S * 1000)
    assert second[30:] == pytest.approx(first[30:], abs=1)


def test_a_film_that_begins_again_is_known() -> None:
    clock = RowClock()
    for number in range(8):
        clock.learn(number * 1.0, 1.0, [100 + number + 0.25, 100 + number + 0.9])
    before_s = clock.film_s(100.25)
    clock.learn(8.0, 1.0, [100.25, 100.9])
    assert clock.film_s(100.25) == pytest.approx(8.0 + before_s)


def test_a_drone_that_is_started_again_is_another_clock() -> None:
    clock = RowClock()
    for number in range(8):
        clock.learn(number * 1.0, 1.0, [100 + number + 0.25, 100 + number + 0.9])
    clock.learn(8.0, 1.0, [5.0, 5.75])
    assert 8.0 <= clock.film_s(5.0) <= 8.25


def test_karma_as_provenance_has_it(feeds: Path) -> None:
    track, samples = GpmfTrack("karma"), list[TelemetrySample]()
    with av.open(str(feeds / "video/aerial_karma_h264_480p_gpmf.mp4")) as film:
        for packet in film.demux(film.streams[3]):
            if packet.size:
                film_ms = round(float((packet.pts or 0) * (packet.time_base or 0)) * 1000)
                samples += track.take(payload(bytes(packet), film_ms))
    assert len(samples) == 94
    lats_deg, lons_deg, heights_m = (
        [value for sample in samples if (value := getattr(sample, name)) is not None]
        for name in ("lat_deg", "lon_deg", "alt_home_m")
    )
    assert [min(lats_deg), max(lats_deg)] == pytest.approx([33.12537, 33.12601], abs=1e-5)
    assert [min(lons_deg), max(lons_deg)] == pytest.approx([-117.33148, -117.33107], abs=1e-5)
    assert [round(min(heights_m), 1), round(max(heights_m), 1)] == [1.9, 2.8]
    assert [samples[0].battery_pct, samples[-1].battery_pct] == [57.0, 56.0]
    assert samples[-1].home is not None
    assert (samples[-1].home.lat_deg, samples[-1].home.lon_deg) == pytest.approx(
        (33.12598, -117.33131), abs=1e-5
    )
    assert (samples[-1].fix, samples[-1].satellites) == ("3d", 20)
    times = [film_s(sample) for sample in samples]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] < 12.1


def test_a_stream_that_is_not_read_is_passed_over() -> None:
    other = nest("STRM", entry("ACCL", "s", 6, struct.pack("!3h", 1, 2, 3)))
    assert GpmfTrack("hero").take(payload(device(other))) == []
