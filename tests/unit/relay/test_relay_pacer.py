"""Pacing: the token bucket against arithmetic, and large keyframes on a simulated narrow link."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.clock import NS_PER_MS, NS_PER_S
from relay.delivery import GROUP_WITHIN_S
from relay.protocol.feedback import Feedback
from relay.protocol.pacer import (
    LEAST_BPS,
    LEAST_BURST_BYTES,
    START_BPS,
    START_BURST_BYTES,
    START_WITHIN_S,
    Congestion,
    Pacer,
    TokenBucket,
    start_bps,
)
from relay.protocol.rtcp import Message, ReceiverReport, Remb
from tests.fakes.clock import START_NS

MBIT = 1_000_000
STREAM_BPS = 4 * MBIT
LINK_BPS = 6 * MBIT
PACKET_BYTES = 1200
KEYFRAME_BYTES = 80_000
GROUP_PICTURES = 60  # 2 s
PICTURE_BYTES = (STREAM_BPS // 4 - KEYFRAME_BYTES) // (GROUP_PICTURES - 1)
QUICK = settings(derandomize=True, deadline=None, max_examples=150)
SSRC = 1


@given(
    rate_bps=st.integers(100_000, 200 * MBIT),
    burst_bytes=st.integers(1500, 100_000),
    wishes=st.lists(
        st.tuples(st.integers(0, 20 * NS_PER_MS), st.integers(0, 200_000)), min_size=1, max_size=40
    ),
)
@QUICK
def test_no_span_of_time_lets_more_through_than_rate_and_burst(
    rate_bps: int, burst_bytes: int, wishes: list[tuple[int, int]]
) -> None:
    bucket = TokenBucket(rate_bps, burst_bytes)
    now_ns, times, sent = START_NS, [], []
    for step_ns, wish in wishes:
        now_ns += step_ns
        size = min(wish, bucket.allowance(now_ns))
        bucket.spent(size)
        times.append(now_ns)
        sent.append(size)
    total = [0, *accumulate(sent)]
    for i in range(len(times)):
        for j in range(i, len(times)):
            allowed = burst_bytes + rate_bps * (times[j] - times[i]) / 8e9
            assert total[j + 1] - total[i] <= allowed + 1e-3


def test_who_always_has_something_to_send_gets_the_whole_rate() -> None:
    pacer = Pacer(fixed_bps=LINK_BPS)
    sent = 0
    for ms in range(10_000):
        while pacer.allowance(START_NS + ms * NS_PER_MS) >= PACKET_BYTES:
            pacer.spent(PACKET_BYTES)
            sent += PACKET_BYTES
    assert sent == pytest.approx(LINK_BPS / 8 * 10, rel=0.002)


def test_what_was_taken_too_much_is_paid_back_first() -> None:
    bucket = TokenBucket(8_000_000, 10_000)  # a byte each microsecond
    bucket.spent(15_000)
    assert bucket.allowance(START_NS) == 0
    assert bucket.allowance(START_NS + 5 * NS_PER_MS) == 0
    assert bucket.allowance(START_NS + 6 * NS_PER_MS) == 1000


def test_a_clock_that_stands_or_steps_back_gives_nothing() -> None:
    bucket = TokenBucket(8_000_000, 10_000)
    assert bucket.allowance(START_NS) == 10_000
    bucket.spent(10_000)
    assert bucket.allowance(START_NS) == 0
    assert bucket.allowance(START_NS - NS_PER_S) == 0
    assert bucket.allowance(START_NS + NS_PER_MS) == 1000


def test_a_group_of_ten_seconds_goes_at_ten_packets_a_millisecond() -> None:
    pacer, left = Pacer(), 5_000_000
    by_ms: list[float] = []
    while left > 0:
        now_ns = START_NS + len(by_ms) * NS_PER_MS
        before = left
        while left > 0 and pacer.allowance(now_ns) >= PACKET_BYTES:
            pacer.spent(PACKET_BYTES)
            left -= PACKET_BYTES
        by_ms.append((before - left) / PACKET_BYTES)
    assert by_ms[0] == START_BURST_BYTES // PACKET_BYTES
    assert all(9 <= packets <= 11 for packets in by_ms[1:-1])
    assert 400 < len(by_ms) < 420  # milliseconds


def test_a_receiver_that_reads_only_after_3_ms_finds_all_packets_of_a_start() -> None:
    pacer, buffered_bytes = Pacer(), 0
    for ms in range(4):
        while pacer.allowance(START_NS + ms * NS_PER_MS) >= PACKET_BYTES:
            pacer.spent(PACKET_BYTES)
            buffered_bytes += 2304  # what Linux counts for a packet of 1200 bytes
    assert buffered_bytes < 212_992  # net.core.rmem_default


@pytest.mark.parametrize(
    ("rtt_ms", "stream_bps", "group_s", "expected_bps"),
    [
        (None, 4 * MBIT, 2, START_BPS),
        (0.0, 4 * MBIT, 2, START_BPS),
        (5.0, 4 * MBIT, 2, START_BPS),
        (40.0, 4 * MBIT, 2, 110 * PACKET_BYTES * 8 / 0.040),
        (40.0, 12 * MBIT, 1, 36 * MBIT),  # it has to catch up, too
        (2000.0, 4 * MBIT, 2, 12 * MBIT),
        (2000.0, 4 * MBIT, 10, 50 * MBIT),  # and is not given up because it would take too long
        (40.0, 60 * MBIT, 2, START_BPS),
    ],
)
def test_a_start_sends_no_more_in_a_round_trip_than_a_replay_window_takes(
    rtt_ms: float | None, stream_bps: float, group_s: int, expected_bps: float
) -> None:
    group_bytes = int(stream_bps) * group_s // 8
    assert start_bps(rtt_ms, stream_bps, group_bytes) == pytest.approx(expected_bps)
    assert START_WITHIN_S < GROUP_WITHIN_S


@pytest.mark.parametrize(
    ("stream_bps", "reports", "expected_bps"),
    [
        (4 * MBIT, 1, START_BPS / 2),
        (4 * MBIT, 3, START_BPS / 8),
        (4 * MBIT, 9, 5 * MBIT),  # never below what the stream needs
        (0, 20, LEAST_BPS),
    ],
)
def test_congestion_lowers_the_rate(stream_bps: float, reports: int, expected_bps: float) -> None:
    pacer = Pacer()
    assert pacer.rate_bps == START_BPS
    lowered(pacer, reports, stream_bps)
    assert pacer.rate_bps == expected_bps


def lowered(pacer: Pacer, reports: int = 9, stream_bps: float = STREAM_BPS) -> int:
    """Lower its rate by that many reports; returns when the last one came."""
    for second in range(reports):
        report(pacer, START_NS + second * NS_PER_S, stream_bps)
    return START_NS + (reports - 1) * NS_PER_S


def report(pacer: Pacer, now_ns: int, stream_bps: float = STREAM_BPS, congested: bool = True) -> None:
    pacer.on_report(Congestion(now_ns) if congested else None, stream_bps, now_ns)


def test_one_report_of_loss_halves_the_rate_once_however_long_it_is_valid() -> None:
    pacer, feedback = Pacer(), Feedback(SSRC)
    feedback.take([ReceiverReport(SSRC, 0.03, 12, 400, 0, 0, 0)], START_NS)
    for second in range(5):  # from a receiver that reports every 5 s
        now_ns = START_NS + second * NS_PER_S
        pacer.on_report(feedback.congestion(now_ns, STREAM_BPS), STREAM_BPS, now_ns)
        assert pacer.rate_bps == START_BPS / 2
    feedback.take([ReceiverReport(SSRC, 0.03, 72, 2400, 0, 0, 0)], START_NS + 5 * NS_PER_S)
    now_ns = START_NS + 5 * NS_PER_S
    pacer.on_report(feedback.congestion(now_ns, STREAM_BPS), STREAM_BPS, now_ns)
    assert pacer.rate_bps == START_BPS / 4


def test_one_loss_in_many_reports_lowers_the_rate_once_a_second() -> None:
    pacer = Pacer()
    for ms in range(0, 1000, 20):
        report(pacer, START_NS + ms * NS_PER_MS)
    assert pacer.rate_bps == START_BPS / 2
    report(pacer, START_NS + NS_PER_S)
    assert pacer.rate_bps == START_BPS / 4


@pytest.mark.parametrize("every_ms", [20, 500, 1000])
def test_the_rate_grows_by_a_tenth_a_second_however_often_is_reported(every_ms: int) -> None:
    pacer = Pacer()
    last_ns = lowered(pacer)
    for ms in range(every_ms, 10_001, every_ms):
        pacer.on_report(None, STREAM_BPS, last_ns + ms * NS_PER_MS)
    assert pacer.rate_bps == pytest.approx(5 * MBIT * 1.1**10)
    for second in range(11, 45):
        pacer.on_report(None, STREAM_BPS, last_ns + second * NS_PER_S)
    assert pacer.rate_bps == START_BPS


def test_silence_is_no_proof_of_room() -> None:
    pacer = Pacer()
    last_ns = lowered(pacer)
    pacer.on_report(None, STREAM_BPS, last_ns + 3600 * NS_PER_S)
    assert pacer.rate_bps == pytest.approx(5 * MBIT * 1.1**2)


@pytest.mark.parametrize("congested", [True, False])
def test_a_stream_that_grows_is_followed_at_once(congested: bool) -> None:
    pacer = Pacer()
    last_ns = lowered(pacer)
    report(pacer, last_ns + NS_PER_MS, 12 * MBIT, congested)
    assert pacer.rate_bps == 15 * MBIT


def test_a_fixed_rate_stays() -> None:
    pacer = Pacer(fixed_bps=LINK_BPS)
    report(pacer, START_NS)
    pacer.on_report(None, STREAM_BPS, START_NS + NS_PER_S)
    assert pacer.rate_bps == LINK_BPS
    assert pacer.allowance(START_NS) == LEAST_BURST_BYTES
    assert Pacer(fixed_bps=10_000 * MBIT).allowance(START_NS) > 6_000_000  # as good as unpaced


@dataclass
class Link:
    """A queue of `buffer_bytes` that drains at `rate_bps`; what does not fit is lost."""

    buffer_bytes: float
    rate_bps: float = LINK_BPS
    received_bytes: int = 0
    received: int = 0
    lost: int = 0
    deepest_bytes: float = 0.0
    _queued_bytes: float = 0.0
    _at_ns: int = START_NS

    def send(self, size_bytes: int, now_ns: int) -> None:
        self._queued_bytes = max(self._queued_bytes - (now_ns - self._at_ns) * self.rate_bps / 8e9, 0.0)
        self._at_ns = now_ns
        if self._queued_bytes + size_bytes > self.buffer_bytes:
            self.lost += 1
            return
        self._queued_bytes += size_bytes
        self.received += 1
        self.received_bytes += size_bytes
        self.deepest_bytes = max(self.deepest_bytes, self._queued_bytes)


@dataclass
class Viewer:
    """Reports once a second over `link`, as a browser does: loss, and an estimate that falls with delay."""

    link: Link
    _received_bytes: int = 0
    _expected: int = 0
    _lost: int = 0

    def reports(self) -> list[Message]:
        link = self.link
        expected, received_bytes = link.received + link.lost, link.received_bytes - self._received_bytes
        fraction = (link.lost - self._lost) / (expected - self._expected)
        self._expected, self._lost, self._received_bytes = expected, link.lost, link.received_bytes
        slow = link.deepest_bytes * 8 / link.rate_bps > 0.05
        return [
            ReceiverReport(SSRC, fraction, link.lost, expected, 0, 0, 0),
            Remb(int(8 * received_bytes * (0.85 if slow else 1.5)), (SSRC,)),
        ]


@dataclass
class Run:
    """A viewer's stream through `pacer` over `link`, a millisecond at a time, as the relay sends it."""

    pacer: Pacer
    link: Link
    now_ns: int = START_NS
    keyframes_took_ms: list[float] = field(default_factory=list)
    deepest_by_s: list[float] = field(default_factory=list)
    backlog_by_s: list[int] = field(default_factory=list)
    lost_by_s: list[int] = field(default_factory=list)
    rate_by_s: list[float] = field(default_factory=list)
    _backlog: deque[tuple[int, int | None]] = field(default_factory=deque)  # size, when its keyframe came
    _picture: int = 0

    def __post_init__(self) -> None:
        self._viewer = Viewer(self.link)
        self._feedback = Feedback(SSRC)

    def seconds(self, count: int) -> Run:
        for _ in range(count):
            self.link.deepest_bytes = 0.0
            sent_before, lost_before = self.link.received_bytes, self.link.lost
            for _ in range(1000):
                self._tick()
            self.deepest_by_s.append(self.link.deepest_bytes)
            self.backlog_by_s.append(sum(size for size, _ in self._backlog))
            self.lost_by_s.append(self.link.lost - lost_before)
            self.rate_by_s.append(self.pacer.rate_bps)
            sent_bps = 8 * (self.link.received_bytes - sent_before + PACKET_BYTES * self.lost_by_s[-1])
            self._feedback.take(self._viewer.reports(), self.now_ns)
            congestion = self._feedback.congestion(self.now_ns, sent_bps)
            self.pacer.on_report(congestion, STREAM_BPS, self.now_ns)
        return self

    def _tick(self) -> None:
        self.now_ns += NS_PER_MS
        if (self.now_ns - START_NS) * 30 // NS_PER_S > self._picture:
            self._add_picture()
        while self._backlog and self.pacer.allowance(self.now_ns) >= self._backlog[0][0]:
            size, keyframe_ns = self._backlog.popleft()
            self.pacer.spent(size)
            self.link.send(size, self.now_ns)
            if keyframe_ns is not None:
                self.keyframes_took_ms.append((self.now_ns - keyframe_ns) / NS_PER_MS)

    def _add_picture(self) -> None:
        keyframe = self._picture % GROUP_PICTURES == 0
        whole, rest = divmod(KEYFRAME_BYTES if keyframe else PICTURE_BYTES, PACKET_BYTES)
        self._backlog += [(PACKET_BYTES, None)] * whole
        self._backlog.append((rest, self.now_ns if keyframe else None))
        self._picture += 1


