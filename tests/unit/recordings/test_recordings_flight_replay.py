"""A flight's folder is played again: all its cameras and its telemetry, in step, from anywhere in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from flow.codec import h264, h265
from flow.codec.annexb import join_nal_units, split_nal_units
from flow.codec.rtp import is_rtcp, parse_rtp, parse_sender_reports
from flow.errors import ConfigError
from flow.units import AccessUnit, Codec
from recordings.footage import Tlog
from recordings.plan import Manner, hash_of, plan
from recordings.protocol.timing import Send
from recordings.recorded_flight import open_flight
from recordings.recording import Recording, cue
from tests.fakes.clock import START_NS
from tests.unit.recordings.flights import MS, decode
from tests.unit.recordings.flown import NS_PER_S, filmed, filmed_in_h265, flight, later, said

NOW_NS = START_NS + 86_400 * NS_PER_S


def pictures(sends: Iterable[Send], port: int, codec: Codec = Codec.H264) -> Iterator[tuple[int, bytes]]:
    """(moment of capture by the sender reports, picture) of a camera."""
    depacketizer = h264.Depacketizer() if codec is Codec.H264 else h265.Depacketizer()
    captured: tuple[int, int] | None = None
    for send in sends:
        if send.port != port:
            continue
        if is_rtcp(send.data):
            (report,) = parse_sender_reports(send.data)
            captured = report.ntp_ns, report.rtp_timestamp
            continue
        for picture in depacketizer.push(parse_rtp(send.data)):
            assert captured is not None
            ticks = (picture.rtp_timestamp - captured[1] + 2**31) % 2**32 - 2**31
            yield captured[0] + ticks * 100_000 // 9, picture.data


def as_sent(units: Iterable[AccessUnit]) -> list[bytes]:
    return [join_nal_units(split_nal_units(unit.data)) for unit in units]


def messages(sends: Iterable[Send], port: int) -> list[tuple[int, Any]]:
    """(milliseconds after the start, message)."""
    return [((send.time_ns - NOW_NS) // MS, decode(send.data)) for send in sends if send.port == port]


def played(folder: Path, manner: Manner | None = None, *feeds: str) -> list[Send]:
    return list(plan(open_flight(folder, feeds)[1], manner or Manner(), NOW_NS))


def test_both_cameras_and_the_telemetry_come_in_step(tmp_path: Path) -> None:
    day = filmed("tag", 2.0, START_NS + 500 * MS)
    thermal = filmed("waerme", 1.0, START_NS + 1000 * MS)
    sends = played(flight(tmp_path, {"tag": day, "waerme": thermal}, said(3)))
    for port, units in enumerate((day, thermal)):
        shown = list(pictures(sends, port))
        assert [data for _, data in shown] == as_sent(units)
        for (captured_ns, _), unit in zip(shown, units, strict=True):
            assert captured_ns - NOW_NS == pytest.approx(unit.utc_ns - START_NS, abs=50_000)
    attitudes = [(at, m) for at, m in messages(sends, 2) if m.get_type() == "ATTITUDE"]
    assert [(at, m.time_boot_ms) for at, m in attitudes] == [(ms, 60_000 + ms) for ms in range(0, 3000, 100)]


def test_an_h265_flight_and_a_change_of_codec(tmp_path: Path) -> None:
    before = filmed("tag", 1.0)
    after = filmed_in_h265(tmp_path, "tag", START_NS + 2 * NS_PER_S)
    sends = played(flight(tmp_path, {"tag": [*before, *after]}))
    streams: dict[int, list[Send]] = {}
    for send in sends:
        if not is_rtcp(send.data):
            streams.setdefault(parse_rtp(send.data).ssrc, []).append(send)
    first, second = streams.values()
    reports = [send for send in sends if is_rtcp(send.data)]
    assert [data for _, data in pictures(reports[:1] + first, 0)] == as_sent(before)
    assert [data for _, data in pictures(reports[-1:] + second, 0, Codec.H265)] == as_sent(after)
    assert parse_sender_reports(reports[-1].data)[0].ssrc == parse_rtp(second[0].data).ssrc


def test_gaps_have_their_true_length_unless_they_are_skipped(tmp_path: Path) -> None:
    first = filmed("tag", 1.0)
    units = [*first, *later(first, 4000 * NS_PER_S)]  # longer than any clock of a loose file is believed
    folder = flight(tmp_path, {"tag": units})
    whole = [captured_ns for captured_ns, _ in pictures(played(folder), 0)]
    assert whole[30] - whole[0] == pytest.approx(4000 * NS_PER_S, abs=50_000)
    short = played(folder, Manner(gaps_most_ns=5 * NS_PER_S))
    assert [data for _, data in pictures(short, 0)] == as_sent(units)
    skipped = [captured_ns for captured_ns, _ in pictures(short, 0)]
    assert skipped[30] - skipped[29] == pytest.approx(5 * NS_PER_S, abs=50 * MS)


def test_telemetry_within_a_skipped_gap_leaves_its_newest_state(tmp_path: Path) -> None:
    first = filmed("tag", 1.0)
    folder = flight(tmp_path, {"tag": [*first, *later(first, 8 * NS_PER_S)]}, said(9))
    told = messages(played(folder, Manner(gaps_most_ns=2 * NS_PER_S)), 1)
    rolls = {at: round(m.roll, 2) for at, m in told if m.get_type() == "ATTITUDE"}
    assert len(rolls) == 40, "a second, two of the gap, the last one: what is passed over is not squeezed in"
    assert rolls[2900] == 0.29
    assert rolls[3100] == 0.81
    assert [at for at, m in told if m.get_type() == "HOME_POSITION"] == [0]


def test_it_begins_at_the_keyframe_before(tmp_path: Path) -> None:
    units = filmed("tag", 3.0)
    sends = played(flight(tmp_path, {"tag": units}, said(3)), Manner(from_ns=1700 * MS, to_ns=2500 * MS))
    shown = list(pictures(sends, 0))
    assert [data for _, data in shown] == as_sent(units[45:75])
    assert units[45].keyframe
    assert shown[0][0] == pytest.approx(NOW_NS, abs=50_000)
    assert sends[-1].time_ns < NOW_NS + 1000 * MS
    told = messages(sends, 1)
    state = [(at, m.get_type()) for at, m in told[:4]]
    assert state == [(0, "HEARTBEAT"), (0, "HOME_POSITION"), (0, "ATTITUDE"), (0, "GLOBAL_POSITION_INT")]
    assert told[1][1].time_usec == 0, "home's own age would set the aircraft's clock back"
    assert told[3][1].time_boot_ms == 61_400
    assert [(at, m.time_boot_ms) for at, m in told[4:6]] == [(0, 61_500), (100, 61_600)]


def test_what_was_old_there_is_not_made_young(tmp_path: Path) -> None:
    units = filmed("tag", 1.0, START_NS + 20 * NS_PER_S)
    records = said(2)
    records.append((START_NS // 1000 + 21 * 10**6, records[-1][1]))
    sends = played(flight(tmp_path, {"tag": units}, records), Manner(from_ns=20_600 * MS))
    assert [m.get_type() for _, m in messages(sends, 1)] == ["HOME_POSITION", "ATTITUDE"]


def test_whoever_seeks_again_reads_no_part_of_the_telemetry_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = flight(tmp_path, {}, said(150))
    _, sought = open_flight(folder)
    read, size_of = list[bytes](), Tlog.size_of

    def counted(data: bytes) -> int:
        read.append(data)
        return size_of(data)

    monkeypatch.setattr(Tlog, "size_of", staticmethod(counted))
    for number, at_s in enumerate((140.0, 60.0, 145.0, 31.05, 30.0, 30.1, 2.0, 149.9)):
        _, fresh = open_flight(folder)
        at_ns = round(at_s * NS_PER_S)
        wanted = cue(fresh, at_ns)
        read.clear()
        got = cue(sought, at_ns)
        assert (got.from_ns, got.before) == (wanted.from_ns, wanted.before)
        assert got.messages is not None
        assert wanted.messages is not None
        assert list(islice(got.messages(), 5)) == list(islice(wanted.messages(), 5))
        assert number == 0 or len(read) < 17 * 31, at_s


def test_a_camera_that_starts_later_starts_with_its_first_picture(tmp_path: Path) -> None:
    day, late = filmed("tag", 3.0), filmed("spaet", 1.0, START_NS + 2 * NS_PER_S)
    sends = played(flight(tmp_path, {"tag": day, "spaet": late}), Manner(from_ns=NS_PER_S))
    assert [data for _, data in pictures(sends, 1)] == as_sent(late)


def test_every_lap_of_a_part_begins_at_its_start(tmp_path: Path) -> None:
    units = filmed("tag", 3.0)
    _, recording = open_flight(flight(tmp_path, {"tag": units}, said(3)))
    manner = Manner(from_ns=NS_PER_S, to_ns=2 * NS_PER_S, loop=True)
    sends = list(islice(plan(recording, manner, NOW_NS), 500))
    shown = [data for _, data in pictures(sends, 0)]
    assert shown[:75] == (as_sent(units[30:60]) * 3)[:75]
    homes = [at for at, m in messages(sends, 1) if m.get_type() == "HOME_POSITION"]
    assert homes[:3] == [0, 1000, 2000]


def test_a_camera_can_be_chosen(tmp_path: Path) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 1.0), "waerme": filmed("waerme", 0.5)})
    assert len(list(pictures(played(folder, None, "waerme"), 0))) == 15


def test_a_flight_of_telemetry_alone(tmp_path: Path) -> None:
    told = messages(played(flight(tmp_path, {"tag": []}, said(2))), 0)
    assert len([m for _, m in told if m.get_type() == "ATTITUDE"]) == 20


def test_a_flight_broken_off_plays_to_where_it_is_whole(tmp_path: Path) -> None:
    units = filmed("tag", 2.0)
    folder = flight(tmp_path, {"tag": units})
    segment = next(folder.glob("tag.*.mp4"))
    segment.write_bytes(segment.read_bytes()[:-4000])
    (folder / "tag.0002.mp4").write_bytes(b"no segment")
    (folder / "holiday.mp4").write_bytes(b"foreign")
    shown = [data for _, data in pictures(played(folder), 0)]
    assert 30 <= len(shown) < 60
    assert shown == as_sent(units)[: len(shown)]


@pytest.mark.parametrize("what", ["nothing", "no flight.json", "renamed", "empty"])
def test_what_is_no_flight(tmp_path: Path, what: str) -> None:
    folder = flight(tmp_path, {"tag": []})
    if what == "no flight.json":
        (folder / "flight.json").unlink()
    elif what == "renamed":
        folder = folder.rename(folder.with_name("20200101t000000z-fritz"))
    elif what == "nothing":
        folder = tmp_path / "nowhere"
    with pytest.raises(ConfigError, match=r"no flight that can be read|nothing in it to play"):
        open_flight(folder)


def test_the_schedule_of_a_flight_repeats_exactly(tmp_path: Path) -> None:
    _, recording = open_flight(flight(tmp_path, {"tag": filmed("tag", 1.0)}, said(1)))
    hashes = [hash_of(plan(recording, Manner(seed=seed), NOW_NS), NOW_NS) for seed in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_clock_set_back_between_two_segments_stops_nothing(tmp_path: Path) -> None:
    first = filmed("tag", 1.0, START_NS + 3600 * NS_PER_S)
    folder = flight(tmp_path, {"tag": first})
    second = flight(tmp_path / "other", {"tag": filmed("tag", 1.0, START_NS)})
    next(second.glob("tag.*.mp4")).rename(folder / "tag.0002.mp4")
    recording: Recording = open_flight(folder)[1]
    shown = list(pictures(plan(recording, Manner(), NOW_NS), 0))
    assert [data for _, data in shown] == as_sent([*first, *filmed("tag", 1.0, START_NS)])
    assert shown[-1][0] - shown[0][0] < 3 * NS_PER_S
