"""`make bench-relay`: Lagebild's relay beside Janus, Pion and stock aiortc, in one run.

    python -m tests.bench.relay [--quick]

The relay under test has one core to itself; the feeder, the viewers and this program share the other. Without
--quick it writes build/bench/relay.json and the tables in docs/benchmarks.md. The last line printed is one
JSON object; what was not measured is null in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.bench import relay_series as series
from tests.bench.figures import surroundings
from tests.bench.peers import MissingPeerError, Peer
from tests.bench.peers.place import LOOPBACK, Place, namespace
from tests.bench.peers.roster import present
from tests.bench.peers.whep import PionPeer
from tests.bench.relay_load import VIEWER_CORE
from tests.bench.relay_tables import PACED, UNPACED, joins_table, load_table, ratio, value
from tests.bench.report import put_table
from tests.bench.traced import UNPACED_BPS

COMPARED = ("lagebild", "janus", "pion", "stock")
PACE_BPS = 6_000_000


async def full(relays: dict[str, Peer], place: Place) -> dict[str, Any]:
    """The whole measurement: about half an hour."""
    compared = {name: relays[name] for name in COMPARED if name in relays}
    loads = await series.side_by_side(compared, place, (1, 10, 30, 100), rounds=3, window_s=6)
    steps = {"lagebild": (100, 200, 300, 400), "janus": (100, 150, 200, 400), "pion": (100, 150, 200, 400)}
    loads += await series.capacity(compared, place, steps, window_s=6)
    loads += await series.inside(place, 100, UNPACED_BPS, UNPACED, window_s=10)
    loads += await series.inside(place, 100, PACE_BPS, PACED, window_s=10)
    async with AsyncExitStack() as stack:
        running = await series.started(stack, relays)
        counts = {"lagebild": 100, "janus": 20, "janus-keyframe": 20, "pion": 20, "stock": 20}
        joins = await series.browser_joins(running, counts, group_s=2, watch_s=2.2)
    async with AsyncExitStack() as stack:
        running = await series.started(stack, {"lagebild": relays["lagebild"]})
        long = await series.browser_joins(running, {"lagebild": 20}, group_s=10, watch_s=3.2)
    return {"loads": loads, "joins": joins, "joins_10s": long}


async def quick(relays: dict[str, Peer], place: Place) -> dict[str, Any]:
    """The figures for the record, in under 50 s."""
    compared = {name: relays[name] for name in COMPARED if name in relays}
    async with AsyncExitStack() as stack:
        running = await series.started(stack, compared)
        loads = await series.quick_load(running, place, most=100)
        joins = await series.browser_joins(running, {"lagebild": 4, "janus": 1}, group_s=2, watch_s=1.3)
    return {"loads": loads, "joins": joins, "joins_10s": {}}


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """The one line for the record. The ratios are at 30 viewers, cost, loss and delay at 100."""
    loads, ours = found["loads"], found["joins"].get("lagebild", {})
    janus = found["joins"].get("janus", {})
    lags = [side.get("lag_ms", {}).get("p50") for side in (ours, janus)]
    delay = value(loads, "lagebild", 100, "delay_ms")
    return {
        "ratio_janus": ratio(loads, "janus", 30),
        "ratio_pion": ratio(loads, "pion", 30),
        "ratio_stock": ratio(loads, "stock", 30),
        "pion": found.get("surroundings", {}).get("pion"),
        "cpu_ms_per_viewer_s": value(loads, "lagebild", 100, "cpu_ms_per_viewer_s"),
        "viewers": 100 if value(loads, "lagebild", 100, "loss") is not None else None,
        "loss": value(loads, "lagebild", 100, "loss"),
        "added_p99_ms": delay["p99"] if delay else None,
        "first_frame_p95_ms": ours.get("first_ms", {}).get("p95"),
        "live_p95_ms": ours.get("live_ms", {}).get("p95"),
        "lag_ratio_janus": round(lags[0] / lags[1], 3) if lags[0] and lags[1] else None,
    }


async def measure(*, is_quick: bool) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        try:
            place = await stack.enter_async_context(namespace())
        except MissingPeerError as error:
            place = LOOPBACK
            series.say(str(error))
        relays, missing = present(place)
        for name, why in missing.items():
            series.say(f"{name} is left out: {why}")
        found = await (quick if is_quick else full)(relays, place)
        about = surroundings() | {r.name: r.version for r in relays.values() if isinstance(r, PionPeer)}
    return {"date": time.strftime("%Y-%m-%d"), "surroundings": about, "missing": missing, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="under 50 s")
    is_quick = parser.parse_args().quick
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("the relay benchmark needs two cores: one for the relay, one for its viewers")
    os.sched_setaffinity(0, {VIEWER_CORE})
    found = asyncio.run(measure(is_quick=is_quick))
    if not is_quick:
        Path("build/bench").mkdir(parents=True, exist_ok=True)
        Path("build/bench/relay.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        put_table("relay", f"{load_table(found)}\n\n{joins_table(found)}")
    print(json.dumps(found, indent=2), file=sys.stderr)
    print(json.dumps(summary(found)))


if __name__ == "__main__":
    main()
