"""Chromium behind a link that becomes narrower than the feed: it ends on `low`, is whole, and comes back."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.async_api import Browser, Page

from flow.clock import NS_PER_S
from flow.units import Rendition
from relay.protocol import rendition
from tests.browser.narrow_way import SMALL_WIDTH, NarrowWay, narrow_way
from tests.fakes.lossy_link import Conditions
from tests.prove.clip import WIDTH

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

WIDE = Conditions(delay_ms=15, rate_bps=8_000_000)
NARROW = Conditions(delay_ms=15, rate_bps=800_000)
"""The feed has 1.8 Mbit/s, `low` 0.5."""


async def settled_on_low(way: NarrowWay, page: Page) -> None:
    """Three seconds of its pictures only, none missing for a second; a busy machine may take a while."""
    async with asyncio.timeout(30):
        while True:
            from_ms = await way.look(page)
            await asyncio.sleep(3)
            to_ms = await way.look(page)
            shown = [each.width for each in way.shown if each.at_ms > from_ms]
            is_whole = len(shown) > 40 and way.longest_gap_s(from_ms, to_ms) < 1.0
            [report] = way.house.relay.viewers()
            is_low = (report.rendition, report.pinned) == (Rendition.LOW, False)
            if set(shown) == {SMALL_WIDTH} and is_whole and is_low:
                return


async def test_it_ends_on_low_is_whole_there_and_comes_back(
    browser: Browser, record_property: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendition, "FIRST_CALM_NS", 3 * NS_PER_S)
    async with narrow_way(WIDE) as way:
        page = await browser.new_page()
        await page.goto(way.url)
        await way.until_width(page, WIDTH, 20)
        await asyncio.sleep(4)
        narrowed_ms = await way.look(page)
        way.proxy.down.conditions = NARROW
        left_s = await way.until_width(page, SMALL_WIDTH, 15)
        frozen_s = way.longest_gap_s(narrowed_ms, await way.look(page))
        await settled_on_low(way, page)
        way.proxy.down.conditions = WIDE
        regained_s = await way.until_width(page, WIDTH, 60)
        moved_ms = await way.look(page)
        await asyncio.sleep(1)
        climb_s = way.longest_gap_s(moved_ms - 1000, await way.look(page))
        figures = (("left", left_s), ("frozen", frozen_s), ("regained", regained_s), ("climb_gap", climb_s))
        for name, seconds in figures:
            record_property(f"{name}_s", round(seconds, 2))
            print(f"{name} {seconds:.2f} s")


async def way_to_and_fro(way: NarrowWay, page: Page, session_id: str) -> None:
    """Two moves down and two up."""
    for chosen, width in 2 * ((Rendition.LOW, SMALL_WIDTH), (Rendition.SOURCE, WIDTH)):
        way.house.relay.choose(session_id, chosen)
        await way.until_width(page, width, 10)


async def test_pinned_to_and_fro_nothing_freezes(
    browser: Browser, record_property: Callable[[str, object], None]
) -> None:
    """On a link that takes everything: a move costs no freeze, although timestamps step back a little."""
    link = Conditions(delay_ms=5)
    async with narrow_way(link) as way:
        page = await browser.new_page()
        await page.goto(way.url)
        await way.until_width(page, WIDTH, 20)
        [report] = way.house.relay.viewers()
        way.house.relay.choose(report.session_id, Rendition.LOW)
        await way.until_width(page, SMALL_WIDTH, 10)
        way.house.relay.choose(report.session_id, Rendition.SOURCE)
        await way.until_width(page, WIDTH, 10)
        gap_s = math.inf
        async with asyncio.timeout(60):  # a busy machine has pauses of its own, a move has none
            while gap_s >= 0.6:
                began_ms = await way.look(page)
                await way_to_and_fro(way, page, report.session_id)
                gap_s = way.longest_gap_s(began_ms, await way.look(page))
        record_property("longest_gap_s", round(gap_s, 3))
        stamps = [s.rtp_timestamp for s in way.shown if s.at_ms > began_ms and s.rtp_timestamp is not None]
        back = [a - b for a, b in pairwise(stamps) if 0 < a - b < 1 << 31]
        print(f"longest gap {gap_s:.3f} s, steps back {[n / 90 for n in back]} ms")
        assert all(n <= 1.5 * 90_000 for n in back)
        assert way.house.relay.traffic()[0].keyframe_requests == 0
