"""What lies under the metre grid, in headless Chromium: its colour on the map, what is said without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.flight import LAT_DEG, LON_DEG, flying
from tests.browser.harness import Watched, open_page
from tests.fakes.map_tiles import EXTENT, package, png, tile_server, tiles_around, vector_tile

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

RED_BGR = (40, 60, 220)
BRIGHT = "localStorage.setItem('lagebild', JSON.stringify({theme: 'bright'}))"
TILES = tiles_around(LAT_DEG, LON_DEG, (13, 14, 15), reach=4)


def add_map(config: Path, background: str) -> None:
    text = config.read_text(encoding="utf-8")
    told = f'[map]\nbackground = "{background}"\nattribution = "© <b>Landesamt</b>"\n'
    config.write_text(told + text, encoding="utf-8")


async def commonest(page: Watched) -> tuple[int, int, int]:
    """The colour (BGR) that most of the map has, the tiles' own grain taken out."""
    shot = await page.page.locator(".map-canvas").screenshot()
    picture = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    colours, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    blue, green, red = colours[counts.argmax()]
    return int(blue), int(green), int(red)


async def until_reddish(page: Watched) -> tuple[int, int, int]:
    for _ in range(40):
        blue, green, red = await commonest(page)
        if red > 2 * blue and red > 2 * green:
            return blue, green, red
        await page.page.wait_for_timeout(250)
    raise AssertionError(f"the map is {blue, green, red} (BGR), its tiles are {RED_BGR}")


async def test_tiles_of_a_server_come_and_go_and_nobody_else_is_asked(
    browser: Browser, tmp_path: Path
) -> None:
    async def lost(route: Route) -> None:
        await route.abort("internetdisconnected")

    async with flying(tmp_path) as flight, tile_server(png(RED_BGR)) as tiles:
        add_map(flight.config, tiles)
        everything = f"{tiles.partition('{')[0]}**"
        async with (
            flight.served() as service,
            open_page(browser, service.url, scripts=[BRIGHT], routes={everything: lost}) as page,
        ):
            unreachable = page.page.locator(".map-unreachable")
            await expect(unreachable).to_have_text("Hintergrundkarte nicht erreichbar", timeout=15_000)
            await expect(page.page.locator(".grid-label").nth(3)).to_be_visible()  # the grid stays
            assert not any("exception" in complaint for complaint in page.complaints)

            await page.page.context.unroute(everything)
            await expect(unreachable).to_be_hidden(timeout=15_000)  # asked for again by itself
            page.complaints.clear()
            bright = await until_reddish(page)
            assert {address.split("/")[2] for address in page.strangers} == {tiles.split("/")[2]}
            await expect(page.page.locator(".map-attribution")).to_have_text("© <b>Landesamt</b>")  # as text
            await page.page.keyboard.press("b")
            await expect(page.page.locator("html")).to_have_attribute("data-theme", "dark")
            for _ in range(20):
                if (await until_reddish(page))[2] < 0.6 * bright[2]:  # dimmed
                    break
                await page.page.wait_for_timeout(250)
            assert (await until_reddish(page))[2] < 0.6 * bright[2]
            assert not any("Content Security Policy" in complaint for complaint in page.complaints)


async def test_a_package_from_disk_is_seen(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "karte.pmtiles").write_bytes(package(dict.fromkeys(TILES, png(RED_BGR))))
    async with flying(tmp_path) as flight:
        add_map(flight.config, "file:karte.pmtiles")
        async with flight.served() as service, open_page(browser, service.url) as page:
            await until_reddish(page)
            await expect(page.page.locator(".map-unreachable")).to_be_hidden()
            assert page.strangers == []
            assert page.complaints == []


async def test_a_vector_package_is_drawn_in_our_own_style(browser: Browser, tmp_path: Path) -> None:
    told: dict[str, Any] = {
        "vector_layers": [{"id": name, "fields": {}} for name in ("water", "roads", "places")]
    }
    drawn = vector_tile(
        {
            "water": [("area", [(0, 0), (EXTENT, 0), (EXTENT, EXTENT), (0, EXTENT)], "")],
            "roads": [("line", [(0, 900), (EXTENT, 1300)], "Dammstraße")],
            "places": [("point", [(2048, 3000)], "Žďár nad Sázavou")],
        }
    )
    tiles = package(dict.fromkeys(TILES, drawn), kind=1, metadata=told)
    (tmp_path / "karte.pmtiles").write_bytes(tiles)
    async with flying(tmp_path) as flight:
        add_map(flight.config, "file:karte.pmtiles")
        async with (
            flight.served() as service,
            open_page(browser, service.url, scripts=[BRIGHT]) as page,
        ):
            for _ in range(40):
                if await commonest(page) == (0xE6, 0xCF, 0xA9):  # water in the bright theme
                    break
                await page.page.wait_for_timeout(250)
            assert await commonest(page) == (0xE6, 0xCF, 0xA9)
            assert page.complaints == []  # not of letters either: the browser draws them
            assert page.strangers == []
