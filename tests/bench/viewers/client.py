"""Speaks to the viewers' process (tests/bench/relay_receivers.py)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Collection
from typing import Any

from tests.bench.peers import Peer, PeerError

LINE_LIMIT = 64 << 20


class Viewers:
    """Viewers in a process of their own; made by `viewers_process()`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    @property
    def pid(self) -> int:
        return self._process.pid

    async def join(self, relay: Peer) -> int:
        """One viewer more; returns its number once media flows. Raises PeerError where it does not."""
        if relay.offers:
            number = await self._join_by_answer(relay)
        else:
            offered = await self._ask("offer")
            number = offered["viewer"]
            joined = await relay.join(offered["sdp"])
            await self._ask("accept", viewer=number, sdp=joined.sdp)
        await self._ask("joined", viewer=number)
        return number

    async def _join_by_answer(self, relay: Peer) -> int:
        number = -1

        async def answer_to(offer_sdp: str) -> str:
            nonlocal number
            answered = await self._ask("answer", sdp=offer_sdp)
            number = answered["viewer"]
            return str(answered["sdp"])

        await relay.join_reversed(answer_to)
        return number

    async def listen(self, viewer: int, url: str) -> None:
        """Open the page's WebSocket for that viewer too."""
        await self._ask("listen", viewer=viewer, url=url)

    async def mark(self, nack_share: float = 0.0, sampled: Collection[int] = ()) -> None:
        """Count from now on; viewers in `sampled` note when the last packet of each picture comes."""
        await self._ask("mark", nack_share=nack_share, sampled=list(sampled))

    async def counts(self) -> dict[str, Any]:
        """{"viewers": one dictionary each (viewer.py, counts), "cpu_s": of the process so far}."""
        return await self._ask("counts")

    async def _ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"id": number, "do": what, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()
        found: dict[str, Any] = await answer
        if "error" in found:
            raise PeerError(found["error"])
        return found

    async def read(self) -> None:
        """Hand out the answers until the process ends."""
        assert self._process.stdout
        async for line in self._process.stdout:
            answer: dict[str, Any] = json.loads(line)
            waiting = self._waiting.pop(answer["id"])
            if not waiting.done():
                waiting.set_result(answer)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result({"error": "the viewers' process has ended"})


@contextlib.asynccontextmanager
async def viewers_process(host: str, core: int | None = None, profile: str = "gcm") -> AsyncIterator[Viewers]:
    """Start it on one core; all viewers leave at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.relay_receivers", host, profile,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_LIMIT,
    )  # fmt: skip
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        viewers = Viewers(process)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(viewers.read())
            try:
                yield viewers
            finally:
                assert process.stdin
                process.stdin.close()
    finally:
        await process.wait()
