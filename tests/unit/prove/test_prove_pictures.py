"""What `make prove-relay` makes of a watch: a freeze, damage and being worse than stock are seen."""

from __future__ import annotations

from typing import Any

import pytest

from flow.clock import NS_PER_S
from tests.prove.clip import LENGTH, numbered_clip
from tests.prove.pictures import MOST_FREEZE_MS, Kind, Record, Watch, faults, judged, seen, worse
from tests.prove.relay import lost_as_asked

BEGAN_NS = 100 * NS_PER_S
KIND = Kind(start_s=6, settles_s=4, late_s=0.5)
WATCHED_S = 20
JOINED = 45  # pictures after the feed began: in the middle of a group


def line(place: int, late_s: float = 0.02, *, whole: bool = True) -> dict[str, Any]:
    """What a viewer says that shows this picture of the stream so long after it was live."""
    luma = {number: checksum for checksum, number in numbered_clip().numbers.items()}[place % LENGTH]
    return {
        "luma": luma if whole else -1,
        "at_ns": BEGAN_NS + place * NS_PER_S // 30 + int(late_s * NS_PER_S),
    }


def record(lines: list[dict[str, Any]]) -> Record:
    asked_ns = BEGAN_NS + JOINED * NS_PER_S // 30
    watch = Watch(BEGAN_NS, asked_ns, asked_ns + WATCHED_S * NS_PER_S, KIND)
    return judged(seen([{"state": "connected"}, *lines], watch).record())


def places(from_s: float, to_s: float) -> range:
    """Pictures that are live so long after the answer."""
    return range(JOINED + int(from_s * 30), JOINED + int(to_s * 30))


def shown(from_s: float = 0, to_s: float = WATCHED_S) -> list[dict[str, Any]]:
    return [line(place) for place in places(from_s, to_s)]


def test_a_watch_in_which_every_picture_is_shown_has_no_fault() -> None:
    run = record(shown())
    assert run["faults"] == []
    assert run["start"]["share"] == run["settled"]["share"] == 1.0
    assert run["start"]["longest_freeze_ms"] == run["settled"]["longest_freeze_ms"] == 33
    assert run["settled"]["due"] == 30 * (WATCHED_S - 4) - 15  # all but those of the last half second
    assert run["first_picture_ms"] == 20


def test_a_freeze_that_never_ends_is_seen() -> None:
    run = record(shown(to_s=5))
    assert run["settled"]["longest_freeze_ms"] >= 15_000 - 67
    assert run["settled"]["shown"] <= 30
    assert run["settled"]["due"] > 400
    assert len(run["faults"]) == 2


def test_one_picture_now_and_then_is_a_freeze() -> None:
    run = record([line(JOINED), line(JOINED + 300)])
    assert run["settled"]["shown"] == 1
    assert run["settled"]["longest_freeze_ms"] > 9000
    assert len(run["faults"]) == 2


def test_a_freeze_at_the_very_end_is_seen() -> None:
    run = record(shown(to_s=WATCHED_S - MOST_FREEZE_MS / 1000 - 0.1))
    assert any(fault.startswith("frozen for") for fault in run["faults"]), run


def test_the_same_picture_again_and_again_is_a_freeze() -> None:
    still = [{**line(JOINED + 149), "at_ns": line(place)["at_ns"]} for place in places(5, 9)]
    run = record([*shown(to_s=5), *still, *shown(from_s=9)])
    assert run["settled"]["longest_freeze_ms"] >= 4000
    assert run["faults"]


def test_who_shows_nothing_at_all_fails() -> None:
    run = record([])
    assert run["first_picture_ms"] is None
    assert run["start"]["longest_freeze_ms"] == 6000
    assert run["settled"]["shown"] == 0
    assert run["faults"]


def test_a_first_picture_that_comes_very_late_excuses_no_more_than_the_start() -> None:
    run = record(shown(from_s=9))
    assert run["first_picture_ms"] == 9020
    assert run["start"]["shown"] == 0
    assert run["settled"]["longest_freeze_ms"] == 3020
    assert run["faults"]


def test_damaged_pictures_are_counted_where_they_are() -> None:
    early = record([*shown(), line(JOINED + 30, whole=False)])
    assert (early["start"]["damaged"], early["settled"]["damaged"], early["faults"]) == (1, 0, [])
    late = record([*shown(), line(JOINED + 300, whole=False)])
    assert (late["start"]["damaged"], late["settled"]["damaged"]) == (0, 1)
    assert late["faults"] == ["1 damaged pictures among 465"]


def test_a_broken_start_is_reported_and_not_judged() -> None:
    broken = [line(place, whole=False) for place in places(1, 2.5)]
    run = record([*shown(to_s=1), *broken, *shown(from_s=2.5)])
    assert run["faults"] == []
    assert run["start"]["damaged"] == 45
    assert run["start"]["due"] - run["start"]["shown"] == 45
    assert run["start"]["longest_freeze_ms"] == 1533


def test_the_cached_group_is_due_without_a_gap_from_the_first_picture_shown() -> None:
    at_ns = line(JOINED)["at_ns"]
    group = [{**line(place), "at_ns": at_ns} for place in range(JOINED)]
    assert record([*group, *shown()])["start"]["share"] == 1.0
    with_a_hole = record([*group[:20], *group[30:], *shown()])
    assert with_a_hole["start"]["due"] - with_a_hole["start"]["shown"] == 10


def test_a_watch_that_ends_before_the_start_does_proves_nothing() -> None:
    asked_ns = BEGAN_NS + JOINED * NS_PER_S // 30
    watch = Watch(BEGAN_NS, asked_ns, asked_ns + 4 * NS_PER_S, KIND)
    run = seen(shown(to_s=4), watch).record()
    assert run["start"]["share"] == 1.0
    assert run["settled"] is None
    assert faults(run)


@pytest.mark.parametrize(
    ("ours", "theirs", "what"),
    [
        ({"share": 0.97}, {}, "97.0% of the pictures shown, beside 100.0%"),
        ({"damaged": 3}, {"damaged": 2}, "3 damaged pictures, beside 2"),
        ({"longest_freeze_ms": 900}, {"longest_freeze_ms": 300}, "frozen for 900 ms, beside 300"),
    ],
)
def test_who_is_worse_than_stock_beside_it_is_told_in_what(ours: Record, theirs: Record, what: str) -> None:
    good = {"shown": 400, "due": 400, "share": 1.0, "damaged": 0, "longest_freeze_ms": 100}
    one, other = {"settled": {**good, **ours}}, {"settled": {**good, **theirs}}
    assert worse(one, other) == [what]
    assert worse(one, one) == []
    assert worse(other, one) == []


@pytest.mark.parametrize(
    ("lost", "came", "share", "enough"),
    [
        (350, 7000, 0.05, True),
        (12, 250, 0.05, True),
        (0, 7000, 0.05, False),
        (0, 250, 0.05, False),
        (350, 7000, 0.10, False),
        (700, 7000, 0.05, False),
        (0, 0, 0.05, False),
    ],
)
def test_drops_must_have_happened_in_the_share_asked_for(
    lost: int, came: int, share: float, enough: bool
) -> None:
    assert lost_as_asked(lost, came, share) is enough
