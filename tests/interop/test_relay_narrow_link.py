"""A stock aiortc viewer behind a link that becomes narrower than the feed (tests/browser has Chromium)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from flow.units import Rendition
from tests.fakes.encoded import h264_pictures
from tests.fakes.lossy_link import Conditions
from tests.fakes.lossy_proxy import LossyProxy
from tests.fakes.rendition_maker import RenditionMaker, padded
from tests.fakes.whep_player import Player
from tests.prove.clip import WIDTH, numbered_clip
from tests.prove.house import FEED, House, open_house

SMALL = (320, 180)
WIDE = Conditions(delay_ms=15, rate_bps=8_000_000)
NARROW = Conditions(delay_ms=15, rate_bps=800_000)
"""The clip has 1.8 Mbit/s, its small form 0.5. Unlike a browser, aiortc waits for what was lost before a
keyframe until its buffer of 128 packets is full: that is two seconds of the time it takes to leave."""


class Screen:
    """What is shown: (monotonic seconds, width) of each picture."""

    def __init__(self) -> None:
        self.shown: list[tuple[float, int]] = []

    async def watch(self, player: Player) -> None:
        while True:
            frame = await player.frame()
            self.shown.append((time.monotonic(), frame.width))

    async def until_width(self, width: int, within_s: float) -> float:
        """Wait for a picture of that width; how long it took."""
        began_s, looked_at = time.monotonic(), len(self.shown)
        async with asyncio.timeout(within_s):
            while not any(w == width for _, w in self.shown[looked_at:]):
                await asyncio.sleep(0.01)
        return time.monotonic() - began_s

    def longest_gap_s(self, since_s: float) -> float:
        times = [since_s, *(at for at, _ in self.shown if at >= since_s), time.monotonic()]
        return max(b - a for a, b in pairwise(times))


@asynccontextmanager
async def evening() -> AsyncIterator[tuple[House, LossyProxy, Screen]]:
    """A viewer that has been shown the full picture for two seconds over a wide link."""
    clip, small = numbered_clip(), padded(h264_pictures(60, *SMALL), 2000)
    async with open_house(clip.pictures) as house, LossyProxy(WIDE, WIDE) as proxy, Player() as player:
        house.feed()
        loop = asyncio.get_running_loop()
        maker = RenditionMaker(house.bus, house.clock, FEED, Rendition.LOW, small)
        house.tasks.append(loop.create_task(maker.run()))
        answer = await house.relay.answer(FEED, proxy.offer(await player.offer()))
        await player.play(proxy.answer(answer.sdp))
        screen = Screen()
        watching = loop.create_task(screen.watch(player))
        try:
            await screen.until_width(WIDTH, 10)
            await asyncio.sleep(3)
            yield house, proxy, screen
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


async def test_it_ends_on_low_and_is_whole_there() -> None:
    async with evening() as (house, proxy, screen):
        narrowed_s = time.monotonic()
        proxy.down.conditions = NARROW
        left_s = await screen.until_width(SMALL[0], 15)
        frozen_s = screen.longest_gap_s(narrowed_s)
        await asyncio.sleep(1.5)  # what waited in its buffer has been shown
        settled_s = time.monotonic()
        await asyncio.sleep(3.0)
        shown = [width for at, width in screen.shown if at >= settled_s]
        assert screen.longest_gap_s(settled_s) < 1.0
        assert set(shown) == {SMALL[0]}
        assert len(shown) > 60
        [report] = house.relay.viewers()
        assert (report.rendition, report.pinned) == (Rendition.LOW, False)
        assert left_s < 12.0
        print(f"left {left_s:.2f} s, frozen {frozen_s:.2f} s")
