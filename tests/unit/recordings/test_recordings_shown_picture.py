"""Which picture was on the screen at a moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.errors import NotFoundError
from recordings.folders import segment_name
from recordings.shown_picture import shown_picture
from tests.fakes.clock import START_NS
from tests.fakes.encoded import as_units, h264_pictures
from tests.fakes.recorded_flights import FlightMaker
from tests.unit.recordings.segments import segment

FEED = "fritz-tag"


@pytest.fixture
def flight(tmp_path: Path) -> FlightMaker:
    """Two seconds, a gap of an hour, a second in another segment."""
    flight = FlightMaker(tmp_path)
    flight.film(seconds=2)
    flight.cut()
    flight.film(seconds=1, gap_s=3600.0)
    return flight


def shown_s(flight: FlightMaker, seconds: float) -> float:
    """When the picture was taken that was shown so long after the start."""
    picture = shown_picture(flight.folder, FEED, START_NS + round(seconds * NS_PER_S)).picture
    return (picture.utc_ns - START_NS) / NS_PER_S


def test_the_last_one_before(flight: FlightMaker) -> None:
    assert shown_s(flight, 0.0) == 0.0
    assert shown_s(flight, 1.05) == pytest.approx(31 / 30)
    assert shown_s(flight, 2.5) == pytest.approx(59 / 30)  # stays on the screen for a while
    assert shown_s(flight, 3602.99) == pytest.approx(3602 + 29 / 30)


def test_a_time_that_was_rounded_to_milliseconds_is_that_of_its_picture(flight: FlightMaker) -> None:
    for number in range(60):
        rounded_ms = round((START_NS + number * NS_PER_S // 30) / NS_PER_MS)
        found = shown_picture(flight.folder, FEED, rounded_ms * NS_PER_MS)
        assert found.picture.seq == number


@pytest.mark.parametrize("seconds", [-1.0, 4.1, 1800.0, 3601.9, 3606.0])
def test_in_a_gap_there_is_none(flight: FlightMaker, seconds: float) -> None:
    with pytest.raises(NotFoundError) as refused:
        shown_s(flight, seconds)
    assert refused.value.code == "no_picture"


def test_of_a_feed_that_is_not_there_is_none(flight: FlightMaker) -> None:
    with pytest.raises(NotFoundError):
        shown_picture(flight.folder, "nobody", START_NS)


def test_the_keyframes_before_it_are_told_the_nearest_first(flight: FlightMaker) -> None:
    found = shown_picture(flight.folder, FEED, START_NS + round(1.5 * NS_PER_S))
    zero = START_NS * 9 // 100_000
    assert [at - zero for at in found.keyframes_90k] == [90_000, 0]
    assert next(found.units(found.keyframes_90k[0])).keyframe


def test_among_b_frames_it_is_the_one_that_is_shown_then(tmp_path: Path) -> None:
    """Decoded I P B B P B B …, so that a picture may be in its file before others that are shown earlier."""
    flight = FlightMaker(tmp_path)
    shown = [0, *(3 * n + late for n in range(9) for late in (3, 1, 2))]
    pictures = as_units(h264_pictures(len(shown), group=len(shown)), FEED)
    units = [
        replace(each, pts_90k=pictures[0].dts_90k + 3000 * (1 + at), utc_ns=pictures[at].utc_ns)
        for each, at in zip(pictures, shown, strict=True)
    ]
    (flight.folder / segment_name(FEED, 1)).write_bytes(segment(units))
    for number in range(len(shown)):
        found = shown_picture(flight.folder, FEED, START_NS + number * NS_PER_S // 30 + NS_PER_MS)
        assert shown[found.picture.seq] == number
