"""A viewer behind a link that becomes narrow and wide again."""

from __future__ import annotations

import pytest

from flow.units import Rendition
from tests.fakes.lossy_link import Conditions
from tests.unit.relay.narrow_viewer import NARROW, ROUND_TRIP_MS, WIDE, opened
from tests.unit.relay.stage import open_stage


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


@pytest.mark.parametrize("loss", [0.03, 0.10])
async def test_a_wide_way_that_loses_a_little_keeps_the_full_picture(loss: float) -> None:
    async with open_stage() as stage:
        show = await opened(stage, WIDE)
        show.receiver.tap.narrow = lambda rate_bps: None  # type: ignore[method-assign]
        show.receiver.tap.link.conditions = Conditions(delay_ms=ROUND_TRIP_MS / 2, rate_bps=WIDE, loss=loss)
        await show.watch(12, WIDE)
        assert show.moves == [] or {rendition for _, rendition in show.moves} == {Rendition.SOURCE}
