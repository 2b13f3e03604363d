"""Kills at random moments: what was lost, whether the rest plays, whether the catalogue knows."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from playwright.async_api import Page

from tests.bench.figures import percentile
from tests.prove.recorder_house import FEEDS, Load, Service, flying
from tests.prove.recorder_reading import (
    Last,
    catalogue_faults,
    decoded,
    last_message_ns,
    last_of_each_feed,
    played,
    players,
)

EARLIEST_S, LATEST_S = 0.2, 6.0
"""After the start of the process: some kills come in the middle of starting and repairing."""

KEYFRAME_BY_S = 5.0
"""The service is up and has seen the keyframe of every feed: groups of 2 s, and time to start."""

LOST_MOST_MS = 1000.0
DECODED_OF_EACH = 2
_MS = 1e6


@dataclass(slots=True)
class Found:
    """All kills so far. `lost_ms` is from a feed's last picture that can be played to the kill."""

    kills: int = 0
    early: int = 0  # before the first keyframe of that run: nothing could be recorded
    lost_ms: list[float] = field(default_factory=list)
    lost_messages_ms: list[float] = field(default_factory=list)
    played_ffmpeg: int = 0
    played_chromium: int = 0
    faults: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        return {
            "kills": self.kills,
            "feeds_cut": len(self.lost_ms),
            "feeds_before_first_keyframe": self.early,
            "lost_ms": _spread(self.lost_ms),
            "lost_messages_ms": _spread(self.lost_messages_ms),
            "played_by_ffmpeg": self.played_ffmpeg,
            "played_by_chromium": self.played_chromium,
            "faults": self.faults[:50],
        }


def _spread(values: list[float]) -> dict[str, float | int | None]:
    found = {f"p{share}": percentile(values, share / 100, 0) for share in (50, 95, 99)}
    return {**found, "max": round(max(values)) if values else None, "n": len(values)}


class Killing:
    """One service under load that is killed again and again; each start repairs what the last kill left."""

    def __init__(self, service: Service, page: Page | None, chance: Random) -> None:
        self.service, self.found = service, Found()
        self._page, self._chance = page, chance
        self._before: dict[str, int] = {}  # where each feed ended, before this run

    async def once(self, earliest_s: float = EARLIEST_S, latest_s: float = LATEST_S) -> None:
        await self.service.start()
        await asyncio.sleep(self._chance.uniform(earliest_s, latest_s))
        if not self.service.runs:
            self.found.faults.append(f"it ended by itself: {self.service.tail()}")
        killed_ns = await self.service.kill()
        self.found.kills += 1
        await self._look(killed_ns)

    async def _look(self, killed_ns: int) -> None:
        root, found = self.service.data_dir, self.found
        last = last_of_each_feed(root)
        cut: list[Last] = []
        for feed in FEEDS:
            known = last.get(feed)
            if known is None or known.end_ns <= self._before.get(feed, 0):
                found.early += 1
                if (killed_ns - self.service.began_ns) / 1e9 > KEYFRAME_BY_S:
                    found.faults.append(f"kill {found.kills}: nothing of {feed} was recorded")
                continue
            cut.append(known)
            lost_ms = (killed_ns - known.end_ns) / _MS
            found.lost_ms.append(lost_ms)
            if lost_ms > LOST_MOST_MS:
                found.faults.append(f"kill {found.kills}: {feed} lost {lost_ms:.0f} ms")
        self._before = {feed: known.end_ns for feed, known in last.items()}
        told_ns = last_message_ns(root)
        if told_ns and any(known.feed_id.startswith("a") for known in cut):
            found.lost_messages_ms.append((killed_ns - told_ns) / _MS)
        for known in self._chance.sample(cut, min(DECODED_OF_EACH, len(cut))):
            await self._play(known)

    async def _play(self, known: Last) -> None:
        """Before anything is repaired, as somebody would who takes the disk to another machine."""
        found, where = self.found, f"kill {self.found.kills}: {known.path.name}"
        pictures, complaint = await decoded(known.path)
        if abs(pictures - known.pictures) > 1:  # the picture that was cut may be shown, or not
            found.faults.append(f"{where}: ffmpeg decodes {pictures} of {known.pictures}: {complaint[:200]}")
        else:
            found.played_ffmpeg += 1
        if self._page is None:
            return
        try:
            length_s = await played(self._page, self.service.data_dir, known)
            if length_s < known.length_s - 0.5:
                found.faults.append(f"{where}: Chromium plays {length_s:.2f} of {known.length_s:.2f} s")
            else:
                found.played_chromium += 1
        except Exception as error:
            found.faults.append(f"{where}: Chromium: {type(error).__name__} {str(error)[:200]}")

    async def finish(self) -> None:
        """One more start, which repairs the last kill, and an orderly end; then the catalogue must agree."""
        await self.service.start()
        await asyncio.sleep(KEYFRAME_BY_S)
        await self.service.stop()
        self.found.faults += catalogue_faults(self.service.data_dir)
        for known in last_of_each_feed(self.service.data_dir).values():
            pictures, complaint = await decoded(known.path)
            if pictures != known.pictures or complaint:
                self.found.faults.append(
                    f"at the end: {known.path.name}: {pictures} of {known.pictures}: {complaint[:200]}"
                )


@contextlib.asynccontextmanager
async def killing(seed: int, parent: Path, *, browser: bool) -> AsyncIterator[Killing]:
    """Everything that is needed for it, below `parent`, which has room."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kills-", dir=parent) as folder:
        async with contextlib.AsyncExitStack() as stack:
            load: Load = await stack.enter_async_context(flying())
            service = Service(load, Path(folder))
            service.data_dir.mkdir()
            page = await stack.enter_async_context(players(service.data_dir)) if browser else None
            yield Killing(service, page, Random(seed))
