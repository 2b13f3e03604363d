"""`make bench-ingest`: from a sender's write to the bus, for every way in, in the service as it ships.

    python -m tests.bench.ingest [--quick]

The service has one core to itself; senders, viewers and this program share the other. Without --quick it
measures, too, what feeds and renditions cost, how publishers come back and what a narrow link does, writes
build/bench/ingest.json and puts the tables into docs/benchmarks.md. The last line printed is one JSON object;
what was not measured is null in it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PlaywrightError

from tests.bench import clip
from tests.bench.figures import surroundings
from tests.bench.ingest_house import WAYS, cores
from tests.bench.ingest_narrow import narrow_links
from tests.bench.ingest_renditions import renditions
from tests.bench.ingest_series import Rows, costs, delays, recoveries, say
from tests.bench.ingest_tables import tables
from tests.bench.peers import PeerError
from tests.bench.report import command
from tests.bench.senders.srt import LATENCY_MS

QUICK_WAYS = ("rtsp-udp", "rtp", "mpegts", "rtmp", "srt", "whip")
QUICK_S = 39.0
"""For all of them; `make` needs some seconds of the 50, too."""
QUICK_WINDOW_S = 5.0
WINDOW_S, CPU_S = 30.0, 10.0

RECORDED = {
    "rtmp": "rtmp",
    "srt": "srt",
    "rtsp": "rtsp-udp",
    "rtp": "rtp",
    "mpegts": "mpegts",
    "whip": "whip",
}


async def full(folder: Path) -> dict[str, Any]:
    """The whole measurement: about a quarter of an hour. A part that breaks leaves the others standing."""
    parts: dict[str, Callable[[], Awaitable[Rows]]] = {
        "ways": lambda: delays(WAYS, folder, window_s=WINDOW_S, ends_s=None),
        "costs": lambda: costs(WAYS, folder, CPU_S),
        "renditions": lambda: renditions(folder, 2 * CPU_S),
        "recoveries": lambda: recoveries(WAYS, folder),
        "narrow": lambda: narrow_links(folder),
    }
    found: dict[str, Any] = {"broken": {}}
    for name, measured in parts.items():
        try:
            found[name] = await measured()
        except (PeerError, RuntimeError, PlaywrightError) as error:
            found[name], found["broken"][name] = {}, str(error)
            say(f"{name}: {error}")
    return found


async def quick(folder: Path, ends_s: float) -> dict[str, Any]:
    """The figures for the record, over at `ends_s` by the monotonic clock."""
    return {"ways": await delays(QUICK_WAYS, folder, window_s=QUICK_WINDOW_S, ends_s=ends_s)}


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """The one line for the record."""
    ways = found["ways"]
    line: dict[str, Any] = {
        f"{name}_{share}_ms": ways.get(way, {}).get(f"{share}_ms")
        for name, way in RECORDED.items()
        for share in ("p50", "p99")
    }
    line["srt_latency_ms"] = found["latency_ms"]
    line["missing"] = sum(row["missing"] for row in ways.values())
    line["not_measured"] = {way: row["why_not"] for way, row in ways.items() if row["why_not"]}
    return line


def measure(is_quick: bool) -> dict[str, Any]:
    began_s = time.monotonic()
    clip.access_units()  # encoded here, once, where it is not yet
    about = {
        "date": time.strftime("%Y-%m-%d"),
        "surroundings": surroundings(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "latency_ms": LATENCY_MS,
    }
    with tempfile.TemporaryDirectory(prefix="lagebild-bench-") as folder:
        os.sched_setaffinity(0, {cores()[1]})
        run = quick(Path(folder), began_s + QUICK_S) if is_quick else full(Path(folder))
        return {**about, **asyncio.run(run)}


if __name__ == "__main__":
    command("ingest", __doc__ or "", measure, tables, summary)
