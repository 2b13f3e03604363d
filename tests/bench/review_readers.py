"""Reviewers without a browser: each asks of the service what the page asks when somebody seeks in it."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

from tests.bench.peers import PeerError
from tests.bench.review_folder import Film
from tests.bench.review_house import ReviewHouse

# As web/dashboard/src/rewind has them: timeline.ts, plan.ts, samples.ts.
INDEX_BEHIND_MS, INDEX_AHEAD_MS = 30_000, 60_000
FIRST_MS, RUN_MS, READY_MS = 700, 3_000, 10_000
SAMPLES_BEHIND_MS, SAMPLES_MS = 1_000, 20_000
_PARTIAL = 206


@dataclass(slots=True)
class Reader:
    """One of them; `took_ms` is from each seek to the last byte of the pictures that it needs first."""

    house: ReviewHouse
    film: Film
    chance: random.Random
    took_ms: list[float] = field(default_factory=list)
    _headers: set[str] = field(default_factory=set)

    async def run(self, pause_s: tuple[float, float]) -> None:
        """Seek and look on for a moment, again and again, until cancelled."""
        while True:
            began_s = time.perf_counter()
            looks_s = self.chance.uniform(*pause_s)
            runs = await self._seek(self.film.moment(self.chance))
            self.took_ms.append((time.perf_counter() - began_s) * 1000)
            for url, first, end in runs:  # what playing would need next
                if time.perf_counter() - began_s < looks_s:
                    await self._bytes(url, first, end)
            await asyncio.sleep(max(0.0, looks_s - (time.perf_counter() - began_s)))

    async def _seek(self, utc_ms: float) -> list[tuple[str, int, int]]:
        """Returns what lies ahead of what is shown first."""
        flight = f"/api/v1/flights/{self.film.id}"
        index = await self.house.get(
            f"{flight}/feeds/{self.film.feed_id}",
            {"from_ms": int(utc_ms) - INDEX_BEHIND_MS, "to_ms": int(utc_ms) + INDEX_AHEAD_MS},
        )
        segment, table = _holding(index, utc_ms)
        url = segment["url"]
        if url not in self._headers:
            await self._bytes(url, 0, segment["init_bytes"])
            self._headers.add(url)
        (first, *ahead) = _runs(table, utc_ms)
        await self._bytes(url, *first)
        span = {
            "from_ms": int(utc_ms) - SAMPLES_BEHIND_MS,
            "to_ms": int(utc_ms) - SAMPLES_BEHIND_MS + SAMPLES_MS,
        }
        await self.house.get(f"{flight}/telemetry.json", span)
        return [(url, *each) for each in ahead]

    async def _bytes(self, url: str, first: int, end: int) -> None:
        wanted = {"Range": f"bytes={first}-{end - 1}"}
        async with self.house.http.get(self.house.base + url, headers=wanted) as reply:
            got = len(await reply.read())
            if reply.status != _PARTIAL or got != end - first:
                raise PeerError(f"{url}: {reply.status}, {got} bytes of {end - first}")


def _holding(index: dict[str, Any], utc_ms: float) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    for segment in index["segments"]:
        if segment["start_ms"] <= utc_ms < segment["end_ms"]:
            return segment, segment["fragments"]
    raise PeerError("the index has no segment of a moment with pictures")


def _runs(table: dict[str, list[Any]], utc_ms: float) -> list[tuple[int, int]]:
    """Bytes: from the keyframe to a little after the moment, then stretches of three seconds."""
    times = table["utc_ms"]
    here = max(n for n, at_ms in enumerate(times) if at_ms <= utc_ms)
    keyframe = max(n for n in range(here + 1) if table["keyframe"][n])
    ends_ms = [utc_ms + FIRST_MS + n * RUN_MS for n in range(1 + READY_MS // RUN_MS)]
    runs, first = [], keyframe
    for end_ms in ends_ms:
        last = max((n for n in range(first, len(times)) if times[n] < end_ms), default=None)
        if last is None:
            break
        runs.append((table["offset"][first], table["offset"][last] + table["size"][last]))
        first = last + 1
    return runs
