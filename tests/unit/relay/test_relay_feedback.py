"""What a viewer's reports come to: loss, round trip, jitter, estimated bandwidth, congestion."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.clock import NS_PER_MS, NS_PER_S
from relay.protocol.feedback import MISSED_KEPT, READ_AT_ONCE_BYTES, READ_BPS, VALID_NS, Feedback
from relay.protocol.pacer import Congestion
from relay.protocol.rtcp import FullIntra, Nack, PictureLoss, ReceiverReport, Remb, compact_ntp
from tests.fakes.clock import START_NS

SSRC, OTHER = 7, 8
MBIT = 1_000_000
QUICK = settings(derandomize=True, deadline=None, max_examples=100)


def report(
    highest: int = 0, lost: int = 0, fraction: float = 0.0, lsr: int = 0, dlsr: int = 0, ssrc: int = SSRC
) -> ReceiverReport:
    return ReceiverReport(ssrc, fraction, lost, highest & 0xFFFF_FFFF, 0, lsr, dlsr)


def test_nothing_is_known_before_the_first_report() -> None:
    feedback = Feedback(SSRC)
    assert (feedback.loss, feedback.rtt_ms, feedback.jitter_ms, feedback.remb_bps) == (None,) * 4
    assert feedback.congestion(START_NS, 100 * MBIT) is None


def test_the_first_report_is_taken_at_its_word() -> None:
    feedback = Feedback(SSRC)
    feedback.take([report(highest=1000, lost=50, fraction=0.25)], START_NS)
    assert feedback.loss == 0.25


def test_loss_is_what_is_missing_of_what_was_expected_since_a_second_ago() -> None:
    feedback = Feedback(SSRC)
    for second, lost in enumerate((0, 10, 40)):
        feedback.take([report(highest=400 * second, lost=lost)], START_NS + second * NS_PER_S)
    assert feedback.loss == 30 / 400


def test_reports_in_quick_succession_do_not_make_one_packet_a_third_of_all() -> None:
    feedback = Feedback(SSRC)
    for step in range(150):  # a report each 20 ms, 8 packets in each; one is lost in the last step
        now_ns = START_NS + step * 20 * NS_PER_MS
        last = step == 149
        feedback.take([report(highest=8 * step, lost=int(last), fraction=0.125 * last)], now_ns)
    assert feedback.loss == pytest.approx(1 / 400, rel=0.05)


def test_loss_over_the_wrap_of_the_extended_sequence() -> None:
    feedback = Feedback(SSRC)
    feedback.take([report(highest=-100, lost=0)], START_NS)
    feedback.take([report(highest=100, lost=20)], START_NS + NS_PER_S)
    assert feedback.loss == 0.1


def test_more_found_than_lost_is_no_loss() -> None:
    feedback = Feedback(SSRC)
    feedback.take([report(highest=100, lost=20)], START_NS)
    feedback.take([report(highest=500, lost=5)], START_NS + NS_PER_S)  # the resent ones came
    assert feedback.loss == 0.0


def test_reports_about_other_streams_do_not_count() -> None:
    feedback = Feedback(SSRC)
    feedback.take(
        [report(fraction=1.0, ssrc=OTHER), Nack(OTHER, (1,)), PictureLoss(OTHER), FullIntra(OTHER, 1)],
        START_NS,
    )
    assert (feedback.loss, feedback.nacked, feedback.plis) == (None, 0, 0)


def test_requests_are_counted() -> None:
    feedback = Feedback(SSRC)
    feedback.take([Nack(SSRC, (1, 2, 3)), PictureLoss(SSRC), FullIntra(SSRC, 1), Nack(SSRC, (9,))], START_NS)
    assert (feedback.nacked, feedback.plis) == (4, 2)


def test_jitter_in_milliseconds() -> None:
    feedback = Feedback(SSRC)
    feedback.take([ReceiverReport(SSRC, 0.0, 0, 0, 450, 0, 0)], START_NS)
    assert feedback.jitter_ms == 5.0


@given(
    sent_ns=st.integers(START_NS, START_NS + 200_000 * NS_PER_S),  # 65536 s is one turn of the compact time
    path_us=st.integers(0, 9_000_000),
    held_us=st.integers(0, 60_000_000),
)
@QUICK
def test_round_trip_is_the_time_less_what_the_viewer_held(sent_ns: int, path_us: int, held_us: int) -> None:
    feedback = Feedback(SSRC)
    lsr, dlsr = compact_ntp(sent_ns), held_us * 65536 // 1_000_000
    feedback.take([report(lsr=lsr, dlsr=dlsr)], sent_ns + (path_us + held_us) * 1000)
    if lsr:
        assert feedback.rtt_ms == pytest.approx(path_us / 1000, abs=0.05)


def test_without_a_report_of_ours_there_is_no_round_trip_at_whatever_time() -> None:
    since_turn_ns = compact_ntp(START_NS) * NS_PER_S // 65536
    just_turned_ns = START_NS - since_turn_ns + NS_PER_MS  # the compact time is almost 0, as LSR is
    feedback = Feedback(SSRC)
    feedback.take([report(lsr=0, dlsr=0)], just_turned_ns)
    assert feedback.rtt_ms is None


def test_an_impossible_round_trip_leaves_the_last_one() -> None:
    feedback = Feedback(SSRC)
    feedback.take([report(lsr=compact_ntp(START_NS), dlsr=0)], START_NS + 40 * NS_PER_MS)
    assert feedback.rtt_ms == pytest.approx(40, abs=0.05)
    later_ns = START_NS + NS_PER_S
    feedback.take([report(lsr=0, dlsr=0)], later_ns)  # our reports do not reach it
    feedback.take(
        [report(lsr=compact_ntp(START_NS), dlsr=5 << 16)], later_ns
    )  # held for longer than it is old
    feedback.take([report(lsr=0x12345678, dlsr=0)], later_ns)  # forged
    assert feedback.rtt_ms == pytest.approx(40, abs=0.05)
    feedback.take(
        [report(lsr=compact_ntp(later_ns), dlsr=66)], later_ns + NS_PER_MS
    )  # its clock is 7 µs fast
    assert feedback.rtt_ms == 0.0


@pytest.mark.parametrize(("loss", "congested"), [(0.0, False), (0.02, False), (0.03, True), (1.0, True)])
def test_loss_is_congestion_above_two_percent_while_it_is_fresh(loss: float, congested: bool) -> None:
    feedback = Feedback(SSRC)
    feedback.take([report(fraction=loss)], START_NS)
    assert (feedback.congestion(START_NS + VALID_NS, 4 * MBIT) == Congestion(START_NS)) is congested
    assert feedback.congestion(START_NS + VALID_NS + 1, 4 * MBIT) is None


def test_an_estimate_far_below_the_stream_is_congestion_while_it_is_fresh() -> None:
    feedback = Feedback(SSRC)
    feedback.take([Remb(3 * MBIT, (SSRC,))], START_NS)
    assert feedback.remb_bps == 3 * MBIT
    assert feedback.congestion(START_NS + VALID_NS, 5 * MBIT) == Congestion(START_NS)
    assert feedback.congestion(START_NS, 4 * MBIT) is None
    assert feedback.congestion(START_NS + VALID_NS + 1, 5 * MBIT) is None


def test_what_is_kept_is_bounded() -> None:
    feedback = Feedback(SSRC)
    for step in range(10_000):  # a hostile viewer, all within one second
        feedback.take([report(highest=step, lost=step // 2)], START_NS + step)
    assert feedback.loss == pytest.approx(0.5, abs=0.02)
    assert len(feedback._reports) <= 64


def test_more_than_any_viewer_has_to_say_is_not_read() -> None:
    feedback = Feedback(SSRC)
    read = sum(1300 * feedback.admits(1300, START_NS + n * NS_PER_MS) for n in range(10_000))
    assert READ_BPS / 8 * 10 < read <= READ_BPS / 8 * 10 + READ_AT_ONCE_BYTES
    assert feedback.unread == 10_000 - read // 1300
    assert feedback.admits(1300, START_NS + 11 * NS_PER_S)


def test_a_nack_for_each_lost_packet_of_a_bad_link_is_read() -> None:
    feedback = Feedback(SSRC)
    a_tenth_of_40_mbit = 435  # of packets a second, each asked for on its own, with its report and REMB
    assert all(feedback.admits(92, START_NS + n * NS_PER_S // a_tenth_of_40_mbit) for n in range(5000))


def test_what_is_asked_for_again_and_again_is_missed_once() -> None:
    feedback = Feedback(SSRC)
    for _ in range(3):
        feedback.take([Nack(SSRC, (65535, 0, 1)), Nack(OTHER, (5,))], START_NS)
    feedback.take([Nack(SSRC, (1, 2))], START_NS)
    assert (feedback.nacked, feedback.missed) == (11, 4)
    for start in range(0, 60_000, 500):
        feedback.take([Nack(SSRC, tuple(range(start, start + 500)))], START_NS)
    assert len(feedback._missed) == MISSED_KEPT


def test_a_low_estimate_that_rises_follows_what_is_sent_and_is_no_congestion() -> None:
    feedback = Feedback(SSRC)
    feedback.take([Remb(1 * MBIT, (SSRC,))], START_NS)
    for second in range(1, 10):  # some of them twice
        feedback.take([Remb(MBIT + second // 2 * 100_000, (SSRC,))], START_NS + second * NS_PER_S)
    assert feedback.congestion(START_NS + NS_PER_S, 4 * MBIT) == Congestion(START_NS)  # no news
    now_ns = START_NS + 9 * NS_PER_S
    assert feedback.congestion(now_ns, 4 * MBIT) is None
    feedback.take([Remb(900_000, (SSRC,))], now_ns)
    assert feedback.congestion(now_ns, 4 * MBIT) == Congestion(now_ns)


def test_loss_and_estimate_are_told_only_while_they_are_fresh() -> None:
    feedback = Feedback(SSRC)
    assert feedback.lately_lost(START_NS) is None
    feedback.take([report(fraction=0.5), Remb(1 * MBIT, (SSRC,))], START_NS)
    assert feedback.lately_lost(START_NS + VALID_NS) == 0.5
    assert feedback.estimate(START_NS + VALID_NS) == (1 * MBIT, START_NS)
    assert feedback.lately_lost(START_NS + VALID_NS + 1) is None
    assert feedback.estimate(START_NS + VALID_NS + 1) == (None, START_NS)
