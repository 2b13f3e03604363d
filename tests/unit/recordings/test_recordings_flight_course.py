"""A whole flight in 2000 points: no peak is lost, and no line goes over a gap."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.samples import Group, TelemetrySample
from recordings.flight_course import flight_course
from recordings.protocol.thinning import POINTS_MOST, CoursePoint, Thinning
from recordings.samples_file import times_of
from tests.fakes.recorded_flights import FlightMaker
from tests.unit.recordings.tracks_flown import at, north, sample

TWO_HOURS = 72_000


def thinned(points: list[CoursePoint]) -> Thinning:
    thinning = Thinning(points[0].utc_ns, points[-1].utc_ns)
    for point in points:
        thinning.take(point)
    return thinning


def wave(tenths: range) -> list[CoursePoint]:
    return [
        CoursePoint(
            at(n),
            alt_home_m=100 + 50 * math.sin(n / 500),
            alt_msl_m=400 + 50 * math.cos(n / 311),
            ground_speed_ms=abs(10 * math.sin(n / 97)),
            battery_pct=100 - n * 1e-3,
        )
        for n in tenths
    ]


def test_two_hours_keep_every_peak() -> None:
    points = wave(range(TWO_HOURS))
    peaks = {12_345: ("alt_home_m", 400.0), 50_001: ("ground_speed_ms", 77.0), 70_000: ("battery_pct", -1.0)}
    for n, (column, value) in peaks.items():
        setattr(points[n], column, value)
    kept = thinned(points).points()
    assert 1000 < len(kept) <= POINTS_MOST
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert [point.utc_ns for point in kept] == sorted({point.utc_ns for point in kept})
    assert all(points[n] in kept for n in peaks)
    assert max(b.utc_ns - a.utc_ns for a, b in pairwise(kept)) <= 10 * NS_PER_S


def test_gaps_are_said_and_both_sides_of_them_kept() -> None:
    points = [CoursePoint(at(n)) for n in (*range(1000), *range(40_000, 41_000), *range(41_199, 42_000))]
    thinning = thinned(points)
    kept = thinning.points()
    assert thinning.cuts_ns == [at(40_000), at(41_199)]
    assert {at(999), at(40_000), at(40_999), at(41_199)} <= {point.utc_ns for point in kept}


def test_however_torn_a_flight_is_there_are_not_more_points() -> None:
    """A link that comes and goes, as unluckily as can be."""
    period = 2 * TWO_HOURS // 800 + 2
    points = [each for start in range(0, TWO_HOURS, period) for each in wave(range(start, start + 3))]
    thinning = thinned(points)
    assert len(thinning.cuts_ns) == len(range(0, TWO_HOURS, period)) - 1
    assert len(thinning.points()) <= POINTS_MOST


def test_time_does_not_go_back() -> None:
    points = wave(range(10))
    points[5].utc_ns = at(-700)
    points[7].utc_ns = at(3)
    kept = thinned(points).points()
    assert [point.utc_ns for point in kept] == [at(n) for n in (0, 1, 2, 3, 4, 6, 8, 9)]


def test_a_short_flight_is_all_there(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.sample(*north(range(100), battery_pct=70.0, yaw_deg=3.0))
    course = flight_course(flight.folder)
    assert [point.utc_ns for point in course.points] == [at(n) for n in range(100)]
    assert (course.points[9].lat_deg, course.points[9].lon_deg) == (49.4 + 9 * 9e-6, 7.7)
    assert (course.points[9].alt_home_m, course.points[9].battery_pct) == (9.0, 70.0)
    assert course.cuts_ns == []


def test_what_was_old_or_no_place_is_unknown(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.sample(
        sample(200, yaw_deg=1.0, battery_pct=50.0, old={Group.POSITION: 21, Group.ATTITUDE: 21}),
        sample(201, 0.0, 0.0, fix=None, ground_speed_ms=3.0),
        sample(202, yaw_deg=1.0, battery_pct=50.0, old={Group.BATTERY: 101, Group.SPEED: 30}),
        TelemetrySample("fritz", at(203), lat_deg=49.4, lon_deg=7.7),
    )
    old, nowhere, empty, bare = flight_course(flight.folder).points
    assert (old.lat_deg, old.alt_home_m, old.yaw_deg, old.battery_pct) == (None, None, None, 50.0)
    assert (nowhere.lat_deg, nowhere.lon_deg, nowhere.ground_speed_ms) == (None, None, 3.0)
    assert (empty.lat_deg, empty.battery_pct, empty.yaw_deg) == (49.4, None, 1.0)
    assert (bare.lat_deg, bare.battery_pct) == (49.4, None)


@pytest.mark.parametrize("content", [None, b"", b"\xff\n", b"x" * 40_000, b'{"type":"Tel'])
def test_without_telemetry_there_is_no_point(tmp_path: Path, content: bytes | None) -> None:
    flight = FlightMaker(tmp_path)
    if content is not None:
        (flight.folder / "samples.jsonl").write_bytes(content)
    assert flight_course(flight.folder).points == []


def test_times_that_no_clock_tells_do_not_count(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.sample(*north(range(5)))
    strange = TelemetrySample("fritz", 10**400, lat_deg=49.4, lon_deg=7.7)
    flight.sample(TelemetrySample("fritz", -5), strange)
    assert times_of(flight.folder / "samples.jsonl") == (at(0), at(4))
    assert [point.utc_ns for point in flight_course(flight.folder).points] == [at(n) for n in range(5)]


def test_the_first_and_the_newest_time_of_a_file(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    path = flight.folder / "samples.jsonl"
    assert times_of(path) is None
    flight.sample(sample(7))
    assert times_of(path) == (at(7), at(7))
    flight.sample(*north(range(8, 400)))
    with path.open("ab") as file:
        file.write(b'{"type":"Tel')
    assert times_of(path) == (at(7), at(399))