def test_unpaced_each_keyframe_stands_in_the_link_for_a_tenth_of_a_second() -> None:
    run = Run(Pacer(fixed_bps=10_000 * MBIT), Link(buffer_bytes=1_000_000)).seconds(10)
    assert max(run.deepest_by_s) > 79_000  # 105 ms at 6 Mbit/s
    assert Run(Pacer(fixed_bps=10_000 * MBIT), Link(buffer_bytes=64_000)).seconds(10).link.lost > 50


def test_paced_below_the_link_nothing_stands_in_it_but_one_burst() -> None:
    run = Run(Pacer(fixed_bps=5 * MBIT), Link(buffer_bytes=1_000_000)).seconds(20)
    assert max(run.deepest_by_s) <= LEAST_BURST_BYTES  # 13 ms at 6 Mbit/s
    assert max(run.keyframes_took_ms) < 130
    assert run.link.lost == 0
    assert max(run.backlog_by_s) < 2 * PICTURE_BYTES  # each second ends with the keyframe long worked off


def test_a_deep_buffer_may_take_a_keyframe_whole() -> None:
    run = Run(Pacer(), Link(buffer_bytes=1_000_000)).seconds(120)
    assert run.link.lost == 0
    assert max(run.keyframes_took_ms) < 140  # no later than paced, and nothing else waits in that queue


