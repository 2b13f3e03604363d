"""From 8 to 1 and back to 8 Mbit/s in all phases: how soon it is left and regained, and what that costs.

All runs are simulated and the same each time: the real fan-out, delivery and choice, a modelled link and a
modelled browser (narrow_viewer.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import pytest

from flow.clock import NS_PER_MS
from flow.units import Rendition
from tests.unit.relay.narrow_viewer import NARROW, WIDE, Show, opened
from tests.unit.relay.stage import FPS, Stage, open_stage

LEFT_S, REGAINED_S, FROZEN_S = 2.1, 12.0, 2.0
"""Of the first a second is the encoder's; of the second up to five are the wait for a keyframe."""
WAYS = list(product((20, 100), (100, 500), (1, 2, 5)))


@dataclass(frozen=True)
class Case:
    """Milliseconds of round trip and queue, seconds of a group; `phase` shifts all against all."""

    round_trip_ms: int
    queue_ms: int
    group_s: int
    phase: int
    with_remb: bool = True
    varies: bool = False

    async def begin(self, stage: Stage, rate_bps: int = WIDE) -> Show:
        stage.group = self.group_s * FPS
        stage._frames = 7 * self.phase  # when the next keyframe comes
        stage._tended_ns = stage.clock.now_ns() - self.phase * 13 % 100 * NS_PER_MS
        if self.varies:
            stage.grows = lambda number: 1 + 0.5 * math.sin(number / 9)
        way: dict[str, Any] = {"round_trip_ms": self.round_trip_ms, "queue_ms": self.queue_ms}
        return await opened(stage, rate_bps, **way, seed=self.phase, with_remb=self.with_remb)


def lows(show: Show) -> list[float]:
    return [at_s for at_s, rendition in show.moves if rendition is Rendition.LOW]


def fulls(show: Show) -> list[float]:
    return [at_s for at_s, rendition in show.moves if rendition is Rendition.SOURCE]


CASES = [Case(*way, phase=n + 1, with_remb=n % 3 != 2, varies=n % 2 == 1) for n, way in enumerate(WAYS)] + [
    Case(20, 500, 2, phase) for phase in range(20, 23)
]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_narrow_way_is_left_and_a_wide_one_regained(case: Case) -> None:
    async with open_stage() as stage:
        show = await case.begin(stage)
        began_ns = stage.clock.now_ns()
        await show.watch(12, NARROW)
        assert lows(show)[0] <= LEFT_S
        assert len(lows(show)) == 1  # and no try
        assert show.frozen_s(began_ns) <= FROZEN_S
        show.moves.clear()
        widened_ns = stage.clock.now_ns()
        await show.watch(REGAINED_S + 2, WIDE)
        assert [rendition for _, rendition in show.moves] == [Rendition.LOW, Rendition.SOURCE]
        assert fulls(show)[0] <= REGAINED_S
        assert show.frozen_s(widened_ns) == 0
        guest = show.receiver.guest
        if not case.varies:
            assert guest.pacer.rate_bps >= 1.9 * guest.delivery.stream.bits_per_s


@pytest.mark.parametrize("rate_bps", [NARROW, 2_000_000])
@pytest.mark.parametrize(("round_trip_ms", "queue_ms", "group_s"), [(20, 100, 1), (100, 500, 5)])
async def test_what_stays_narrow_is_not_tried_in_a_minute_and_asking_costs_nothing(
    rate_bps: int, round_trip_ms: int, queue_ms: int, group_s: int
) -> None:
    async with open_stage() as stage:
        show = await Case(round_trip_ms, queue_ms, group_s, phase=3).begin(stage)
        await show.watch(6, rate_bps)
        began_ns, lacked = stage.clock.now_ns(), show.receiver.lacked
        show.moves.clear()
        assert await show.watch(60, rate_bps) <= 0.4
        assert [rendition for _, rendition in show.moves] == [Rendition.LOW]
        assert show.receiver.lacked == lacked
        late_ms = [1000 * gap for gap in show.gaps_s(began_ns) if gap > 0.2]
        assert len(late_ms) <= 25  # as often as it was asked, at most


@pytest.mark.parametrize("rate_bps", [3_400_000, 3_800_000])
async def test_what_nearly_fits_is_tried_at_most_four_times_a_minute_and_ever_more_rarely(
    rate_bps: int,
) -> None:
    async with open_stage() as stage:
        show = await Case(20, 500, 1, phase=3, varies=True).begin(stage)
        began_ns = stage.clock.now_ns()
        await show.watch(60, rate_bps)
        tries = fulls(show)[1:]  # the first is the beginning
        assert len(tries) <= 4
        waits = [b - a for a, b in pairwise([*tries])]
        assert waits == sorted(waits)
        assert show.frozen_s(began_ns) <= 5


async def test_without_reports_of_ours_answered_it_is_tried_blindly_and_regained() -> None:
    """A viewer that tells no round trip: there is nothing to be found out."""
    async with open_stage() as stage:
        show = await Case(20, 500, 2, phase=1).begin(stage)
        show.receiver.tap.send_report = lambda packets: None  # type: ignore[method-assign]
        show.receiver._heard = None
        await show.watch(12, NARROW)
        show.moves.clear()
        await show.watch(22, WIDE)
        assert show.receiver.rendition is Rendition.SOURCE
