"""Who yields where too many connections show no key."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from ingest.protocol.admission import YOUNG_NS, Antechamber, origin_of


@dataclass(eq=False, slots=True)
class Caller:
    """A connection from `host`."""

    host: str
    is_promising: bool = False


def test_of_one_origin_the_oldest_yields() -> None:
    room = Antechamber[Caller](most_of_one=2, most=9)
    first, second, third = (Caller("192.0.2.7") for _ in range(3))
    other = Caller("192.0.2.8")
    for now_ns, caller in enumerate((other, first, second)):
        assert room.enter(caller, now_ns) is None
    assert room.enter(third, 3) is first
    assert room.enter(Caller("192.0.2.7"), 4) is second


def test_where_all_places_are_taken_it_is_the_oldest_of_all_below_the_limit_of_one_origin() -> None:
    room = Antechamber[Caller](most_of_one=2, most=3)
    oldest, own, newest = Caller("192.0.2.1"), Caller("192.0.2.7"), Caller("192.0.2.2")
    for now_ns, caller in enumerate((oldest, own, newest)):
        room.enter(caller, now_ns)
    assert room.enter(Caller("192.0.2.7"), 3) is oldest
    assert room.enter(Caller("192.0.2.7"), 4) is own, "the limit of one origin is its own affair"
    assert room.enter(Caller("192.0.2.9"), 5) is newest


@pytest.mark.parametrize("speaks", [False, True])
def test_of_two_aircraft_behind_one_router_the_second_does_not_push_out_the_first(speaks: bool) -> None:
    room = Antechamber[Caller](most_of_one=16, most=64)
    held = [Caller(f"192.0.2.{index % 4}", is_promising=True) for index in range(64)]
    for caller in held:
        room.enter(caller, 0)
    first, second = (Caller("198.51.100.7", is_promising=speaks) for _ in range(2))
    assert room.enter(first, 2 * YOUNG_NS) is held[0]
    assert room.enter(second, 2 * YOUNG_NS + NS_PER_MS) is held[1]
    left = [room.enter(Caller(f"203.0.113.{index}"), 2 * YOUNG_NS + 2 * NS_PER_MS) for index in range(62)]
    assert left == held[2:], "nobody younger than 2 s goes while anybody older is there"


def test_who_shows_a_key_or_leaves_counts_no_more() -> None:
    room = Antechamber[Caller](most_of_one=1, most=1)
    for _ in range(100):
        caller = Caller("192.0.2.7")
        assert room.enter(caller, 0) is None
        room.leave(caller)
        room.leave(caller)


def test_the_silent_do_not_push_out_who_speaks_until_it_has_had_its_time() -> None:
    room = Antechamber[Caller](most_of_one=4, most=4)
    speaks = Caller("192.0.2.7", is_promising=True)
    room.enter(speaks, 0)
    left = [room.enter(Caller("192.0.2.7"), 10 * NS_PER_MS) for _ in range(1000)]
    assert speaks not in left
    assert room.enter(Caller("192.0.2.7"), YOUNG_NS) is speaks


def test_who_speaks_and_goes_no_further_does_not_push_out_the_silent_for_ever() -> None:
    """Else fifteen handshakes, held, would leave one place for all others."""
    room = Antechamber[Caller](most_of_one=4, most=4)
    held = [Caller("192.0.2.7", is_promising=True) for _ in range(4)]
    for caller in held:
        room.enter(caller, 0)
    now_ns = YOUNG_NS
    left = [room.enter(Caller("192.0.2.7"), now_ns + index) for index in range(4)]
    assert left == held


def test_more_than_enough_callers_never_take_more_places() -> None:
    room = Antechamber[Caller](most_of_one=16, most=64)
    there: set[Caller] = set()
    for index in range(2000):
        caller = Caller(f"192.0.2.{index * 7 % 50}", is_promising=index % 3 == 0)
        there.add(caller)
        leaving = room.enter(caller, index * NS_PER_S // 100)
        if leaving is not None:
            there.remove(leaving)
        assert len(there) <= 64
        assert sum(each.host == caller.host for each in there) <= 16


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::8", True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("", "", True),
    ],
)
def test_an_origin_is_an_address_or_of_ipv6_a_64(one: str, other: str, same: bool) -> None:
    assert (origin_of(one) == origin_of(other)) is same
