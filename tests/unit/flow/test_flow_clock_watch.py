"""A clock that no quartz has is refused and, once it behaves, believed again; a queue is no slow clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.clock_watch import AGAIN_NS, ClockWatch, Sight
from flow.source_clock import ClockStatus

STEP_NS = 50 * NS_PER_MS
HOUR_NS = 3600 * NS_PER_S


def times(
    seconds: float, source_of: Callable[[int], int], *, from_s: float = 0, step_ns: int = STEP_NS
) -> Iterator[tuple[int, int]]:
    """(source, arrival) of one message every `step_ns`; the way adds up to 30 ms."""
    chance = random.Random(3)
    for at in range(int(from_s * NS_PER_S), int((from_s + seconds) * NS_PER_S), step_ns):
        yield source_of(at), at + chance.randrange(30 * NS_PER_MS)


def seen(watch: ClockWatch, pairs: Iterator[tuple[int, int]]) -> list[tuple[int, Sight, str]]:
    """(arrival, sight, reason afterwards) of every time."""
    return [(arrival, watch.see(source, arrival), watch.reason) for source, arrival in pairs]


def test_a_good_clock_is_believed_from_its_first_time_on() -> None:
    watch = ClockWatch()
    assert watch.newest_ns is None
    sights = [sight for _, sight, _ in seen(watch, times(5, lambda at: at))]
    assert sights[0] is Sight.BEGINS
    assert set(sights[1:]) == {Sight.GOES_ON}
    assert watch.status is ClockStatus.ESTIMATING
    seen(watch, times(10, lambda at: at, from_s=5))
    assert (watch.status, watch.restarts, watch.reason) == (ClockStatus.GOOD, 0, "")


@pytest.mark.parametrize("step_ms", [20, 50, 250, 1000])
@pytest.mark.parametrize(
    ("pace", "reason"),
    [(25, "clock_fast"), (4.5, "clock_fast"), (1 / 4.5, "clock_slow"), (1 / 25, "clock_slow")],
)
def test_a_pace_that_no_clock_has_is_refused(pace: float, reason: str, step_ms: int) -> None:
    watch = ClockWatch()
    rows = seen(watch, times(90, lambda at: int(at * pace), step_ns=step_ms * NS_PER_MS))
    refused_ns = next(arrival for arrival, _, found in rows if found)
    assert {found for _, _, found in rows} == {"", reason}
    assert refused_ns < 21 * NS_PER_S
    assert all(sight is Sight.UNUSABLE for arrival, sight, _ in rows if arrival > refused_ns)
    assert watch.status is ClockStatus.REFUSED
    if watch.wrong_by_ppm is not None:  # leaping at 25 times a second's pace, it was never measured
        assert watch.wrong_by_ppm == pytest.approx((pace - 1) * 1e6, rel=0.01)


@pytest.mark.parametrize("pace", [0.85, 0.995, 1.0001, 1.01, 1.17])
def test_what_a_bad_oscillator_or_a_counted_time_stamp_does_is_not_refused(pace: float) -> None:
    watch = ClockWatch()
    seen(watch, times(90, lambda at: int(at * pace)))
    assert watch.status is ClockStatus.GOOD


def test_a_clock_that_stands_still_is_refused() -> None:
    watch = ClockWatch()
    rows = seen(watch, times(40, lambda at: min(at, 20 * NS_PER_S)))
    refused_ns = next(arrival for arrival, _, found in rows if found == "clock_slow")
    assert 22 * NS_PER_S <= refused_ns < 23 * NS_PER_S


@pytest.mark.parametrize("growth", [0.3, 0.9])
def test_a_queue_that_grows_in_flight_is_no_slow_clock(growth: float) -> None:
    watch = ClockWatch()
    late = ((at, at + int(max(0, at - 15 * NS_PER_S) * growth)) for at in range(0, 90 * NS_PER_S, STEP_NS))
    assert {found for _, _, found in seen(watch, late)} == {""}


def test_an_outage_of_the_first_seconds_is_no_slow_clock() -> None:
    watch = ClockWatch()
    held = (
        (at, max(at, 16 * NS_PER_S) if at > 2 * NS_PER_S else at) for at in range(0, 40 * NS_PER_S, STEP_NS)
    )
    assert {found for _, _, found in seen(watch, held)} == {""}


def test_what_is_caught_up_with_is_no_fast_clock() -> None:
    watch = ClockWatch()
    rows = [(at, at) for at in range(0, 20 * NS_PER_S, STEP_NS)]
    rows += [
        (at, 60 * NS_PER_S + (at - 20 * NS_PER_S) // 3) for at in range(20 * NS_PER_S, 80 * NS_PER_S, STEP_NS)
    ]
    rows += [(at, at) for at in range(80 * NS_PER_S, 120 * NS_PER_S, STEP_NS)]
    assert {found for _, _, found in seen(watch, iter(rows))} == {""}


@pytest.mark.parametrize("count", [1, 2])
def test_few_times_hours_ahead_are_bad_messages_not_a_bad_clock(count: int) -> None:
    watch = ClockWatch()
    bad = {10 * NS_PER_S + n * STEP_NS for n in range(count)}
    rows = seen(watch, times(30, lambda at: at + 3 * HOUR_NS * (at in bad)))
    assert sum(sight is Sight.UNUSABLE for _, sight, _ in rows) == count
    assert (watch.status, watch.restarts) == (ClockStatus.GOOD, 0)


def test_a_clock_that_jumps_by_hours_is_refused_and_believed_again_after_half_a_minute() -> None:
    watch = ClockWatch()
    rows = seen(watch, times(60, lambda at: at + 3 * HOUR_NS * (at >= 15 * NS_PER_S)))
    refused = [arrival for arrival, _, found in rows if found == "clock_jumps"]
    assert refused[0] < 15.2 * NS_PER_S
    assert abs(refused[-1] - refused[0] - AGAIN_NS) < NS_PER_S // 5
    again = next(i for i, row in enumerate(rows) if row[0] > refused[-1])
    assert rows[again][1] is Sight.BEGINS  # what was known of it before the jump counts no more
    assert watch.status is ClockStatus.GOOD


def test_each_fault_puts_the_pardon_off() -> None:
    watch = ClockWatch()

    def leaping(at: int) -> int:
        return at + HOUR_NS * (at // (20 * NS_PER_S))

    rows = seen(watch, times(100, leaping))
    assert {found for arrival, _, found in rows if arrival > 20.3 * NS_PER_S} == {"clock_jumps"}


def test_restarts_are_counted_and_begin_anew() -> None:
    watch = ClockWatch()
    rows = seen(watch, times(60, lambda at: at + HOUR_NS if at < 30 * NS_PER_S else at - 30 * NS_PER_S))
    assert (watch.restarts, watch.status) == (1, ClockStatus.GOOD)
    assert [sight for _, sight, _ in rows].count(Sight.BEGINS) == 2
    assert Sight.UNUSABLE not in {sight for _, sight, _ in rows}


def test_a_clock_that_restarts_again_and_again_jumps() -> None:
    watch = ClockWatch()
    rows = seen(watch, times(60, lambda at: at % (10 * NS_PER_S)))
    assert watch.restarts == 5
    assert {found for arrival, _, found in rows if arrival > 20.1 * NS_PER_S} == {"clock_jumps"}
