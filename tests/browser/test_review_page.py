"""The review of a recorded flight in Chromium: the picture on the screen is that of the moment named."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import Aircraft, Feed
from tests.browser.harness import Watched, lagebild, open_page
from tests.fakes.clock import START_NS
from tests.fakes.encoded import FPS
from tests.fakes.past_flight import told
from tests.fakes.recorded_flights import FlightMaker
from tests.fakes.stamped import stamped_pictures

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(60)]

TAG, WAERME = "fritz-tag", "fritz-waerme"
FRITZ = Aircraft(
    "fritz", "Multikopter Fritz", (Feed(TAG, "fritz", "Tageslicht"), Feed(WAERME, "fritz", "Wärmebild"))
)
START_MS = START_NS / NS_PER_MS
PICTURE_MS = 1000 / FPS
EXACT_MS = 1.0  # the strip has whole milliseconds
FAR_APART_MS = 200.0
FAR_S = 70 * 60
REVIEW = "window.lagebildReview"
SETTLED = f"{REVIEW} && !{REVIEW}.seeking"


def reviewed(root: Path) -> FlightMaker:
    """By daylight 0 to 8 s, 11 to 15 s, and two seconds after a gap of 70 minutes; by thermal camera 2 to
    15 s. Every picture has its time of capture burned in, and the aircraft climbs a metre a second."""
    flight = FlightMaker(root, FRITZ)
    pictures = list(islice(stamped_pictures(taken_ms=lambda n: round(START_MS + n * PICTURE_MS)), 15 * FPS))
    far_ms = START_MS + (15 + FAR_S) * 1000
    behind = list(islice(stamped_pictures(taken_ms=lambda n: round(far_ms + n * PICTURE_MS)), 2 * FPS))
    flight.film(TAG, 8, pictures=pictures)
    flight.film(TAG, 4, gap_s=3, pictures=pictures[11 * FPS :])
    flight.cut(TAG)
    flight.film(TAG, 2, gap_s=FAR_S, pictures=behind)
    flight.film(WAERME, 13, gap_s=2, pictures=pictures[2 * FPS :])
    flight.sample(
        *(told(START_NS + n * NS_PER_S // 10, 49.44, 7.77 + n / 1e5, alt_home_m=n / 10) for n in range(200))
    )
    flight.end(FAR_S + 20)
    return flight


async def strip_ms(page: Watched, feed: str = TAG) -> float:
    """When the picture that came on the screen last was taken, read from itself; since the flight's start."""
    frame = f"window.__probe.frames.findLast(f => f.feed === '{feed}' && f.strip)"
    return float(await page.page.evaluate(f"{frame}.strip.captureMs")) - START_MS


async def moment_ms(page: Watched) -> float:
    return float(await page.page.evaluate(f"{REVIEW}.momentMs")) - START_MS


async def seek(page: Watched, at_s: float) -> None:
    await page.page.evaluate(f"{REVIEW}.seek({START_MS + at_s * 1000})")
    await page.until(SETTLED)


async def test_every_picture_is_named_by_its_own_time(browser: Browser, tmp_path: Path) -> None:
    flight = reviewed(tmp_path)
    async with (
        lagebild("serve", data_dir=tmp_path) as service,
        open_page(browser, f"{service.url}flights/{flight.id}?t={START_MS + 4110:.0f}") as page,
    ):
        keys = page.page.keyboard
        await page.until(SETTLED)
        assert await strip_ms(page) == pytest.approx(4100, abs=EXACT_MS)
        assert await moment_ms(page) == pytest.approx(4100, abs=EXACT_MS)
        await expect(page.page.locator(".bar .badge")).to_contain_text("AUFZEICHNUNG")
        sample = await page.page.evaluate(f"{REVIEW}.sample")
        assert sample["alt_home_m"] == pytest.approx(4.1, abs=0.01)

        # Picture by picture, both ways, over the beginning of a group.
        for key, count in ((".", 2), (",", 7)):
            for _ in range(count):
                before = await moment_ms(page)
                await keys.press(key)
                await page.until(SETTLED)
                step_ms = await moment_ms(page) - before
                assert step_ms == pytest.approx(PICTURE_MS if key == "." else -PICTURE_MS, abs=EXACT_MS)
                assert await strip_ms(page) == pytest.approx(await moment_ms(page), abs=EXACT_MS)
        await page.until(
            f"(all => all['{WAERME}'] && Math.abs(all['{TAG}'] - all['{WAERME}']) <= {PICTURE_MS})"
            f"({REVIEW}.displayedMs)"
        )

        # Over the gap of the main camera the other one leads, and all of them are in step.
        await seek(page, 7.9)
        assert await page.page.evaluate(f"{REVIEW}.lastSeekMs") < 1000
        await keys.press("Space")
        await page.until(f"{REVIEW}.gap && {REVIEW}.momentMs > {START_MS + 8100}")
        await keys.press("ArrowUp")
        await page.until(f"!{REVIEW}.gap && {REVIEW}.momentMs > {START_MS + 11_500}")
        apart = await page.page.evaluate(
            f"""() => new Promise(done => {{
                const seen = [];
                const look = () => {{
                  const {{displayedMs: all, momentMs}} = {REVIEW};
                  if (momentMs > {START_MS + 12_500}) return done(seen);
                  seen.push(Math.abs(all['{TAG}'] - all['{WAERME}']));
                  requestAnimationFrame(look);
                }};
                look();
              }})"""
        )
        assert min(apart) <= PICTURE_MS + EXACT_MS  # how often depends on how busy the machine is
        assert sorted(apart)[len(apart) // 2] <= FAR_APART_MS

        # A gap of more than an hour is told of, and then passed.
        await seek(page, 1000.0)
        await page.until(f"{REVIEW}.gap")
        await expect(page.page.locator(".pane.main .notice")).to_contain_text("Keine Aufzeichnung")
        await page.until(f"{REVIEW}.momentMs > {START_MS + (15 + FAR_S) * 1000 + 300}")
        await keys.press("k")
        await page.until(f"{SETTLED} && {REVIEW}.paused")
        assert await strip_ms(page) == pytest.approx(await moment_ms(page), abs=EXACT_MS)

        await seek(page, 5.0)
        await keys.press("2")
        await page.until(f"{REVIEW}.main === '{WAERME}' && {SETTLED}")
        await page.page.locator(f"[data-feed={TAG}] .stage").click()
        await page.until(f"{REVIEW}.main === '{TAG}'")
        assert await moment_ms(page) == pytest.approx(5000, abs=EXACT_MS)
        assert page.complaints == []
        assert page.strangers == []
