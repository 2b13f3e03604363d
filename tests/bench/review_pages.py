"""More of the review page: telemetry while it plays, seeks over a gap of 70 minutes, and H.265."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from playwright.async_api import Browser

from tests.bench.review_folder import Film
from tests.bench.review_house import ReviewHouse
from tests.bench.review_seeks import SEED, Reviewed, reviewing, seek, spread, sync_ms
from tests.browser.harness import Watched, open_page

OPENS_WITHIN_S = 30.0
PLAYED_FROM_MS = 60_000
_SHOWS = "Object.values(window.lagebildReview?.displayedMs ?? {}).some((ms) => ms !== null)"
# Browsers do not tell of every picture that comes while a video stands still: then, when the page knows it.
_FIRST_MS = """() => {
  const [first] = window.__probe.frames;
  return first ? first.shownMs - performance.timeOrigin : performance.now();
}"""
_DRAWN = """() => window.__probe.frames.splice(0).flatMap(({ strip, review, lateMs }) =>
  strip && review?.sample ? [[strip.captureMs, review.sample, lateMs]] : [])"""
_SAME_MS = 1.0


async def playing(page: Watched, film: Film, seconds: float) -> dict[str, Any]:
    """At single speed: what is drawn with each picture, against that picture's own time."""
    await seek(page, film, film.started_ms + PLAYED_FROM_MS, Reviewed())
    await page.page.keyboard.press("Space")
    await page.until("!window.lagebildReview.paused")
    await page.page.evaluate(_DRAWN)
    await asyncio.sleep(seconds)
    drawn = await page.page.evaluate(_DRAWN)
    await page.page.keyboard.press("Space")
    # What the strip was read from may be the picture after the one that the page was told of.
    same = [each for each in drawn if each[1]["yaw_deg"] is not None and abs(each[2] or 0.0) < _SAME_MS]
    return {
        **spread([sync_ms(film, sample, strip) for strip, sample, _ in same]),
        "pictures_per_s": round(len(drawn) / seconds, 1),
        "next_already": len(drawn) - len(same),
    }


async def gaps(house: ReviewHouse, browser: Browser, count: int) -> dict[str, Any]:
    """From one side of 70 minutes without a picture to the other, so often."""
    film, chance, found = house.folder.far, random.Random(SEED), Reviewed()
    async with reviewing(house, browser, film) as page:
        for number in range(count):
            first, end = film.runs[1 - number % 2]
            utc_ms = film.started_ms + chance.uniform(first + 1, end - 1) * 1000
            await seek(page, film, utc_ms, found)
    return found.seeks()


async def web_rendition(house: ReviewHouse, browser: Browser, count: int) -> dict[str, Any] | None:
    """H.265, of which nothing has been made for browsers yet; then the same again, from what was made. Beside
    it how long H.264 takes to its first picture. None where no such flight was made."""
    film = house.folder.hevc
    if film is None:
        return None
    cold = await _opened(house, browser, film, count)
    return {
        "first_picture_ms": cold["first_picture_ms"],
        "seek_ms": cold["seek_ms"],
        "again": await _opened(house, browser, film, count),
        "h264": await _opened(house, browser, house.folder.long, count),
    }


async def _opened(house: ReviewHouse, browser: Browser, film: Film, seeks: int) -> dict[str, Any]:
    """From the page's opening to its first picture; then some seeks."""
    found, chance = Reviewed(), random.Random(SEED)
    async with open_page(browser, f"{house.base}/flights/{film.id}") as page:
        await page.until(_SHOWS, OPENS_WITHIN_S)
        first_ms = await page.page.evaluate(_FIRST_MS)
        for _ in range(seeks):
            await seek(page, film, film.moment(chance), found)
    return {"first_picture_ms": round(first_ms, 1), "seek_ms": found.seeks()}
