"""`make bench-review`: how quickly recordings are found and shown, and what exports of them are worth.

    python -m tests.bench.review [--quick]

Without --quick it measures longer and over 720p at 4 Mbit/s, writes build/bench/review.json and puts the
tables into docs/benchmarks.md. The last line printed is one JSON object; what was not measured is null in it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from tests.bench.figures import surroundings
from tests.bench.peers import BUILD
from tests.bench.report import command
from tests.bench.review_burned import burned
from tests.bench.review_export import Exported, exported
from tests.bench.review_folder import review_folder
from tests.bench.review_house import ReviewHouse, review_house
from tests.bench.review_lists import lists
from tests.bench.review_pages import gaps, playing, web_rendition
from tests.bench.review_seeks import REVIEWERS, reviewing, seeks
from tests.bench.review_tables import tables
from tests.bench.review_tampering import tampering
from tests.browser.harness import chromium

QUICK_WITHIN_S = 46.0
"""What goes on then is broken off in a hurry; ending everything takes some seconds more."""
QUICK_SEARCHES, SEARCHES = 15, 200
QUICK_WINDOW_S, WINDOW_S = 3.0, 60.0
QUICK_PLAYS_S, PLAYS_S = 1.5, 30.0
QUICK_GAPS, GAPS = 3, 40
QUICK_CLIP_S, CLIP_S = 1.5, 20.0
QUICK_FLIPS, FLIPS = 100, 2000
QUICK_FLIPS_A_FILE, FLIPS_A_FILE = 2, 40
RENDITION_SEEKS = 20

Json = dict[str, Any]
Part = Callable[[], Awaitable[Any]]


def measure(is_quick: bool) -> Json:
    """Every part by itself: one that breaks leaves the others standing, and says why."""
    found: Json = {
        "date": time.strftime("%Y-%m-%d"),
        "surroundings": surroundings(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "broken": {},
    }
    parts = _Parts(found)
    try:
        asyncio.run(_measure(is_quick, parts))
    except TimeoutError:
        parts.breaks("what is not here", "no time was left")
    except Exception as error:
        parts.breaks("service or page", f"{type(error).__name__}: {_first_of(error)}")
    return found


class _Parts:
    """Runs parts one after the other and writes what they found, or why not."""

    def __init__(self, found: Json) -> None:
        self._found = found

    async def run(self, name: str, part: Part) -> Any:
        began_s = time.monotonic()
        try:
            result = await part()
        except Exception as error:
            self.breaks(name, f"{type(error).__name__}: {_first_of(error)}")
            return None
        print(f"{name}: {time.monotonic() - began_s:.1f} s", file=sys.stderr)
        self._found[name] = result.record() if isinstance(result, Exported) else result
        return result

    def breaks(self, name: str, why: str) -> None:
        print(f"{name}: {why}", file=sys.stderr)
        self._found["broken"][name] = why


async def _measure(is_quick: bool, parts: _Parts) -> None:
    async with asyncio.timeout(QUICK_WITHIN_S if is_quick else None):
        folder = await asyncio.to_thread(review_folder, is_quick)
        async with review_house(folder) as house, chromium() as browser:
            print(f"service: all known after {house.known_after_s:.1f} s", file=sys.stderr)
            await parts.run("lists", lambda: lists(house, QUICK_SEARCHES if is_quick else SEARCHES))
            await _export(house, is_quick, parts)
            await _pages(house, browser, is_quick, parts)


async def _pages(house: ReviewHouse, browser: Browser, is_quick: bool, parts: _Parts) -> None:
    film = house.folder.long
    window_s, plays_s = (QUICK_WINDOW_S, QUICK_PLAYS_S) if is_quick else (WINDOW_S, PLAYS_S)
    async with reviewing(house, browser, film) as page:
        await parts.run("seeks", lambda: seeks(house, page, window_s))
        await parts.run("playing", lambda: playing(page, film, plays_s))
    await parts.run("gaps", lambda: gaps(house, browser, QUICK_GAPS if is_quick else GAPS))
    if house.folder.hevc:
        await parts.run("web_rendition", lambda: web_rendition(house, browser, RENDITION_SEEKS))


async def _export(house: ReviewHouse, is_quick: bool, parts: _Parts) -> None:
    """One export, and what is in it."""
    with tempfile.TemporaryDirectory(prefix="review-", dir=BUILD) as place:
        package, unpacked = Path(place) / "export.zip", Path(place) / "unpacked"
        seconds = QUICK_CLIP_S if is_quick else CLIP_S
        if await parts.run("export", lambda: exported(house, seconds, package)) is None:
            return
        flips = (QUICK_FLIPS, QUICK_FLIPS_A_FILE) if is_quick else (FLIPS, FLIPS_A_FILE)
        await parts.run("tampering", lambda: asyncio.to_thread(tampering, package, unpacked, *flips))
        every = 3 if is_quick else 1
        await parts.run("burned", lambda: asyncio.to_thread(burned, package, house.folder.long, every))


def _first_of(error: BaseException) -> BaseException:
    """Of a group, the first that is in it."""
    return _first_of(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def summary(found: Json) -> Json:
    """The one line for the record. `seek_p95_ms` is of one reviewer, `sync_p95_ms` the worse of a page that
    stands still and one that plays."""
    reviewers = found.get("seeks", {}).get("reviewers", {})
    one, many = reviewers.get("1", {}), reviewers.get(str(REVIEWERS), {})
    lists_ms, rendition = found.get("lists", {}).get("all", {}), found.get("web_rendition") or {}
    display = found.get("burned", {}).get("place_error_ms", {})
    return {
        "seek_p50_ms": one.get("seek_ms", {}).get("p50"),
        "seek_p95_ms": one.get("seek_ms", {}).get("p95"),
        "seek_10_reviewers_p95_ms": many.get("seek_ms", {}).get("p95"),
        "seek_over_gap_p95_ms": found.get("gaps", {}).get("p95"),
        "list_10000_ms": lists_ms.get("p95"),
        "sync_p95_ms": _worst([*(row.get("sync") for row in (one, many)), found.get("playing")]),
        "burned_sync_p95_ms": display.get("p95"),
        "live_delay_p99_ms_reviewers_0": reviewers.get("0", {}).get("live_delay_ms", {}).get("p99"),
        "live_delay_p99_ms_reviewers_10": many.get("live_delay_ms", {}).get("p99"),
        "web_rendition_first_picture_ms": rendition.get("first_picture_ms"),
        "tampering_tried": sum(found["tampering"]["turned"].values()) if "tampering" in found else None,
        "tampering_missed": found.get("tampering", {}).get("missed"),
        "broken": found["broken"],
    }


def _worst(rows: list[Json | None]) -> float | None:
    known = [row["p95"] for row in rows if row and row.get("p95") is not None]
    return max(known, default=None)


if __name__ == "__main__":
    command("review", __doc__ or "", measure, tables, summary)
