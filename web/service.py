"""The whole service in one process: opens the rooms, wires their doors, and closes them in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock, SystemClock
from flow.memory_bus import MemoryBus
from ingest.supervisor import Ingest
from relay.hub import Relay
from telemetry.link import Telemetry

from . import room_settings
from .access import Door
from .aircraft_stream import Streams
from .channel import FeedChannel, FeedList
from .errors import add_security_headers, errors_to_http
from .listening import listen
from .malformed import Malformed
from .metrics import Refused
from .pilot_views import PilotDesk
from .publish_keys import PublishKeys
from .qr_codes import QrCodes
from .routes.feeds import add_feed_routes
from .routes.health import add_health_routes
from .routes.live import add_live_routes
from .routes.pages import add_page_routes
from .routes.pilot import add_pilot_routes
from .routes.publish import add_publish_routes
from .routes.situation import add_situation_routes
from .routes.stills import add_still_routes
from .routes.telemetry import add_telemetry_routes
from .settings import Settings
from .situation import Situation

log = logging.getLogger("lagebild.web")


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is up: where to look at it, and its bus."""

    url: str
    bus: Bus
    clock: Clock


@contextlib.asynccontextmanager
async def running_service(settings: Settings, dashboard: Path | None = None) -> AsyncIterator[Running]:
    """Run the service for as long as the context is open.

    Raises PortInUseError when the HTTP or the WebRTC port is taken, ConfigError when its address cannot be
    used. A feed or link that cannot be opened is a state of that feed, never an error here.
    """
    clock = SystemClock()
    bus = MemoryBus()
    aircraft = tuple(a.as_aircraft() for a in settings.aircraft)
    feeds = [(a, f) for a in aircraft for f in a.feeds]
    channels = {f.id: FeedChannel(bus, clock, a, f, settings.viewers) for a, f in feeds}
    feed_list = FeedList(bus, aircraft, channels)
    keys = PublishKeys(Path(settings.server.data_dir))
    ingest = Ingest(bus, clock, room_settings.ingest_settings(settings), keys=keys)
    telemetry = Telemetry(bus, clock, room_settings.telemetry_settings(settings))
    relay = Relay(bus, clock, room_settings.relay_settings(settings), channels.keys(), ingest=ingest)

    app = _application()
    door = Door(app, _own_names(settings))
    refused: Refused = {feed_id: Counter() for feed_id in channels}
    add_live_routes(door, relay, refused)
    add_publish_routes(door, relay, refused)
    streams = Streams(bus, clock, aircraft, channels, settings.viewers)
    add_telemetry_routes(door, bus, clock, aircraft, channels, streams=streams, relay=relay)
    situation = Situation(bus, clock, aircraft)
    add_situation_routes(door, situation)
    add_feed_routes(door, settings, feed_list, relay)
    add_still_routes(door, ingest)
    add_health_routes(door, bus, aircraft, relay, refused)
    add_pilot_routes(door, PilotDesk(settings, bus, keys, QrCodes(clock)), clock, ingest.dismiss)
    add_page_routes(door, dashboard)

    runner = web.AppRunner(app, shutdown_timeout=2.0)
    await runner.setup()
    listener: asyncio.Server | None = None
    try:
        listener, url = await listen(runner, settings.server, Malformed(clock))
        await relay.open()
        async with asyncio.TaskGroup() as tasks:
            rooms = [
                tasks.create_task(ingest.run(), name="ingest"),
                tasks.create_task(telemetry.run(), name="telemetry"),
                tasks.create_task(_kept_going(feed_list.run, "feed list", clock), name="feed list"),
                tasks.create_task(_kept_going(situation.run, "situation", clock), name="situation"),
                *(
                    tasks.create_task(_kept_going(c.run, f"channel {i}", clock), name=f"channel {i}")
                    for i, c in channels.items()
                ),
                tasks.create_task(relay.run(), name="relay"),
            ]
            gc.freeze()  # what is there now stays: the collector need not walk it in mid-picture
            yield Running(url, bus, clock)
            # Order: pages first, so that they hear it; then what fills the bus; the bus last.
            streams.close()
            for channel in channels.values():
                channel.close()
            listener.close()
            await runner.cleanup()
            for room in rooms:
                room.cancel()
    finally:
        if listener is not None:
            listener.close()
        await runner.cleanup()
        await bus.aclose()


def _application() -> web.Application:
    app = web.Application(middlewares=[errors_to_http], client_max_size=128 * 1024)
    app.on_response_prepare.append(add_security_headers)
    return app


async def _kept_going(run: Callable[[], Awaitable[None]], name: str, clock: Clock) -> None:
    """A defect in what tells one feed's pages must not end the pictures of all: log it and go on."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("%s failed: a defect of Lagebild; it goes on in a second", name)
        await clock.sleep_until(clock.now_ns() + NS_PER_S)


def _own_names(settings: Settings) -> frozenset[str]:
    own = socket.gethostname().lower()
    return frozenset({own, f"{own}.local", settings.server.host, *(n.lower() for n in settings.server.names)})