def test_on_a_narrow_link_with_a_shallow_buffer_less_than_a_third_of_the_loss_remains() -> None:
    for buffer_bytes in (20_000, 30_000, 40_000, 60_000):
        paced = Run(Pacer(), Link(buffer_bytes)).seconds(120)
        unpaced = Run(Pacer(fixed_bps=START_BPS), Link(buffer_bytes)).seconds(120)
        assert unpaced.link.lost > 12 * 60  # a dozen of each keyframe at least
        assert sum(paced.lost_by_s[8:]) < unpaced.link.lost / 3


def test_the_rate_never_starves_the_stream_and_nothing_piles_up() -> None:
    for buffer_bytes in (20_000, 40_000, 80_000, 1_000_000):
        run = Run(Pacer(), Link(buffer_bytes)).seconds(120)
        assert min(run.rate_by_s) >= 1.25 * STREAM_BPS
        assert max(run.backlog_by_s) < KEYFRAME_BYTES
        assert run.link.received_bytes + run.link.lost * PACKET_BYTES > 119 * STREAM_BPS / 8


def test_when_the_link_widens_the_rate_recovers() -> None:
    run = Run(Pacer(), Link(buffer_bytes=40_000)).seconds(30)
    assert max(run.rate_by_s[10:]) < 20 * MBIT
    run.link.rate_bps, run.link.buffer_bytes = 200 * MBIT, 1_000_000
    run.seconds(40)
    assert run.rate_by_s[-1] == START_BPS
    assert sum(run.lost_by_s[30:]) == 0
    assert run.keyframes_took_ms[-1] <= 2


