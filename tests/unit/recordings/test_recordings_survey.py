"""A flight's folder read: sums, gaps, growth, damage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.flights import Armed
from recordings.folders import TLOG_FILE
from recordings.protocol.feed_sums import FeedSums
from recordings.protocol.segment_index import Fragment
from recordings.protocol.tlog_count import TlogCount
from recordings.survey import FlightSurvey
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.fakes.recorded_flights import FlightMaker, recorded_flight


def test_gaps_are_found_within_a_segment_and_between_two(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.film(seconds=2)
    flight.film(seconds=1, gap_s=4)
    flight.cut()
    flight.film(seconds=1, gap_s=2.5)
    flight.film(seconds=1, gap_s=0.9)  # too short to be one
    flight.end()
    (feed,) = FlightSurvey(flight.folder).read().feeds
    assert (feed.segments, feed.pictures, feed.gaps) == (2, 5 * 30, 2)
    assert feed.gap_ns == pytest.approx(6.5 * NS_PER_S, abs=2_000_000)
    assert feed.last_ns == pytest.approx(START_NS + 12.4 * NS_PER_S, abs=2_000_000)


def fragment(dts_90k: int, end_90k: int, pictures: int) -> Fragment:
    return Fragment(0, 9, 9, dts_90k, dts_90k, end_90k, START_NS + dts_90k * 100_000 // 9, True, pictures)


def test_a_camera_with_a_picture_every_two_seconds_has_no_gaps() -> None:
    sums = FeedSums()
    for number in range(4):
        sums.take(fragment(number * 3 * 90_000, number * 3 * 90_000 + 90_000, 1))
    assert (sums.gaps, sums.pictures) == (0, 4)  # holes of two seconds, pictures of one
    sums.take(fragment(14 * 90_000, 15 * 90_000, 1))
    assert (sums.gaps, sums.gap_ns) == (1, 4 * NS_PER_S)


def test_only_what_is_new_is_read_of_a_flight_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flight = FlightMaker(tmp_path)
    survey = FlightSurvey(flight.folder)
    armed = [Armed(f"a{n}", "fritz", START_NS + n) for n in range(3)]
    flight.film(seconds=2)
    flight.tell(armed[0])
    records = flight.fly(2)
    first = survey.read()
    assert (first.first, len(first.events), len(first.segments)) == (True, 1, 1)

    nothing = survey.read()
    assert (nothing.first, nothing.events, nothing.segments) == (False, (), ())
    assert nothing.feeds == first.feeds
    assert nothing.messages == records

    flight.film(seconds=1)
    flight.cut()
    flight.film(seconds=1)
    flight.tell(*armed[1:])
    read_before = _bytes_read()
    records += flight.fly(1)
    second = survey.read()
    assert [(segment.number, segment.closed) for segment in second.segments] == [(1, True), (2, False)]
    assert [event for event, _ in second.events] == armed[1:]
    assert (second.feeds[0].pictures, second.messages) == (4 * 30, records)
    assert _bytes_read() - read_before < second.size_bytes
    assert FlightSurvey(flight.folder).read().feeds == second.feeds


def _bytes_read() -> int:
    return int(
        next(line for line in Path("/proc/self/io").read_text().splitlines() if line.startswith("rchar"))[7:]
    )


def test_a_line_and_a_record_that_are_half_there_are_taken_when_they_are_whole(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.tell(Armed("a1", "fritz", START_NS))
    records = flight.fly(1)
    events, tlog = flight.folder / "events.jsonl", flight.folder / "telemetry.tlog"
    whole = {path: path.read_bytes() for path in (events, tlog)}
    for path, data in whole.items():
        path.write_bytes(data[:-3])
    survey = FlightSurvey(flight.folder)
    reading = survey.read()
    assert (len(reading.events), reading.messages, reading.damage) == (0, records - 1, "")
    for path, data in whole.items():
        path.write_bytes(data)
    reading = survey.read()
    assert (len(reading.events), reading.messages, reading.damage) == (1, records, "")


def test_records_are_counted_however_the_bytes_come() -> None:
    one, two = FakeAircraft(v1=True), FakeAircraft(key=b"k" * 32)
    stamp = (1_795_330_000_000_000).to_bytes(8, "big")
    log = b"".join(
        stamp + message for _ in range(5) for message in (one.heartbeat(), two.heartbeat(), two.gps())
    )
    for step in (1, 7, 40, len(log)):
        count = TlogCount()
        for at in range(0, len(log), step):
            count.take(log[at : at + step])
        assert (count.records, count.counted_bytes, count.bad_at) == (15, len(log), None)
    count = TlogCount()
    count.take(log + b"\x00" * 30 + log)
    assert (count.records, count.bad_at) == (15, len(log))


def test_damage_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path)
    good = FlightSurvey(flight.folder).read()
    (flight.folder / "fritz-tag.0002.mp4").write_bytes(b"no film at all")
    with (flight.folder / "events.jsonl").open("ab") as events:
        events.write(b'{"type":"Evil"}\n\xff\n')
    with (flight.folder / "telemetry.tlog").open("ab") as tlog:
        tlog.write(b"junk" * 10)
    reading = FlightSurvey(flight.folder).read()
    for name in ("fritz-tag.0002.mp4", "events.jsonl: 2 lines", "telemetry.tlog"):
        assert name in reading.damage
    assert (reading.feeds[0].pictures, reading.messages) == (good.feeds[0].pictures, good.messages)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"id":"20261122t064640z-fritz","aircraft_id":"../x","aircraft_name":"","feeds":[],"started_ns":1}',
        b'{"id":"20261122t064640z-fritz","aircraft_id":"x","aircraft_name":"","feeds":[],"started_ns":1e99}',
        b'{"id":"20261122t064640z-other","aircraft_id":"x","aircraft_name":"","feeds":[],"started_ns":1}',
    ],
)
def test_a_flight_whose_own_file_is_no_use_is_still_a_flight(tmp_path: Path, content: bytes) -> None:
    flight = recorded_flight(tmp_path)
    (flight.folder / "flight.json").write_bytes(content)
    reading = FlightSurvey(flight.folder).read()
    assert "flight.json" in reading.damage
    assert (reading.flight.aircraft_id, reading.flight.started_ns) == ("fritz", START_NS)
    assert reading.flight.ended_ns is not None  # so that it is deleted in its time
    assert reading.feeds[0].pictures == 60


def test_links_pipes_and_foreign_names_are_not_opened(tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path)
    expected = FlightSurvey(flight.folder).read()
    secret = tmp_path / "secret"
    secret.write_bytes((flight.folder / "fritz-tag.0001.mp4").read_bytes())
    (flight.folder / "fritz-tag.0002.mp4").symlink_to(secret)
    os.mkfifo(flight.folder / "fritz-tag.0003.mp4")
    (flight.folder / "ottmar.0001.mp4").mkdir()
    (flight.folder / "FRITZ.0001.mp4").write_bytes(secret.read_bytes())
    reading = FlightSurvey(flight.folder).read()
    assert reading.feeds == expected.feeds
    for name in ("telemetry.tlog", "events.jsonl", "flight.json", "hold.json"):
        (flight.folder / name).unlink(missing_ok=True)
        os.mkfifo(flight.folder / name)
    reading = FlightSurvey(flight.folder).read()
    assert (reading.messages, reading.feeds[0].pictures) == (0, 60)
    for name in ("telemetry.tlog", "events.jsonl", "flight.json"):
        assert name in reading.damage


def test_a_segment_of_another_feed_is_told(tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path)
    (flight.folder / "fritz-tag.0001.mp4").rename(flight.folder / "ottmar.0001.mp4")
    reading = FlightSurvey(flight.folder).read()
    assert "ottmar.0001.mp4: it is of feed 'fritz-tag'" in reading.damage
    assert [(feed.id, feed.pictures) for feed in reading.feeds] == [("fritz-tag", 0), ("ottmar", 60)]


def test_a_segment_that_is_only_just_begun_is_no_damage(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    survey = FlightSurvey(flight.folder)
    flight.film(seconds=1)
    path = flight.folder / "fritz-tag.0001.mp4"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert survey.read().damage == ""
    path.write_bytes(whole)
    reading = survey.read()
    assert (reading.damage, reading.feeds[0].pictures, reading.feeds[0].segments) == ("", 30, 1)


def test_nothing_is_read_through_a_link(tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path)
    flight.tell(Armed("a1", "fritz", START_NS))
    for name in ("telemetry.tlog", "events.jsonl", "flight.json"):
        path = flight.folder / name
        path.rename(tmp_path / name)
        path.symlink_to(tmp_path / name)
    reading = FlightSurvey(flight.folder).read()
    assert (reading.messages, reading.events) == (0, ())
    for name in ("telemetry.tlog", "events.jsonl", "flight.json"):
        assert name in reading.damage


def test_a_long_log_is_left_unread_where_the_server_stops(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.fly(1)
    flight.end()
    assert FlightSurvey(flight.folder, lambda: True).read().messages  # a short one takes no time
    log = flight.folder / TLOG_FILE
    short = log.read_bytes()
    log.write_bytes(short * (1 + 2**20 // len(short)))
    with pytest.raises(InterruptedError):
        FlightSurvey(flight.folder, lambda: True).read()
