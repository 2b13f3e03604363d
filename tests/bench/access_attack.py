"""An attacker: wrong logins, tokens and keys, by every way in, at a fixed rate or as fast as it is answered.

    python -m tests.bench.access_attack HTTP_PORT RTMP_PORT SRT_PORT FEED A_MINUTE SECONDS

A_MINUTE 0: as fast as it is answered, over HTTP alone. Half of all come from one address, half from many.
Prints "ready", and at the end one JSON object: how many were sent, by way, and how they were answered.
Loopback only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from tests.fakes.srt_encoder import SrtEncoder
from tests.unit.ingest.rtmp_publisher import RtmpPublisher

HOST = "127.0.0.1"
ANSWERED_WITHIN_S = 10.0
AT_ONCE = 64
SRT_AT_ONCE = 4
GREEDY = 32
"""Connections of who asks as fast as he is answered."""
SEED = 8


class Attack:
    """Every way takes a number and returns how it was answered; "in" is what must never be."""

    def __init__(self, http: int, rtmp: int, srt: int, feed: str) -> None:
        self._http, self._rtmp, self._srt, self._feed = http, rtmp, srt, feed
        self._dice = random.Random(SEED)
        self._threads = ThreadPoolExecutor(SRT_AT_ONCE)
        self.ways: dict[str, Callable[[int], Awaitable[str]]] = {
            "login": self._login,
            "bearer": self._bearer,
            "link": self._link,
            "cookie": self._cookie,
            "whip": self._whip,
            "rtmp": self._rtmp_key,
            "srt": self._srt_key,
        }

    async def _login(self, number: int) -> str:
        body = json.dumps({"login": "kern", "password": f"falsch-{number}"})
        return await self._ask("POST", "/api/v1/login", body=body)

    async def _bearer(self, number: int) -> str:
        header = f"Authorization: Bearer lbt_{number:043d}\r\n"
        return await self._ask("GET", f"/api/v1/feeds/{self._feed}", header)

    async def _cookie(self, number: int) -> str:
        header = f"Cookie: lagebild_session={number:043d}.{number:043d}\r\n"
        return await self._ask("GET", f"/api/v1/feeds/{self._feed}", header)

    async def _link(self, number: int) -> str:
        body = json.dumps({"token": f"{number:040d}", "name": "Meier"})
        return await self._ask("POST", "/api/v1/enter", body=body)

    async def _whip(self, number: int) -> str:
        header = f"Authorization: Bearer {number:027d}\r\n"
        return await self._ask("POST", f"/live/{self._feed}/whip", header, "v=0\r\n", "application/sdp")

    async def _ask(
        self, method: str, path: str, headers: str = "", body: str = "", kind: str = "application/json"
    ) -> str:
        reader, writer = await asyncio.open_connection(HOST, self._http, local_addr=(self._address(), 0))
        try:
            head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{self._http}\r\nConnection: close\r\n{headers}"
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" if body else ""
            writer.write(f"{head}\r\n{body}".encode())
            status = (await reader.readline()).split(b" ")
            await reader.read(65_536)
        finally:
            writer.transport.abort()
        code = status[1].decode() if len(status) > 1 else "closed"
        return "in" if code.startswith("2") else code

    async def _rtmp_key(self, number: int) -> str:
        reader, writer = await asyncio.open_connection(HOST, self._rtmp, local_addr=(self._address(), 0))
        try:
            writer.write(RtmpPublisher().opening(f"{self._feed}?key={number:027d}"))
            told = await reader.read(65_536)
            while more := await reader.read(65_536):
                told += more
        finally:
            writer.transport.abort()
        return "refused" if b"NetStream.Publish.BadName" in told or not told else "in"

    async def _srt_key(self, number: int) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._srt_call, number)

    def _srt_call(self, number: int) -> str:
        with SrtEncoder(stream_id=f"publish:{self._feed}:{number:027d}") as encoder:
            return "refused" if encoder.call(self._srt) else "in"

    def _address(self) -> str:
        """Half of all from one, the others from a whole network."""
        many = (
            f"127.{self._dice.randrange(1, 250)}.{self._dice.randrange(250)}.{self._dice.randrange(1, 250)}"
        )
        return HOST if self._dice.random() < 0.5 else many


async def at_rate(attack: Attack, a_minute: float, seconds: float) -> Counter[str]:
    """One after the other, each at its time; those that are due while too many wait count as "late"."""
    found: Counter[str] = Counter()
    ways = list(attack.ways.items())
    began, number = time.monotonic(), 0
    running: set[asyncio.Task[None]] = set()
    while (due := number * 60 / a_minute) < seconds:
        await asyncio.sleep(max(0.0, began + due - time.monotonic()))
        name, way = ways[number % len(ways)]
        number += 1
        if len(running) >= AT_ONCE:
            found[f"{name} late"] += 1
            continue
        task = asyncio.create_task(_one(name, way, number, found))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.wait(running)
    return found


async def greedily(attack: Attack, seconds: float) -> Counter[str]:
    """As fast as it is answered, over HTTP."""
    found: Counter[str] = Counter()
    ways = [(name, way) for name, way in attack.ways.items() if name not in ("rtmp", "srt")]
    until = time.monotonic() + seconds

    async def go_on(first: int) -> None:
        number = first
        while time.monotonic() < until:
            number += GREEDY
            await _one(*ways[number % len(ways)], number, found)

    await asyncio.gather(*(go_on(first) for first in range(GREEDY)))
    return found


async def _one(name: str, way: Callable[[int], Awaitable[str]], number: int, found: Counter[str]) -> None:
    answered = "nothing"
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            answered = await way(number)
    found[f"{name} {answered}"] += 1


def main() -> None:
    http, rtmp, srt, feed, a_minute, seconds = sys.argv[1:]
    attack = Attack(int(http), int(rtmp), int(srt), feed)
    print("ready", flush=True)
    began = time.monotonic()
    if float(a_minute):
        found = asyncio.run(at_rate(attack, float(a_minute), float(seconds)))
    else:
        found = asyncio.run(greedily(attack, float(seconds)))
    print(json.dumps({"answers": dict(sorted(found.items())), "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
