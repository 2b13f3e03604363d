"""The measurements: delay with viewers, CPU of a feed, recovery after a publisher was killed."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench import procfs
from tests.bench.figures import cpu_s
from tests.bench.ingest_heard import delay, recovery, written
from tests.bench.ingest_house import IngestHouse, cores, ingest_house
from tests.bench.peers import PeerError
from tests.bench.senders import SenderProcess, complaint_file, sending
from tests.bench.viewers.client import Viewers, viewers_process

VIEWERS = 5
LIVE_WITHIN_S = 12.0
"""A camera that has just come up is called again after 10 s at most."""

QUICK_LIVE_WITHIN_S = 4.0
SETTLE_S = 0.5
LAST_PICTURES_S = 0.3
DOWN_S = 3.0
BACK_WITHIN_S = 20.0

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Crew:
    """A sender per way, loaded and waiting, and the log of what each wrote."""

    senders: Mapping[str, SenderProcess]
    times: Mapping[str, Path]


@asynccontextmanager
async def crew(house: IngestHouse, ways: tuple[str, ...], folder: Path) -> AsyncIterator[Crew]:
    """All senders of a house."""
    async with AsyncExitStack() as stack:
        times = {way: folder / f"{way}.times" for way in ways}
        senders = {
            way: await stack.enter_async_context(sending(way, house.target(way), times[way], cores()[1]))
            for way in ways
        }
        await asyncio.gather(*(sender.ready() for sender in senders.values()))
        yield Crew(senders, times)


async def delays(ways: tuple[str, ...], folder: Path, *, window_s: float, ends_s: float | None) -> Rows:
    """One way after the other, five viewers on each. `ends_s` is the monotonic second by which all must be
    over, whatever that leaves of the windows."""
    rows: Rows = {}
    async with (
        ingest_house(ways) as house,
        crew(house, ways, folder) as senders,
        viewers_process("127.0.0.1", cores()[1]) as viewers,
    ):
        await senders.senders[ways[0]].begin()  # a camera is there before the service calls it
        await house.start(cores()[0])
        for number, way in enumerate(ways):
            turn = Turn(way, window_s, (ends_s - time.monotonic()) / (len(ways) - number) if ends_s else None)
            if number:
                await senders.senders[way].begin()
            rows[way] = await _delay(house, senders, turn, viewers)
            await senders.senders[way].kill()
    return rows


class Turn:
    """A way's turn: it may last `left_s` from now on, if that is bounded."""

    def __init__(self, way: str, window_s: float, left_s: float | None) -> None:
        self.way = way
        self._window_s = window_s
        self._ends_s = None if left_s is None else time.monotonic() + left_s
        self.patience_s = LIVE_WITHIN_S if left_s is None else min(QUICK_LIVE_WITHIN_S, max(1.0, left_s))

    def window_s(self) -> float:
        """What remains of it for measuring."""
        if self._ends_s is None:
            return self._window_s
        return max(1.0, min(self._window_s, self._ends_s - time.monotonic() - LAST_PICTURES_S))


async def _delay(house: IngestHouse, senders: Crew, turn: Turn, viewers: Viewers) -> dict[str, Any]:
    way, times = turn.way, senders.times[turn.way]
    if not await house.until_live(way, turn.patience_s):
        return missing(way, why_not(house, way, times))
    house.watch_page(way)
    try:
        for _ in range(VIEWERS):
            await viewers.join(house)
    except PeerError as error:
        return missing(way, f"no viewers: {error}")
    await asyncio.sleep(SETTLE_S)
    from_ns, before_s = time.monotonic_ns(), procfs.waited_s(house.pid)
    await asyncio.sleep(turn.window_s())
    to_ns, waited_s = time.monotonic_ns(), procfs.waited_s(house.pid) - before_s
    await asyncio.sleep(LAST_PICTURES_S)
    house.heard.read()
    found = delay(written(times), house.heard.source_units(way), from_ns, to_ns)
    say(f"{way}: p50 {found.p50_ms} ms, p99 {found.p99_ms} ms, {found.missing} of {found.sent} missing")
    waited_ms_per_s = round(waited_s / (to_ns - from_ns) * 1e12, 1)
    return {**asdict(found), "waited_ms_per_s": waited_ms_per_s, "why_not": ""}


