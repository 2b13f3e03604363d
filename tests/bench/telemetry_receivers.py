"""What is compared: Lagebild's link (socket to bus), its whole telemetry room (looks and alarms beside it),
and pymavlink's own loop; each a process of its own.

    python -m tests.bench.telemetry_receivers link|room|mavutil

Prints the port it listens on, then, for each line on standard input, one JSON object with its figures so far.
"""

from __future__ import annotations

import asyncio
import json
import logging
import select
import sys
import time
from collections import Counter

from pymavlink import mavutil

from flow.clock import SystemClock
from flow.memory_bus import MemoryBus
from flow.samples import LinkState, StatusText, TelemetrySample
from telemetry.link import Link, Telemetry
from telemetry.settings import AircraftLink, TelemetrySettings
from tests.bench.telemetry_traffic import FAST_ID, FLOOD_ID, QUIET_IDS

IDS = {f"a{number}": number for number in (*QUIET_IDS, FLOOD_ID, FAST_ID)}


async def lagebild(*, whole: bool) -> None:
    """All aircraft on one link, as behind a router, with readers as in the service."""
    bus, found = MemoryBus(), Counter[str]()
    links = tuple(AircraftLink(name, "udpin:127.0.0.1:0", number) for name, number in IDS.items())
    settings, clock = TelemetrySettings(links), SystemClock()
    ((url, aircraft),) = settings.by_url()
    runs = Telemetry(bus, clock, settings).run if whole else Link(bus, clock, settings, url, aircraft).run

    async def samples() -> None:
        async for sample in bus.latest(TelemetrySample):
            found[f"samples {sample.aircraft_id}"] += 1

    async def texts() -> None:
        async for event in bus.events(StatusText):
            found["texts"] += isinstance(event, StatusText) and event.text.startswith("text ")

    async def answers() -> None:
        async for state in bus.latest(LinkState, next(iter(IDS))):
            if state.address:
                print(state.address.rpartition(":")[2], flush=True)
                break
        while await asyncio.to_thread(sys.stdin.readline):
            states = [bus.peek(LinkState, name) for name in IDS]
            told = {
                "cpu_s": time.process_time(),
                "messages": sum(state.messages for state in states if state),
                "lost": sum(state.lost for state in states if state),
                "quiet_messages": sum(state.messages for state in states[: len(QUIET_IDS)] if state),
                **found,
            }
            print(json.dumps(told), flush=True)

    async with asyncio.TaskGroup() as tasks:
        room = tasks.create_task(runs())
        readers = [tasks.create_task(samples()), tasks.create_task(texts())]
        try:
            await answers()
        finally:
            for task in (room, *readers):
                task.cancel()


def mavutil_loop() -> None:
    """`recv_match` until there is nothing more, as scripts do; asked for figures between two pauses."""
    connection = mavutil.mavlink_connection("udpin:127.0.0.1:0", robust_parsing=True)
    print(connection.port.getsockname()[1], flush=True)
    connection.port.setblocking(True)
    connection.port.settimeout(0.05)
    found = Counter[str]()
    while True:
        ready, _, _ = select.select([connection.port, sys.stdin], [], [])
        if sys.stdin in ready:
            if not sys.stdin.readline():
                return
            print(json.dumps({"cpu_s": time.process_time(), **found}), flush=True)
        if connection.port in ready:
            message = connection.recv_msg()
            found["messages"] += message is not None and message.get_type() != "BAD_DATA"
            found["texts"] += message is not None and message.get_type() == "STATUSTEXT"


if __name__ == "__main__":
    logging.disable()  # between two turns the aircraft are silent
    if sys.argv[1] == "mavutil":
        mavutil_loop()
    else:
        asyncio.run(lagebild(whole=sys.argv[1] == "room"))
