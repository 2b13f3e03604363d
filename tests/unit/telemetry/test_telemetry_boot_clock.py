"""Uptime to Lagebild time."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from telemetry.protocol.boot_clock import MOST_DELAY_NS, BootClock

START_NS = 1_795_330_000_000_000_000
MS = 1_000_000


def test_jitter_of_the_link_does_not_move_a_message() -> None:
    clock, rng = BootClock(), random.Random(1)
    errors = []
    for number in range(600):
        sent_ns = START_NS + number * 50 * MS
        delay_ns = round(rng.expovariate(1 / (80 * MS)))
        errors.append((clock.map(1000 + number * 50, sent_ns + delay_ns) - sent_ns) / MS)
    assert max(errors[100:]) < 10
    assert min(errors) >= 0


@pytest.mark.parametrize("speed", [0.0, 0.2, 0.5, 0.97, 1.03, 4.5])
def test_a_clock_of_the_wrong_speed_never_leads_far_away(speed: float) -> None:
    clock = BootClock()
    behind = []
    for number in range(3000):
        arrival_ns = START_NS + number * 20 * MS
        mapped_ns = clock.map(round(number * 20 * speed), arrival_ns)
        behind.append(arrival_ns - mapped_ns)
    assert min(behind) >= 0
    assert max(behind) <= MOST_DELAY_NS
    if speed in {0.0, 0.2, 0.5}:
        assert max(behind[-500:]) == 0  # given up: arrival it is


def test_an_outage_is_forgiven() -> None:
    clock = BootClock()
    for number in range(100):
        clock.map(number * 100, START_NS + number * 100 * MS)
    for number in range(100, 150):  # five seconds of backlog at once
        clock.map(number * 100, START_NS + 15_000 * MS)
    mapped = [
        clock.map(number * 100, START_NS + (number * 100 + number % 3 * 40) * MS) - START_NS
        for number in range(150, 300)
    ]
    assert mapped[10:] == [number * 100 * MS for number in range(160, 300)]


def test_restart() -> None:
    clock = BootClock()
    clock.map(600_000, START_NS)
    assert not clock.restarts_with(598_000)  # late, over a slower link
    assert clock.restarts_with(2_000)


def test_messages_without_uptime_follow_the_others() -> None:
    clock = BootClock()
    assert clock.follow(START_NS) == START_NS
    clock.map(1000, START_NS)
    clock.map(1500, START_NS + 800 * MS)  # 300 ms late
    assert clock.follow(START_NS + 801 * MS) == START_NS + 500 * MS
    assert clock.follow(START_NS + 9_000 * MS) == START_NS + 500 * MS  # held back, perhaps: 8.2 s of silence
    assert clock.follow(START_NS + 13_000 * MS) == START_NS + 500 * MS
    assert clock.follow(START_NS + 14_000 * MS) == START_NS + 14_000 * MS  # it sends no uptime any more
    assert clock.follow(START_NS + 800 * MS + MOST_DELAY_NS) == START_NS + 800 * MS + MOST_DELAY_NS


def ages_ms(
    clock: BootClock, late_ms: Callable[[int], int], seconds: int = 120
) -> list[tuple[int, float, float]]:
    """(ms sent, true age, told age) of ten messages a second that come `late_ms` after they were sent."""
    rows, newest_ns = [], 0
    for sent in range(0, seconds * 1000, 100):
        newest_ns = max(newest_ns, START_NS + (sent + late_ms(sent)) * MS)
        told_ns = newest_ns - clock.map(sent, newest_ns)
        rows.append((sent, (newest_ns - START_NS) / MS - sent, told_ns / MS))
    return rows


@pytest.mark.parametrize("growth", [0.02, 0.1, 0.5])
def test_a_queue_that_builds_up_is_an_age(growth: float) -> None:
    for sent, true, told in ages_ms(BootClock(), lambda sent: int(max(0, sent - 30_000) * growth)):
        assert told <= true
        assert told >= 0.85 * true - 100, sent


@pytest.mark.parametrize("catch_up", [1.1, 2.0])
def test_an_outage_that_is_caught_up_with_is_as_old_as_it_is(catch_up: float) -> None:
    def late_ms(sent: int) -> int:
        """Silence from second 40 to 52; then all of it, at so many times life speed."""
        return max(0, 52_000 - sent - int((sent - 40_000) * (1 - 1 / catch_up))) if sent >= 40_000 else 0

    rows = ages_ms(BootClock(), late_ms, 240)
    assert max(true for _, true, _ in rows) == 12_000
    for _, true, told in rows:
        assert true - 300 <= told <= true


def test_messages_without_uptime_are_as_old_as_those_beside_them_in_the_queue() -> None:
    clock = BootClock()
    ages_ms(clock, lambda sent: 0, 30)
    late_ns = START_NS + 40_000 * MS
    assert late_ns - clock.map(30_000, late_ns) == 10_000 * MS
    assert clock.follow(late_ns + MS) == START_NS + 30_000 * MS
