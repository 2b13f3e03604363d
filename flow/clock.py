"""Lagebild time: the wall clock at start plus the monotonic clock since. A clock step changes nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class Clock(Protocol):
    """Time as everything outside `protocol/` gets it; tests inject one that they move by hand."""

    def now_ns(self) -> int:
        """Lagebild time: nanoseconds since the Unix epoch, never stepping back."""
        ...

    async def sleep_until(self, utc_ns: int) -> None:
        """Return at or just after `utc_ns`; at once (but after one turn of the loop) if that is past."""
        ...


class SystemClock:
    """The clock of a running service."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        return self._offset_ns + time.monotonic_ns()

    async def sleep_until(self, utc_ns: int) -> None:
        await asyncio.sleep(max(0.0, (utc_ns - self.now_ns()) / NS_PER_S))
