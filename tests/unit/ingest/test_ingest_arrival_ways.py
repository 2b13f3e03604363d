"""Whole flights over modelled ways: a late picture is never shown as punctual, a punctual one not as late."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from flow.arrival import Arrival
from flow.clock import NS_PER_MS, NS_PER_S

WINDOW_NS = 10 * NS_PER_S
MEAN = 16_000
KEYFRAME = 8 * MEAN

Picture = tuple[int, int, int, int]
"""Source time, capture, arrival, size."""


def sizes(group: int) -> Iterator[int]:
    chance = random.Random(7)
    rest = (group * MEAN - KEYFRAME) // (group - 1)
    while True:
        yield KEYFRAME
        yield from (chance.randrange(rest // 2, rest * 3 // 2) for _ in range(group - 1))


def flight(
    seconds: int,
    fps: float = 30,
    *,
    narrow: float = 20,
    at_s: int = 60,
    outage_s: float = 0,
    most_s: float = 1e9,
    stamp_s: float | None = None,
    jitter_ms: int = 4,
) -> Iterator[Picture]:
    """Pictures that wait for each other on a way of 20 times the stream's rate, from `at_s` on of
    `narrow` times, with an outage there; the sender drops when its queue is `most_s` long. Its timestamps
    are true, or count by `stamp_s`."""
    chance, free_ns, bps = random.Random(5), 0, 8 * MEAN * fps
    for index, size in zip(range(int(seconds * fps)), sizes(30), strict=False):
        captured_ns = int(index * NS_PER_S / fps)
        if free_ns - captured_ns > most_s * NS_PER_S:
            continue
        start_ns = max(captured_ns, free_ns)
        if at_s * NS_PER_S <= start_ns < (at_s + outage_s) * NS_PER_S:
            start_ns = int((at_s + outage_s) * NS_PER_S)
        rate = bps * (20 if start_ns < at_s * NS_PER_S else narrow)
        free_ns = start_ns + int(8 * size * NS_PER_S / rate)
        source_ns = captured_ns if stamp_s is None else int(index * stamp_s * NS_PER_S)
        yield source_ns, captured_ns, free_ns + chance.randrange(1 + jitter_ms * NS_PER_MS), size


def ages_s(pictures: Iterator[Picture]) -> list[tuple[float, float, float]]:
    """When it arrived, how old it is shown, how old it is."""
    arrival = Arrival(WINDOW_NS)
    newest_ns, rows = 0, list[tuple[float, float, float]]()
    for source_ns, captured_ns, arrived_ns, size in pictures:
        newest_ns = max(newest_ns, arrived_ns)
        shown_ns = newest_ns - arrival.map(source_ns, newest_ns, size)
        rows.append((newest_ns / NS_PER_S, shown_ns / NS_PER_S, (newest_ns - captured_ns) / NS_PER_S))
    return rows


@pytest.mark.parametrize(
    ("outage_s", "narrow"),
    [(2, 1.02), (3, 1.04), (5, 1.04), (10, 1.05), (20, 1.05), (10, 1.1), (5, 1.5), (3, 20)],
)
def test_after_an_outage_what_is_caught_up_is_as_old_as_it_is(outage_s: float, narrow: float) -> None:
    for _, shown, true in ages_s(flight(200, narrow=narrow, outage_s=outage_s)):
        assert true - 0.3 <= shown <= true + 0.05


@pytest.mark.parametrize("narrow", [0.7, 0.9, 0.97])
@pytest.mark.parametrize("fps", [1, 2, 4, 9, 30])
def test_a_queue_that_grows_and_then_stays_full_is_the_age_for_ever(fps: float, narrow: float) -> None:
    for _, shown, true in ages_s(flight(600, fps, narrow=narrow, most_s=5)):
        assert true - 0.6 - 2 / fps <= shown <= true + 0.05


@pytest.mark.parametrize(("fps", "stamp_s"), [(30, 0.033), (60, 0.016), (25, 1 / 30)])
@pytest.mark.parametrize("jitter_ms", [1, 10])
def test_timestamps_that_are_counted_and_not_taken_make_nothing_old_for_ever(
    fps: float, stamp_s: float, jitter_ms: int
) -> None:
    slow = 1 - stamp_s * fps
    rows = ages_s(flight(300, fps, stamp_s=stamp_s, jitter_ms=jitter_ms))
    assert max(shown for at, shown, _ in rows if at > 60) <= 0.3 + 25 * slow
    assert rows[-1][1] <= 0.3 + 25 * slow


@pytest.mark.parametrize(
    ("fps", "jitter_ms", "ppm"), [(1, 300, 100), (9, 400, 100), (30, 40, 1000), (5, 30, -1900)]
)
def test_drift_and_jitter_for_hours_are_no_age(fps: float, jitter_ms: int, ppm: int) -> None:
    chance = random.Random(9)
    arrival = Arrival(WINDOW_NS)
    for index in range(int(3600 * min(fps, 10))):
        captured_ns = int(index * NS_PER_S / fps)
        arrived_ns = captured_ns + chance.randrange(min(jitter_ms * NS_PER_MS, int(NS_PER_S / fps)))
        shown_ns = arrived_ns - arrival.map(captured_ns - captured_ns * ppm // 1_000_000, arrived_ns, MEAN)
        assert shown_ns <= arrived_ns - captured_ns + 100 * NS_PER_MS


@pytest.mark.parametrize("ahead_ms", [900, 5000])
def test_one_bad_timestamp_is_over_with_the_window(ahead_ms: int) -> None:
    arrival = Arrival(WINDOW_NS)
    for index in range(100 * 30):
        at = index * NS_PER_S // 30
        shown_ns = at - arrival.map(at + (ahead_ms * NS_PER_MS if index == 1000 else 0), at, MEAN)
        assert shown_ns == 0 or 1000 <= index <= 1000 + 11 * 30


def test_a_clock_that_is_set_back_is_believed_after_the_window() -> None:
    arrival = Arrival(WINDOW_NS)
    times = range(0, 80 * NS_PER_S, NS_PER_S // 30)
    ages = [at - arrival.map(at - 800 * NS_PER_MS * (at > 60 * NS_PER_S), at, MEAN) for at in times]
    assert max(ages[: 60 * 30]) == 0
    assert ages[61 * 30] == 800 * NS_PER_MS
    assert ages[-1] == 0


@pytest.mark.parametrize(("stood_s", "first_late_ms"), [(1.5, 0), (1.5, 180), (2, 250), (5, 600)])
def test_a_clock_that_stood_is_believed_though_the_first_picture_after_it_was_late(
    stood_s: float, first_late_ms: int
) -> None:
    chance = random.Random(1)
    arrival = Arrival(WINDOW_NS)
    stood_ns, age_ns, last_ns = int(stood_s * NS_PER_S), 0, 0
    for index in range(100 * 30):
        source_ns = index * NS_PER_S // 30
        late_ns = chance.randrange(20 * NS_PER_MS) + first_late_ms * NS_PER_MS * (index == 1800)
        last_ns = max(last_ns, source_ns + stood_ns * (index >= 1800) + late_ns)
        age_ns = last_ns - arrival.map(source_ns, last_ns, MEAN)
    assert age_ns <= 25 * NS_PER_MS


def test_who_stands_before_the_first_seconds_are_over_is_late_too() -> None:
    rows = ages_s(flight(60, at_s=1, outage_s=5, narrow=1.04))
    for _, shown, true in rows:
        assert true - 0.3 <= shown <= true + 0.05
