"""How often an address may make changes that every page is told of."""

from __future__ import annotations

import pytest

from flow.clock import NS_PER_S
from flow.errors import TooManyError
from tests.fakes.clock import FakeClock
from web import pace
from web.pace import Pace


def how_often(of: Pace, address: str) -> int:
    for count in range(1000):
        try:
            of.take(address)
        except TooManyError:
            return count
    raise AssertionError("without bound")


def test_a_burst_and_then_so_many_a_second() -> None:
    clock = FakeClock()
    of = Pace(clock, 30, 5.0)
    assert how_often(of, "192.0.2.1") == 30
    assert how_often(of, "192.0.2.2") == 30  # each for itself
    clock.advance(NS_PER_S)
    assert how_often(of, "192.0.2.1") == 5
    clock.advance(NS_PER_S // 10)
    assert how_often(of, "192.0.2.1") == 0
    clock.advance(NS_PER_S // 10)
    assert how_often(of, "192.0.2.1") == 1  # who asks too often is not set back
    clock.advance(3600 * NS_PER_S)
    assert how_often(of, "192.0.2.1") == 30


def test_addresses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_ADDRESSES_KEPT", 10)
    of = Pace(FakeClock(), 1, 1.0)
    for number in range(100):
        of.take(f"2001:db8::{number:x}")
    assert len(of._left) == 10
