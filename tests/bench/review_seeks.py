"""Seeks in Chromium over a flight of two hours: from the call to the picture of that moment on the screen.

That it is the picture of that moment is read from the strip in the picture itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser

from tests.bench.figures import percentile
from tests.bench.relay_load import Load, Session
from tests.bench.review_folder import Film
from tests.bench.review_house import ReviewHouse
from tests.bench.review_readers import Reader
from tests.browser.harness import Watched, open_page

SEED = 7
REVIEWERS = 10
VIEWERS = 10
EXACT_MS = 1.0
"""The strip has whole milliseconds."""
LOOKS_S = (0.1, 0.5)
"""So long a reviewer looks before the next seek: no person is as quick."""
WITHIN_MS = 4_000
SHOWN = "window.lagebildReview && !window.lagebildReview.seeking"

_SEEK = """
([utcMs, wantedMs, clipMs, pictureMs, withinMs]) => new Promise((done) => {
  const { frames, nowMs } = window.__probe;
  const isIt = ({ strip }) => {
    const after = strip && (((wantedMs - strip.captureMs) % clipMs) + clipMs) % clipMs;
    return strip && (after < pictureMs || after > clipMs - 1.5);
  };
  frames.splice(0);
  const began = nowMs();
  window.lagebildReview.seek(utcMs);
  const look = () => {
    const frame = frames.find(isIt);
    const { seeking, knowsSample, sample, lastSeekMs } = window.lagebildReview;
    const tookMs = nowMs() - began;
    if (!(frame && !seeking && sample) && tookMs < withinMs) return setTimeout(look, 4);
    done({
      seekMs: frame ? frame.shownMs - began : null,
      stripMs: frame?.strip.captureMs ?? null,
      sample: seeking ? null : sample,
      lastSeekMs,
    });
  };
  look();
})
"""


@dataclass(slots=True)
class Reviewed:
    """What the browser showed. `unseen`: seeks of whose picture the browser did not tell; how long the page
    itself thinks that they took is in `unseen_ms`."""

    seek_ms: list[float] = field(default_factory=list)
    unseen_ms: list[float | None] = field(default_factory=list)
    sync_ms: list[float] = field(default_factory=list)
    no_sample: int = 0

    def seeks(self) -> dict[str, Any]:
        return {**spread(self.seek_ms), "unseen": len(self.unseen_ms), "unseen_ms": self.unseen_ms[:20]}


def spread(values: list[float]) -> dict[str, float | int | None]:
    names = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {name: percentile(values, share) for name, share in names.items()} | {"n": len(values)}


async def seeking(page: Watched, film: Film, chance: random.Random, found: Reviewed) -> None:
    """Anywhere in the flight, again and again, until cancelled; the page stands still between."""
    while True:
        await seek(page, film, film.moment(chance), found)
        await asyncio.sleep(chance.uniform(*LOOKS_S))


async def seek(page: Watched, film: Film, utc_ms: float, found: Reviewed) -> None:
    """To one moment."""
    wanted_ms = (utc_ms - film.started_ms) % film.clip_ms
    asked = [utc_ms, wanted_ms, film.clip_ms, 1000 / film.fps + EXACT_MS, WITHIN_MS]
    told = await page.page.evaluate(_SEEK, asked)
    if told["seekMs"] is None:
        found.unseen_ms.append(told["lastSeekMs"])
        return
    found.seek_ms.append(told["seekMs"])
    if told["sample"] is None or told["sample"]["yaw_deg"] is None:
        found.no_sample += 1
    else:
        found.sync_ms.append(sync_ms(film, told["sample"], told["stripMs"]))


def sync_ms(film: Film, sample: dict[str, Any], strip_ms: float) -> float:
    """By how much the heading that is drawn is of another moment than the picture under it."""
    circle = film.circle
    return abs(circle.apart_ms(circle.strip_of_yaw(sample["yaw_deg"]), strip_ms))


@contextlib.asynccontextmanager
async def reviewing(house: ReviewHouse, browser: Browser, film: Film) -> AsyncIterator[Watched]:
    """The page of a flight, its first picture on the screen."""
    async with open_page(browser, f"{house.base}/flights/{film.id}") as page:
        await page.until(SHOWN, 30)
        yield page


async def seeks(house: ReviewHouse, page: Watched, window_s: float) -> dict[str, Any]:
    """With nobody reviewing, with one, and with ten of whom nine have no browser; ten watch live all the
    while."""
    film, chance = house.folder.long, random.Random(SEED)
    rows: dict[str, Any] = {}
    async with house.live(VIEWERS) as session:
        await seek(page, film, film.moment(chance), Reviewed())  # warms up
        rows["0"] = _live(await session.measure(window_s), None)
        for reviewers in (1, REVIEWERS):
            found = Reviewed()
            readers = [Reader(house, film, random.Random(n)) for n in range(1, reviewers)]
            load = await _measured(session, window_s, page, film, chance, found, readers)
            rows[str(reviewers)] = _live(load, found) | {
                "readers": spread([ms for reader in readers for ms in reader.took_ms]) if readers else None
            }
    return {
        "hours": film.length_s / 3600,
        "pictures": house.folder.pictures,
        "viewers": VIEWERS,
        "window_s": window_s,
        "reviewers": rows,
        "complaints": page.complaints[:5],
    }


async def _measured(
    session: Session,
    window_s: float,
    page: Watched,
    film: Film,
    chance: random.Random,
    found: Reviewed,
    readers: list[Reader],
) -> Load:
    """A window in which all of them review. Raises what fails one of them."""
    async with asyncio.TaskGroup() as tasks:
        own = [tasks.create_task(seeking(page, film, chance, found))]
        own += [tasks.create_task(reader.run(LOOKS_S)) for reader in readers]
        load = await session.measure(window_s)
        for task in own:
            task.cancel()
    return load


def _live(load: Load, found: Reviewed | None) -> dict[str, Any]:
    """What the window cost, and what those who watch live had of it."""
    return {
        "seek_ms": found.seeks() if found else None,
        "live_delay_ms": {name: load.delay_ms[name] for name in ("p50", "p99")},
        "live_loss": load.loss,
        "cpu_s_per_s": round(load.cpu_ms_per_viewer_s * load.viewers / 1000, 3),
        "sync": {**spread(found.sync_ms), "no_sample": found.no_sample} if found else None,
    }
