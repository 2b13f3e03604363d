"""A clock that a test moves by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools

START_NS = 1_795_330_000_000_000_000  # 2026-11-22, a fixed moment so that tests are deterministic


class FakeClock:
    """A flow.clock.Clock that stands still until `advance()`; due sleepers wake in order of their time."""

    def __init__(self, start_ns: int = START_NS) -> None:
        self._now_ns = start_ns
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, ns: int) -> None:
        """Move on by `ns` and wake everybody who is due; they run when the loop turns."""
        self._now_ns += ns
        while self._sleepers and self._sleepers[0][0] <= self._now_ns:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    @property
    def next_wake_ns(self) -> int | None:
        """When the first sleeper is due, or None if nobody sleeps."""
        waiting = [utc_ns for utc_ns, _, future in self._sleepers if not future.done()]
        return min(waiting, default=None)

    async def sleep_until(self, utc_ns: int) -> None:
        if utc_ns <= self._now_ns:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (utc_ns, next(self._order), future))
        await future
