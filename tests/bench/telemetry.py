"""`make bench-telemetry`: where a picture's points are on the ground, how well telemetry fits the picture,
and what a message costs.

    python -m tests.bench.telemetry [--quick]

Without --quick it measures longer, makes the table of the recorded flights, writes build/bench/telemetry.json
and puts the tables into docs/benchmarks.md. The last line printed is one JSON object; what was not measured
is null in it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.figures import p50_p95, surroundings
from tests.bench.report import command
from tests.bench.telemetry_ground import measure_klv, measure_simulator
from tests.bench.telemetry_load import load
from tests.bench.telemetry_logs import logs_of
from tests.bench.telemetry_sync import watch_wrong_clocks
from tests.bench.telemetry_tables import tables

KLV = "klv/cheyenne_2012_st0601.klv"
QUICK_POSES, POSES = 1000, 4000
QUICK_TURNS, TURNS = 2, 9
WINDOW_S = 2.0
QUICK_SYNC_S, SYNC_S = 4.0, 30.0

Json = dict[str, Any]


def measure(is_quick: bool) -> Json:
    """Every part by itself: one that breaks leaves the others standing, and says why."""
    feeds = os.environ.get("LAGEBILD_FEEDS")
    parts: dict[str, Callable[[], Any]] = {
        "load": lambda: asyncio.run(load(QUICK_TURNS if is_quick else TURNS, WINDOW_S)),
        "ground": lambda: measure_simulator(QUICK_POSES if is_quick else POSES),
        "sync": lambda: sync(QUICK_SYNC_S if is_quick else SYNC_S),
    }
    if feeds:
        parts["klv"] = lambda: measure_klv(Path(feeds) / KLV)
    if feeds and not is_quick:
        parts["logs"] = lambda: [
            asdict(log) | {"clock_speed": log.clock_speed} for log in logs_of(Path(feeds))
        ]
    found: Json = {
        "date": time.strftime("%Y-%m-%d"),
        "surroundings": surroundings(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "broken": {},
    }
    for name, part in parts.items():
        try:
            found[name] = part()
        except Exception as error:
            found["broken"][name] = f"{type(error).__name__}: {error}"
            print(f"{name}: {error}", file=sys.stderr)
    return found


def sync(watch_s: float) -> Json:
    """Telemetry against the picture under it; `untold`: by how much pictures are older than the page says."""
    watched = asyncio.run(watch_wrong_clocks(watch_s))
    return {**p50_p95(watched.sync_errors_ms()), "untold": p50_p95(watched.untold_ms())}


def summary(found: Json) -> Json:
    """The one line for the record."""
    ground, cost = found.get("ground", {}), found.get("load", {})
    return {
        "ground_error_p95_m": ground.get("ground_error_p95_m"),
        "ground_error_clean_p95_at_100_m": ground.get("clean_p95_at_100_m"),
        "ellipse_coverage": ground.get("ellipse_coverage"),
        "sync_p95_ms": found.get("sync", {}).get("p95"),
        "cpu_ms_per_1000_messages": cost.get("cpu_ms_per_1000_messages"),
        "ratio_mavutil": cost.get("ratio_mavutil"),
        "room_ratio_mavutil": cost.get("room_ratio_mavutil"),
        "texts_lost": cost["texts_sent"] - cost["texts_told"] if "texts_sent" in cost else None,
        "klv_centre_median_m": found.get("klv", {}).get("centre", {}).get("median_m"),
        "broken": found["broken"],
    }


if __name__ == "__main__":
    command("telemetry", __doc__ or "", measure, tables, summary)
