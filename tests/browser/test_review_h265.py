"""A flight in H.265, which this browser cannot decode, is reviewed all the same: as H.264, piece by piece."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser

from flow.clock import NS_PER_MS, NS_PER_S
from recordings.flight_file import encoded, read_flight, replace_file
from recordings.folders import FLIGHT_FILE
from tests.browser.harness import lagebild, open_page
from tests.fakes.clock import START_NS
from tests.unit.recordings.clips import FEED, stamped
from tests.unit.recordings.flown import flight

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(60)]

SECONDS = 6
START_MS = START_NS / NS_PER_MS
REVIEW = "window.lagebildReview"
SHOWN = f"window.__probe.frames.findLast(f => f.feed === '{FEED}' && f.strip)"


def in_h265(root: Path) -> str:
    units = stamped("libx265", 25 * SECONDS, 25, "bframes=3:b-adapt=0", width=640)
    folder = flight(root, {FEED: units})
    ended = msgspec.structs.replace(read_flight(folder), ended_ns=START_NS + SECONDS * NS_PER_S)
    replace_file(folder / FLIGHT_FILE, encoded(ended))
    return folder.name


async def test_h265_is_shown_at_its_moment(browser: Browser, tmp_path: Path) -> None:
    flight_id = in_h265(tmp_path)
    async with (
        lagebild("serve", data_dir=tmp_path) as service,
        open_page(browser, f"{service.url}flights/{flight_id}?t={START_MS + 1010:.0f}") as page,
    ):
        for at_ms in (1000, 4520):
            await page.page.evaluate(f"{REVIEW}?.seek({START_MS + at_ms + 10})")
            await page.until(
                f"{REVIEW} && !{REVIEW}.seeking && {SHOWN}?.strip.captureMs === {START_MS + at_ms:.0f}",
                60,  # what browsers can show is made by a process that gives way to all others
            )
            moment_ms = float(await page.page.evaluate(f"{REVIEW}.momentMs"))
            assert moment_ms - START_MS == pytest.approx(at_ms, abs=1.0)
        assert not page.strangers
