"""What is remembered of a narrow way."""

from __future__ import annotations

import pytest

from flow.clock import NS_PER_S
from relay.protocol.pacer import START_BPS, Congestion, Pacer
from relay.protocol.paces import LATELY_NS, PROVEN_NS, REMEMBERED, Paces

STREAM_BPS = 4_000_000
HOME = "192.0.2.7"
LOWERED_BPS = 1.25 * STREAM_BPS


def join_slow(paces: Paces, now_ns: int, address: str = HOME) -> Pacer:
    """A viewer on a bad way, which nine reports have lowered by `now_ns`."""
    pacer = paces.pacer_for(address, now_ns - 9 * NS_PER_S)
    for second in range(-8, 1):
        told_ns = now_ns + second * NS_PER_S
        pacer.on_report(Congestion(told_ns), STREAM_BPS, told_ns)
    return pacer


def leave_slow(paces: Paces, now_ns: int, address: str = HOME) -> None:
    paces.remember(address, join_slow(paces, now_ns, address), now_ns)


def leave_fast(paces: Paces, now_ns: int) -> None:
    fast = paces.pacer_for("203.0.113.1", now_ns - PROVEN_NS)  # it has moved since
    paces.remember(HOME, fast, now_ns)


def start_bps(paces: Paces, now_ns: int, address: str = HOME) -> float:
    """What a viewer that joins now begins with; it leaves at once and says nothing."""
    pacer = paces.pacer_for(address, now_ns)
    paces._present.pop(pacer, None)
    return pacer.rate_bps


def test_nothing_is_known_of_a_new_address() -> None:
    assert Paces().pacer_for(HOME, 0).rate_bps == START_BPS


def test_a_long_round_trip_limits_what_is_known_of_an_address_and_not_the_other_way_round() -> None:
    paces = Paces()
    assert paces.pacer_for(HOME, 0, at_most_bps=26_000_000).rate_bps == 26_000_000
    paces = Paces()
    leave_slow(paces, 0)
    assert paces.pacer_for(HOME, 0, at_most_bps=26_000_000).rate_bps == LOWERED_BPS


def test_whoever_comes_back_starts_where_it_left_and_the_memory_fades() -> None:
    paces = Paces()
    leave_slow(paces, 0)
    assert start_bps(paces, 0) == LOWERED_BPS
    assert start_bps(paces, 0, "192.0.2.8") == START_BPS
    assert start_bps(paces, 10 * NS_PER_S) == pytest.approx(LOWERED_BPS * 1.1**10)
    assert start_bps(paces, 60 * NS_PER_S) == START_BPS
    assert start_bps(paces, 3600 * NS_PER_S) == START_BPS


def test_whoever_comes_back_again_and_again_is_known_again_and_again() -> None:
    paces = Paces()
    for minute in range(0, 20, 2):
        leave_slow(paces, minute * 60 * NS_PER_S)
        assert start_bps(paces, minute * 60 * NS_PER_S) == LOWERED_BPS


def test_a_good_session_replaces_a_bad_memory() -> None:
    paces = Paces()
    leave_slow(paces, 0)
    leave_fast(paces, NS_PER_S)
    assert start_bps(paces, NS_PER_S) == START_BPS


def test_one_viewer_on_a_bad_way_slows_down_nobody_who_shares_its_address() -> None:
    paces = Paces()
    neighbour = paces.pacer_for(HOME, 0)
    slow = join_slow(paces, 20 * NS_PER_S)
    assert start_bps(paces, 20 * NS_PER_S) == START_BPS
    paces.remember(HOME, slow, 20 * NS_PER_S)
    assert start_bps(paces, 20 * NS_PER_S) == START_BPS
    paces.remember(HOME, neighbour, 21 * NS_PER_S)  # also for a while after the good one has left
    leave_slow(paces, 31 * NS_PER_S)
    assert start_bps(paces, 31 * NS_PER_S) == START_BPS
    leave_slow(paces, 21 * NS_PER_S + LATELY_NS)
    assert start_bps(paces, 21 * NS_PER_S + LATELY_NS) == START_BPS
    leave_slow(paces, 40 * NS_PER_S + LATELY_NS)
    assert start_bps(paces, 40 * NS_PER_S + LATELY_NS) == LOWERED_BPS


def test_who_is_alone_on_a_narrow_way_and_joins_twice_starts_slowly_also_the_second_time() -> None:
    paces = Paces()
    leave_slow(paces, 0)
    slow = join_slow(paces, 200 * NS_PER_S)
    assert start_bps(paces, 200 * NS_PER_S) == slow.rate_bps == LOWERED_BPS


def test_who_has_only_just_come_proves_nothing() -> None:
    paces = Paces()
    join_slow(paces, 0)
    young = paces.pacer_for(HOME, 0)
    young.set(START_BPS, 1)
    assert start_bps(paces, 0) == LOWERED_BPS
    paces.remember(HOME, young, PROVEN_NS - 1)
    assert start_bps(paces, PROVEN_NS) == LOWERED_BPS


def test_memory_is_bounded() -> None:
    paces = Paces()
    for number in range(REMEMBERED + 10):
        leave_slow(paces, 0, str(number))
    assert start_bps(paces, 0, "9") == START_BPS
    assert start_bps(paces, 0, "10") < START_BPS
    assert not paces._present


def test_a_fixed_pace_is_everybodys() -> None:
    paces = Paces(fixed_bps=6_000_000)
    leave_slow(paces, 0)
    assert paces.pacer_for(HOME, 0).rate_bps == 6_000_000
    assert not paces._present
