"""The pilot page in headless Chromium: a key is made, shown once and scanned, and what arrives is told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import Browser, Locator, expect

from tests.browser.flight import free_udp_port
from tests.browser.harness import Watched, lagebild, open_page
from tests.fakes.encoded import FPS, h264_pictures
from tests.fakes.rtp_camera import RtpCamera
from web.publish_keys import FILE, PublishKeys

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

CONFIG = """
[server]
data_dir = "{folder}/data"
[publish]
rtmp_port = {rtmp}
[[aircraft]]
id = "otto"
name = "Ottmar"
  [[aircraft.feed]]
  id = "otto-tag"
  name = "Tageslicht"
  source = "rtmp"
  [[aircraft.feed]]
  id = "otto-hand"
  name = "Handy"
  source = "whip"
  [[aircraft.feed]]
  id = "otto-roh"
  name = "Bodenstation"
  source = "rtp://127.0.0.1:{video}"
"""
PUSHED, RAW = '[data-feed="otto-tag"]', '[data-feed="otto-roh"]'


async def decoded(image: Locator) -> str:
    """What a QR reader that is not ours sees on the screen. OpenCV's does not find each code at each size."""
    await expect(image).to_be_visible()
    picture = cv2.imdecode(np.frombuffer(await image.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    for scale in (2.0, 3.0, 1.0, 1.5, 4.0):
        for reader in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
            text, _, _ = reader.detectAndDecode(cv2.resize(picture, None, fx=scale, fy=scale))
            if text:
                return text
    return ""


async def sizes(page: Watched) -> list[tuple[str, float, float]]:
    """Every button and link that can be seen, with its size."""
    found: list[list[object]] = await page.page.evaluate(
        """() => [...document.querySelectorAll('button, a')].filter((e) => e.offsetParent).map((e) => {
             const box = e.getBoundingClientRect();
             return [e.textContent || e.title, box.width, box.height];
           })"""
    )
    return [(str(name), float(str(width)), float(str(height))) for name, width, height in found]


async def test_a_key_is_made_scanned_and_never_seen_again(browser: Browser, tmp_path: Path) -> None:
    config = tmp_path / "lagebild.toml"
    rtmp = free_udp_port()
    config.write_text(CONFIG.format(folder=tmp_path, rtmp=rtmp, video=free_udp_port()), encoding="utf-8")
    keys = PublishKeys(tmp_path / "data")
    async with (
        lagebild("serve", "--config", str(config)) as service,
        open_page(browser, f"{service.url}pilot", size=(800, 1280), has_touch=True) as page,
    ):
        card = page.page.locator(PUSHED)
        await expect(card.locator(".verdict-word")).to_have_text("KOMMT NICHT AN")
        await expect(card.locator(".next")).to_contain_text("Schlüssel erzeugen")
        await expect(card.locator(".way-qr")).to_be_hidden()
        await card.get_by_role("button", name="Schlüssel erzeugen").tap()
        await expect(card.locator(".key")).to_be_visible()
        key = await card.locator(".key").inner_text()
        keys.check("otto-tag", key)
        address = f"rtmp://127.0.0.1:{rtmp}/live/otto-tag?key={key}"
        assert await card.locator(".way-address").inner_text() == address
        assert await decoded(card.locator(".way-qr")) == address
        assert min(min(width, height) for _, width, height in await sizes(page)) >= 48

        assert key not in page.page.url
        kept = await page.page.evaluate("() => JSON.stringify([localStorage, sessionStorage, history.state])")
        assert key not in kept
        await card.get_by_role("button", name="Fertig").tap()
        await expect(card.locator(".key")).to_be_hidden()
        assert key not in await page.page.content()
        assert not any(key in line for line in service.lines)
        await page.page.reload()
        await expect(card.locator(".key-count")).to_have_text("1 Schlüssel gilt")
        assert key not in await page.page.content()

        await card.get_by_role("button", name="Schlüssel zurückziehen").tap()
        question = page.page.get_by_role("dialog")
        await expect(question).to_contain_text("Alle Schlüssel von „Tageslicht“ zurückziehen?")
        await question.get_by_role("button", name="Abbrechen").tap()
        assert keys.count("otto-tag") == 1
        await card.get_by_role("button", name="Schlüssel zurückziehen").tap()
        await question.get_by_role("button", name="Schlüssel zurückziehen").tap()
        await expect(card.locator(".key-count")).to_have_text("Noch kein Schlüssel")
        assert keys.count("otto-tag") == 0
        assert page.complaints == []
        assert page.strangers == []


async def test_whip_is_scanned_with_its_key_and_phones_are_led_to_the_camera_page(
    browser: Browser, tmp_path: Path
) -> None:
    config = tmp_path / "lagebild.toml"
    config.write_text(CONFIG.format(folder=tmp_path, rtmp=0, video=free_udp_port()), encoding="utf-8")
    async with (
        lagebild("serve", "--config", str(config)) as service,
        open_page(browser, f"{service.url}pilot", size=(1280, 1600)) as page,
    ):
        card = page.page.locator('[data-feed="otto-hand"]')
        await card.get_by_role("button", name="Handy, Browser").click()
        film = card.get_by_role("link", name="Mit diesem Gerät filmen")
        await expect(film).to_have_attribute("href", "/camera/otto-hand")  # no key yet
        await card.get_by_role("button", name="Schlüssel erzeugen").click()
        await expect(card.locator(".key")).to_be_visible()
        key = await card.locator(".key").inner_text()
        await expect(film).to_have_attribute("href", f"/camera/otto-hand#key={key}")
        assert await decoded(card.locator(".way-qr")) == f"{service.url}camera/otto-hand#key={key}"
        await card.get_by_role("button", name="WHIP").click()
        await expect(card.locator(".way-note")).to_contain_text("QR-Code enthält Adresse und Schlüssel")
        assert await decoded(card.locator(".way-qr")) == f"{service.url}live/otto-hand/whip?key={key}"
        assert not any(key in line for line in service.lines)
        assert page.complaints == []


async def test_keys_that_cannot_be_read_are_not_called_none(browser: Browser, tmp_path: Path) -> None:
    config = tmp_path / "lagebild.toml"
    config.write_text(CONFIG.format(folder=tmp_path, rtmp=0, video=free_udp_port()), encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE).write_text("{")
    async with (
        lagebild("serve", "--config", str(config)) as service,
        open_page(browser, f"{service.url}pilot") as page,
    ):
        card = page.page.locator(PUSHED)
        await expect(card.locator(".key-count")).to_contain_text("kann die Schlüssel nicht lesen")
        await expect(card.get_by_role("button", name="Schlüssel erzeugen")).to_be_hidden()
        await expect(card.locator(".next")).to_contain_text("Betreuer")


async def test_what_arrives_turns_green_by_itself_and_red_again(browser: Browser, tmp_path: Path) -> None:
    config, video = tmp_path / "lagebild.toml", free_udp_port()
    config.write_text(CONFIG.format(folder=tmp_path, rtmp=0, video=video), encoding="utf-8")
    async with (
        lagebild("serve", "--config", str(config)) as service,
        open_page(browser, f"{service.url}pilot", size=(390, 844)) as page,
    ):
        card = page.page.locator(RAW)
        await expect(card.locator(".verdict-word")).to_have_text("KOMMT NICHT AN")
        await expect(card.locator(".next")).to_contain_text("Am Sender die Adresse unten")
        assert await decoded(card.locator(".way-qr")) == f"rtp://127.0.0.1:{video}"
        async with filming(video):
            await expect(card.locator(".verdict-word")).to_have_text("KOMMT AN", timeout=15_000)
            await expect(card.locator(".verdict-figures")).to_contain_text("H.264, 320 × 240", timeout=15_000)
            await expect(card.locator(".verdict-figures")).to_contain_text("kein Verlust")
        await expect(card.locator(".verdict-word")).to_have_text("KOMMT NICHT AN", timeout=15_000)
        await card.locator(".unsecured").click()
        await expect(page.page.get_by_role("dialog")).to_contain_text("braucht keinen Schlüssel")
        await page.page.keyboard.press("Escape")
        width = await page.page.evaluate("() => document.documentElement.scrollWidth")
        assert width == 390
        await service.stop()
        await expect(card.locator(".verdict-word")).to_have_text("UNBEKANNT", timeout=15_000)


async def test_a_way_that_is_off_says_so_and_comes_last(browser: Browser, tmp_path: Path) -> None:
    config = tmp_path / "lagebild.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = CONFIG.format(folder=tmp_path, rtmp=taken.getsockname()[1], video=free_udp_port())
        settings = settings.replace('source = "rtmp"', 'source = "push"')
        config.write_text(settings.replace("[publish]", "[publish]\nsrt_port = 0"), encoding="utf-8")
        async with (
            lagebild("serve", "--config", str(config)) as service,
            open_page(browser, f"{service.url}pilot", size=(390, 844)) as page,
        ):
            card = page.page.locator(PUSHED)
            await expect(card.locator(".way-tab")).to_have_text(["SRT", "WHIP", "Handy, Browser", "RTMP"])
            await expect(card.locator(".reasons")).to_contain_text("Über RTMP geht es gerade nicht.")
            await expect(card.locator(".way-address")).to_contain_text("srt://")
            await card.get_by_role("button", name="RTMP").click()
            await expect(card.locator(".way-note")).to_contain_text("benutzt ein anderes Programm")
            taken.close()
            await expect(card.locator(".way-tab")).to_have_text(
                ["SRT", "RTMP", "WHIP", "Handy, Browser"], timeout=15_000
            )
            await expect(card.locator(".way-address")).to_contain_text("rtmp://")  # it stays chosen
            await expect(card.locator(".reasons")).not_to_contain_text("RTMP")


async def test_the_live_page_marks_what_is_unsecured(browser: Browser, tmp_path: Path) -> None:
    config = tmp_path / "lagebild.toml"
    config.write_text(CONFIG.format(folder=tmp_path, rtmp=0, video=free_udp_port()), encoding="utf-8")
    async with (
        lagebild("serve", "--config", str(config)) as service,
        open_page(browser, f"{service.url}?feed=otto-roh", size=(390, 844)) as page,
    ):
        mark = page.page.locator(".bar .unsecured")
        await mark.click()
        for sentence in ("Bild: Dieser Eingang braucht keinen Schlüssel.", "nur Programme auf dem Server"):
            await expect(page.page.get_by_role("dialog")).to_contain_text(sentence, ignore_case=True)
        await page.page.keyboard.press("Escape")
        await page.page.goto(f"{service.url}?feed=otto-tag")
        await expect(page.page.locator(".bar .badge-word")).to_have_text("KEIN SIGNAL")
        await expect(mark).to_be_hidden()


@contextlib.asynccontextmanager
async def filming(port: int) -> AsyncIterator[None]:
    """Pictures into a raw RTP port, until left."""
    camera = RtpCamera(f"rtp://127.0.0.1:{port}")

    async def film() -> None:
        for picture in itertools.cycle(h264_pictures(60)):
            camera.send(picture)
            await asyncio.sleep(1 / FPS)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(film())
        try:
            yield
        finally:
            task.cancel()
            camera.close()
