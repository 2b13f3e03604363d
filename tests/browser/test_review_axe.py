"""The pages of what was recorded: axe-core finds nothing in both languages, bright and dark; and what is
beside the pictures of a review does what it says."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from flow.clock import NS_PER_S
from flow.flights import Aircraft, Alarm, Feed, Marker
from flow.samples import Group, TelemetrySample
from tests.browser.harness import Watched, lagebild, open_page
from tests.fakes.recorded_flights import FlightMaker

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.timeout(120),
]

AXE = Path(__file__).parents[2] / "web/dashboard/node_modules/axe-core/axe.min.js"
TARGET_PX = 44.0
FEEDS = (
    Feed("fritz-tag", "fritz", "Tageslicht", hfov_deg=60.0),
    Feed("fritz-waerme", "fritz", "Wärmebild"),  # nothing tells what it sees of the ground
)
CONFIG = """
[[aircraft]]
id = "fritz"
name = "Multikopter Fritz"
  [[aircraft.feed]]
  id = "fritz-tag"
  name = "Tageslicht"
  source = "rtp://127.0.0.1:0"
"""
VIOLATIONS = """async () => (await axe.run({resultTypes: ['violations']})).violations.map(
  ({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 200))])"""
SMALL = """least => [...document.querySelectorAll(
    '#app > :not(dialog) :is(button, a, select, summary, input)')]
  .filter((one) => one.offsetParent && !one.readOnly && !one.matches('.maplibregl-map *'))
  .map((one) => (one.closest('label.check') ?? one).getBoundingClientRect())
  .filter(({width, height}) => width > 1 && (width < least || height < least)).length"""


def flown(root: Path) -> str:
    """A flight with two cameras, a gap, telemetry, a mark and an alarm."""
    flight = FlightMaker(
        root, Aircraft("fritz", "Multikopter Fritz", FEEDS), time.time_ns() - 3600 * NS_PER_S
    )
    for feed in FEEDS:
        flight.film(feed.id, 2)
    flight.film("fritz-tag", 2, gap_s=3.0)
    started_ns = flight.file.started_ns
    flight.sample(*(_sample(started_ns + tenth * NS_PER_S // 10, tenth) for tenth in range(70)))
    flight.tell(
        Marker("m", "fritz", started_ns + NS_PER_S, 49.4431, 7.7726, "Brandherd Ostseite", "Klein, ELW 1"),
        Alarm("a", "fritz", started_ns + 5 * NS_PER_S, "battery_percent", {"limit": "20"}),
    )
    return flight.end(7.0)


def _sample(utc_ns: int, tenth: int) -> TelemetrySample:
    return TelemetrySample(
        "fritz", utc_ns,
        lat_deg=49.4431 + tenth * 1e-6, lon_deg=7.7726, alt_home_m=80.0 + tenth, ground_speed_ms=3.0,
        roll_deg=0.0,
        pitch_deg=0.0,
        gimbal_pitch_deg=-90.0,
        gimbal_yaw_deg=90.0,
        yaw_deg=90.0, battery_pct=80.0, fix="3d",
        received_ns=dict.fromkeys(Group, utc_ns),
    )  # fmt: skip


async def check(page: Watched, where: str) -> None:
    """Raises AssertionError: axe-core found something in some language and theme, or what is tapped is too
    small for gloves."""
    await page.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    for theme in ("Hell / dunkel", "Bright / dark"):
        for _ in range(2):
            found: list[Any] = await page.page.evaluate(VIOLATIONS)
            assert found == [], f"{where}, before '{theme}'"
            await page.page.get_by_role("button", name=theme).click()
        await (
            page.page.get_by_role("button", name="Deutsch / Englisch")
            .or_(page.page.get_by_role("button", name="German / English"))
            .click()
        )
    assert await page.page.evaluate(SMALL, TARGET_PX) == 0, f"{where}: a target is smaller than a glove"


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def recorded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    """The address of a service that has a flight, and that flight's id."""
    folder = tmp_path_factory.mktemp("review")
    config, data = folder / "lagebild.toml", folder / "data"
    config.write_text(CONFIG, encoding="utf-8")
    flight_id = flown(data)
    async with lagebild("serve", "--config", str(config), data_dir=data) as service:
        yield service.url, flight_id


