"""The camera page in headless Chromium, with its fake camera: what a phone without an app does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.harness import RunningLagebild, chromium, lagebild, open_page
from web.publish_keys import PublishKeys

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

CONFIG = """
[[aircraft]]
id = "handy"
name = "Trupp 1"
  [[aircraft.feed]]
  id = "handy"
  name = "Handy Trupp 1"
  source = "whip"
"""
FEED = "handy"
RED, GREEN = "missing", "arrives"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lagebild.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def keys_of(config: Path) -> PublishKeys:
    return PublishKeys(config.parent / "data")


async def until_word(page: Page, word: str, verdict: str | None = None) -> None:
    await expect(page.locator(".verdict-word")).to_have_text(word, timeout=20_000)
    if verdict:
        await expect(page.locator(".verdict")).to_have_attribute("data-verdict", verdict)


async def pictures(service: RunningLagebild) -> tuple[str, int]:
    """The feed's status, and how many pictures have come."""
    async with aiohttp.ClientSession() as http, http.get(f"{service.url}api/v1/feeds/{FEED}") as reply:
        state = (await reply.json())["state"]
    return state["status"], state["pictures"]


async def until_status(service: RunningLagebild, wanted: str) -> None:
    async with asyncio.timeout(20):
        while (await pictures(service))[0] != wanted:
            await asyncio.sleep(0.05)


async def test_a_phone_films_with_the_key_of_its_address_until_it_is_withdrawn(
    camera_browser: Browser, config: Path
) -> None:
    key = keys_of(config).make(FEED)
    async with (
        lagebild("serve", "--config", str(config)) as service,
        open_page(
            camera_browser, f"{service.url}camera/{FEED}#key={key}", size=(390, 844), has_touch=True
        ) as seen,
    ):
        page = seen.page
        await until_word(page, "BEREIT", "unknown")
        await expect(page.locator("h1")).to_have_text("Filmen: Handy Trupp 1")
        assert (
            await page.locator(".preview").evaluate("(video) => video.srcObject") is None
        )  # not yet asked for
        await page.get_by_role("button", name="Filmen", exact=True).tap()
        await until_word(page, "KOMMT AN", GREEN)
        assert await page.locator(".preview").evaluate("(video) => video.videoWidth") > 0
        status, count = await pictures(service)
        assert (status, count > 0) == ("live", True)

        await page.get_by_role("button", name="Andere Kamera").tap()  # the session goes on with it
        async with asyncio.timeout(20):
            while (await pictures(service))[1] < count + 30:
                await asyncio.sleep(0.1)
        await page.get_by_role("button", name="Beenden").tap()
        await until_word(page, "BEREIT")
        await until_status(service, "lost")

        await page.get_by_role("button", name="Filmen", exact=True).tap()
        await until_word(page, "KOMMT AN", GREEN)
        async with aiohttp.ClientSession() as http:
            await http.delete(f"{service.url}api/v1/feeds/{FEED}/keys")
        await until_word(page, "ABGELEHNT", RED)
        await expect(page.locator(".verdict-figures")).to_have_text("Der Schlüssel ist falsch.")
        assert not any(key in line for line in service.lines)
        assert seen.strangers == []


async def test_it_comes_back_by_itself_when_the_server_does(camera_browser: Browser, config: Path) -> None:
    key = keys_of(config).make(FEED)
    async with lagebild("serve", "--config", str(config)) as first:
        port = int(first.url.rstrip("/").rpartition(":")[2])
        async with open_page(camera_browser, f"{first.url}camera/{FEED}#key={key}") as seen:
            await seen.page.get_by_role("button", name="Filmen", exact=True).click()
            await until_word(seen.page, "KOMMT AN", GREEN)
            await first.stop()
            await until_word(seen.page, "UNTERBROCHEN", RED)
            async with lagebild("serve", "--config", str(config), port=port) as second:
                await until_word(seen.page, "KOMMT AN", GREEN)
                assert (await pictures(second))[0] == "live"


async def test_the_key_is_asked_for_and_stays_in_the_fragment(camera_browser: Browser, config: Path) -> None:
    key = keys_of(config).make(FEED)
    async with (
        lagebild("serve", "--config", str(config)) as service,
        open_page(camera_browser, f"{service.url}camera/{FEED}", size=(390, 844)) as seen,
    ):
        page = seen.page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.get_by_label("Schlüssel").fill("falsch")
        await page.get_by_role("button", name="Übernehmen").click()
        await page.get_by_role("button", name="Filmen", exact=True).click()
        await until_word(page, "ABGELEHNT", RED)
        await page.get_by_role("button", name="Anderer Schlüssel").click()
        await page.get_by_label("Schlüssel").fill(f" {key} ")
        await page.get_by_role("button", name="Übernehmen").click()
        await until_word(page, "BEREIT")
        await page.reload()  # as phones do with pages in the background
        await page.get_by_role("button", name="Filmen", exact=True).click()
        await until_word(page, "KOMMT AN", GREEN)
        assert not any(key in url.partition("#")[0] for url in asked)
        assert await page.evaluate("() => document.documentElement.scrollWidth") == 390


async def test_what_stands_in_the_way_is_said_in_words(config: Path) -> None:
    """No feed, no permission, no secure page: one by http is none, unless it is localhost's."""
    config.write_text(f'[server]\nnames = ["elw.test"]\n{CONFIG}', encoding="utf-8")
    arguments = ("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    async with (
        chromium(*arguments, "--host-resolver-rules=MAP elw.test 127.0.0.1") as browser,
        lagebild("serve", "--config", str(config)) as service,
    ):
        async with open_page(browser, f"{service.url}camera/nobody") as seen:
            await expect(seen.page.locator(".obstacle")).to_contain_text("„nobody“ gibt es hier nicht")
        async with open_page(browser, f"{service.url}camera/{FEED}#key=k") as seen:
            await seen.page.get_by_role("button", name="Filmen", exact=True).click()
            await until_word(seen.page, "KEINE KAMERA", RED)
            await expect(seen.page.locator(".verdict-figures")).to_contain_text("nicht benutzen")
        by_name = service.url.replace("127.0.0.1", "elw.test")
        async with open_page(browser, f"{by_name}camera/{FEED}#key=k") as seen:
            await expect(seen.page.locator(".obstacle")).to_contain_text("nur über https")
            await expect(seen.page.get_by_role("button", name="Filmen", exact=True)).to_be_hidden()
