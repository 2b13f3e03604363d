"""A bad link, clock and receiver: each takes its share, the same for a seed, whatever the others do."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.codec.rtp import RtpPacket, SenderReport, is_rtcp, parse_rtp, parse_sender_reports
from recordings.plan import SHOWN_START_NS, Manner, hash_of, plan
from recordings.protocol.episodes import Episodes, Habit, stream
from recordings.protocol.impairments import HELD_MOST_NS, Impairments, impair
from recordings.protocol.mavlink_frames import is_intact, parse_header
from recordings.protocol.timing import NS_PER_S, Send
from recordings.recorded_flight import open_flight
from telemetry.protocol.places import bearing_and_distance
from tests.unit.recordings.flights import MS, START_NS, Aircraft, decode
from tests.unit.recordings.flown import filmed, flight, said

TELEMETRY = 2


def numbered(count: int, step_ns: int = MS) -> list[Send]:
    """Datagrams of two cameras, which are no RTP but have their number in the place of the payload."""
    return [
        Send(
            START_NS + n * step_ns, n % 2, RtpPacket(96, True, n & 0xFFFF, n, n % 2, b"%06d" % n).serialize()
        )
        for n in range(count)
    ]


def number_of(send: Send) -> int:
    return int(send.data[-6:])


def made(sends: list[Send], impairments: Impairments, seed: int = 1) -> list[Send]:
    return list(impair(sends, impairments, START_NS, seed, TELEMETRY))


EVERYTHING = Impairments(
    loss=0.05,
    jitter_ns=20 * MS,
    drift_ppm=100.0,
    reorder=0.05,
    outages=Habit(2 * NS_PER_S, NS_PER_S // 2),
    telemetry_outages=Habit(2 * NS_PER_S, NS_PER_S // 2),
    gps_jumps=Habit(2 * NS_PER_S, NS_PER_S // 2),
)


@given(
    st.sampled_from([f.name for f in dataclasses.fields(Impairments) if f.name != "loss"]), st.integers(0, 99)
)
@settings(max_examples=20, derandomize=True, deadline=None)
def test_what_is_lost_does_not_depend_on_what_else_goes_wrong(other: str, seed: int) -> None:
    sends = numbered(2000)
    alone = {number_of(send) for send in made(sends, Impairments(loss=0.2), seed)}
    both = dataclasses.replace(Impairments(loss=0.2), **{other: getattr(EVERYTHING, other)})
    rest = {number_of(send) for send in made(sends, dataclasses.replace(both, loss=0.0), seed)}
    assert {number_of(send) for send in made(sends, both, seed)} == alone & rest


def test_datagrams_out_of_order_come_behind_one_to_three_later_ones() -> None:
    sent = made(numbered(20_000), Impairments(reorder=0.01))
    assert sorted(map(number_of, sent)) == list(range(20_000))
    assert [send.time_ns for send in sent] == sorted(send.time_ns for send in sent)
    overtaken: list[int] = []
    for port in (0, 1):
        numbers = [number_of(send) for send in sent if send.port == port]
        newest = -1
        for at, number in enumerate(numbers):
            if number < newest:
                overtaken.append(sum(before > number for before in numbers[max(0, at - 20) : at]))
            newest = max(newest, number)
    assert len(overtaken) == pytest.approx(200, abs=40)
    assert {1, 2, 3} <= set(overtaken) <= {1, 2, 3, 4, 5, 6}, "three, and others that are late"


def test_nothing_is_held_back_for_long() -> None:
    sends = numbered(2000, 40 * MS)
    for send in made(sends, Impairments(reorder=0.3)):
        assert send.time_ns - sends[number_of(send)].time_ns <= HELD_MOST_NS


def test_after_an_outage_the_camera_is_another_stream() -> None:
    sends = numbered(10_000)
    sends.insert(9500, Send(sends[9500].time_ns, 0, SenderReport(0, START_NS, 77, 1, 2).serialize()))
    sent = made(sends, Impairments(outages=Habit(3 * NS_PER_S, NS_PER_S)))
    runs: dict[int, list[int]] = {}
    for send in sent:
        if send.port == 0 and not is_rtcp(send.data):
            packet = parse_rtp(send.data)
            runs.setdefault(packet.ssrc, []).append(number_of(send))
    assert len(runs) == 3
    for (*_, end), (start, *_) in zip(list(runs.values())[:-1], list(runs.values())[1:], strict=True):
        assert 450 <= start - end <= 1500, "half to one and a half times a second of silence"
    (report,) = [parse_sender_reports(send.data)[0] for send in sent if is_rtcp(send.data)]
    last = next(send for send in reversed(sent) if send.port == 0)
    packet = parse_rtp(last.data)
    assert report.ssrc == packet.ssrc
    assert (packet.timestamp - report.rtp_timestamp) % 2**32 == number_of(last) - 77
    assert report.ntp_ns == pytest.approx(START_NS, abs=1)


def test_the_telemetry_goes_silent_alone() -> None:
    aircraft = Aircraft()
    messages = [Send(START_NS + n * 10 * MS, TELEMETRY, aircraft.attitude(1000 + n)) for n in range(1000)]
    sends = sorted([*numbered(1000, 10 * MS), *messages])
    sent = made(sends, Impairments(telemetry_outages=Habit(3 * NS_PER_S, NS_PER_S)))
    assert len([send for send in sent if send.port != TELEMETRY]) == 1000
    times = [send.time_ns for send in sent if send.port == TELEMETRY]
    silences = [b - a for a, b in pairwise(times) if b - a > 20 * MS]
    assert len(silences) == 2
    assert all(NS_PER_S // 2 <= silence <= 1.6 * NS_PER_S for silence in silences)


def test_positions_jump_by_hundreds_of_metres_for_a_while() -> None:
    aircraft, true = Aircraft(), (49.44, 7.77)
    sends = [
        Send(START_NS + n * 10 * MS, TELEMETRY, data)
        for n in range(1000)
        for data in (aircraft.position(1000 + n), aircraft.gps(n), aircraft.attitude(1000 + n))
    ]
    sent = made(sends, Impairments(gps_jumps=Habit(3 * NS_PER_S, NS_PER_S)))
    assert len(sent) == 3000
    ways: set[tuple[int, int]] = set()
    for before, after in zip(sends, sent, strict=True):
        header = parse_header(after.data)
        assert header is not None
        assert is_intact(after.data, header)
        if before.data != after.data:
            message, original = decode(after.data), decode(before.data)
            assert message.get_type() in ("GLOBAL_POSITION_INT", "GPS_RAW_INT")
            bearing, metres = bearing_and_distance(true, (message.lat / 1e7, message.lon / 1e7))
            assert 195 < metres < 905
            ways.add((round(bearing), round(metres)))
            message.lat, message.lon = original.lat, original.lon
            assert message.to_dict() == original.to_dict()
    assert len(ways) == 2, "the same way off for as long as it lasts, another one the next time"


@pytest.mark.parametrize(
    "place", [(0, 0), (899_999_999, 0), (-899_999_999, 1_799_999_999), (1, -1_800_000_000)]
)
def test_no_place_and_the_edges_of_the_world(place: tuple[int, int]) -> None:
    sends = [Send(START_NS + 10**10, TELEMETRY, Aircraft().position(7, *place))]
    for seed in range(20):
        (sent,) = made(sends, Impairments(gps_jumps=Habit(1, 10**11)), seed)
        message = decode(sent.data)
        assert (message.lat, message.lon) == place if place == (0, 0) else message.lat != place[0]
        assert abs(message.lat) <= 900_000_000
        assert abs(message.lon) <= 1_800_000_000


def test_episodes_keep_to_their_habit() -> None:
    episodes = Episodes(Habit(100, 10), 0, stream(1, "test"))
    running = [episodes.runs_at(time) for time in range(100_000)]
    assert sum(running) == pytest.approx(10_000 * 10 / 11, rel=0.1)
    assert episodes.ended == pytest.approx(100_000 / 110, rel=0.1)


def test_all_of_it_repeats_exactly_also_in_another_process(tmp_path: Path) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 2.0), "waerme": filmed("waerme", 2.0)}, said(2))
    _, recording = open_flight(folder)
    manner = ["--seed", "5", "--loss", "0.05", "--jitter", "20", "--reorder", "0.05", "--drift", "100",
              "--outage", "2,.5", "--telemetry-dropout", "2,.5", "--gps-jump", "2,.5"]  # fmt: skip
    command = [sys.executable, "-m", "recordings.replay", "--flight", str(folder), *manner]
    files = [tmp_path / "1.txt", tmp_path / "2.txt"]
    said_hashes = {
        subprocess.run(
            [*command, "--schedule", str(file)],
            env=os.environ | {"PYTHONHASHSEED": str(number)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for number, file in enumerate(files)
    }
    hashes = [
        hash_of(plan(recording, Manner(seed=seed, impairments=EVERYTHING), SHOWN_START_NS), SHOWN_START_NS)
        for seed in (5, 6)
    ]
    assert said_hashes == {f"schedule {hashes[0]}, seed 5\n"}
    assert hashes[0] != hashes[1]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(files[0].read_bytes().splitlines()) > 100
