"""What this process holds: memory, tasks, descriptors; and how long its event loop was ever held up."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Held:
    """`resident_kb` after a collection, with what malloc had kept given back."""

    resident_kb: int
    tasks: int
    descriptors: int


def held() -> Held:
    resident = resident_kb()
    descriptors = len(os.listdir("/proc/self/fd")) - 1  # but for the one that lists them
    return Held(resident, len(asyncio.all_tasks()), descriptors)


def resident_kb() -> int:
    """After a collection, with what malloc had kept given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def slope(values: list[tuple[float, float]]) -> float:
    """Least squares: how much y grows for each x."""
    mean_x = sum(x for x, _ in values) / len(values)
    mean_y = sum(y for _, y in values) / len(values)
    spread = sum((x - mean_x) ** 2 for x, _ in values)
    return sum((x - mean_x) * (y - mean_y) for x, y in values) / spread if spread else 0.0


class Stall:
    """`worst_ms`: the most that this thread computed in one go while its event loop waited.

    CPU time, not time: a busy machine is no defect.
    """

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._excused = False

    def excuse(self) -> None:
        """What holds the loop up until it next turns does not count: it is the proof's own doing."""
        self._excused = True

    async def watch(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            if not self._excused:
                self.worst_ms = max(self.worst_ms, (now - before) * 1000)
            before, self._excused = now, False


@asynccontextmanager
async def stalls() -> AsyncIterator[Stall]:
    stall = Stall()
    task = asyncio.get_running_loop().create_task(stall.watch())
    try:
        yield stall
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
