"""The estimate of a publisher's way: generous until packets queue."""

from __future__ import annotations

from flow.clock import NS_PER_MS, NS_PER_S
from relay.protocol.estimate import BACK_OFF, LEAST_BPS, MOST_BPS, Estimate

PACKET_BYTES, EVERY_NS = 1250, 5 * NS_PER_MS  # 2 Mbit/s


def sent(
    estimate: Estimate,
    seconds: float,
    first_ns: int,
    *,
    delay_ms: float = 0.0,
    more_ms: float = 0.0,
    start: int = 0,
) -> int:
    """Packets for so long, each so much later than it could be, the last by `more_ms` more; returns when they
    end."""
    count = round(seconds * NS_PER_S / EVERY_NS)
    for n in range(count):
        at_ns = first_ns + n * EVERY_NS
        timestamp = (start + at_ns * 9 // 100_000) & 0xFFFF_FFFF
        late_ns = round((delay_ms + more_ms * n / count) * NS_PER_MS)
        estimate.take(PACKET_BYTES, timestamp, at_ns + late_ns)
    return first_ns + count * EVERY_NS


def test_on_a_good_way_a_publisher_may_send_the_most_from_the_beginning() -> None:
    estimate = Estimate()
    assert estimate.bps == MOST_BPS
    sent(estimate, 20, 0)
    assert estimate.bps == MOST_BPS


def test_a_queue_that_stands_lowers_it_below_what_comes_and_its_end_raises_it_again() -> None:
    estimate = Estimate()
    now_ns = sent(estimate, 3, 0)
    now_ns = sent(estimate, 4, now_ns, delay_ms=400)
    assert BACK_OFF * 1.9e6 < estimate.bps < BACK_OFF * 2.1e6
    lowered_bps = estimate.bps
    now_ns = sent(estimate, 3, now_ns)
    assert lowered_bps < estimate.bps < 1.5 * lowered_bps
    sent(estimate, 40, now_ns)
    assert estimate.bps == MOST_BPS


def test_it_never_falls_below_what_shows_anything() -> None:
    estimate = Estimate()
    now_ns, lowest_bps = sent(estimate, 2, 0), MOST_BPS
    for n in range(300):
        at_ns = now_ns + n * NS_PER_S // 10
        estimate.take(100, at_ns * 9 // 100_000 & 0xFFFF_FFFF, at_ns + NS_PER_S)
        lowest_bps = min(lowest_bps, estimate.bps)
    assert lowest_bps == LEAST_BPS


def test_timestamps_wrap_and_jump() -> None:
    estimate = Estimate()
    now_ns = sent(estimate, 3, 0, start=0xFFFF_0000)
    assert estimate.bps == MOST_BPS
    sent(estimate, 5, now_ns, start=0x1234_5678)
    assert estimate.bps == MOST_BPS


def test_a_clock_that_drifts_is_no_queue() -> None:
    estimate = Estimate()
    sent(estimate, 60, 0, more_ms=100)
    assert estimate.bps == MOST_BPS