async def test_axe_finds_nothing_on_the_pages_of_recordings(
    browser: Browser, recorded: tuple[str, str]
) -> None:
    url, flight_id = recorded
    async with open_page(browser, f"{url}flights") as page:
        await expect(page.page.locator("[data-flight]")).to_have_count(1)
        await check(page, "/flights")

        await page.page.goto(f"{url}flights/{flight_id}")
        await expect(page.page.locator(".happening")).to_have_count(2)
        await expect(page.page.locator(".line-gap")).to_have_count(1)
        await check(page, "/flights/{id}")
        for opened in ("Notiz", "Exportieren …"):
            await page.page.get_by_role("button", name=opened, exact=True).click()
            await expect(page.page.get_by_role("dialog")).to_be_visible()
            found: list[Any] = await page.page.evaluate(VIOLATIONS)
            assert found == [], opened
            await page.page.get_by_role("dialog").get_by_role("button", name="Abbrechen").click()

        incident_id = await incident_of(page, url, flight_id)
        await page.page.goto(f"{url}incidents/{incident_id}")
        await expect(page.page.get_by_text("Dachstuhlbrand").first).to_be_visible()
        await check(page, "/incidents/{id}")
        assert page.complaints == []
        assert page.strangers == []


async def incident_of(page: Watched, url: str, flight_id: str) -> str:
    """Open one that the flight belongs to."""
    request = page.page.request
    what = {"kind": "einsatz", "name": "Dachstuhlbrand", "aircraft_ids": [], "by": "Meier"}
    incident_id = str((await (await request.post(f"{url}api/v1/incidents", data=what)).json())["id"])
    await request.patch(f"{url}api/v1/incidents/{incident_id}", data={"add_flight_ids": [flight_id]})
    return incident_id


async def test_a_stretch_is_selected_noted_and_exported(browser: Browser, recorded: tuple[str, str]) -> None:
    url, flight_id = recorded
    async with open_page(browser, f"{url}flights/{flight_id}") as page:
        dialog = page.page.get_by_role("dialog")
        happenings = page.page.locator(".happening")
        mark = happenings.filter(has_text="Brandherd Ostseite · Klein, ELW 1")
        clock = page.page.locator(".line-clock")
        await mark.locator(".happening-jump").click()
        await expect(clock).to_have_text(await mark.locator("time").inner_text())
        await expect(mark).to_have_attribute("aria-current", "true")

        # The spot beside the aircraft was filmed by the one camera that tells what it sees.
        await expect(page.page.locator(".aircraft-symbol")).to_be_attached()
        box = await page.page.locator(".maplibregl-canvas").bounding_box()
        assert box is not None
        await page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 20)
        await expect(page.page.locator(".spots-answer")).to_contain_text("im Bild")
        await expect(page.page.locator(".spots-jump").first).to_contain_text("Tageslicht")
        await expect(page.page.locator(".line-spot").first).to_be_attached()
        await page.page.get_by_role("button", name="Stelle vergessen").click()
        await expect(page.page.locator(".line-spot")).to_have_count(0)

        # A note is at the shown moment; it can be changed, and taken back.
        await page.page.keyboard.press("n")
        await dialog.get_by_label("Notiz", exact=True).fill("Rauch dichter")
        await dialog.get_by_label("Ihr Name").fill("A. Klein")
        await dialog.get_by_role("button", name="Speichern").click()
        note = happenings.filter(has_text="Rauch dichter · A. Klein")
        await expect(note.locator("time")).to_have_text(await clock.inner_text())
        await note.get_by_role("button", name="ändern").click()
        await dialog.get_by_label("Notiz", exact=True).fill("Dampf")
        await dialog.get_by_role("button", name="Speichern").click()
        await happenings.filter(has_text="Dampf").get_by_role("button", name="löschen").click()
        await dialog.get_by_role("button", name="Löschen").click()
        await expect(happenings).to_have_count(2)

        # From here to the alarm, as a table: ready after a moment, and it can be fetched.
        await page.page.keyboard.press("i")
        await page.page.locator('.happening[data-kind="alarm"] .happening-jump').click()
        await expect(page.page.locator('.happening[data-kind="alarm"]')).to_have_attribute(
            "aria-current", "true"
        )
        await page.page.keyboard.press("o")
        await expect(page.page.locator(".line-selected")).to_contain_text("4 s")
        await page.page.get_by_role("button", name="Exportieren …").click()
        for part in ("clip", "report", "gpx"):
            await dialog.locator(f'input[value="{part}"]').uncheck()
        await dialog.get_by_role("button", name="Export erstellen").click()
        export = page.page.locator(".export")
        await expect(export).to_contain_text("Fertig")
        fetched = await page.page.request.head(
            url.rstrip("/") + str(await export.get_by_role("link").get_attribute("href"))
        )
        assert fetched.headers["content-type"] == "application/zip"
        assert page.complaints == []
