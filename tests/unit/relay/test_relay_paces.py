"""What is remembered of a narrow way."""

from __future__ import annotations

import pytest

from flow.clock import NS_PER_S
from relay.protocol.pacer import START_BPS, Congestion, Pacer
from relay.protocol.paces import REMEMBERED, Paces

STREAM_BPS = 4_000_000
HOME = "192.0.2.7"


def lowered() -> Pacer:
    pacer = Pacer()
    for second in range(9):
        now_ns = second * NS_PER_S
        pacer.on_report(Congestion(now_ns), STREAM_BPS, now_ns)
    return pacer


def test_nothing_is_known_of_a_new_address() -> None:
    assert Paces().pacer_for(HOME, 0).rate_bps == START_BPS


def test_whoever_comes_back_starts_where_it_left_and_the_memory_fades() -> None:
    paces = Paces()
    paces.remember(HOME, lowered(), 0)
    assert paces.pacer_for(HOME, 0).rate_bps == 1.25 * STREAM_BPS
    assert paces.pacer_for("192.0.2.8", 0).rate_bps == START_BPS
    assert paces.pacer_for(HOME, 10 * NS_PER_S).rate_bps == pytest.approx(1.25 * STREAM_BPS * 1.1**10)
    assert paces.pacer_for(HOME, 3600 * NS_PER_S).rate_bps == START_BPS


def test_a_good_session_replaces_a_bad_memory() -> None:
    paces = Paces()
    paces.remember(HOME, lowered(), 0)
    paces.remember(HOME, Pacer(), NS_PER_S)
    assert paces.pacer_for(HOME, NS_PER_S).rate_bps == START_BPS


def test_memory_is_bounded() -> None:
    paces = Paces()
    for number in range(REMEMBERED + 10):
        paces.remember(str(number), lowered(), 0)
    assert paces.pacer_for("9", 0).rate_bps == START_BPS
    assert paces.pacer_for("10", 0).rate_bps < START_BPS


def test_a_fixed_pace_is_everybodys() -> None:
    paces = Paces(fixed_bps=6_000_000)
    paces.remember(HOME, lowered(), 0)
    assert paces.pacer_for(HOME, 0).rate_bps == 6_000_000
