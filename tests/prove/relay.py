"""`make prove-relay`: what the relay stands, in independent receivers and under attack; 15 minutes at most.

Writes build/prove/relay.json, prints one line for each proof, and ends with 1 if one failed. A proof that
this machine cannot make is left out, with the reason. Needs the packages of scripts/apt-test for all.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

from tests.fakes import netns
from tests.fakes.lossy_link import Conditions

from .churn import joins_and_leaves, silent_viewers
from .crowd import changes
from .hostile import rain
from .loss import HALF_ROUND_TRIP_MS, asked_of, both_ways, under_conditions, watched
from .names import names, taken_away
from .pictures import judged, worse
from .programs import RELAYS, VIEWERS, Program, missing_viewer

Record: TypeAlias = dict[str, Any]

WATCH_S = 20.0
BAD_WATCH_S = 18.0
INPUTS = 1_000_000
RAIN_WITHIN_S = 240.0
SEED = 3
PART_WITHIN_S = 270.0
ALL_WITHIN_S = 870.0
BAD_LINKS = {
    "reordered": Conditions(delay_ms=HALF_ROUND_TRIP_MS, reorder=0.1, reorder_ms=15),
    "jitter of 30 ms": Conditions(delay_ms=HALF_ROUND_TRIP_MS, jitter_ms=30),
    "a tenth twice": Conditions(delay_ms=HALF_ROUND_TRIP_MS, duplicate=0.1),
    "a fiftieth truncated": Conditions(delay_ms=HALF_ROUND_TRIP_MS, truncate=0.02),
    "3 Mbit/s, 48 KB": Conditions(delay_ms=HALF_ROUND_TRIP_MS, rate_bps=3_000_000, queue_bytes=48_000),
    "all of it": both_ways(
        0.02, jitter_ms=10, reorder=0.02, duplicate=0.02, truncate=0.01, rate_bps=6_000_000
    ),
}


async def loss() -> Record:
    """Random loss both ways, 40 ms round trip: Lagebild beside stock aiortc, at the same time."""
    runs = []
    for viewer in _viewers():
        for share in (0.0, 0.05, 0.10):
            conditions = both_ways(share)
            pair = (under_conditions(relay, viewer, conditions, WATCH_S, SEED) for relay in RELAYS)
            ours, stock = ({"loss": share, **record} for record in await asyncio.gather(*pair))
            ours["worse_than_stock"] = worse(ours, stock)
            runs += [judged(ours), stock]
    return _runs(runs)


async def bad_links() -> Record:
    """Reordering, jitter, duplicates, truncation, a narrow link: each in every receiver."""
    runs = []
    for what, conditions in BAD_LINKS.items():
        together = (
            under_conditions("lagebild", viewer, conditions, BAD_WATCH_S, SEED) for viewer in _viewers()
        )
        runs += [judged({"link_is": what, **record}) for record in await asyncio.gather(*together)]
    return _runs(runs)


async def kernel_drops() -> Record:
    """nftables drops between two network namespaces, no proxy: the kernel's own sockets and offload."""
    reason = netns.why_not()
    if reason:
        return {"left_out": reason, "ok": True}
    runs, drops = [], []
    async with netns.cable() as cable:
        for percent in (5, 10):
            await cable.drop(percent)
            async with Program((*RELAYS["lagebild"], netns.NEAR), cable.near) as relay:
                for viewer in _viewers():
                    seen = await watched(asked_of(relay), viewer, BAD_WATCH_S, None, cable.far, [netns.FAR])
                    runs.append(judged({"drop_percent": percent, "viewer": viewer, **seen.record()}))
            sides = zip(("near", "far"), await cable.dropped(), strict=True)
            drops += [{"drop_percent": percent, "side": side, **lost._asdict()} for side, lost in sides]
    record = _runs(runs)
    dropped = all(lost_as_asked(d["lost"], d["came"], d["drop_percent"] / 100) for d in drops)
    return {**record, "dropped": drops, "ok": record["ok"] and dropped}


async def hostile() -> Record:
    return await rain(INPUTS, SEED, RAIN_WITHIN_S)


async def names_gone() -> Record:
    return await asyncio.to_thread(names, taken_away())


async def joins() -> Record:
    return await joins_and_leaves(1000)


PROOFS: dict[str, Callable[[], Awaitable[Record]]] = {
    "private names gone": names_gone,
    "1,000 joins and leaves": joins,
    "viewers that never answer, or fall silent": silent_viewers,
    "50 watch a feed that changes and stops": changes,
    "hostile datagrams": hostile,
    "reordering and other bad links": bad_links,
    "kernel drops between namespaces": kernel_drops,
    "random loss beside stock aiortc": loss,
}


async def prove(wanted: list[str]) -> Record:
    """Every proof whose name contains one of `wanted` (all, if none is); a failure is a record too."""
    until = time.monotonic() + ALL_WITHIN_S
    records: Record = {}
    for name, proof in PROOFS.items():
        if wanted and not any(word in name for word in wanted):
            continue
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(PART_WITHIN_S, until - began)):
                records[name] = await proof()
        except Exception as error:
            records[name] = {"ok": False, "failed": f"{type(error).__name__}: {error}"}
        took_s = time.monotonic() - began
        print(f"{_verdict(records[name]):9} {name} ({took_s:.0f} s)", flush=True)
        if not records[name]["ok"]:
            print(json.dumps(records[name], default=str), file=sys.stderr, flush=True)
    return records


def _verdict(record: Record) -> str:
    if not record["ok"]:
        return "FAILED"
    return "left out" if "runs" not in record and "left_out" in record else "proved"


def lost_as_asked(lost: int, came: int, share: float) -> bool:
    """Whether any were lost, and about as many as should be: within five standard deviations."""
    return lost > 0 and abs(lost - came * share) <= 5 * math.sqrt(came * share * (1 - share))


def _runs(runs: list[Record]) -> Record:
    """A record of runs: one fault in one of them is a failure."""
    wrong = any(run.get("faults") or run.get("worse_than_stock") for run in runs)
    return {"runs": runs, "ok": bool(runs) and not wrong, **_left_out()}


def _viewers() -> list[str]:
    return [name for name in VIEWERS if missing_viewer(name) is None]


def _left_out() -> Record:
    reasons = {name: reason for name in VIEWERS if (reason := missing_viewer(name))}
    return {"left_out": reasons} if reasons else {}


def main() -> None:
    records = asyncio.run(prove(sys.argv[1:]))
    folder = Path("build/prove")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(records, indent=2, default=str)
    (folder / "relay.json").write_text(text + "\n", encoding="utf-8")
    failed = [name for name, record in records.items() if not record["ok"]]
    print(json.dumps({"proofs": len(records), "failed": failed}))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
