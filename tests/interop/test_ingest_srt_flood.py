"""One who publishes by SRT without measure harms no other: the same is shown for RTMP and RTSP in
test_ingest_bad_publishers.py."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

from tests.prove.resources import held, stalls

from .ingest_rig import FFMPEG_9, Rig, publishing
from .test_ingest_bad_publishers import GROWTH_KB
from .test_ingest_publishers import PICTURES
from .test_ingest_srt import check_whole, clip, ffmpeg, folder, port, server, url

__all__ = ["clip", "folder"]

ROOT = Path(__file__).resolve().parents[2]
MBIT_S, SECONDS = 200, 2
PATIENT = "&latency=1500000"  # µs: what a busy machine loses of so many packets can be sent again in time


def flood(at: int, feed_id: str) -> list[str]:
    module = [sys.executable, "-m", "tests.fakes.srt_flood"]
    return [
        "env",
        "-C",
        str(ROOT),
        *module,
        str(at),
        f"publish:{feed_id}:k-{feed_id}",
        str(MBIT_S),
        str(SECONDS),
    ]


class Arrivals:
    """How much this thread computed until each picture of a feed came. Not the time: a busy machine is no
    defect, and what it holds up comes all at once."""

    def __init__(self, rig: Rig, feed_id: str) -> None:
        self._rig, self._feed_id = rig, feed_id
        self._at_s: list[float] = []

    async def note(self) -> None:
        while True:
            new = len(self._rig.units(self._feed_id)) - len(self._at_s)
            self._at_s += [time.thread_time()] * new
            await asyncio.sleep(0.005)

    def worst_ms(self) -> float:
        """The most between two that follow each other."""
        return max(1000 * (after - before) for before, after in pairwise(self._at_s))


@asynccontextmanager
async def noting(rig: Rig, feed_id: str) -> AsyncIterator[Arrivals]:
    arrivals = Arrivals(rig, feed_id)
    task = asyncio.ensure_future(arrivals.note())
    try:
        yield arrivals
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_flood_by_srt_costs_the_other_publisher_nothing(
    clip: str, record_property: Callable[[str, object], None]
) -> None:
    """How long our own computing kept the other waiting is recorded, not judged."""
    async with server("flut", "gesund") as rig:
        at, before = port(rig, "flut"), held()
        async with (
            publishing(*ffmpeg(FFMPEG_9, clip, url(at, "gesund", PATIENT))),
            noting(rig, "gesund") as arrivals,
        ):
            await rig.until_pictures("gesund", 10)
            async with stalls() as stall, publishing(*flood(at, "flut")) as flooding:
                await rig.until_pictures("flut", 3)
                began = len(rig.units("gesund"))
                await rig.until(lambda: flooding.returncode is not None, "the end of the flood")
            assert flooding.returncode == 0
            during = len(rig.units("gesund")) - began
            await rig.until_pictures("gesund", began + during + PICTURES)
        assert during > SECONDS * 30 / 2
        check_whole(rig.units("gesund"))
        state = rig.state("gesund")
        assert (state.damaged, state.lost_packets, state.restarts) == (0, 0, 0)
        record_property("worst_wait_ms", round(arrivals.worst_ms()))
        record_property("worst_stall_ms", round(stall.worst_ms))
        assert sum(len(unit.data) for unit in rig.units("flut")) > 10_000_000
        assert held().resident_kb - before.resident_kb < GROWTH_KB
