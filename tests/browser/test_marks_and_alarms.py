"""What all viewers see at once: a mark that one of them sets in the picture, and the aircraft's alarms."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.flight import Flight, flying
from tests.browser.harness import lagebild, open_page
from tests.fakes.aircraft import FakeAircraft

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

DAY = "fritz-tag"
DAY_SIZE = (1280, 720)
ONE_FEED = f"/?feed={DAY}"
STAMPS = """
window.__seen = {};
addEventListener('submit', () => { window.__set = Date.now(); }, true);
new MutationObserver(() => document.querySelectorAll('.mark-symbol').forEach((mark) => {
  window.__seen[mark.dataset.mark] ??= Date.now();
})).observe(document, { childList: true, subtree: true });
"""
"""When this page set a mark, and when it came to see each; both pages have the machine's clock."""
WORD_SEEN = ".alarm-lines .alarm-text"


async def test_a_mark_set_in_one_page_stands_in_the_other_at_its_true_place(
    browser: Browser, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    async with lagebild("demo", "--", "--truth", str(truth)) as service:
        url = service.url.partition("?")[0].rstrip("/") + ONE_FEED
        async with (
            open_page(browser, url, size=(820, 600), scripts=[STAMPS]) as one,
            open_page(browser, url, size=(390, 600), scripts=[STAMPS]) as other,
        ):
            await one.until(f"window.lagebild?.feed('{DAY}')?.state === 'live'", 60)
            await other.until("document.querySelector('.maplibregl-canvas')", 30)
            waited_ms: list[float] = []
            for share in (0.45, 0.55):
                asked, mark = await set_mark(one.page, share, "Müller")
                entry = other.page.locator(f'.mark-symbol[data-mark="{mark["id"]}"]')
                await expect(entry).to_contain_text("Gefahr", timeout=10_000)
                seen_ms = await other.page.evaluate("(id) => window.__seen[id]", mark["id"])
                waited_ms.append(seen_ms - await one.page.evaluate("window.__set"))
            assert 0 < min(waited_ms) < 1000  # the machine may be busy, but not always
            assert mark["by"] == "Müller"
            await expect(one.page.locator(".mark-symbol")).to_have_count(2)
            await remove_first(other.page)
            await expect(one.page.locator(".mark-symbol")).to_have_count(1, timeout=10_000)
            await a_second_picture_leaves_a_way_to_the_map(other.page)
            assert one.complaints == other.complaints == []
    away_m, bearing_deg = offset(true_place(truth, asked, mark["utc_ms"]), mark)
    assert away_m <= radius_m(mark["error"], bearing_deg)
    assert away_m < 2.0  # its sensors are without error here


async def set_mark(page: Page, share: float, by: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Mark the middle, so far down the picture; returns what was asked, and the mark."""
    stage = await page.locator(".pane.main .stage").bounding_box()
    assert stage is not None
    height = stage["width"] * DAY_SIZE[1] / DAY_SIZE[0]
    black = (stage["height"] - height) / 2
    if black > 4:
        await page.mouse.click(stage["x"] + 50, stage["y"] + black / 2)
        await expect(page.locator(".mark-sheet")).to_be_hidden()
    async with page.expect_request(lambda request: request.url.endswith("/ground")) as pointing:
        await page.mouse.click(stage["x"] + stage["width"] / 2, stage["y"] + black + share * height)
    asked: dict[str, Any] = json.loads((await pointing.value).post_data or "")
    await expect(page.locator(".cross")).to_be_visible()
    await expect(page.locator(".sheet-place")).to_have_text(re.compile(r"^32U [A-Z]{2} \d{4} \d{4}$"))
    await expect(page.locator(".cross")).to_be_hidden()  # the picture has moved on below it
    await page.locator(".sheet-choice", has_text="Gefahr").click()
    await page.locator(".sheet-input").nth(1).fill(by)
    async with page.expect_response(lambda reply: "/markers" in reply.url) as answered:
        await page.locator(".sheet-set").click()
    reply = await answered.value
    assert reply.status == 201
    assert asked["y"] == pytest.approx(share, abs=0.01)
    mark: dict[str, Any] = await reply.json()
    return asked, mark


async def a_second_picture_leaves_a_way_to_the_map(page: Page) -> None:
    """On a phone held upright there is room for both pictures, or for the map."""
    await page.locator(".feed-second").last.click()
    await expect(page.locator(".map-area")).to_be_hidden()
    await expect(page.locator(".map-elsewhere")).to_contain_text("⇅")
    await page.locator(".action-flip").click()
    await expect(page.locator(".marks-button")).to_be_visible()
    await expect(page.locator(".map-elsewhere")).to_be_hidden()


async def remove_first(page: Page) -> None:
    await page.locator(".marks-button").click()
    removal = page.locator(".mark-remove").first
    await removal.click()
    await expect(removal).to_have_text("Sicher?")
    await removal.click()


def true_place(file: Path, pixel: dict[str, Any], utc_ms: float) -> dict[str, float]:
    """Where the demo's camera saw that pixel: its ground is flat, and its camera rolls with nothing."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()[:-1]]
    row = min((r for r in rows if r["feed"] == "day"), key=lambda r: abs(r["utc_ms"] - utc_ms))
    (focal, _, cx), (_, _, cy), _ = row["k"]
    right, down = (pixel["x"] * DAY_SIZE[0] - 0.5 - cx) / focal, (pixel["y"] * DAY_SIZE[1] - 0.5 - cy) / focal
    yaw, pitch = math.radians(row["gimbal_yaw_deg"]), math.radians(row["gimbal_pitch_deg"])
    ahead = math.cos(pitch) + down * math.sin(pitch)
    reach = row["height_m"] / (down * math.cos(pitch) - math.sin(pitch))
    north = reach * (ahead * math.cos(yaw) - right * math.sin(yaw))
    east = reach * (ahead * math.sin(yaw) + right * math.cos(yaw))
    lat = row["lat_deg"]
    lon_m = 111_320 * math.cos(math.radians(lat))
    return {"lat_deg": lat + north / 111_230, "lon_deg": row["lon_deg"] + east / lon_m}


def offset(true: dict[str, float], mark: dict[str, Any]) -> tuple[float, float]:
    """How far the mark is from there, and in which direction."""
    north = (mark["lat_deg"] - true["lat_deg"]) * 111_230
    east = (mark["lon_deg"] - true["lon_deg"]) * 111_320 * math.cos(math.radians(true["lat_deg"]))
    return math.hypot(north, east), math.degrees(math.atan2(east, north))


def radius_m(error: dict[str, float], bearing_deg: float) -> float:
    """Of the ellipse in that direction."""
    turn = math.radians(bearing_deg - error["bearing_deg"])
    return 1 / math.hypot(math.cos(turn) / error["semi_major_m"], math.sin(turn) / error["semi_minor_m"])


async def test_alarms_stand_on_every_page_until_they_are_over(browser: Browser, tmp_path: Path) -> None:
    async with flying(tmp_path) as flight, flight.served() as service:
        async with open_page(browser, service.url, size=(820, 600)) as page:
            await page.until("window.lagebild?.serverMs()", 30)  # it hears the service
            say(flight, "Radio Failsafe", "GPS Glitch")
            flight.says.append(partial(FakeAircraft.text, text="Throttle armed"))  # hides no warning
            words = page.page.locator(WORD_SEEN)
            await expect(words).to_have_count(2, timeout=30_000)
            await expect(page.page.locator(".alarm-more")).to_have_text("+1", timeout=15_000)
            await expect(words.first).to_have_text("Akku unter 20 %")
            assert not await covers(page.page, ".alarm-lines", ".bar .badge, .pane.main .stage")
            await expect(page.page.locator(".map-text")).to_contain_text("GPS-Position springt")
            async with open_page(browser, service.url, size=(390, 600), locale="en-GB") as late:
                await expect(late.page.locator(WORD_SEEN)).to_have_count(2, timeout=15_000)
                say(flight, "Radio Failsafe Cleared", "GPS Glitch cleared")
                for each in (page.page, late.page):
                    # an alarm that is over stands for 5 s more: it may come back
                    await expect(each.locator(WORD_SEEN)).to_have_text(["Akku unter 20 %"], timeout=30_000)
            await page.page.reload()
            await expect(words).to_have_text(["Akku unter 20 %"], timeout=15_000)
            await page.page.locator(".alarm-lines").click()
            await expect(page.page.locator("dialog.alarm-all")).to_contain_text("Ottmar")


def say(flight: Flight, *texts: str) -> None:
    flight.says.append(partial(FakeAircraft.system_status, percent=15))
    flight.says += [partial(FakeAircraft.text, text=text, severity=4) for text in texts]


async def covers(page: Page, above: str, below: str) -> bool:
    overlap: bool = await page.evaluate(
        """([above, below]) => {
          const box = (element) => element.getBoundingClientRect();
          const a = box(document.querySelector(above));
          return [...document.querySelectorAll(below)].map(box).some((b) =>
            a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1);
        }""",
        [above, below],
    )
    return overlap