def missing(way: str, why: str) -> dict[str, Any]:
    """A row of nulls, and why."""
    say(f"{way} was not measured: {why}")
    return {"p50_ms": None, "p99_ms": None, "most_ms": None, "sent": 0, "missing": 0, "why_not": why}


def why_not(house: IngestHouse, way: str, times: Path) -> str:
    """Why nothing came of a sender: what the feed's state and the sender say."""
    complaint = complaint_file(times)
    said = complaint.read_text(encoding="utf-8").strip() if complaint.exists() else ""
    return f"the feed is {house.why_not(way)}" + (f", its sender says: {said}" if said else "")


async def costs(ways: tuple[str, ...], folder: Path, seconds: float) -> Rows:
    """What each feed costs the service while nobody watches, one after the other."""
    rows: Rows = {}
    async with ingest_house(ways) as house, crew(house, ways, folder) as senders:
        await house.start(cores()[0])
        await asyncio.sleep(SETTLE_S)
        idle = await _cpu_ms_per_s(house, seconds)
        for way in ways:
            await senders.senders[way].begin()
            if await house.until_live(way, LIVE_WITHIN_S):
                await asyncio.sleep(SETTLE_S)
                rows[way] = {
                    "cpu_ms_per_s": round(await _cpu_ms_per_s(house, seconds) - idle, 1),
                    "why_not": "",
                }
            else:
                rows[way] = {"cpu_ms_per_s": None, "why_not": why_not(house, way, senders.times[way])}
            await senders.senders[way].kill()
            say(f"{way} costs {rows[way]['cpu_ms_per_s']} ms per s")
    return rows


async def _cpu_ms_per_s(house: IngestHouse, seconds: float) -> float:
    """CPU of the service's own process."""
    before, began_s = cpu_s(house.pid), time.monotonic()
    await asyncio.sleep(seconds)
    return 1000 * (cpu_s(house.pid) - before) / (time.monotonic() - began_s)


async def recoveries(ways: tuple[str, ...], folder: Path) -> Rows:
    """Each publisher is killed, and another one of its kind begins three seconds later."""
    rows: Rows = {}
    async with ingest_house(ways) as house:
        await house.start(cores()[0])
        for way in ways:
            rows[way] = await _recovery(house, way, folder)
            say(f"{way} killed and started again: {rows[way]}")
    return rows


async def _recovery(house: IngestHouse, way: str, folder: Path) -> dict[str, Any]:
    target, core = house.target(way), cores()[1]
    async with (
        sending(way, target, folder / f"{way}-1.times", core) as first,
        sending(way, target, folder / f"{way}-2.times", core) as second,
    ):
        await asyncio.gather(first.ready(), second.ready())
        await first.begin()
        if not await house.until_live(way, LIVE_WITHIN_S):
            return {"why_not": why_not(house, way, folder / f"{way}-1.times")}
        await asyncio.sleep(2.0)
        killed_ns = time.monotonic_ns()
        await first.kill()
        await asyncio.sleep(DOWN_S)
        begun_ns = time.monotonic_ns()
        await second.begin()

        def is_back() -> bool:
            found = recovery(house.heard, way, killed_ns, begun_ns)
            return found.picture_s is not None and found.live_s is not None

        await house.until(is_back, BACK_WITHIN_S)
        return {**asdict(recovery(house.heard, way, killed_ns, begun_ns)), "why_not": ""}


def say(line: str) -> None:
    """What is going on, for whoever waits."""
    print(line, file=sys.stderr, flush=True)
