"""From taking back a link to the black on the screen of who watches by it, in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import cv2
import numpy as np
from playwright.async_api import Browser, Page

from tests.bench.access_house import AccessHouse
from tests.bench.figures import percentile
from tests.bench.peers.place import LOOPBACK
from tests.bench.relay_load import fed

PAGES = 3
"""At once; each is a guest with a link of his own."""
PLAYS_WITHIN_S, BLACK_WITHIN_S = 20.0, 10.0
_DARK = 24.0
"""Mean of a channel, of 255: the picture of the clip is far above, the page's black below."""

# Whatever way the page takes: nothing of a picture is left in the document, and that has been painted.
_WATCH = """() => {
  const shows = () => [...document.querySelectorAll("video, canvas")].some((each) =>
    each.offsetWidth > 0 && (each.tagName !== "VIDEO" || (each.videoWidth > 0 && each.srcObject)));
  window.__black = null;
  const look = setInterval(() => {
    if (shows()) return;
    clearInterval(look);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      window.__black = performance.timeOrigin + performance.now();
    }));
  }, 4);
}"""
_PLAYS = """() => [...document.querySelectorAll("video")].some((each) =>
  each.videoWidth > 0 && each.getVideoPlaybackQuality().totalVideoFrames > 5)"""

Json = dict[str, Any]


async def revocations(house: AccessHouse, browser: Browser, rounds: int) -> Json:
    """So many rounds of PAGES guests, one after the other revoked."""
    times_ms: list[float] = []
    lit: list[float] = []
    async with fed(house.peer, LOOPBACK):
        for _ in range(rounds):
            async with _watching(house, browser) as pages:
                for link, page in pages:
                    lit.append(await _light(page))
                    times_ms.append(await _revoked(house, link, page))
    return {
        "p50": percentile(times_ms, 0.5),
        "p95": percentile(times_ms, 0.95),
        "max": percentile(times_ms, 1.0),
        "n": len(times_ms),
        "not_black_before": min(lit, default=None),
    }


@contextlib.asynccontextmanager
async def _watching(house: AccessHouse, browser: Browser) -> AsyncIterator[list[tuple[str, Page]]]:
    """PAGES guests, each on a device of his own, who see moving pictures."""
    async with contextlib.AsyncExitStack() as stack:
        pages = [await _guest(house, browser, stack, number) for number in range(PAGES)]
        for _, page in pages:
            await page.wait_for_function(_PLAYS, timeout=PLAYS_WITHIN_S * 1000, polling=50)
        yield pages


async def _guest(
    house: AccessHouse, browser: Browser, stack: contextlib.AsyncExitStack, number: int
) -> tuple[str, Page]:
    links = f"/api/v1/incidents/{house.incident_id}/links"
    link = await house.told("POST", links, json={"note": f"ELW {number}"})
    context = await browser.new_context(viewport={"width": 800, "height": 600})
    stack.push_async_callback(context.close)
    token = str(link["url"]).rpartition("/f/")[2]
    entered = await context.request.post(
        f"{house.peer.base}/api/v1/enter", data={"token": token, "name": f"Gast {number}"}
    )
    assert entered.status == 204, await entered.text()
    page = await context.new_page()
    await page.goto(house.peer.base)
    return str(link["id"]), page


async def _revoked(house: AccessHouse, link: str, page: Page) -> float:
    """Milliseconds to the black."""
    await page.evaluate(_WATCH)
    began_ms = time.time() * 1000
    await house.told("DELETE", f"/api/v1/incidents/{house.incident_id}/links/{link}")
    await page.wait_for_function("() => window.__black", timeout=BLACK_WITHIN_S * 1000, polling=20)
    black_ms = float(await page.evaluate("() => window.__black"))
    light = await _light(page)
    if light > _DARK:
        raise RuntimeError(f"the page says it is black, and is not: {light:.0f} of 255")
    return black_ms - began_ms


async def _light(page: Page) -> float:
    """How bright the middle of the window is."""
    shot = await page.screenshot(clip={"x": 200, "y": 80, "width": 400, "height": 120})
    image = await asyncio.to_thread(cv2.imdecode, np.frombuffer(shot, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return float(np.mean(image))
