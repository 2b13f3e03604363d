"""What telling the pages costs: CPU of the service per telemetry message and listening page.

`python -m tests.bench.pages [PAGES] [SECONDS] [HZ]` serves one feed's WebSocket in this process, with real
samples from a bus, to pages in another process; each end has a core of its own where there are two. The last
line is one JSON object. `us_per_message` has all of it in: the sample, serialising, sending, the kernel's
share of both ends of a loopback connection, pings; `us_idle` is what the connections cost untold.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import replace

import aiohttp
from aiohttp import web

from flow.clock import NS_PER_S, SystemClock
from flow.flights import Aircraft, Feed
from flow.memory_bus import MemoryBus
from flow.samples import Group, Place, TelemetrySample
from tests.fakes.access import open_door
from tests.fakes.relay_door import FakeRelay
from web.access.presence import Presence
from web.aircraft_stream import Streams
from web.channel import FeedChannel
from web.routes.telemetry import add_telemetry_routes
from web.settings import ViewerSettings
from web.viewings import ViewingDesk
from web.whep_sessions import WhepSessions

FEED = Feed("fritz-tag", "fritz", "Tageslicht")
AIRCRAFT = Aircraft("fritz", "Multikopter Fritz", (FEED,))
PATH = f"/api/v1/feeds/{FEED.id}/telemetry"
SETTLE_S = 2.0


def sample(utc_ns: int) -> TelemetrySample:
    """Everything an aircraft tells, so that the message is as long as in life."""
    return TelemetrySample(
        "fritz", utc_ns, 49.4401234, 7.7491234, 412.3, 84.2, 83.9, -1.234, 2.345, 271.23, -45.1, 270.9, 12.3,
        0.4, 71.0, 22.8, "3d", 14, "POSHOLD", True, "in_air", Place(49.44, 7.749, 328.1), 97.0,
        h_accuracy_m=0.6, v_accuracy_m=1.1, received_ns=dict.fromkeys(Group, utc_ns),
    )  # fmt: skip


def pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


async def serve(pages: int, seconds: float, hz: float) -> dict[str, float]:
    bus, clock = MemoryBus(), SystemClock()
    channel = FeedChannel(bus, clock, AIRCRAFT, FEED, ViewerSettings(pages, pages))
    app = web.Application()
    channels, relay = {FEED.id: channel}, FakeRelay()
    streams = Streams(bus, clock, (AIRCRAFT,), channels, ViewerSettings(pages, pages))
    add_telemetry_routes(
        open_door(app), bus, clock, (AIRCRAFT,), channels,
        streams=streams, relay=relay, sessions=WhepSessions(relay, Presence(clock)),
        viewings=ViewingDesk(clock, None),
    )  # fmt: skip
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    listener = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.pages", "listen", url, str(pages),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert listener.stdin is not None
    assert listener.stdout is not None
    following = asyncio.create_task(channel.run())
    if await listener.stdout.readline() != b"joined\n":
        raise SystemExit("the pages could not join")
    await asyncio.sleep(SETTLE_S)

    messages = round(seconds * hz)
    idle = time.process_time()
    await asyncio.sleep(seconds)
    idle = time.process_time() - idle
    busy = time.process_time()
    started, late_most = clock.now_ns(), 0
    for n in range(messages):
        due = started + round(n * NS_PER_S / hz)
        await clock.sleep_until(due)
        late_most = max(late_most, clock.now_ns() - due)
        bus.publish(replace(sample(clock.now_ns()), satellites=n % 20))
    await asyncio.sleep(0.5)
    busy = time.process_time() - busy
    listener.stdin.close()
    heard = int(await listener.stdout.read())
    following.cancel()
    await runner.cleanup()
    told = messages * pages
    return {
        "pages": pages, "hz": hz, "messages": messages, "heard_share": round(heard / told, 4),
        "us_per_message": round(busy / told * 1e6, 2), "us_idle": round(idle / told * 1e6, 2),
        "late_most_ms": round(late_most / 1e6, 1),
    }  # fmt: skip


async def listen(url: str, pages: int) -> int:
    """Open the pages, say so, count telemetry until standard input closes."""
    heard = 0

    async def page(session: aiohttp.ClientSession) -> None:
        nonlocal heard
        async with session.ws_connect(url, max_msg_size=0) as socket:
            joined.release()
            async for message in socket:
                heard += b'"telemetry"' in message.data.encode()[:32]

    joined = asyncio.Semaphore(0)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        tasks = [group.create_task(page(session)) for _ in range(pages)]
        for _ in tasks:
            await joined.acquire()
        print("joined", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for task in tasks:
            task.cancel()
    return heard


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        pin(1)
        print(asyncio.run(listen(sys.argv[2], int(sys.argv[3]))))
    else:
        pin(0)
        given = [float(a) for a in sys.argv[1:]]
        pages, seconds, hz = [*given, *(100.0, 15.0, 10.0)[len(given) :]]
        print(json.dumps(asyncio.run(serve(int(pages), seconds, hz))))
