"""A viewer behind a link that becomes narrow and wide again."""

from __future__ import annotations

from typing import Any

import pytest

from flow.clock import NS_PER_MS
from flow.units import Rendition
from tests.fakes.lossy_link import Conditions
from tests.unit.relay.narrow_viewer import NARROW, ROUND_TRIP_MS, WIDE, opened
from tests.unit.relay.stage import FPS, open_stage


async def test_from_8_to_1_and_back_to_8_mbit_s() -> None:
    async with open_stage() as stage:
        show = await opened(stage, WIDE)
        frozen_s = await show.watch(8, NARROW)
        left_s = next(at for at, rendition in show.moves if rendition is Rendition.LOW)
        assert left_s <= 3.0  # of that a second for the encoder
        assert frozen_s <= 4.0
        settled = len(show.receiver.shown)
        assert await show.watch(1, NARROW) <= 0.2
        assert len(show.receiver.shown) - settled >= 28
        show.moves.clear()
        frozen_s = await show.watch(14, WIDE)
        assert [rendition for _, rendition in show.moves] == [Rendition.LOW, Rendition.SOURCE]
        assert show.moves[1][0] <= 13.0
        assert frozen_s <= 0.5
        print("left", left_s, show.moves)


async def test_without_low_it_stays_broken() -> None:
    """What the test before is measured against; the same viewer, the same link."""
    async with open_stage() as stage:
        show = await opened(stage, WIDE, with_low=False)
        await show.watch(8, NARROW)
        settled = len(show.receiver.shown)
        await show.watch(3, NARROW)
        assert len(show.receiver.shown) - settled < 45  # of 90
        assert show.receiver.rendition is Rendition.SOURCE


async def test_a_way_that_stays_narrow_ends_on_low_and_is_whole() -> None:
    async with open_stage() as stage:
        show = await opened(stage, NARROW)
        await show.watch(4, NARROW)
        assert show.receiver.rendition is Rendition.LOW
        shown = len(show.receiver.shown)
        assert await show.watch(4, NARROW) <= 0.2
        assert len(show.receiver.shown) - shown >= 118  # of 120


@pytest.mark.parametrize("outage_ms", [300, 500, 800])
@pytest.mark.parametrize(
    ("with_low", "round_trip_ms", "group_s"), [(True, 30, 2), (True, 100, 5), (False, 30, 10)]
)
async def test_a_short_outage_of_a_wide_way_moves_nobody_and_is_made_no_longer(
    outage_ms: int, with_low: bool, round_trip_ms: int, group_s: int
) -> None:
    """As by roaming from one access point to another: all is lost, then nothing."""
    async with open_stage() as stage:
        stage.group = group_s * FPS
        show = await opened(stage, WIDE, with_low=with_low, seed=2, round_trip_ms=round_trip_ms)
        await show.watch(4, WIDE)
        show.moves.clear()
        link = show.receiver.tap.link
        sends, begins_ns = link.send, stage.clock.now_ns() + 500 * NS_PER_MS
        ends_ns = begins_ns + outage_ms * NS_PER_MS

        def send(data: bytes, now_ns: int) -> Any:
            return [] if begins_ns <= now_ns < ends_ns else sends(data, now_ns)

        monkey: Any = link
        monkey.send = send
        held: list[bool] = []
        show.receiver.guest.delivery.hold = lambda holds, *_: held.append(holds)
        longest_s = await show.watch(8, WIDE)
        assert {rendition for _, rendition in show.moves} == {Rendition.SOURCE}
        assert not show.receiver.guest.seat.choice.low
        assert held == [False] * len(held)
        if round_trip_ms < 100:  # with more, what is lost takes longer to come again
            assert longest_s <= outage_ms / 1000 + 0.15


@pytest.mark.parametrize("loss", [0.03, 0.10])
async def test_a_wide_way_that_loses_a_little_keeps_the_full_picture(loss: float) -> None:
    async with open_stage() as stage:
        show = await opened(stage, WIDE)
        show.receiver.tap.narrow = lambda rate_bps: None  # type: ignore[method-assign]
        show.receiver.tap.link.conditions = Conditions(delay_ms=ROUND_TRIP_MS / 2, rate_bps=WIDE, loss=loss)
        await show.watch(12, WIDE)
        assert show.moves == [] or {rendition for _, rendition in show.moves} == {Rendition.SOURCE}
