"""What is done to a picture, why, and what it costs: as viewers and pilots read it in headless Chromium."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.harness import lagebild, open_page
from tests.fakes.clips import Clips

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

CONFIG = """
[server]
data_dir = "{folder}/data"
{encode}
[[aircraft]]
id = "otto"
name = "Ottmar"
  [[aircraft.feed]]
  id = "otto-tag"
  source = "file:{video}"
  loop = true
"""
DONE = re.compile(r"^Umgewandelt: ohne B-Bilder, \+\d+ ms, (unter )?\d+,\d Kerne$")
WITHIN_MS = 30_000


def configured(folder: Path, encode: str = "") -> str:
    config, video = folder / "lagebild.toml", Clips(folder).make("h264 with B-frames", "mp4")
    config.write_text(CONFIG.format(folder=folder, video=video, encode=encode), encoding="utf-8")
    return str(config)


async def test_viewers_and_pilots_read_what_is_done(browser: Browser, tmp_path: Path) -> None:
    async with (
        lagebild("serve", "--config", configured(tmp_path)) as service,
        open_page(browser, f"{service.url}?feed=otto-tag") as live,
        open_page(browser, f"{service.url}pilot", size=(390, 844)) as pilot,
    ):
        quality = live.page.locator(".bar .quality")
        await expect(quality.locator("option:disabled")).to_have_text(DONE, timeout=WITHIN_MS)
        await expect(quality.locator(".quality-made")).to_be_visible()
        await live.page.set_viewport_size({"width": 390, "height": 844})
        await expect(quality.locator(".quality-made")).to_be_hidden()  # there it is in the list alone
        card = pilot.page.locator('[data-feed="otto-tag"]')
        await expect(card.locator(".reasons p").first).to_have_text(
            re.compile(DONE.pattern[:-1] + r"\.$"), timeout=WITHIN_MS
        )
        await expect(card.locator(".next")).to_contain_text(
            "Besser: B-Bilder: Encoder auf „zerolatency“ stellen"
        )
        assert live.complaints == pilot.complaints == []


async def test_an_encoder_that_does_not_exist_is_named(browser: Browser, tmp_path: Path) -> None:
    config = configured(tmp_path, '[encode]\nencoder = "h264_nowhere"')
    async with (
        lagebild("serve", "--config", config) as service,
        open_page(browser, f"{service.url}?feed=otto-tag") as live,
        open_page(browser, f"{service.url}pilot") as pilot,
    ):
        said = "Der eingestellte Encoder ist auf diesem Server nicht vorhanden"
        await expect(live.page.locator(".notice-why")).to_contain_text(said, timeout=WITHIN_MS)
        await expect(pilot.page.locator(".reasons")).to_contain_text(said, timeout=WITHIN_MS)
