"""The live page in headless Chromium, against the service as its users start it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.flight import FEED, LAT_DEG, LON_DEG, Flight, flying
from tests.browser.harness import Watched, lagebild, open_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(180)]

DAY, THERMAL = "fritz-tag", "fritz-waerme"
SCREENS = {
    "desk": (1280, 800),
    "tablet": (1024, 768),
    "upright tablet": (768, 1024),
    "upright phone": (390, 844),
    "phone": (844, 390),
}
MISPLACED = """() => {
  const box = (element) => element.getBoundingClientRect();
  const covers = (a, b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const within = (a, b) =>
    a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
  return [...document.querySelectorAll('.stage')].flatMap((stage) => {
    const shown = (reading) => reading.textContent && box(reading).width;
    const readings = [...stage.querySelectorAll('.reading')].filter(shown);
    return [...stage.querySelectorAll('.notice p')]
      .filter((p) => !within(box(p), box(stage)) || readings.some((one) => covers(box(p), box(one))))
      .map((p) => p.textContent);
  });
}"""
"""Sentences over a picture that do not fit into it, or cover a reading."""
LOST_MS = 3000
"""Sooner than the usual 10 s, and still long after the picture counts as frozen."""
BADGE, HUD = ".bar .badge", ".pane.main .hud"


def in_state(state: str, feed: str = FEED) -> str:
    return f"window.lagebild?.feed('{feed}')?.state === '{state}'"


async def says(page: Watched, selector: str, what: str | re.Pattern[str]) -> None:
    """Wait until the first such element shows this text."""
    await expect(page.page.locator(selector).first).to_contain_text(what, timeout=15_000)


async def position(page: Watched, name: str) -> str:
    return await page.page.locator(f'[data-position="{name}"]').input_value()


async def test_the_demo_shows_true_pictures_with_their_position_and_swaps_them_with_one_tap(
    browser: Browser,
) -> None:
    async with lagebild("demo") as service, open_page(browser, service.url) as page:
        await page.until(in_state("live", DAY), 60)
        await page.until(in_state("live", THERMAL), 60)
        await page.frames()
        await page.until("window.__probe.frames.filter(f => f.strip).length > 20", 60)
        frames = [f for f in await page.frames() if f["strip"]]
        assert {f["feed"] for f in frames} == {DAY, THERMAL}
        for feed in (DAY, THERMAL):
            counters = [f["strip"]["counter"] for f in frames if f["feed"] == feed]
            assert counters == sorted(counters)
            assert len(set(counters)) > 3
        await says(page, BADGE, "LIVE")
        assert re.fullmatch(r"32U [A-Z]{2} \d{4} \d{4}", await position(page, "utmref"))
        assert page.complaints == []
        assert page.strangers == []
        await two_pictures_swap(page)


async def two_pictures_swap(page: Watched) -> None:
    assert await page.page.evaluate("() => window.lagebild.feeds()") == [DAY, THERMAL]
    await page.page.locator(".action-swap").click()
    await page.until(f"window.lagebild.feeds()[0] === '{THERMAL}'")
    assert f"feed={THERMAL}" in page.page.url


async def test_what_the_page_of_a_flight_shows_by_its_keys_and_by_a_wrong_clock(
    browser: Browser, tmp_path: Path
) -> None:
    """One service for those who only look: what takes the time is to start one."""
    wrong = "const now = Date.now; Date.now = () => now() + 3600e3;"
    async with flying(tmp_path) as flight, flight.served() as service:
        async with open_page(browser, service.url) as page:
            await the_position_is_the_aircrafts(page)
        async with open_page(browser, service.url) as page:
            await both_languages_and_every_key(page)
        async with open_page(browser, service.url, scripts=[wrong]) as page:
            await a_wrong_clock_in_the_browser_changes_no_age(page)


async def the_position_is_the_aircrafts(page: Watched) -> None:
    await page.until("document.querySelector('[data-position=degrees]')?.value.startsWith('49')")
    lat, lon = (float(part) for part in (await position(page, "degrees")).split(","))
    assert lat == pytest.approx(LAT_DEG, abs=0.6e-6)
    assert lon == pytest.approx(LON_DEG, abs=0.6e-6)
    # The same point, converted with an independent program (GeographicLib's GeoConvert -m).
    assert await position(page, "utmref") == "32U MV 1102 7744"
    await page.until(in_state("live"))
    await says(page, BADGE, re.compile("LIVE|VERZÖGERT"))
    await says(page, BADGE, re.compile(r"≥ \d+,\d+ s ab Empfang"))
    await says(page, "[data-reading=home_alt]", "84")
    assert page.complaints == []


async def both_languages_and_every_key(page: Watched) -> None:
    await page.until(in_state("live"))
    await says(page, HUD, "über Start")
    keys = page.page.keyboard
    await keys.press("l")
    await page.until("document.documentElement.lang === 'en'")
    await says(page, HUD, "above home")
    await keys.press("h")
    await page.until("document.querySelector('.pane.main .hud').offsetParent === null")
    await keys.press("h")
    await keys.press("m")
    await page.until("document.querySelector('.positions').offsetParent === null")
    await keys.press("m")
    await keys.press("b")
    await page.until("document.documentElement.dataset.theme === 'bright'")
    await keys.press("?")
    await says(page, "body", "Sound is neither transmitted nor recorded.")
    await keys.press("Escape")
    assert page.complaints == []


async def a_wrong_clock_in_the_browser_changes_no_age(page: Watched) -> None:
    await page.until(in_state("live"))
    may_be_wrong_ms = await page.page.evaluate("() => window.lagebild.serverUncertaintyMs()")
    shown = await page.page.evaluate(f"() => window.lagebild.feed('{FEED}').frames")
    await page.until(f"window.lagebild.feed('{FEED}').frames > {shown}")
    age_ms = await page.page.evaluate(f"() => window.lagebild.feed('{FEED}').age_ms")
    # At least the configured air link, as far as the page can know the server's time; it tells how far.
    assert age_ms + may_be_wrong_ms >= 120
    assert age_ms < 5_000


async def test_a_stopped_picture_is_grey_within_a_second_and_says_since_when(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        flying(tmp_path) as flight,
        flight.served() as service,
        open_page(browser, service.url) as page,
    ):
        await page.until(in_state("live"))
        flight.sends_video.clear()
        await page.until(in_state("frozen"))
        gap_ms = await page.page.evaluate(
            f"() => window.lagebild.serverMs() - window.lagebild.feed('{FEED}').displayed_ms"
        )
        await page.until("document.querySelector('.pane.main .still:not([hidden])')")
        assert (
            gap_ms < 5_000
        )  # the threshold itself is tested with a clock of its own in the page's unit tests
        await says(page, BADGE, re.compile(r"EINGEFROREN\s*seit \d\d:\d\d:\d\d"))
        await says(page, ".pane.main .notice", "Kein Bild seit")
        flight.sends_video.set()
        await page.until(in_state("live"))
        await page.until("document.querySelector('.pane.main .still[hidden]')")
        assert page.complaints == []


async def test_a_lost_source_is_no_signal_and_stale_telemetry_is_marked(
    browser: Browser, tmp_path: Path
) -> None:
    async with flying(tmp_path) as flight:
        told = flight.config.read_text(encoding="utf-8")
        flight.config.write_text(f"[picture]\nlost_ms = {LOST_MS}\n{told}", encoding="utf-8")
        async with flight.served() as service, open_page(browser, service.url) as page:
            await a_lost_source_is_no_signal(flight, page)


async def a_lost_source_is_no_signal(flight: Flight, page: Watched) -> None:
    await page.until(in_state("live"))
    flight.sends_video.clear()
    flight.sends_telemetry.clear()
    await page.until(in_state("lost"), 30)
    await says(page, BADGE, "KEIN SIGNAL")
    await page.until("document.querySelector('.position[data-freshness=old]')")
    await says(page, "body", "Telemetrie ausgefallen seit")


async def test_the_page_returns_by_itself_when_the_service_does(browser: Browser, tmp_path: Path) -> None:
    async with flying(tmp_path) as flight, flight.served() as service:
        port = int(service.url.rstrip("/").rpartition(":")[2])
        async with open_page(browser, service.url) as page:
            await page.until(in_state("live"))
            await page.page.evaluate("() => { window.notReloaded = true; }")
            await service.stop()
            await page.until(in_state("frozen"))
            await says(page, "body", "Verbindung zum Server unterbrochen")
            async with flight.served(port):
                await page.until(in_state("live"), 60)
                assert await page.page.evaluate("() => window.notReloaded")


async def test_the_black_that_follows_a_connection_is_no_picture(browser: Browser, tmp_path: Path) -> None:
    async with flying(tmp_path) as flight, flight.served() as service:
        async with open_page(browser, service.url) as page:
            await page.until(in_state("live"))
            await service.stop()
            await page.until(in_state("frozen"))
            count = f"window.lagebild.feed('{FEED}').frames"
            displayed = await page.page.evaluate(count)
            await page.until(in_state("lost"), 30)  # by then the browser has given the connection up
            assert await page.page.evaluate(count) == displayed
            await page.until("document.querySelector('.pane.main .still:not([hidden])')")


async def test_where_all_places_are_taken_the_page_says_so(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAGEBILD_VIEWERS_PER_FEED", "1")
    sentences = "Alle Plätze für dieses Bild sind belegt.", "All places for this picture are taken."
    async with lagebild("demo") as service, open_page(browser, service.url) as first:
        await first.until(f"{in_state('live', DAY)} && {in_state('live', THERMAL)}", 60)
        async with open_page(browser, service.url) as second:
            for name, (width, height) in SCREENS.items():
                await second.page.set_viewport_size({"width": width, "height": height})
                for sentence in sentences:
                    for notice in (".pane.main .notice-why", ".pane:not(.main) .notice-why"):
                        await says(second, notice, sentence)
                    assert await second.page.evaluate(MISPLACED) == [], name
                    await second.page.keyboard.press("l")


async def test_without_a_fix_the_map_says_so_and_shows_no_place(browser: Browser, tmp_path: Path) -> None:
    async with flying(tmp_path, fix=False) as flight, flight.served() as service:
        async with open_page(browser, service.url) as page:
            await says(page, "body", "kein GPS-Fix")
            await page.until(in_state("live"))
            assert await position(page, "utmref") == "--"
            assert await position(page, "degrees") == "--"
