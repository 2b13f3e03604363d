"""Where flights were: squares on the ground, read from samples, and flights found by them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.clock import NS_PER_S
from flow.samples import TelemetrySample
from recordings.archive import Archive
from recordings.entries import FlightPlace, FlightQuery
from recordings.folders import SAMPLES_FILE
from recordings.protocol.ground_cells import CELL_DEG, Near, cell_at, cells_between, runs_near
from recordings.protocol.lines import line_of
from recordings.protocol.retention import Days
from recordings.track_survey import TrackSurvey
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.recorded_flights import FRITZ, FlightMaker

LANDSTUHL = 49.4431, 7.7727


def holds(near: Near, cell: int) -> bool:
    return any(first <= cell <= last for first, last in runs_near(near))


@given(
    st.floats(-80, 80), st.floats(-180, 179.99), st.floats(1, 20_000), st.floats(0, 0.99), st.floats(0, 6.283)
)
def test_whatever_is_in_the_circle_is_in_its_squares(
    lat: float, lon: float, radius_m: float, share: float, turn: float
) -> None:
    reach_deg = radius_m * share / 111_195.0
    there = lat + reach_deg * math.cos(turn)
    east = reach_deg * math.sin(turn) / math.cos(math.radians(max(abs(lat), abs(there))))
    assert holds(Near(lat, lon, radius_m), cell_at(there, lon + east))


def test_what_is_far_from_it_is_not() -> None:
    lat, lon = LANDSTUHL
    near = Near(lat, lon, 500.0)
    assert not holds(near, cell_at(lat + 0.008, lon))  # 890 m to the north
    assert not holds(near, cell_at(lat, lon - 0.012))  # 870 m to the west
    assert holds(Near(89.9999, 0.0, 100.0), cell_at(89.9999, 170.0))


def test_a_way_across_the_date_line_is_short() -> None:
    way = list(cells_between((-17.0, 179.999), (-17.0, -179.999)))
    assert set(way) == {cell_at(-17.0, -179.999)}
    assert holds(Near(-17.0, 179.9999, 300.0), way[0])
    assert len(set(cells_between((49.0, 7.0011), (49.0, 7.0011 + 10 * CELL_DEG)))) == 10


def flown(*places: tuple[float | None, float | None], fix: str = "3d") -> list[TelemetrySample]:
    return [
        TelemetrySample("fritz", START_NS + n * NS_PER_S // 10, lat, lon, fix=fix)
        for n, (lat, lon) in enumerate(places)
    ]


def written(path: Path, samples: list[TelemetrySample]) -> Path:
    with path.open("ab") as file:
        file.write(b"".join(map(line_of, samples)))
    return path


def test_a_track_is_read_in_strides_and_no_square_on_the_way_is_missing(tmp_path: Path) -> None:
    lat, lon = LANDSTUHL
    way = [(lat, lon + n * 1e-5) for n in range(3000)]  # 2.2 km
    path = written(tmp_path / SAMPLES_FILE, flown(*way[:2000]))
    survey = TrackSurvey(path)
    first = survey.read()
    assert survey.read() == ()
    written(path, flown(*way[2000:]))
    more = survey.read()
    assert survey.place == FlightPlace(lat, lon)
    assert not set(first) & set(more)
    cells = [cell_at(*at) for at in way]
    read_to = max(n for n, cell in enumerate(cells) if cell in {*first, *more})
    assert {*first, *more} == set(cells[: read_to + 1])
    assert read_to > 2800


@pytest.mark.parametrize(
    "samples",
    [
        flown((0.0, 0.0)),
        flown((None, None)),
        flown(LANDSTUHL, fix="none"),
        [replace(flown(LANDSTUHL)[0], lat_deg=91.0)],
    ],
)
def test_without_a_fix_it_is_nowhere(tmp_path: Path, samples: list[TelemetrySample]) -> None:
    survey = TrackSurvey(written(tmp_path / SAMPLES_FILE, samples))
    assert (survey.read(), survey.place) == ((), None)


def test_garbage_a_torn_line_and_no_file_are_nowhere(tmp_path: Path) -> None:
    assert TrackSurvey(tmp_path / "none").read() == ()
    path = tmp_path / SAMPLES_FILE
    path.write_bytes(b"\xff" * 100_000 + b"\n" + line_of(flown(LANDSTUHL)[0])[:-9])
    assert TrackSurvey(path).read() == ()


async def test_flights_are_found_by_where_they_were(tmp_path: Path) -> None:
    archive = Archive(tmp_path, FakeClock(), Days())
    lat, lon = LANDSTUHL
    for hour, at in enumerate([(lat, lon), (lat + 0.1, lon), (0.0, 0.0), (-17.0, 179.9999)]):
        flight = FlightMaker(tmp_path, FRITZ, START_NS + hour * 3600 * NS_PER_S)
        flight.sample(*flown(at))
        flight.end()
    await archive.open()

    async def found(*near: float) -> list[FlightPlace | None]:
        return [each.place for each in await archive.flights(FlightQuery(near=Near(*near)))]

    assert await found(lat, lon + 0.003, 400.0) == [FlightPlace(lat, lon)]
    assert await found(lat + 0.05, lon, 20_000.0) == [FlightPlace(lat + 0.1, lon), FlightPlace(lat, lon)]
    assert await found(-17.0, -179.9999, 300.0) == [FlightPlace(-17.0, 179.9999)]
    assert await found(0.0, 0.0, 5000.0) == []
    await archive.aclose()