def test_same_reports_same_rates() -> None:
    first, second = (Run(Pacer(), Link(buffer_bytes=40_000)).seconds(20) for _ in range(2))
    assert first.rate_by_s == second.rate_by_s
    assert first.deepest_by_s == second.deepest_by_s


def test_who_is_sent_a_smaller_stream_begins_at_what_its_way_took() -> None:
    pacer = Pacer()
    pacer.narrow(1_000_000, NS_PER_S)
    assert pacer.rate_bps == 1_000_000
    pacer.on_report(Congestion(NS_PER_S - 1), 600_000, NS_PER_S + 1)  # of before
    assert pacer.rate_bps == 1_000_000
    pacer.on_report(Congestion(2 * NS_PER_S), 600_000, 2 * NS_PER_S)
    assert pacer.rate_bps == 750_000  # never below what the stream needs
    pacer.narrow(20_000_000, 3 * NS_PER_S)  # never faster than before
    assert pacer.rate_bps == 750_000
    pacer.narrow(1, 3 * NS_PER_S)
    assert pacer.rate_bps == LEAST_BPS


def test_a_fixed_pace_stays_also_for_a_smaller_stream() -> None:
    pacer = Pacer(fixed_bps=8_000_000)
    pacer.narrow(1_000_000, NS_PER_S)
    assert pacer.rate_bps == 8_000_000


def test_who_is_sent_a_larger_stream_begins_fast_enough_for_its_keyframe() -> None:
    pacer = Pacer()
    pacer.narrow(1_000_000, NS_PER_S)
    pacer.widen(2 * STREAM_BPS, 2 * NS_PER_S)
    assert pacer.rate_bps == 2 * STREAM_BPS
    pacer.on_report(Congestion(2 * NS_PER_S - 1), STREAM_BPS, 3 * NS_PER_S)  # of before
    assert pacer.rate_bps >= 2 * STREAM_BPS
    pacer.widen(STREAM_BPS, 4 * NS_PER_S)  # never slower than before
    assert pacer.rate_bps >= 2 * STREAM_BPS
    pacer.widen(2 * START_BPS, 5 * NS_PER_S)
    assert pacer.rate_bps == START_BPS
    fixed = Pacer(fixed_bps=8_000_000)
    fixed.widen(20_000_000, NS_PER_S)
    assert fixed.rate_bps == 8_000_000
