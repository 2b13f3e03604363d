"""Who may come in, as people meet it: the first link, the login, an incident's QR code, and the black."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.async_api import APIRequestContext, Browser, Page, expect

from tests.browser.flight import FEED, flying
from tests.browser.harness import RunningLagebild, open_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

PASSWORD = "Drehleiter am Bahnhof"
TABLET = (820, 1180)
LIVE = f"window.lagebild?.feed('{FEED}')?.state === 'live'"


@dataclass(frozen=True, slots=True)
class House:
    """It runs, records, and trusts nobody for sitting at its machine."""

    service: RunningLagebild

    @property
    def first_link(self) -> str:
        return next(
            found.group() for line in self.service.lines if (found := re.search(r"\S+/welcome#\S+", line))
        )


@asynccontextmanager
async def house(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setenv("LAGEBILD_ACCESS_THIS_MACHINE", "false")
    async with flying(folder) as flight, flight.served(data_dir=folder / "data") as service:
        yield House(service)


async def become_administrator(page: Page, house: House) -> None:
    """By the one-time link that stands where the service was started."""
    await page.goto(house.first_link)
    await page.locator("input[name=name]").fill("Otto Chef")
    await page.locator("input[name=username]").fill("chef")
    await page.locator("input[name=new-password]:visible").fill(PASSWORD)
    await page.locator("button[type=submit]:visible").click()
    await page.wait_for_url(re.compile(r"/(admin)?$"))


async def asked(request: APIRequestContext, method: str, url: str, **wish: Any) -> Any:
    reply = await request.fetch(url, method=method, data=wish or None)
    assert reply.ok, await reply.text()
    return await reply.json() if reply.status != 204 else None


async def scanned(page: Page) -> str:
    """What a phone reads that is held up to the page."""
    shot = await page.screenshot()
    image = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return cv2.QRCodeDetector().detectAndDecode(image)[0]


async def test_the_first_link_makes_the_administrator_who_then_logs_in(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch) as h, open_page(browser, h.service.url) as first:
        page = first.page
        assert "/login" in page.url
        await become_administrator(page, h)
        assert "#" not in page.url
        async with open_page(browser, h.first_link) as late:
            await expect(late.page.locator("button[type=submit]:visible")).to_have_count(0)  # it is used up

        await page.context.clear_cookies()
        await page.goto(f"{h.service.url}flights")
        await page.wait_for_url(re.compile(r"/login\?next="))
        await page.locator("input[name=username]:visible").fill("chef")
        await page.locator("input[name=current-password]:visible").fill("falsch und lang genug")
        await page.locator("button[type=submit]:visible").click()
        await expect(page.locator("[role=alert]:visible, .trouble:visible").first).to_contain_text("Passwort")
        await page.locator("input[name=current-password]:visible").fill(PASSWORD)
        await page.locator("button[type=submit]:visible").click()
        await page.wait_for_url(f"{h.service.url}flights")

        await page.goto(f"{h.service.url}admin")
        await expect(page.locator("main, .admin").first).to_contain_text("Otto Chef")
        await page.get_by_text("Protokoll", exact=True).click()
        await expect(page.locator("[data-action=login_failed]").first).to_be_visible()
        assert (await asked(page.context.request, "GET", f"{h.service.url}api/v1/audit/check"))["intact"]


async def test_a_guest_scans_watches_is_seen_and_sees_black_when_the_link_is_taken_back(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch) as h, open_page(browser, h.service.url) as chief:
        await become_administrator(chief.page, h)
        request, api = chief.page.context.request, f"{h.service.url}api/v1/incidents"
        incident = await asked(
            request, "POST", api, kind="einsatz", name="Dachstuhlbrand", by="Chef", aircraft_ids=["otto"]
        )
        link = await asked(request, "POST", f"{api}/{incident['id']}/links", note="ELW 1")
        async with open_page(browser, h.service.url) as poster:  # as dispatch holds it up
            await poster.page.context.add_cookies(await chief.page.context.cookies())  # type: ignore[arg-type]
            await poster.page.goto(f"{api}/{incident['id']}/links/{link['id']}/qr.svg")
            assert await scanned(poster.page) == link["url"]

        async with open_page(browser, link["url"], size=TABLET) as guest:
            await expect(guest.page.locator("body")).to_contain_text("Dachstuhlbrand")
            await guest.page.locator("input:visible").first.fill("ELW 1")
            await guest.page.locator("button[type=submit]:visible").click()
            await guest.until(LIVE, 30)
            assert "/f/" not in guest.page.url
            present = await asked(request, "GET", f"{h.service.url}api/v1/present")
            assert "ELW 1" in [each["name"] for each in present["people"]]

            await asked(request, "DELETE", f"{api}/{incident['id']}/links/{link['id']}")
            await guest.page.wait_for_selector("[data-ended]", timeout=15_000)
            assert await guest.page.locator("video").count() == 0
            await expect(guest.page.locator("[data-ended]")).to_contain_text("Der Zugang wurde beendet.")
        async with open_page(browser, link["url"], size=TABLET) as again:
            await expect(again.page.locator("input:visible")).to_have_count(0)
