"""The page of recorded flights in headless Chromium: listed, held with a reason, deleted and documented."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from flow.clock import NS_PER_S
from tests.browser.harness import Watched, lagebild, open_page
from tests.browser.test_pilot_page import sizes
from tests.fakes.recorded_flights import recorded_flight

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

CONFIG = """
[[aircraft]]
id = "fritz"
name = "Multikopter Fritz"
  [[aircraft.feed]]
  id = "fritz-tag"
  name = "Tageslicht"
  source = "rtp://127.0.0.1:0"
"""
REASON, NAME = "Gutachten zur Brandursache", "A. Klein"


def card(page: Watched, flight_id: str) -> Locator:
    return page.page.locator(f'[data-flight="{flight_id}"]')


async def answer(page: Watched, button: str, reason: str = "") -> None:
    """Fill in the question that is open, and go on."""
    question = page.page.get_by_role("dialog")
    if reason:
        await question.get_by_label("Grund").fill(reason)
        await question.get_by_label("Ihr Name").fill(NAME)
    await question.get_by_role("button", name=button, exact=True).click()


async def test_flights_are_held_with_a_reason_and_their_deletion_is_documented(
    browser: Browser, tmp_path: Path
) -> None:
    config, data = tmp_path / "lagebild.toml", tmp_path / "data"
    config.write_text(CONFIG, encoding="utf-8")
    hour_ns = 3600 * NS_PER_S
    newest, older = (recorded_flight(data, started_ns=time.time_ns() - n * hour_ns).id for n in (1, 2))
    async with (
        lagebild("serve", "--config", str(config), data_dir=data) as service,
        open_page(browser, f"{service.url}flights", size=(390, 844)) as page,
    ):
        await expect(page.page.locator("[data-flight]")).to_have_count(2)
        assert await page.page.locator("[data-flight]").first.get_attribute("data-flight") == newest
        await expect(card(page, newest)).to_contain_text("Multikopter Fritz")
        await expect(card(page, newest)).to_contain_text(re.compile(r"Tageslicht: H\.264, .+ohne Lücke"))
        await expect(card(page, newest)).to_contain_text(
            re.compile(r"Wird am \d\d\.\d\d\.\d{4} gelöscht · 60 Tage Einsatz")
        )

        # Without a reason and a name nothing is held.
        await card(page, newest).get_by_role("button", name="Festhalten").click()
        await answer(page, "Festhalten")
        await expect(page.page.get_by_role("dialog")).to_be_visible()
        await answer(page, "Festhalten", REASON)
        await expect(card(page, newest)).to_contain_text(f"Wird nicht gelöscht: {REASON} (festgehalten von")
        await expect(card(page, newest).get_by_role("button", name="Löschen")).to_have_count(0)
        await expect(card(page, newest).get_by_role("button", name="Freigeben")).to_be_focused()

        await page.until("[...document.images].every((one) => one.complete)")  # not in mid-deletion

        # Deleting is asked for twice, the second time by the flight's name; the name is known by now.
        await card(page, older).get_by_role("button", name="Löschen").click()
        question = page.page.get_by_role("dialog")
        await expect(question.get_by_label("Ihr Name")).to_have_value(NAME)
        await answer(page, "Löschen", "Testflug")
        await expect(question).to_contain_text("Multikopter Fritz")
        await expect(question).to_contain_text("endgültig löschen?")
        await expect(question.get_by_role("button", name="Zurück")).to_be_focused()  # not what deletes
        await expect(card(page, older)).to_be_attached()
        await answer(page, "Ja, endgültig löschen")
        await expect(page.page.locator("[data-flight]")).to_have_count(1)
        await page.page.get_by_text("Gelöschte Flüge").click()
        await expect(page.page.locator(".lines li").last).to_contain_text(
            f"von Hand · gelöscht durch {NAME} · Testflug"
        )
        told = await page.page.request.get(f"{service.url}api/v1/deletions")
        (documented,) = (await told.json())["deletions"]
        assert (documented["flight_id"], documented["by"]) == (older, NAME)

        # A new incident takes the flight, and the rule of its kind counts.
        await page.page.get_by_role("button", name="Einsatz oder Übung eröffnen").click()
        await question.get_by_label("Art").select_option(label="Übung")
        await question.get_by_label("Name", exact=True).fill("Herbstübung")
        await answer(page, "Eröffnen")
        await card(page, newest).get_by_role("button", name="Zuordnen").click()
        await question.get_by_role("combobox").select_option(label="Übung Herbstübung")
        await answer(page, "Zuordnen")
        await expect(card(page, newest)).to_contain_text("Übung Herbstübung")
        await card(page, newest).get_by_role("button", name="Freigeben").click()
        await answer(page, "Freigeben")
        await expect(card(page, newest)).to_contain_text("30 Tage Übung")

        assert await page.page.evaluate("() => document.documentElement.scrollWidth") == 390
        assert min(height for _, _, height in await sizes(page)) >= 48
        assert page.complaints == []
        assert page.strangers == []
