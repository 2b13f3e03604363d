"""Packets of a publisher in their order, and what is asked for again."""

from __future__ import annotations

import random

import pytest

from flow.clock import NS_PER_MS
from relay.protocol.repair import (
    DISORDER_NS,
    GIVE_UP_NS,
    MAX_ASKED,
    MAX_BACK,
    MAX_HELD_BYTES,
    MAX_JUMP,
    MAX_MISSING,
    Repair,
)

MS = NS_PER_MS


def packet(number: int) -> bytes:
    return b"%d" % number


def pushed(repair: Repair, *numbers: int, at_ns: int = 0) -> list[int]:
    """What is due after these packets, by number."""
    due = [each for n in numbers for each in repair.push(n % 0x10000, packet(n), at_ns)]
    return [int(each) for each in due]


def test_in_order_nothing_waits_and_the_numbers_may_wrap() -> None:
    repair = Repair()
    numbers = range(0xFFF0, 0x10010)
    assert pushed(repair, *numbers) == list(numbers)
    assert not repair.waits
    assert (repair.lost, repair.late, repair.repaired) == (0, 0, 0)


def test_behind_a_gap_packets_wait_until_it_is_filled() -> None:
    repair = Repair()
    assert pushed(repair, 1, 3, 4) == [1]
    assert repair.waits
    assert pushed(repair, 2) == [2, 3, 4]
    assert not repair.waits
    assert (repair.lost, repair.repaired) == (0, 0)  # nobody had to ask


def test_what_only_overtook_is_not_asked_for_and_what_is_lost_is_at_once() -> None:
    repair = Repair()
    pushed(repair, 1, 3)
    assert repair.asks(0) == ()
    assert repair.asks(DISORDER_NS) == (2,)
    pushed(repair, 5, 6, 7, at_ns=DISORDER_NS)
    assert repair.asks(DISORDER_NS) == (4,)


def test_it_is_asked_for_once_a_round_trip_and_the_round_trip_is_learned() -> None:
    repair = Repair()
    pushed(repair, 1, 5)
    assert repair.asks(10 * MS) == (2, 3, 4)
    assert repair.asks(100 * MS) == ()
    assert repair.asks(136 * MS) == (2, 3, 4)  # a quarter more than the 100 ms it begins with
    for number in range(10, 400, 2):
        pushed(repair, number, number + 1, number + 3, at_ns=number * 1000 * MS)  # the gap is number + 2
        repair.asks(number * 1000 * MS + 10 * MS)
        pushed(repair, number + 2, at_ns=number * 1000 * MS + 40 * MS)
    assert 28 * MS < repair.rtt_ns < 32 * MS
    assert repair.repaired > 100


def test_an_answer_to_the_second_question_says_nothing_of_the_round_trip() -> None:
    repair = Repair()
    pushed(repair, 1, 3)
    repair.asks(10 * MS)
    repair.asks(200 * MS)
    before = repair.rtt_ns
    assert pushed(repair, 2, at_ns=201 * MS) == [2, 3]
    assert repair.rtt_ns == before
    assert repair.repaired == 1


def test_after_half_a_second_it_is_given_up_and_the_rest_goes_on() -> None:
    repair = Repair()
    assert pushed(repair, 1, 3) == [1]
    assert pushed(repair, 5, at_ns=100 * MS) == []
    assert repair.expire(GIVE_UP_NS - 1) == []
    assert repair.expire(GIVE_UP_NS) == [packet(3)]
    assert repair.waits
    assert repair.expire(GIVE_UP_NS + 100 * MS) == [packet(5)]
    assert (repair.lost, repair.waits) == (2, False)
    assert pushed(repair, 2) == []
    assert repair.late == 1
    assert pushed(repair, 6) == [6]


def test_at_the_end_everything_held_is_handed_on() -> None:
    repair = Repair()
    assert pushed(repair, 1, 3, 5) == [1]
    assert repair.flush() == [packet(3), packet(5)]
    assert (repair.lost, repair.waits, repair.flush()) == (2, False, [])


def test_what_comes_twice_is_handed_on_once() -> None:
    repair = Repair()
    assert pushed(repair, 1, 1, 2, 4, 4, 3, 3) == [1, 2, 3, 4]
    assert repair.late == 3


def test_one_packet_from_elsewhere_changes_nothing_two_begin_anew() -> None:
    repair = Repair()
    assert pushed(repair, 1, 2, 4) == [1, 2]
    assert pushed(repair, 30_000) == []
    assert pushed(repair, 5, 3) == [3, 4, 5]
    assert pushed(repair, 7) == []
    assert pushed(repair, 30_001, 30_002) == [7, 30_000, 30_001, 30_002]
    assert repair.lost == 1  # 6; what never was is not counted
    assert pushed(repair, 30_003) == [30_003]


def test_late_packets_far_behind_are_not_taken_for_a_beginning() -> None:
    repair = Repair()
    pushed(repair, *range(1, 3000))
    assert pushed(repair, 100, 101, 102) == []
    assert repair.late == 3
    assert pushed(repair, 3000) == [3000]


def test_an_outage_longer_than_can_be_repaired_is_not_waited_for() -> None:
    repair = Repair()
    pushed(repair, 1)
    assert pushed(repair, 3 + MAX_JUMP, 4 + MAX_JUMP) == [3 + MAX_JUMP, 4 + MAX_JUMP]
    assert not repair.waits


def test_what_is_asked_for_in_one_go_is_bounded() -> None:
    repair = Repair()
    pushed(repair, 1, 1 + MAX_JUMP)
    assert len(repair.asks(DISORDER_NS)) == MAX_ASKED
    assert len(repair.asks(DISORDER_NS)) == MAX_JUMP - 1 - MAX_ASKED


def test_what_is_held_is_bounded_in_bytes() -> None:
    repair = Repair()
    repair.push(1, b"", 0)
    size, held = 60_000, 0
    for number in range(3, 103):
        held += size - sum(map(len, repair.push(number, bytes(size), 0)))
        assert held <= MAX_HELD_BYTES
    assert repair.lost == 1


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_order_each_packet_comes_once_and_in_order(seed: int) -> None:
    rng = random.Random(seed)
    repair, start, now_ns = Repair(), rng.randrange(0x10000), 0
    numbers = list(range(start, start + 2000))
    lost = set(rng.sample(numbers[1:-40], 60))
    sent = [n for n in numbers if n not in lost]
    for _ in range(300):
        at = rng.randrange(1, len(sent) - 30)
        sent.insert(at + rng.randrange(30), sent.pop(at))
    due: list[int] = []
    for number in sent:
        now_ns += MS
        due += pushed(repair, number, at_ns=now_ns)
        if rng.random() < 0.2:
            due += pushed(repair, number, at_ns=now_ns)
        due += [int(each) for each in repair.expire(now_ns)]
        assert len(repair._missing) <= MAX_MISSING
    due += [int(each) for each in repair.expire(now_ns + GIVE_UP_NS)]
    assert due == sorted(set(sent))
    assert repair.lost == len(lost)
    assert not repair._held
    assert repair._held_bytes == 0


def test_hostile_numbers_cost_bounded_memory() -> None:
    rng = random.Random(7)
    repair = Repair()
    for _ in range(20_000):
        step = rng.choice((1, 2, 500, MAX_JUMP, -1, -MAX_BACK, 40_000))
        repair.push((repair._newest + step) % 0x10000, bytes(1400), 0)
        assert len(repair._missing) <= MAX_MISSING
        assert repair._held_bytes == sum(map(len, repair._held.values())) <= MAX_HELD_BYTES
        assert list(repair._missing) == sorted(repair._missing)
