"""The ring of wire pictures, against a list that forgets by counting."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.protocol.history import MAX_BYTES, MAX_PACKETS, History

QUICK = settings(derandomize=True, deadline=None, max_examples=200)


@dataclass(frozen=True)
class Wire:
    first: int
    count: int
    size_bytes: int
    keyframe: bool = False


def pictures(first: int, *sizes: tuple[int, int, bool]) -> list[Wire]:
    made = []
    for count, size_bytes, keyframe in sizes:
        made.append(Wire(first, count, size_bytes, keyframe))
        first += count
    return made


def held_of(added: list[Wire], max_packets: int, max_bytes: int) -> list[Wire]:
    """The longest run of newest pictures that keeps the bounds."""
    held: list[Wire] = []
    for picture in reversed(added):
        held.insert(0, picture)
        if sum(p.count for p in held) > max_packets or sum(p.size_bytes for p in held) > max_bytes:
            return held[1:]
    return held


def group_of(added: list[Wire], held: list[Wire]) -> list[Wire]:
    keyframes = [picture for picture in added if picture.keyframe]
    return held[held.index(keyframes[-1]) :] if keyframes and keyframes[-1] in held else []


@given(
    first=st.integers(0, 1 << 20),
    sizes=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 60), st.booleans()), max_size=60),
    max_packets=st.integers(1, 80),
    max_bytes=st.integers(1, 600),
)
@QUICK
def test_holds_exactly_what_a_naive_model_holds(
    first: int, sizes: list[tuple[int, int, bool]], max_packets: int, max_bytes: int
) -> None:
    history: History[Wire] = History(max_packets, max_bytes)
    added: list[Wire] = []
    for picture in pictures(first, *sizes):
        history.add(picture)
        added.append(picture)
        held = held_of(added, max_packets, max_bytes)
        assert history.packets == sum(p.count for p in held) <= max_packets
        assert history.size_bytes == sum(p.size_bytes for p in held) <= max_bytes
        assert history.group() == group_of(added, held)
        places = {p.first + index: (p, index) for p in held for index in range(p.count)}
        around = range(max(first, picture.first - 100), picture.first + picture.count + 3)
        assert {s: history.find(s) for s in around if history.find(s)} == {
            s: place for s, place in places.items() if s in around
        }


def test_empty() -> None:
    history: History[Wire] = History()
    assert history.find(0) is None
    assert history.group() == []


def test_a_gap_in_the_feeds_sequence_is_refused() -> None:
    history: History[Wire] = History()
    history.add(Wire(10, 3, 100))
    for wrong in (12, 14, 10):
        with pytest.raises(ValueError, match=f"{wrong}, not 13"):
            history.add(Wire(wrong, 1, 1))
    history.add(Wire(13, 1, 1))
    assert history.packets == 4


def test_a_picture_too_large_for_the_ring_empties_it_and_does_not_stay() -> None:
    history: History[Wire] = History(max_packets=8)
    history.add(Wire(0, 5, 100, True))
    history.add(Wire(5, 9, 100))
    assert (history.packets, history.size_bytes, history.group()) == (0, 0, [])
    history.add(Wire(14, 2, 50, True))
    assert history.find(15) == (Wire(14, 2, 50, True), 1)


def test_a_group_that_lost_its_keyframe_is_no_group() -> None:
    history: History[Wire] = History(max_packets=10)
    for picture in pictures(0, (4, 1, True), (4, 1, False), (4, 1, False)):
        history.add(picture)
    assert history.group() == []
    assert history.find(4) is not None


def test_forgets_no_picture_of_ten_seconds_at_four_megabits() -> None:
    history: History[Wire] = History()
    for number in range(300):
        history.add(Wire(number * 14, 14, 14 * 1200, keyframe=number == 0))
    assert len(history.group()) == 300


def test_bounds_hold_for_a_day_of_video() -> None:
    history: History[Wire] = History()
    first = 0
    for number in range(50_000):
        count = 60 if number % 60 == 0 else 13
        history.add(Wire(first, count, 1200 * count, number % 60 == 0))
        first += count
        assert MAX_PACKETS - 73 <= history.packets <= MAX_PACKETS or number < 700
        assert history.size_bytes <= MAX_BYTES
