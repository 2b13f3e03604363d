from __future__ import annotations

import pytest

from flow.clock import NS_PER_S
from tests.fakes.clock import START_NS
from web.access.throttle import Budget, Pace, Throttle, ThrottledError

PACE = Pace(free=3, first_s=2.0, longest_s=10.0)


def at(seconds: float) -> int:
    return START_NS + round(seconds * NS_PER_S)


def waits(throttle: Throttle, key: str, seconds: float) -> int:
    """For how long this key is refused; 0: it is not."""
    try:
        throttle.check(key, at(seconds))
    except ThrottledError as error:
        return error.retry_after_s
    return 0


def test_a_few_are_free_then_each_waits_twice_as_long_up_to_the_longest() -> None:
    throttle, now, told = Throttle(PACE), 0.0, list[int]()
    for _ in range(8):
        throttle.check("wolf", at(now))
        throttle.count("wolf", at(now))
        told.append(waits(throttle, "wolf", now))
        now += told[-1]
    assert told == [0, 0, 2, 4, 8, 10, 10, 10]


def test_what_is_refused_does_not_count() -> None:
    throttle = Throttle(PACE)
    for _ in range(3):
        throttle.count("wolf", at(0))
    for _ in range(10_000):
        assert waits(throttle, "wolf", 0.5) == 2  # whole seconds, never too early
    assert waits(throttle, "wolf", 1.999) == 1
    assert waits(throttle, "wolf", 2) == 0
    assert throttle.count("wolf", at(2)) == 10_001


def test_the_first_that_is_refused_is_told_apart() -> None:
    throttle, first = Throttle(PACE), list[bool]()
    for _ in range(3):
        throttle.count("wolf", at(0))
    for _ in range(3):
        with pytest.raises(ThrottledError) as refused:
            throttle.check("wolf", at(0))
        first.append(refused.value.is_first)
    assert first == [True, False, False]


def test_keys_do_not_wait_for_each_other_and_are_forgotten() -> None:
    throttle = Throttle(PACE, forget_s=60)
    for _ in range(9):
        throttle.count("wolf", at(0))
    assert waits(throttle, "otto", 0) == 0
    assert waits(throttle, "wolf", 9) == 1
    assert waits(throttle, "wolf", 60) == 0
    assert len(throttle) == 0


def test_memory_is_bounded_whatever_is_typed() -> None:
    throttle = Throttle(PACE, kept_most=100)
    for number in range(10_000):
        throttle.count(f"login {number}", at(number / 1000))
    assert len(throttle) == 100


def test_a_right_one_wipes_out_its_owner_s_wrong_ones() -> None:
    throttle = Throttle(Pace(3, 2.0, 10.0, forgives=True))
    for _ in range(3):
        throttle.count("wolf", at(0))
    throttle.succeed("wolf")
    assert (waits(throttle, "wolf", 0), len(throttle)) == (0, 0)


def test_a_right_one_buys_no_attempts_where_others_share_the_key() -> None:
    throttle = Throttle(PACE)
    for _ in range(2):
        throttle.count("192.0.2.7", at(0))
    for _ in range(5):  # of one account he knows, in between
        throttle.check("192.0.2.7", at(0))
        throttle.count("192.0.2.7", at(0))
        throttle.succeed("192.0.2.7")
    throttle.count("192.0.2.7", at(0))
    assert waits(throttle, "192.0.2.7", 0) == 2


def test_ages_of_failures_overflow_nothing() -> None:
    assert PACE.wait_ns(10**9) == 10 * NS_PER_S


def test_all_together_have_so_many_a_second() -> None:
    budget, spent, told = Budget(per_s=2.0, at_once=5), 0, set[int]()
    for tenth in range(100):
        for _ in range(20):
            try:
                budget.check(at(tenth / 10))
            except ThrottledError as error:
                told.add(error.retry_after_s)
            else:
                budget.spend(at(tenth / 10))
                spent += 1
    assert (spent, told) == (5 + 2 * 10 - 1, {1})  # the last half second has not passed yet
    budget.check(at(3600))
    for _ in range(100):
        budget.spend(at(3600))
        budget.take_back()
    budget.check(at(3600))
