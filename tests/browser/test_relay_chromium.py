"""Chromium, the live page and the relay as its users run it, with a bad network between them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Route

from tests.browser.harness import Watched, open_page
from tests.browser.rough_way import (
    BLOCKED,
    FEEDS,
    KEEP_PEERS,
    FirstLost,
    Way,
    damaged,
    filmed,
    longest_gap_ms,
    statistics,
    strip_clip,
    untrue,
)
from tests.fakes.lossy_link import Conditions

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

WHEP = "**/whep"
FEED = FEEDS[0]
SCRIPTS = (KEEP_PEERS,)
SHOWN = "window.__probe.frames.length"


async def shown_during(page: Watched, seconds: float) -> list[dict[str, Any]]:
    """The frames shown in that time, and the last one before."""
    before = await page.frames()
    await asyncio.sleep(seconds)
    return before[-1:] + await page.frames()


async def test_three_percent_loss_both_ways_is_not_seen(browser: Browser, tmp_path: Path) -> None:
    lossy = Conditions(loss=0.03, delay_ms=10.0)
    async with Way(lossy, lossy) as way, filmed(tmp_path, strip_clip(60)) as service:
        async with open_page(browser, service.url, scripts=SCRIPTS, routes={WHEP: way.pass_on}) as page:
            await page.until(f"{SHOWN} > 30", 30)
            frames = await shown_during(page, 5.0)
            seen = await statistics(page)
            assert len(frames) > 100
            assert untrue(frames) == []
            assert longest_gap_ms(frames) < 300
            assert seen["nackCount"] > 10
            assert way.joins == 1


async def test_where_udp_is_blocked_the_page_plays_by_tcp(browser: Browser, tmp_path: Path) -> None:
    async with Way(BLOCKED, BLOCKED, tcp=True) as way, filmed(tmp_path, strip_clip(60)) as service:
        async with open_page(browser, service.url, scripts=SCRIPTS, routes={WHEP: way.pass_on}) as page:
            await page.until(f"{SHOWN} > 60", 30)
            frames = await page.frames()
            seen = await statistics(page)
            assert seen["protocol"] == "tcp"
            assert untrue(frames[30:]) == []
            assert way.joins == 1


async def test_a_change_of_networks_in_mid_stream_keeps_the_session(browser: Browser, tmp_path: Path) -> None:
    async with Way() as way, filmed(tmp_path, strip_clip(60)) as service:
        async with open_page(browser, service.url, scripts=SCRIPTS, routes={WHEP: way.pass_on}) as page:
            await page.until(f"{SHOWN} > 30", 30)
            way.move()
            frames = await shown_during(page, 6.0)
            assert longest_gap_ms(frames) < 4000  # Chromium's next check comes within 2.5 s
            assert len(frames) > 60
            assert untrue(frames) == []
            assert way.joins == 1


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(1, id="the parameter sets, which come twice"),
        pytest.param(8, id="the beginning of the keyframe, which a PLI brings again"),
        pytest.param(2, id="the parameter sets twice: what came too early needs new numbers"),
    ],
)
async def test_the_first_packets_lost_cost_less_than_the_wait_for_a_keyframe(
    lost: int, browser: Browser, tmp_path: Path
) -> None:
    async def attempt() -> tuple[bool, int]:
        async with Way() as way, filmed(tmp_path, strip_clip(300)) as service:
            await asyncio.sleep(1.0)  # into the group of 10 s
            way.down = FirstLost(lost)
            async with open_page(browser, service.url, scripts=SCRIPTS, routes={WHEP: way.pass_on}) as page:
                await page.until(f"{SHOWN} > 30", 30)
                frames = await page.frames()
                assert damaged(frames) == []
                assert way.joins == 1
                cached = await starts_in_the_cached_group(page, frames)
                return cached, (await statistics(page))["keyFramesDecoded"]

    await soon(attempt, (True, 1))


async def soon(attempt: Callable[[], Awaitable[tuple[int, ...]]], expected: tuple[int, ...]) -> None:
    """It comes out so at one of three tries: a machine that is busy may be late for a group that is cached,
    and Chromium counts its pauses as freezes."""
    seen: list[tuple[int, ...]] = []
    while expected not in seen and len(seen) < 3:
        seen.append(await attempt())
    assert seen[-1] == expected, seen


async def starts_in_the_cached_group(page: Watched, frames: list[dict[str, Any]]) -> bool:
    """Whether the first picture's keyframe was captured before the page's POST, not awaited after it."""
    posted_ms: float = await page.page.evaluate(
        """() => performance.timeOrigin
            + performance.getEntriesByType("resource").find((r) => r.name.endsWith("/whep")).startTime"""
    )
    first = next(f for f in frames if f["rtp"] is not None and f["strip"])
    keyframe_rtp = first["rtp"] - 3000 * first["strip"]["counter"]  # one group is the whole clip
    older_ticks: int = (
        int(posted_ms * 90) - keyframe_rtp
    ) % 2**32  # flow.units.rtp_timestamp: since the epoch
    return older_ticks < 2**31


async def test_a_late_join_in_the_middle_of_a_group_of_ten_seconds(browser: Browser, tmp_path: Path) -> None:
    async def attempt() -> tuple[bool, int, int, int]:
        async with Way() as way, filmed(tmp_path, strip_clip(300)) as service:
            await asyncio.sleep(4.0)
            async with open_page(browser, service.url, scripts=SCRIPTS, routes={WHEP: way.pass_on}) as page:
                await page.until(f"{SHOWN} > 60", 30)
                frames = await page.frames()
                seen = await statistics(page)
                assert damaged(frames) == []
                assert untrue(frames[30:]) == []  # before, the picture runs ahead of its callbacks
                assert way.joins == 1
                cached = await starts_in_the_cached_group(page, frames)
                return cached, seen["keyFramesDecoded"], seen["pliCount"], seen["freezeCount"]

    await soon(attempt, (True, 1, 0, 0))


async def test_two_feeds_on_one_page_by_one_port(browser: Browser, tmp_path: Path) -> None:
    answers: list[str] = []

    async def overheard(route: Route) -> None:
        reply = await route.fetch()
        answers.append(await reply.text())
        await route.fulfill(response=reply)

    async with filmed(tmp_path, strip_clip(60), FEEDS) as service:
        async with open_page(browser, service.url, scripts=SCRIPTS, routes={WHEP: overheard}) as page:
            for feed in FEEDS:
                await page.until(f"window.__probe.frames.filter((f) => f.feed === '{feed}').length > 30", 30)
            frames = await page.frames()
            assert len(answers) == 2
            candidates = [line for sdp in answers for line in sdp.splitlines() if "a=candidate" in line]
            assert len({line.split()[5] for line in candidates}) == 1  # the port
            for feed in FEEDS:
                assert untrue([f for f in frames if f["feed"] == feed][15:]) == []
