from __future__ import annotations

import random

from flow.envelope import EarliestArrival

MS = 1_000_000
S = 1000 * MS


def test_jitter_is_taken_out_once_a_prompt_arrival_was_seen() -> None:
    chance = random.Random(1)
    envelope = EarliestArrival(10 * S)
    offset = 123_456 * S
    mapped = []
    for index in range(600):
        delay = 5 * MS if index % 20 == 0 else chance.randrange(5 * MS, 80 * MS)
        source = index * 33 * MS
        mapped.append(envelope.map(source, source + offset + delay) - source - offset)
    assert set(mapped[1:]) == {5 * MS}


def test_the_result_is_never_later_than_the_arrival() -> None:
    chance = random.Random(2)
    envelope = EarliestArrival(S)
    arrival = 0
    for _ in range(2000):
        arrival += chance.randrange(0, 50 * MS)
        assert envelope.map(chance.randrange(10**12), arrival) <= arrival


def test_a_drifting_source_clock_is_followed() -> None:
    for ppm in (-100, 100):
        envelope = EarliestArrival(10 * S)
        for index in range(30 * 600):  # ten minutes, in which the clocks part by 60 ms
            arrival = index * 33 * MS
            source = arrival + arrival * ppm // 1_000_000
            error = arrival - envelope.map(source, arrival)
            assert 0 <= error <= 1_100_000


def test_a_lasting_longer_delay_is_believed_after_the_window() -> None:
    envelope = EarliestArrival(10 * S)
    for index in range(300):
        envelope.map(index * S // 30, index * S // 30)
    later = [
        envelope.map(index * S // 30, index * S // 30 + 2 * S) - index * S // 30 for index in range(300, 700)
    ]
    assert later[0] == 0
    assert later[-1] == 2 * S


def test_a_silence_does_not_make_the_next_arrival_prompt() -> None:
    envelope = EarliestArrival(10 * S)
    for index in range(300):
        envelope.map(index * S // 30, index * S // 30)
    after = [envelope.map(at, at + S // 2) - at for at in range(100 * S, 112 * S, S // 30)]
    assert after[0] == 0
    assert after[-1] == S // 2


def test_a_reset_forgets_the_old_clock() -> None:
    envelope = EarliestArrival(10 * S)
    assert envelope.offset_ns is None
    envelope.map(500 * S, 1000 * S)
    envelope.reset()
    assert envelope.map(0, 1001 * S) == 1001 * S


def test_memory_is_bounded_whatever_arrives() -> None:
    envelope = EarliestArrival(10 * S)
    for index in range(20_000):  # every arrival later than the one before: the worst case
        envelope.map(index * MS, index * MS + index * 1000)
    assert len(envelope._least) <= 17
