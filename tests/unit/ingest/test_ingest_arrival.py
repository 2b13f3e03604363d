"""A queue that grows is an age; a clock that is slow, or stood, is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest

from flow.arrival import MOST_DRIFT_PPM, Arrival
from flow.clock import NS_PER_MS, NS_PER_S

WINDOW_NS = 10 * NS_PER_S
INTERVAL_NS = NS_PER_S // 25


def ages_ns(pictures: Iterable[tuple[int, int]], arrival: Arrival | None = None) -> list[int]:
    """How old each picture of (source_ns, arrival_ns) is taken to be when it arrives."""
    arrival = arrival or Arrival(WINDOW_NS)
    return [arrival_ns - arrival.map(source_ns, arrival_ns) for source_ns, arrival_ns in pictures]


def sent(seconds: int, delay_ns: Callable[[int], int]) -> list[tuple[int, int]]:
    return [(at, at + delay_ns(at)) for at in range(0, seconds * NS_PER_S, INTERVAL_NS)]


@pytest.mark.parametrize("growth", [0.01, 0.1, 0.5])
def test_a_backlog_that_grows_slowly_is_the_age_that_is_told(growth: float) -> None:
    pictures = sent(120, lambda at: max(0, int((at - 5 * NS_PER_S) * growth)))
    last_ns = pictures[-1][1] - pictures[-1][0]
    age_ns = ages_ns(pictures)[-1]
    assert last_ns * (1 - 0.003 / growth) <= age_ns <= last_ns


def test_a_backlog_of_large_keyframes_is_the_age_too() -> None:
    chance = random.Random(4)

    def delay_ns(
        at: int,
    ) -> int:  # each second a keyframe holds up what follows, which does not quite catch up
        return (
            at // 12
            + max(0, 440 - 300 * (at % NS_PER_S) // NS_PER_S) * NS_PER_MS
            + chance.randrange(NS_PER_MS)
        )

    pictures = sorted(sent(60, delay_ns))
    assert ages_ns(pictures)[-1] >= 0.9 * (pictures[-1][1] - pictures[-1][0])


def test_stalls_that_are_caught_up_only_in_part_add_up() -> None:
    def delay_ns(at: int) -> int:
        stalls, since_ns = divmod(at, 15 * NS_PER_S)
        return stalls * 200 * NS_PER_MS + max(0, 2 * NS_PER_S - since_ns) * (stalls > 0)

    pictures = sent(75, delay_ns)
    drifted_ns = 75 * NS_PER_S * MOST_DRIFT_PPM // 1_000_000
    assert ages_ns(pictures)[-1] >= 4 * 200 * NS_PER_MS - drifted_ns


def test_a_queue_that_drains_is_young_again_at_once() -> None:
    pictures = sent(60, lambda at: at // 10 if at < 40 * NS_PER_S else 0)
    arrival = Arrival(WINDOW_NS)
    ages = ages_ns(sorted(pictures, key=lambda picture: picture[1])[:900], arrival)
    assert ages[-1] > 3 * NS_PER_S
    assert arrival.is_behind
    prompt = [(at, at) for at in range(45 * NS_PER_S, 46 * NS_PER_S, INTERVAL_NS)]
    assert ages_ns(prompt, arrival) == [0] * 25
    assert not arrival.is_behind


@pytest.mark.parametrize("ppm", [-5000, -100, 100, 1100])
def test_a_clock_of_another_speed_is_followed(ppm: int) -> None:
    pictures = [(at + at * -ppm // 1_000_000, at) for at in range(0, 300 * NS_PER_S, INTERVAL_NS)]
    assert max(ages_ns(pictures)) <= 13 * NS_PER_S * max(0, ppm) // 1_000_000 + 1


def test_no_picture_is_younger_than_its_arrival() -> None:
    chance = random.Random(3)
    now_ns, pictures = 0, []
    for _ in range(3000):
        now_ns += chance.choice([1, 40, 40, 40, 300, 3000]) * NS_PER_MS
        pictures.append((chance.randrange(10**12), now_ns))
    assert min(ages_ns(pictures)) >= 0


@pytest.mark.parametrize("stood_s", [1, 12, 50])
def test_a_clock_that_stood_is_believed_after_the_window(stood_s: int) -> None:
    chance = random.Random(stood_s)
    stood_ns = stood_s * NS_PER_S
    pictures = sent(40, lambda at: stood_ns * (at >= 10 * NS_PER_S) + chance.randrange(30 * NS_PER_MS))
    ages = ages_ns(pictures)
    assert ages[260] >= 0.99 * stood_ns
    assert ages[-1] <= 31 * NS_PER_MS


def test_a_slow_camera_whose_clock_stood_is_believed_too() -> None:
    pictures = [
        (at, at + 5 * NS_PER_S * (at >= 20 * NS_PER_S)) for at in range(0, 60 * NS_PER_S, NS_PER_S // 2)
    ]
    assert ages_ns(pictures)[-1] == 0


def test_a_longer_way_without_a_silence_stays_an_age() -> None:
    pictures = sent(60, lambda at: 200 * NS_PER_MS * (at >= 10 * NS_PER_S))
    left_ns = 200 * NS_PER_MS - 41 * NS_PER_S * MOST_DRIFT_PPM // 1_000_000
    assert ages_ns(pictures)[-1] >= left_ns


def test_a_reset_forgets_the_old_clock() -> None:
    arrival = Arrival(WINDOW_NS)
    assert arrival.offset_ns is None
    ages_ns(sent(30, lambda at: at // 10), arrival)
    assert arrival.is_behind
    arrival.reset()
    assert arrival.offset_ns is None
    assert not arrival.is_behind
    assert arrival.map(0, 1001 * NS_PER_S) == 1001 * NS_PER_S
