"""The index of a file that grows, is replaced or goes, is always that of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.errors import MalformedError, NotFoundError
from recordings import segment_indexes
from recordings.folders import segment_name
from recordings.segment_file import read_index
from recordings.segment_indexes import SegmentIndexes
from tests.fakes.recorded_flights import FlightMaker


@pytest.fixture
def flight(tmp_path: Path) -> FlightMaker:
    flight = FlightMaker(tmp_path)
    flight.film(seconds=2)
    return flight


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of every file that was read: whether only what was new of it."""
    read: list[bool] = []

    def counted(path: Path, known: object = None) -> object:
        read.append(known is not None)
        return read_index(path, known)  # type: ignore[arg-type]

    monkeypatch.setattr(segment_indexes, "read_index", counted)
    return read


def test_only_what_is_new_is_read(flight: FlightMaker, readings: list[bool]) -> None:
    path, indexes = flight.folder / segment_name("fritz-tag", 1), SegmentIndexes()
    first = indexes.of(path)
    assert indexes.of(path) is first
    flight.film(seconds=1)
    grown = indexes.of(path)
    flight.end()
    closed = indexes.of(path)
    assert readings == [False, True, True]
    assert len(first.fragments) < len(grown.fragments) == len(closed.fragments)
    assert (grown.closed, closed.closed) == (False, True)
    assert closed == read_index(path)


def test_another_file_of_that_name_is_read_anew(flight: FlightMaker, readings: list[bool]) -> None:
    path, indexes = flight.folder / segment_name("fritz-tag", 1), SegmentIndexes()
    before = indexes.of(path)
    cut = path.read_bytes()[: before.whole_bytes // 2]
    path.unlink()
    path.write_bytes(cut)
    after = indexes.of(path)
    assert readings == [False, False]
    assert after.whole_bytes < before.whole_bytes


def test_what_is_gone_or_no_segment_is_said(flight: FlightMaker) -> None:
    path, indexes = flight.folder / segment_name("fritz-tag", 1), SegmentIndexes()
    indexes.of(path)
    path.write_bytes(b"no segment" * 100)
    with pytest.raises(MalformedError):
        indexes.of(path)
    path.unlink()
    with pytest.raises(NotFoundError):
        indexes.of(path)


def test_what_is_kept_is_bounded(flight: FlightMaker, readings: list[bool]) -> None:
    for _ in range(3):
        flight.cut()
        flight.film(seconds=2)
    paths = [flight.folder / segment_name("fritz-tag", n) for n in (1, 2, 3, 4)]
    fragments = len(read_index(paths[0]).fragments)
    indexes = SegmentIndexes(fragments_most=2 * fragments)
    for path in [*paths, paths[3], paths[0]]:
        indexes.of(path)
    assert readings == [False] * 5
