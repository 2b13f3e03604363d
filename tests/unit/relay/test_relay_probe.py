"""Ballast before a sender report: what it finds out of a way, and what it costs."""

from __future__ import annotations

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from relay.protocol.feedback import Feedback
from relay.protocol.pacer import HEADROOM, PACKET_BYTES
from relay.protocol.probe import FIRST_PACKETS, MOST_PACKETS, USUAL_LEAST, VALID_NS, Probe, ballast, heavy
from relay.protocol.rtcp import ReceiverReport, compact_ntp, parse
from tests.fakes.clock import START_NS

MBIT = 1_000_000
STREAM_BPS = 4 * MBIT
ROUND_TRIP_MS = 30.0
SSRC = 7


class Way:
    """Takes `rate_bps` and holds `queue_bytes`; the viewer names each report that comes, a second later."""

    def __init__(self, rate_bps: float, queue_bytes: int = 1_000_000) -> None:
        self.probe, self.now_ns = Probe(), START_NS
        self.rate_bps, self.queue_bytes = rate_bps, queue_bytes
        self.trains: list[int] = []
        self._named = 0, ROUND_TRIP_MS

    def seconds(self, count: int, stream_bps: float | None = STREAM_BPS) -> Way:
        for _ in range(count):
            self.now_ns += NS_PER_S
            self.probe.take(*self._named, self.now_ns)
            self.probe.ask(stream_bps)
            if self.probe.awaits(self.now_ns):
                continue
            packets = self.probe.begin(self.now_ns)
            self.trains += [packets] * (packets > 0)
            size = packets * PACKET_BYTES
            if size <= self.queue_bytes:
                self._named = compact_ntp(self.now_ns), ROUND_TRIP_MS + 8000 * size / self.rate_bps
        return self

    @property
    def fits(self) -> bool | None:
        return self.probe.fits(self.now_ns)


@pytest.mark.parametrize("rate_bps", [6 * MBIT, 8 * MBIT, 100 * MBIT])
def test_a_wide_way_is_found_out_by_two_trains(rate_bps: float) -> None:
    way = Way(rate_bps).seconds(USUAL_LEAST + 4)
    assert way.fits is True
    assert way.trains[:1] == [FIRST_PACKETS]
    assert way.trains[1] * PACKET_BYTES * 8 == pytest.approx(0.08 * HEADROOM * STREAM_BPS, rel=0.03)


@pytest.mark.parametrize("rate_bps", [0.7 * MBIT, 1 * MBIT, 2 * MBIT])
def test_a_narrow_way_is_found_out_by_the_first_packets(rate_bps: float) -> None:
    way = Way(rate_bps).seconds(60)
    assert way.fits is False
    assert set(way.trains) == {FIRST_PACKETS}
    assert sum(way.trains) * PACKET_BYTES * 8 / 60 <= 0.06 * 600_000  # of what `low` has


@pytest.mark.parametrize("rate_bps", [2.8 * MBIT, 3.4 * MBIT])
def test_a_way_a_little_too_narrow_is_found_out_by_ever_more(rate_bps: float) -> None:
    way = Way(rate_bps).seconds(30)
    assert way.fits is False
    assert max(way.trains) > FIRST_PACKETS


@pytest.mark.parametrize("stream_bps", [1 * MBIT, 4 * MBIT, 20 * MBIT, 60 * MBIT])
def test_a_train_is_never_longer_than_a_receiver_takes(stream_bps: float) -> None:
    way = Way(1000 * MBIT).seconds(20, stream_bps)
    assert way.fits is True
    assert max(way.trains) <= MOST_PACKETS


def test_a_short_queue_that_holds_no_train_is_no_wide_way() -> None:
    """Its delay never grows; the report, as large as what was dropped before it, is dropped, too."""
    way = Way(1 * MBIT, queue_bytes=5000).seconds(30)
    assert way.fits is False


def test_a_way_that_becomes_wide_is_found_out_within_six_seconds() -> None:
    way = Way(1 * MBIT).seconds(30)
    way.rate_bps = 8 * MBIT
    assert way.seconds(6).fits is True


def test_nothing_is_sent_or_known_where_nobody_asks_or_no_round_trip_is_told() -> None:
    way = Way(8 * MBIT).seconds(20, None)
    assert (way.trains, way.fits) == ([], None)
    silent = Probe()
    for second in range(20):
        silent.ask(STREAM_BPS)
        assert silent.begin(START_NS + second * NS_PER_S) == 0
    assert silent.fits(START_NS + 20 * NS_PER_S) is None


def test_a_viewer_that_falls_silent_is_waited_for_only_so_long() -> None:
    way = Way(8 * MBIT).seconds(USUAL_LEAST + 1)
    assert way.trains == [FIRST_PACKETS]
    now_ns = way.now_ns
    assert way.probe.awaits(now_ns + 7 * NS_PER_S)
    assert way.fits is False  # asked, and not answered yet
    assert not way.probe.awaits(now_ns + 8 * NS_PER_S)
    assert way.probe.fits(now_ns + 8 * NS_PER_S) is False


def test_what_was_found_out_is_old_some_day_and_gone_after_a_move() -> None:
    way = Way(8 * MBIT).seconds(10)
    assert way.fits is True
    assert way.probe.fits(way.now_ns + VALID_NS + 2 * NS_PER_S) is False
    way.probe.forget()
    assert way.fits is None
    assert way.probe.begin(way.now_ns + NS_PER_S) == 0


def test_the_peaks_of_a_stream_count() -> None:
    way = Way(4.5 * MBIT)
    for _ in range(20):
        way.seconds(1, 5 * MBIT).seconds(1, 1 * MBIT)
    assert way.fits is False


def test_a_round_trip_behind_ballast_is_none_of_the_way() -> None:
    feedback, now_ns = Feedback(SSRC), START_NS

    def report(sent_ns: int, took_ms: int) -> None:
        lsr = compact_ntp(sent_ns)
        feedback.take([ReceiverReport(SSRC, 0.0, 0, 0, 0, lsr, 0)], sent_ns + took_ms * NS_PER_MS)

    for _ in range(USUAL_LEAST):
        now_ns += NS_PER_S
        feedback.probe.ask(STREAM_BPS)
        report(now_ns, 30)
    now_ns += NS_PER_S
    assert feedback.probe.begin(now_ns) == FIRST_PACKETS
    report(now_ns, 130)
    assert feedback.rtt_ms == pytest.approx(30, abs=0.1)
    assert feedback.probe.fits(now_ns + NS_PER_S) is False


def test_ballast_is_rtcp_that_says_nothing() -> None:
    report = bytes.fromhex("80c90001000000aa")
    for compound in (ballast(SSRC), heavy(report, SSRC)):
        assert len(compound) == PACKET_BYTES - 24
        assert parse(compound) == []
    assert heavy(report, SSRC).startswith(report)
