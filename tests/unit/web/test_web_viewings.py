"""What pages report of what they saw: taken where it can be, stored once, summed up."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest

from flow.clock import NS_PER_S
from flow.errors import UnavailableError
from recordings.archive import Archive
from recordings.viewing import AGE_EDGES_MS, Viewing
from tests.fakes.clock import START_NS, FakeClock
from web.viewing_views import summed
from web.viewings import WAITING_MOST, ViewingDesk, ViewingReport

BUCKETS = len(AGE_EDGES_MS) + 1


class Shelf:
    """An archive that keeps viewings, where its disk does."""

    def __init__(self) -> None:
        self.kept: list[Viewing] = []
        self.is_full = False

    async def add_viewing(self, viewing: Viewing) -> None:
        if self.is_full:
            raise UnavailableError("full", code="disk_full")
        self.kept.append(viewing)


def report(seconds: float = 10.0, **more: Any) -> ViewingReport:
    ages = (0.0, seconds) + (0.0,) * (BUCKETS - 2)
    return msgspec.structs.replace(ViewingReport(60.0, ages, 0, 0.0), **more)


def desk_of(clock: FakeClock) -> tuple[ViewingDesk, Shelf]:
    shelf = Shelf()
    return ViewingDesk(clock, cast(Archive, shelf), ["uebung-tag"]), shelf


async def test_a_stay_is_stored_every_minute_and_at_its_end_under_one_id() -> None:
    clock = FakeClock()
    desk, shelf = desk_of(clock)
    stay = desk.arrived("tag")
    for n in range(1, 8):
        clock.advance(10 * NS_PER_S)
        stay.report(report(10.0 * n), clock.now_ns())
        await desk.settle()
    assert [viewing.ages[1] for viewing in shelf.kept] == [60.0]
    stay.store(clock.now_ns())
    await desk.settle()
    first, last = shelf.kept
    assert first.id == last.id
    assert (last.feed_id, last.started_ns, last.ended_ns) == ("tag", START_NS, START_NS + 70 * NS_PER_S)
    assert (last.joined_ms, last.ages[1], desk.refused) == (60.0, 70.0, 0)


async def test_the_screen_on_the_wall_counts_for_days() -> None:
    clock = FakeClock()
    desk, shelf = desk_of(clock)
    stay = desk.arrived("tag")
    clock.advance(3 * 86_400 * NS_PER_S)
    stay.report(report(3 * 86_400.0), clock.now_ns())
    await desk.settle()
    assert [viewing.ages[1] for viewing in shelf.kept] == [3 * 86_400.0]


async def test_nothing_is_stored_of_who_said_nothing_or_watched_an_exercise() -> None:
    clock = FakeClock()
    desk, shelf = desk_of(clock)
    desk.arrived("tag").store(clock.now_ns())
    played = desk.arrived("uebung-tag")
    played.report(report(), clock.now_ns())
    played.store(clock.now_ns())
    assert await desk.settle()
    assert shelf.kept == []


@pytest.mark.parametrize(
    "after",
    [
        report(9.0),  # less than before
        report(1e5),  # more than has passed
        report(interrupted_ms=1e9),
        report(joined_ms=61.0),
        report(joined_ms=None),
    ],
)
async def test_what_cannot_be_is_not_taken_and_counted(after: ViewingReport) -> None:
    clock = FakeClock()
    desk, shelf = desk_of(clock)
    stay = desk.arrived("tag")
    clock.advance(20 * NS_PER_S)
    stay.report(report(), clock.now_ns())
    stay.report(after, clock.now_ns())
    stay.store(clock.now_ns())
    await desk.settle()
    assert [viewing.ages[1] for viewing in shelf.kept] == [10.0]
    assert desk.refused == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"ages": [0.0] * 9},
        {"ages": [0.0] * 11},
        {"ages": [-1.0] + [0.0] * 9},
        {"ages": ["1"] * 10},
        {"joined_ms": -1},
        {"interruptions": 2_000_000},
        {"interruptions": 0.5},
        {"interrupted_ms": None},
        {"feed_id": "other"},
        {"id": "somebody-elses"},
    ],
)
def test_the_form_is_closed(wrong: dict[str, Any]) -> None:
    good = {"type": "viewing", "joined_ms": None, "ages": [0.0] * 10, "interruptions": 0, "interrupted_ms": 0}
    assert msgspec.json.decode(msgspec.json.encode(good), type=ViewingReport).joined_ms is None
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(good | wrong), type=ViewingReport)


async def test_an_archive_that_does_not_take_it_gets_it_later() -> None:
    clock = FakeClock()
    desk, shelf = desk_of(clock)
    shelf.is_full = True
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(desk.run())
        stay = desk.arrived("tag")
        stay.report(report(), clock.now_ns())
        stay.store(clock.now_ns())
        for _ in range(5):
            await asyncio.sleep(0)
        assert shelf.kept == []
        shelf.is_full = False
        clock.advance(NS_PER_S)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(shelf.kept) == 1
        running.cancel()


async def test_what_waits_is_bounded() -> None:
    clock = FakeClock()
    desk, shelf = desk_of(clock)
    for n in range(WAITING_MOST + 5):
        desk.keep(Viewing(f"v-{n}", "tag", START_NS, START_NS))
    await desk.settle()
    assert [shelf.kept[0].id, len(shelf.kept)] == ["v-5", WAITING_MOST]


def test_the_summary_is_of_all() -> None:
    def viewing(n: int, joined_ms: float | None, seconds: float) -> Viewing:
        ages = (seconds,) + (0.0,) * (BUCKETS - 1)
        return Viewing(
            f"v-{n}", "tag", START_NS, START_NS, joined_ms, ages, interruptions=1, interrupted_ms=5.0
        )

    many = [viewing(n, float(n + 1), 36.0) for n in range(100)]
    told = summed([*many, viewing(100, None, 0.0), viewing(101, None, 36.0)])
    assert (told.viewings, told.joins, told.without_picture) == (102, 100, 1)
    assert (told.join_p50_ms, told.join_p95_ms) == (50.0, 95.0)
    assert (told.hours, told.ages[0], told.interruptions, told.interrupted_ms) == (1.01, 3636.0, 102, 510.0)
    nobody = summed([])
    assert (nobody.join_p50_ms, nobody.hours, len(nobody.ages)) == (None, 0.0, BUCKETS)
