"""A replay is the same sequence of (time, port, bytes) whenever it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice, pairwise

import pytest

from flow.codec.rtp import is_rtcp, parse_rtp
from flow.units import Codec
from recordings.footage import Footage
from recordings.plan import Manner, plan
from recordings.protocol.impairments import Impairments, impair
from recordings.protocol.telemetry_track import LoggedMessage
from recordings.protocol.timing import NS_PER_S, Send
from recordings.recording import Recording
from tests.unit.recordings.flights import MS, START_NS, Aircraft, decode, pictures, reordered_pictures

VIDEO = Footage(Codec.H264, lambda: pictures(50))
TELEMETRY = 1
"""Port of the telemetry beside one video."""


def log(seconds: int = 10) -> list[LoggedMessage]:
    aircraft = Aircraft()
    return [
        LoggedMessage(10**15 + ms * 1000, aircraft.attitude(60_000 + ms))
        for ms in range(0, seconds * 1000, 100)
    ]


def flown(manner: Manner, *, seconds: int = 10, video: Footage = VIDEO) -> Iterable[Send]:
    messages = log(seconds)
    return plan(Recording("", [video], lambda: iter(messages)), manner, START_NS)


def fingerprint(sends: Iterable[Send]) -> str:
    digest = hashlib.sha256()
    for send in sends:
        digest.update(repr(send).encode())
    return digest.hexdigest()


ROUGH = Impairments(loss=0.05, jitter_ns=30 * MS, drift_ppm=200)


@pytest.mark.parametrize("impairments", [Impairments(), ROUGH])
def test_the_same_seed_gives_the_same_schedule(impairments: Impairments) -> None:
    first, same, other = (
        fingerprint(flown(Manner(seed=seed, impairments=impairments))) for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other


@pytest.mark.parametrize("manner", [Manner(), Manner(impairments=ROUGH), Manner(loop=True, speed=3.0)])
def test_time_never_runs_back(manner: Manner) -> None:
    times = [send.time_ns for send in islice(flown(manner), 2000)]
    assert times == sorted(times)
    assert times[0] >= START_NS


def test_the_run_is_as_long_as_the_video() -> None:
    sends = list(flown(Manner(), seconds=10))
    assert sends[-1].time_ns < START_NS + 2 * NS_PER_S
    assert sum(send.port == TELEMETRY for send in sends) == 20
    short = list(flown(Manner(), seconds=1))
    assert sum(send.port == TELEMETRY for send in short) == 10
    assert short[-1].time_ns > START_NS + 1.9 * NS_PER_S


def test_telemetry_lies_between_the_pictures_of_its_time() -> None:
    sends = list(flown(Manner(telemetry_offset_ns=30 * MS)))
    messages = [send.time_ns for send in sends if send.port == TELEMETRY]
    assert messages[:3] == [START_NS + ms * MS for ms in (30, 130, 230)]


def test_a_loop_looks_like_one_long_flight() -> None:
    sends = list(islice(flown(Manner(loop=True)), 1200))
    assert sends[-1].time_ns > START_NS + 4 * NS_PER_S
    boot_ms = [decode(send.data).time_boot_ms for send in sends if send.port == TELEMETRY]
    assert boot_ms == [60_000 + 100 * number for number in range(len(boot_ms))]
    markers = [
        packet.timestamp
        for send in sends
        if send.port == 0 and not is_rtcp(send.data) and (packet := parse_rtp(send.data)).marker
    ]
    assert {(b - a) & 0xFFFF_FFFF for a, b in pairwise(markers)} == {3600}


def test_reordered_pictures_at_the_seam_keep_the_order_of_time() -> None:
    video = Footage(Codec.H264, lambda: reordered_pictures(10))
    times = [send.time_ns for send in islice(flown(Manner(loop=True), video=video), 500)]
    assert times == sorted(times)


def test_two_videos_begin_together_and_the_longer_one_counts() -> None:
    videos = [VIDEO, Footage(Codec.H264, lambda: pictures(25))]
    sends = list(islice(plan(Recording("", videos, None), Manner(loop=True), START_NS), 800))
    second_lap = START_NS + 2 * NS_PER_S
    for port in (0, 1):
        times = [send.time_ns for send in sends if send.port == port]
        assert min(time for time in times if time > second_lap - 10 * MS) == second_lap
    ssrcs = {parse_rtp(send.data).ssrc for send in sends if not is_rtcp(send.data)}
    assert len(ssrcs) == 2


def test_without_telemetry_only_pictures_are_sent() -> None:
    assert {send.port for send in plan(Recording("", [VIDEO], None), Manner(), START_NS)} == {0}


def test_recordings_of_no_length_do_not_loop_for_ever() -> None:
    still = Footage(Codec.H264, lambda: (picture._replace(duration_ns=0) for picture in pictures(1)))
    assert len(list(plan(Recording("", [still], None), Manner(loop=True), START_NS))) > 0


def numbered(count: int) -> list[Send]:
    return [Send(START_NS + number * MS, number % 2, number.to_bytes(4, "big")) for number in range(count)]


def test_loss_takes_its_share() -> None:
    kept = list(impair(numbered(10_000), Impairments(loss=0.1), START_NS, 1))
    assert 8800 < len(kept) < 9200
    survivors = set(kept)
    assert kept == [send for send in numbered(10_000) if send in survivors]


def test_jitter_delays_by_up_to_its_amount_and_keeps_each_port_in_order() -> None:
    sent = list(impair(numbered(1000), Impairments(jitter_ns=20 * MS), START_NS, 1))
    assert sorted(send.data for send in sent) == [send.data for send in numbered(1000)]
    times = [send.time_ns for send in sent]
    assert times == sorted(times)
    for port in (0, 1):
        data = [send.data for send in sent if send.port == port]
        assert data == sorted(data)
    delays = [send.time_ns - START_NS - int.from_bytes(send.data, "big") * MS for send in sent]
    assert min(delays) >= 0
    assert 15 * MS < max(delays) < 20 * MS


def test_drift_moves_the_times_of_sending_only() -> None:
    drifted = list(impair(numbered(1001), Impairments(drift_ppm=1000), START_NS, 1))
    assert [send.data for send in drifted] == [send.data for send in numbered(1001)]
    assert drifted[0].time_ns == START_NS
    assert drifted[-1].time_ns - START_NS == pytest.approx(NS_PER_S * (1 - 0.001), rel=1e-5)
