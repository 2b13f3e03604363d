"""What NACKs may cost: per packet, per second, and within the viewer's pace."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.clock import NS_PER_MS, NS_PER_S
from relay.protocol.pacer import LEAST_BURST_BYTES, Pacer
from relay.protocol.resend import (
    BURST_BYTES,
    LOOKED_UP_AT_ONCE,
    LOOKED_UP_PER_S,
    RATE_BPS,
    REMEMBERED,
    ResendBudget,
)
from relay.protocol.rtcp import MAX_NACKED
from tests.fakes.clock import START_NS

QUICK = settings(derandomize=True, deadline=None, max_examples=100)
PACKET_BYTES = 1240


@given(
    asked=st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 12 * NS_PER_MS), st.integers(50, 1500)),
        min_size=1,
        max_size=80,
    ),
    rtt_ms=st.one_of(st.none(), st.floats(0, 200)),
    rate_bps=st.integers(100_000, 5_000_000),
    burst_bytes=st.integers(1500, 8000),
)
@QUICK
def test_grants_what_a_naive_model_grants(
    asked: list[tuple[int, int, int]], rtt_ms: float | None, rate_bps: int, burst_bytes: int
) -> None:
    budget = ResendBudget(rate_bps, burst_bytes)
    interval_ns = int(max(10.0, (rtt_ms or 0.0) / 2) * NS_PER_MS)
    granted: list[tuple[int, int]] = []
    level, now_ns = float(burst_bytes), START_NS
    for number, step_ns, size in asked:
        now_ns += step_ns
        level = min(level + rate_bps * step_ns / 8e9, burst_bytes)
        again = any(n == number and now_ns - at_ns < interval_ns for n, at_ns in granted)
        may_go = not again and int(level + 1e-6) >= size
        assert budget.grant(number, size, rtt_ms, now_ns) is may_go
        if may_go:
            level -= size
            granted.append((number, now_ns))
    assert budget.refused == len(asked) - len(granted)


@pytest.mark.parametrize(
    ("rtt_ms", "interval_ms"), [(None, 10), (0.2, 10), (19.9, 10), (40.0, 20), (600.0, 300)]
)
def test_the_same_packet_not_twice_within_half_a_round_trip(rtt_ms: float | None, interval_ms: int) -> None:
    budget = ResendBudget()
    assert budget.grant(5, PACKET_BYTES, rtt_ms, START_NS)
    assert not budget.grant(5, PACKET_BYTES, rtt_ms, START_NS + interval_ms * NS_PER_MS - 1)
    assert budget.grant(6, PACKET_BYTES, rtt_ms, START_NS + interval_ms * NS_PER_MS - 1)
    assert budget.grant(5, PACKET_BYTES, rtt_ms, START_NS + interval_ms * NS_PER_MS)
    assert budget.refused == 1


def test_a_twentieth_of_a_stream_is_always_repaired() -> None:
    budget = ResendBudget()
    for number in range(0, 420 * 60, 20):  # 60 s of 4 Mbit/s
        assert budget.grant(number, PACKET_BYTES, 40.0, START_NS + number * NS_PER_S // 420)
    assert budget.refused == 0


def test_a_storm_of_nacks_costs_its_bound_and_no_more() -> None:
    budget, sent = ResendBudget(), 0
    for ms in range(10_000):
        now_ns = START_NS + ms * NS_PER_MS
        sent += sum(PACKET_BYTES for n in range(20) if budget.grant(n + 20 * ms, PACKET_BYTES, None, now_ns))
    bound = BURST_BYTES + RATE_BPS / 8 * 10
    assert bound * 0.99 < sent <= bound


def test_what_is_remembered_is_bounded_and_the_interval_still_holds() -> None:
    budget = ResendBudget(burst_bytes=10_000_000)
    forged_rtt_ms = 10_000.0
    granted = sum(budget.grant(n, 30, forged_rtt_ms, START_NS) for n in range(5 * REMEMBERED))
    assert granted == REMEMBERED
    assert not any(budget.grant(n, 30, forged_rtt_ms, START_NS + NS_PER_S) for n in range(REMEMBERED))
    assert budget.grant(0, 30, 40.0, START_NS + NS_PER_S)  # the true one again


def test_resends_and_pictures_together_keep_the_viewers_pace() -> None:
    pacer, budget = Pacer(fixed_bps=5_000_000), ResendBudget()
    pictures = resent = 0
    for ms in range(10_000):
        now_ns = START_NS + ms * NS_PER_MS
        for number in range(ms, ms + 20):  # far more is asked for than may go
            room = pacer.allowance(now_ns) >= PACKET_BYTES
            if room and budget.grant(number, PACKET_BYTES, None, now_ns):
                pacer.spent(PACKET_BYTES)
                resent += PACKET_BYTES
        if ms % 3 == 0 and pacer.allowance(now_ns) >= PACKET_BYTES:
            pacer.spent(PACKET_BYTES)
            pictures += PACKET_BYTES
    assert pictures + resent <= LEAST_BURST_BYTES + 5_000_000 / 8 * 10
    assert resent <= BURST_BYTES + RATE_BPS / 8 * 10


def test_a_flood_of_nacks_is_not_even_looked_for() -> None:
    budget = ResendBudget()
    flood = range(1000)
    looked_for = sum(
        len(budget.admitted(flood, START_NS + datagram * NS_PER_MS)) for datagram in range(10_000)
    )
    assert looked_for == pytest.approx(LOOKED_UP_AT_ONCE + 10 * LOOKED_UP_PER_S, rel=0.01)
    assert budget.refused == 10_000 * len(flood) - looked_for


def test_the_largest_nack_of_a_browser_is_looked_for_whole() -> None:
    lost = tuple(range(MAX_NACKED))
    assert ResendBudget().admitted(lost, START_NS) == lost
