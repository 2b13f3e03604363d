"""Where each moment of a recorded feed is: gaps have their length, and playing begins at a keyframe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.errors import MalformedError, NotFoundError
from flow.units import Codec
from recordings.folders import segment_name
from recordings.segment_indexes import SegmentIndexes
from tests.fakes.clock import START_NS
from tests.fakes.encoded import as_units, h264_pictures
from tests.fakes.recorded_flights import FlightMaker
from tests.unit.recordings.segments import segment
from web.flight_index import RecordedFeed, Stretch, index_view, read_feed
from web.views import ms

FEED = "fritz-tag"
START_MS = START_NS // 1000 / 1000


def feed_of(flight: FlightMaker) -> RecordedFeed:
    return read_feed(flight.folder, FEED, SegmentIndexes())


@pytest.fixture
def flight(tmp_path: Path) -> FlightMaker:
    """Two seconds, a gap of seven, then three seconds in a second segment, which grows."""
    flight = FlightMaker(tmp_path)
    flight.film(seconds=2)
    flight.cut()
    flight.film(seconds=3, gap_s=7.0)
    return flight


def test_a_gap_is_as_long_as_it_was(flight: FlightMaker) -> None:
    view = index_view(feed_of(flight), None)
    assert (view.playable, view.reason, view.ended_ms, view.started_ms) == (True, "", None, START_MS)
    first, second = view.segments
    assert (first.number, first.open, second.number, second.open) == (1, False, 2, True)
    assert first.media_start_ms == 0.0
    assert second.media_start_ms == pytest.approx(9000.0, abs=0.1)
    assert second.start_ms - first.start_ms == pytest.approx(9000.0, abs=1)
    assert first.end_ms - first.start_ms == pytest.approx(2000.0, abs=40)
    assert first.url == f"/api/v1/flights/{flight.id}/feeds/{FEED}/segments/1.mp4"
    assert first.mime.startswith('video/mp4; codecs="avc1.')
    assert first.fragments.offset == second.fragments.offset == []  # none was asked for
    assert view.gaps == [(first.end_ms, second.start_ms)]


def test_a_gap_within_a_segment_is_told_and_a_pause_between_pictures_is_none(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.film(seconds=2)
    flight.film(seconds=2, gap_s=0.9)
    flight.film(seconds=2, gap_s=4.0)  # the camera was gone: the same file goes on
    view = index_view(feed_of(flight), None)
    assert len(view.segments) == 1
    ((from_ms, to_ms),) = view.gaps
    assert (from_ms - START_MS, to_ms - START_MS) == pytest.approx((4900.0, 8900.0), abs=1)


def test_a_fragment_among_b_frames_is_at_the_moment_that_is_shown_there(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    shown = [0, *(3 * n + late for n in range(9) for late in (3, 1, 2))]  # I P B B P B B …
    pictures = as_units(h264_pictures(len(shown), group=len(shown)), FEED)
    units = [
        replace(each, pts_90k=pictures[0].dts_90k + 3000 * (1 + at), utc_ns=pictures[at].utc_ns)
        for each, at in zip(pictures, shown, strict=True)
    ]
    (flight.folder / segment_name(FEED, 1)).write_bytes(segment(units))
    table = index_view(feed_of(flight), Stretch(START_NS)).segments[0].fragments
    assert shown[15] != 15  # what the second one begins with is shown later than its place says
    assert table.media_ms == pytest.approx([0.0, 500.0])
    assert [utc_ms - START_MS for utc_ms in table.utc_ms] == pytest.approx(table.media_ms, abs=0.01)


def test_a_keyframe_is_where_it_is_shown_though_the_first_had_no_delay(tmp_path: Path) -> None:
    """So it is with cameras that tell no decoding times (the delay is found out)."""
    flight = FlightMaker(tmp_path)
    units = as_units(h264_pictures(60), FEED)
    late = [replace(each, pts_90k=each.pts_90k + 6000 * (n > 0)) for n, each in enumerate(units)]
    (flight.folder / segment_name(FEED, 1)).write_bytes(segment(late))
    table = index_view(feed_of(flight), Stretch(START_NS)).segments[0].fragments
    second = table.keyframe.index(True, 1)
    assert table.media_ms[second] == pytest.approx(second * 500 + 66.667, abs=0.01)
    assert table.utc_ms[second] == ms(units[30].utc_ns)


def test_fragments_reach_back_to_a_keyframe_and_follow_each_other(flight: FlightMaker) -> None:
    feed = feed_of(flight)
    at_ns = START_NS + 9 * NS_PER_S + 1_700_000_000
    table = index_view(feed, Stretch(at_ns, at_ns + 1)).segments[1].fragments
    whole = index_view(feed, Stretch(START_NS, None)).segments[1]
    assert table.keyframe[0]
    assert table.utc_ms[0] <= ms(at_ns) - 500 < ms(at_ns)  # from the second's keyframe on
    assert (
        table.media_ms
        == [utc_ms - START_MS for utc_ms in table.utc_ms]
        == pytest.approx([10_000.0 + 500.0 * n for n in range(len(table.offset))], abs=1)
    )
    ends = [offset + size for offset, size in zip(whole.fragments.offset, whole.fragments.size, strict=True)]
    assert whole.fragments.offset == [whole.init_bytes, *ends[:-1]]
    assert set(table.offset) < set(whole.fragments.offset)


@pytest.mark.parametrize(
    ("from_s", "to_s", "segments"),
    [(0.0, 1.0, [1]), (1.9, 9.1, [1, 2]), (3.0, 8.0, []), (-9.0, 0.0, []), (12.0, 99.0, []), (5.0, 4.0, [])],
)
def test_only_segments_of_that_time_have_fragments(
    flight: FlightMaker, from_s: float, to_s: float, segments: list[int]
) -> None:
    asked = Stretch(START_NS + round(from_s * NS_PER_S), START_NS + round(to_s * NS_PER_S))
    view = index_view(feed_of(flight), asked)
    assert [each.number for each in view.segments if each.fragments.offset] == segments


def test_an_answer_is_of_an_hour_at_most(flight: FlightMaker) -> None:
    far = Stretch(START_NS - 3600 * NS_PER_S, START_NS + 3600 * NS_PER_S)
    assert not any(each.fragments.offset for each in index_view(feed_of(flight), far).segments)


def test_what_browsers_cannot_play_is_said(flight: FlightMaker) -> None:
    feed = feed_of(flight)
    later = [(number, replace(index, codec=Codec.H265)) for number, index in feed.segments[1:]]
    mixed = index_view(replace(feed, segments=[*feed.segments[:1], *later]), None)
    assert (mixed.playable, mixed.reason) == (False, "codec_h265")


def test_strange_files_in_the_folder_change_nothing(flight: FlightMaker, tmp_path: Path) -> None:
    before = index_view(feed_of(flight), Stretch(START_NS))
    (flight.folder / f"{FEED}.0003.mp4").write_bytes(b"foreign" * 1000)
    (flight.folder / f"{FEED}.0004.mp4").symlink_to(flight.folder / f"{FEED}.0001.mp4")
    (flight.folder / f"{FEED}.0005.mp4").mkdir()
    (flight.folder / "other.0001.mp4").write_bytes(b"")
    (flight.folder / f"{FEED}.mp4").write_bytes(b"x")
    assert index_view(feed_of(flight), Stretch(START_NS)) == before


def test_what_is_not_there_and_what_is_damaged_are_two_things(flight: FlightMaker, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_feed(flight.folder, "nobody", SegmentIndexes())
    with pytest.raises(NotFoundError):
        read_feed(tmp_path / "gone", FEED, SegmentIndexes())
    empty = FlightMaker(tmp_path, started_ns=START_NS + 60 * NS_PER_S)
    assert index_view(feed_of(empty), None).reason == "no_segments"
    (flight.folder / "flight.json").write_text("{")
    with pytest.raises(MalformedError):
        feed_of(flight)
    (flight.folder / "flight.json").unlink()  # the folder is made before it
    with pytest.raises(NotFoundError) as not_yet:
        feed_of(flight)
    assert not_yet.value.code == "no_flight"
