"""What messages cost: the same traffic to Lagebild's link, its whole room and pymavlink's loop, in turns."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from tests.bench.telemetry_traffic import FLOOD_ID, Datagram, Traffic, fast_log

RECEIVERS = ("link", "mavutil", "room")
STARTS_WITHIN_S = 20.0
SETTLE_S = 0.3  # what is in the socket's buffer is read by then


class Receiver:
    """One of them, and the traffic that is made for it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, traffic: Traffic) -> None:
        self._process, self._traffic = process, traffic
        self._target = "127.0.0.1", port

    async def figures(self) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()
        told: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return told

    def send(self, sender: socket.socket, seconds: float) -> list[Datagram]:
        """Send the traffic of a window at its times; returns what was sent."""
        window = self._traffic.window(seconds)
        began_s = time.monotonic()
        for datagram in window:
            ahead_s = datagram.at_s - (time.monotonic() - began_s)
            if ahead_s > 0.0005:
                time.sleep(ahead_s)
            sender.sendto(datagram.data, self._target)
        return window


@contextlib.asynccontextmanager
async def receiver(name: str, core: int, traffic: Traffic) -> AsyncIterator[Receiver]:
    process = await asyncio.create_subprocess_exec(
        "taskset", "-c", str(core), sys.executable, "-m", "tests.bench.telemetry_receivers", name,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    try:
        line = await asyncio.wait_for(process.stdout.readline(), STARTS_WITHIN_S)
        if not line.strip().isdigit():
            raise RuntimeError(f"{name} did not start: {line!r}")
        yield Receiver(process, int(line), traffic)
    finally:
        process.stdin.close()
        await process.wait()


async def load(turns: int, window_s: float) -> dict[str, Any]:
    """Alternate them `turns` times; CPU of each per 1,000 messages sent, and what became of them."""
    what, log = fast_log()
    cores = sorted(os.sched_getaffinity(0))
    async with contextlib.AsyncExitStack() as stack:
        sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        both = {
            name: await stack.enter_async_context(receiver(name, cores[0], Traffic(log)))
            for name in RECEIVERS
        }
        os.sched_setaffinity(0, {cores[-1]})
        costs: dict[str, list[float]] = {name: [] for name in RECEIVERS}
        texts_sent = 0
        for turn in range(turns + 1):  # the first one warms up
            for name, one in both.items():
                before = await one.figures()
                sent = one.send(sender, window_s)
                texts_sent += name == "link" and sum(b"text " in datagram.data for datagram in sent)
                await asyncio.sleep(SETTLE_S)
                after = await one.figures()
                if turn:
                    costs[name].append((after["cpu_s"] - before["cpu_s"]) * 1e6 / len(sent))
        last = {name: await one.figures() for name, one in both.items()}
        os.sched_setaffinity(0, set(cores))
    median = {name: statistics.median(costs[name]) for name in RECEIVERS}
    ratio = {name: _ratio(costs[name], costs["mavutil"]) for name in RECEIVERS}
    window = (turns + 1) * window_s
    return {
        "log": what,
        "messages_per_s": round(len(sent) / window_s),
        "cpu_ms_per_1000_messages": round(median["link"], 2),
        "room_cpu_ms_per_1000_messages": round(median["room"], 2),
        "mavutil_cpu_ms_per_1000_messages": round(median["mavutil"], 2),
        "ratio_mavutil": ratio["link"],
        "room_ratio_mavutil": ratio["room"],
        "quiet_messages": last["link"]["quiet_messages"],
        "lost_of_ours": last["link"]["lost"],
        "texts_sent": texts_sent,
        "texts_told": last["link"]["texts"],
        "samples_per_s_of_the_flood": round(last["link"][f"samples a{FLOOD_ID}"] / window, 1),
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the pairs, each of one turn."""
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 3)
