"""The series of the relay benchmark.

Relays take turns within each, so that a machine whose speed drifts treats all alike; ratios are of one turn.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.feeder import feeding
from tests.bench.peers import Peer, PeerError
from tests.bench.peers.lagebild import LagebildPeer
from tests.bench.peers.place import Place
from tests.bench.relay_joins import Join, figures, join_page
from tests.bench.relay_load import SERVER_CORE, SETTLE_S, VIEWER_CORE, Session, visiting
from tests.bench.traced import TracedLagebild
from tests.bench.turns import Turns, feeding_in_turn
from tests.bench.viewers.client import viewers_process
from tests.browser.harness import chromium

OURS = "lagebild"
NACK_SHARE = 0.01
SATURATED = 0.01
"""Loss above which no more viewers are tried."""
PAUSE_S = 0.3

Row = dict[str, Any]
"""One window: "relay", "round", "note", and what a Load has; or "failed" instead, with the reason."""


async def side_by_side(
    relays: Mapping[str, Peer], place: Place, counts: Sequence[int], rounds: int, window_s: float
) -> list[Row]:
    """Every relay with every number of viewers, without and with NACKs, again and again in turn."""
    rows: list[Row] = []
    for count in counts:
        for number in range(rounds):
            for name, relay in relays.items():
                rows += await _visit(name, relay, place, count, number, window_s, telemetry=True)
            rows += await _visit(OURS, relays[OURS], place, count, number, window_s, telemetry=False)
    return rows


async def _visit(
    name: str, relay: Peer, place: Place, count: int, number: int, window_s: float, *, telemetry: bool
) -> list[Row]:
    about = {"relay": name, "round": number, "note": "" if telemetry else "no telemetry"}
    rows: list[Row] = []
    say(f"{name} with {count} viewers {about['note']}")
    try:
        async with visiting(relay, place) as session:
            await session.grow(count, telemetry=telemetry)
            await asyncio.sleep(SETTLE_S)
            rows.append({**about, **asdict(await session.measure(window_s))})
            if telemetry:
                rows.append({**about, **asdict(await session.measure(window_s, NACK_SHARE))})
    except* PeerError as refused:
        rows.append({**about, "viewers": count, "failed": _reason(refused)})
    return rows


async def capacity(
    relays: Mapping[str, Peer], place: Place, counts: Mapping[str, Sequence[int]], window_s: float
) -> list[Row]:
    """More and more viewers on one relay until it loses packets."""
    rows: list[Row] = []
    for name, steps in counts.items():
        if name not in relays:
            continue
        async with visiting(relays[name], place) as session:
            for count in steps:
                rows.append(await _step(name, session, count, window_s))
                if rows[-1].get("failed") or rows[-1]["loss"] > SATURATED:
                    break
    return rows


async def _step(name: str, session: Session, count: int, window_s: float) -> Row:
    about = {"relay": name, "round": 0, "note": "growing"}
    say(f"{name} with {count} viewers")
    try:
        await session.grow(count, telemetry=True)
    except PeerError as refused:
        return {**about, "viewers": count, "failed": str(refused)}
    await asyncio.sleep(2 * SETTLE_S)
    return {**about, **asdict(await session.measure(window_s))}


async def inside(place: Place, count: int, pace_bps: int, note: str, window_s: float) -> list[Row]:
    """Ours at a fixed pace with a clock inside: "inside_ms" is from the bus to the kernel."""
    with tempfile.TemporaryDirectory() as folder:
        relay = TracedLagebild(place, Path(folder) / "trace", pace_bps=pace_bps)
        rows = await _visit(OURS, relay, place, count, 0, window_s, telemetry=True)
        first = rows[0]
        if "failed" not in first:
            first["inside_ms"] = relay.inside_ms(first["began_ns"], first["began_ns"] + round(window_s * 1e9))
    return [{**row, "note": note} for row in rows]


async def quick_load(relays: Mapping[str, Peer], place: Place, most: int) -> list[Row]:
    """All relays up with 30 viewers each, fed in turn, and ours once with `most`."""
    ours = relays[OURS]
    aircraft = ours.mavlink_target if isinstance(ours, LagebildPeer) else None
    rows: list[Row] = []
    async with AsyncExitStack() as stack:
        times = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "times"
        turns = await stack.enter_async_context(feeding_in_turn(VIEWER_CORE, times, aircraft))
        sessions: dict[str, Session] = {}
        for name, relay in relays.items():
            viewers = await stack.enter_async_context(viewers_process(place.viewer_address, VIEWER_CORE))
            sessions[name] = Session(relay, viewers, times)
        await turns.feed([relay.rtp_target for relay in relays.values()])
        rows += await _joined(sessions, 30)
        for number in range(2):
            for name, session in sessions.items():
                if name != "stock" or number == 0:
                    rows.append(await _turn(turns, name, session, number))
        await turns.feed([ours.rtp_target])
        await sessions[OURS].grow(most, telemetry=True)
        rows.append(await _turn(turns, OURS, sessions[OURS], 0))
    return rows


async def _joined(sessions: dict[str, Session], count: int) -> list[Row]:
    """Join all at the same time; a relay that does not take them leaves `sessions` and is a row."""
    waiting = [session.grow(count, telemetry=True) for session in sessions.values()]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    failed = {name: str(e) for name, e in zip(list(sessions), results, strict=True) if e is not None}
    for name, why in failed.items():
        say(f"{name}: {why}")
        del sessions[name]
    return [
        {"relay": n, "round": 0, "note": "", "viewers": count, "failed": why} for n, why in failed.items()
    ]


async def _turn(turns: Turns, name: str, session: Session, number: int) -> Row:
    await turns.feed([session.relay.rtp_target])
    await asyncio.sleep(PAUSE_S)
    return {"relay": name, "round": number, "note": "", **asdict(await session.measure(2.0))}


async def browser_joins(
    relays: Mapping[str, Peer], counts: Mapping[str, int], group_s: int, watch_s: float
) -> dict[str, Any]:
    """Joins of all relays mixed evenly, at random moments of a group."""
    dice = random.Random(1)
    turns = [name for name, count in counts.items() if name in relays for _ in range(count)]
    order = sorted(turns, key=lambda _: dice.random())
    joins: dict[str, list[Join]] = {name: [] for name in turns}
    targets = [relays[name].rtp_target for name in joins]
    os.sched_setaffinity(0, {SERVER_CORE, VIEWER_CORE})  # the browser inherits it
    async with (
        feeding(targets, VIEWER_CORE, group_s=group_s) as fed,
        chromium() as browser,
        join_page(browser, relays, group_s) as page,
    ):
        await page.join(OURS, fed, 0.0)  # a browser's first join starts its media engine
        for name in order:
            await asyncio.sleep(dice.uniform(0, watch_s / 2))
            joins[name].append(await page.join(name, fed, watch_s))
    os.sched_setaffinity(0, {VIEWER_CORE})
    return {name: figures(found) for name, found in joins.items()}


async def started(stack: AsyncExitStack, relays: Mapping[str, Peer]) -> dict[str, Peer]:
    """Start all at once, until the stack is closed; returns those that did."""
    for relay in relays.values():
        stack.push_async_callback(relay.stop)
    starting = [relay.start(SERVER_CORE) for relay in relays.values()]
    results = await asyncio.gather(*starting, return_exceptions=True)
    failed = {name: e for name, e in zip(relays, results, strict=True) if e is not None}
    for name, why in failed.items():
        say(f"{name} does not start: {why}")
    return {name: relay for name, relay in relays.items() if name not in failed}


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _reason(group: BaseExceptionGroup[PeerError]) -> str:
    failure: BaseException = group
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return str(failure)
