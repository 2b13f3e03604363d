"""The page of an incident's effect in headless Chromium: figures, charts, table, CSV, paper."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from flow.clock import NS_PER_S
from flow.flights import IncidentKind
from recordings.folders import incidents_folder, viewings_folder
from recordings.incidents import IncidentFile, write_incident
from recordings.viewing import AGE_EDGES_MS, Viewing
from recordings.viewing_files import append_viewing
from tests.browser.harness import lagebild, open_page
from tests.browser.test_review_axe import check
from tests.fakes.recorded_flights import recorded_flight

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.timeout(120),
]

SIZES = ((1280, 800), (820, 1180), (390, 844))
INCIDENT = "20261122t064640z-dachstuhlbrand"


def watched(data: Path) -> None:
    """A flight of two seconds an hour ago, in an incident, and two who watched it; one saw a picture."""
    flight = recorded_flight(data, started_ns=time.time_ns() - 3600 * NS_PER_S)
    begun_ns = flight.file.started_ns
    for folder in (incidents_folder(data), viewings_folder(data)):
        folder.mkdir()
    write_incident(data, IncidentFile(
        INCIDENT, IncidentKind.EINSATZ, "Dachstuhlbrand", begun_ns, begun_ns, begun_ns + 60 * NS_PER_S,
        flight_ids=(flight.id,),
    ))  # fmt: skip
    none = (0.0,) * (len(AGE_EDGES_MS) + 1)
    append_viewing(
        data, Viewing("a", "fritz-tag", begun_ns, begun_ns + NS_PER_S, 64.0, (0.9, 0.1, *none[2:]))
    )
    append_viewing(data, Viewing("b", "fritz-tag", begun_ns, begun_ns + 2 * NS_PER_S, None, none, 2, 1500.0))


async def test_the_effect_of_an_incident_is_shown_saved_and_printed(browser: Browser, tmp_path: Path) -> None:
    data = tmp_path / "data"
    watched(data)
    async with (
        lagebild("serve", data_dir=data) as service,
        open_page(browser, f"{service.url}incidents/{INCIDENT}", size=(390, 844)) as page,
    ):
        figures = page.page.locator(".figure")
        await expect(figures).to_have_count(4)
        await expect(figures.nth(0)).to_contain_text("64 ms")
        await expect(figures.nth(0)).to_contain_text("ohne Bild geblieben: 1")
        await expect(figures.nth(1)).to_contain_text("gleichzeitig höchstens: 2")
        await expect(figures.nth(2)).to_contain_text("95 % der Zeit höchstens 200 ms")
        await expect(figures.nth(3)).to_contain_text("zusammen 1,5 s")
        await expect(page.page.locator(".bars").nth(1).locator("li").first).to_contain_text("90 %")
        await expect(page.page.locator("tbody tr")).to_contain_text(["Multikopter Fritz · Tageslicht"])
        for width, height in SIZES:
            await page.page.set_viewport_size({"width": width, "height": height})
            assert await page.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        await check(page, "/incidents/{id}")

        async with page.page.expect_download() as saving:
            await page.page.get_by_role("link", name="Tabelle (CSV)").click()
        saved = tmp_path / "effect.csv"
        await (await saving.value).save_as(saved)
        lines = list(csv.DictReader(saved.read_text(encoding="utf-8").splitlines()))
        assert [line["first_picture_ms"] for line in lines] == ["64.0", ""]

        await page.page.emulate_media(media="print")
        await expect(page.page.get_by_role("button", name="Drucken")).to_be_hidden()
        tall = (
            "document.querySelector('.effect').clientHeight >= document.querySelector('.effect').scrollHeight"
        )
        assert await page.page.evaluate(tall)  # all of it is on the paper
        assert page.complaints == []
