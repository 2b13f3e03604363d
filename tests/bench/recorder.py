"""`make bench-recorder`: what a kill loses, whether recordings are what was sent, and what recording costs.

    python -m tests.bench.recorder [--quick]

Without --quick it measures longer, records every real clip and an accelerated hour, writes
build/bench/recorder.json and puts the tables into docs/benchmarks.md. The last line printed is one JSON
object; what was not measured is null in it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.figures import surroundings
from tests.bench.peers import BUILD
from tests.bench.recorder_exact import hour, real_clips
from tests.bench.recorder_load import load
from tests.bench.recorder_tables import tables
from tests.bench.report import command
from tests.prove.recorder_kills import killing

QUICK_KILLS, KILLS = 2, 20
QUICK_EARLIEST_S, QUICK_LATEST_S = 4.0, 5.0
QUICK_TURNS, TURNS = 2, 9
QUICK_WINDOW_S, WINDOW_S = 1.5, 6.0
QUICK_SIMULATED_S, SIMULATED_S = 300, 3600
VIEWERS = 10
SEED = 6

Json = dict[str, Any]


def measure(is_quick: bool) -> Json:
    """Every part by itself: one that breaks leaves the others standing, and says why."""
    feeds = os.environ.get("LAGEBILD_FEEDS")
    turns, window_s = (QUICK_TURNS, QUICK_WINDOW_S) if is_quick else (TURNS, WINDOW_S)
    parts: dict[str, Callable[[], Any]] = {
        "load": lambda: asyncio.run(load(turns, window_s, VIEWERS)),
        "exact": lambda: asyncio.run(hour(QUICK_SIMULATED_S if is_quick else SIMULATED_S, BUILD)),
        "kills": lambda: asyncio.run(kills(is_quick)),
    }
    if feeds and not is_quick:
        parts["clips"] = lambda: asyncio.run(real_clips(Path(feeds), BUILD))
    found: Json = {
        "date": time.strftime("%Y-%m-%d"),
        "surroundings": surroundings(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "broken": {},
    }
    for name, part in parts.items():
        try:
            began_s = time.monotonic()
            found[name] = part()
            print(f"{name}: {time.monotonic() - began_s:.0f} s", file=sys.stderr)
        except Exception as error:
            found["broken"][name] = f"{type(error).__name__}: {error}"
            print(f"{name}: {error}", file=sys.stderr)
    return found


async def kills(is_quick: bool) -> Json:
    """The short form of `make prove-recorder`; in a hurry every kill comes when recording is under way."""
    async with killing(SEED, BUILD, browser=not is_quick) as one:
        for _ in range(QUICK_KILLS if is_quick else KILLS):
            await (one.once(QUICK_EARLIEST_S, QUICK_LATEST_S) if is_quick else one.once())
        if not is_quick:
            await one.finish()
        return one.found.record()


def summary(found: Json) -> Json:
    """The one line for the record."""
    killed, cost = found.get("kills", {}), found.get("load", {})
    exact = [part["byte_exact"] for part in (found.get("exact"), *found.get("clips", [])) if part]
    return {
        "kills": killed.get("kills"),
        "lost_max_ms": killed.get("lost_ms", {}).get("max"),
        "byte_exact": all(exact) if exact else None,
        "cpu_s_per_feed_s": cost.get("cpu_s_per_feed_s"),
        "written_per_video_byte": cost.get("written_per_video_byte"),
        "relay_delay_p50_ms_off": cost.get("delay_ms_off", {}).get("p50"),
        "relay_delay_p50_ms_on": cost.get("delay_ms_on", {}).get("p50"),
        "relay_delay_p99_ms_off": cost.get("delay_ms_off", {}).get("p99"),
        "relay_delay_p99_ms_on": cost.get("delay_ms_on", {}).get("p99"),
        "faults": len(killed["faults"]) if "faults" in killed else None,
        "broken": found["broken"],
    }


if __name__ == "__main__":
    command("recorder", __doc__ or "", measure, tables, summary)
