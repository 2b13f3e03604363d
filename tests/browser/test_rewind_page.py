"""Looking back on the live page, in headless Chromium: the recorded picture is that of the moment named."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.flight import FEED, flying
from tests.browser.harness import Watched, open_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

PICTURE_MS = 1000 / 30
BADGE, TIMELINE = ".bar .badge", ".rewind"
LIVE = f"window.lagebild?.feed('{FEED}')?.state === 'live'"
SHOWN = "window.lagebild.past()?.has_picture"
RECORDED_MS = 2000  # by then the timeline is there


async def recorded(page: Watched) -> list[dict[str, Any]]:
    """The recorded pictures that came on the screen since the last call, with their burned-in time."""
    return [one for one in await page.frames() if one["past"] and one["strip"]]


def error_ms(picture: dict[str, Any]) -> float:
    """By how much the page names another moment than the picture was taken at."""
    return abs(float(picture["past"]["utc_ms"]) - float(picture["strip"]["captureMs"]))


async def test_the_past_is_shown_at_its_own_time_and_live_goes_on(browser: Browser, tmp_path: Path) -> None:
    async with (
        flying(tmp_path, stamped=True) as flight,
        flight.served(data_dir=tmp_path / "data") as service,
        open_page(browser, service.url) as page,
    ):
        keys, badge = page.page.keyboard, page.page.locator(BADGE).first
        await page.until(LIVE, 60)
        await expect(page.page.locator(TIMELINE)).to_be_visible(timeout=30_000)

        await keys.press("ArrowLeft")  # further than there is: its beginning
        await page.until(SHOWN)
        await page.frames()
        await page.until("window.__probe.frames.filter(f => f.past && f.strip).length > 20")
        pictures = await recorded(page)
        # While it plays, the picture may have moved on by the time that the canvas is painted from it.
        assert statistics.median(map(error_ms, pictures)) < PICTURE_MS
        now_ms = await page.page.evaluate("window.lagebild.serverMs()")
        assert pictures[0]["past"]["utc_ms"] < now_ms - RECORDED_MS / 2
        await expect(badge).to_contain_text("AUFZEICHNUNG")
        await expect(badge).not_to_contain_text("LIVE")
        await page.until(LIVE)  # underneath

        await keys.press("Space")
        await page.until("document.querySelector('video.past').paused")
        await page.frames()
        for key in ("ArrowLeft", "ArrowLeft"):
            await keys.press(key)
        await page.until("window.__probe.frames.some(f => f.past?.has_picture && f.strip)")
        assert max(map(error_ms, await recorded(page))) < PICTURE_MS
        paused = await page.page.evaluate("window.lagebild.past()")
        sample = paused["sample"]
        assert sample is not None
        assert sample["lat_deg"] is not None
        assert abs(sample["utc_ms"] - paused["utc_ms"]) < 250

        await page.page.locator(".stage").first.click()  # a mark would be set at another moment
        await expect(page.page.locator(TIMELINE)).to_contain_text("Markieren geht nur im Livebild")
        await keys.press("End")
        await expect(badge).to_contain_text("LIVE")
        assert await page.page.locator("video.past").count() == 0
        assert page.complaints == []
