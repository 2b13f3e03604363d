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
from .channel import FeedChannel, FeedList
from .errors import adding_headers, errors_to_http, security_headers
from .feed_history import FeedHistory
from .listening import listen
from .malformed import Malformed
from .map_background import background_of, origin_of, package_of
from .metrics import Refused
from .pilot_aircraft import AircraftDesk
from .pilot_views import PilotDesk
from .publish_keys import PublishKeys
from .qr_codes import QrCodes
from .routes.feeds import add_feed_routes
from .routes.health import add_health_routes
from .routes.live import add_live_routes
from .routes.map import add_map_routes
from .routes.pages import add_page_routes
from .routes.pilot import add_pilot_routes
from .routes.publish import add_publish_routes
from .routes.stills import add_still_routes
from .routes.telemetry import add_telemetry_routes
from .settings import Settings
from .standing import Standing

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
    used, or what lies under the map cannot. A feed or link that cannot be opened is a state of that feed,
    never an error here.
    """
    background = background_of(settings.map)
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

    app = _application(origin_of(background))
    door = Door(app, _own_names(settings))
    refused: Refused = {feed_id: Counter() for feed_id in channels}
    add_live_routes(door, relay, refused)
    add_publish_routes(door, relay, refused)
    add_telemetry_routes(door, bus, clock, aircraft, channels, relay=relay)
    add_feed_routes(door, settings, feed_list, relay, background)
    add_still_routes(door, ingest)
    add_health_routes(door, bus, aircraft, relay, refused)
    history, standing = FeedHistory(bus, clock, (f for _, f in feeds)), Standing(bus)
    of_aircraft = AircraftDesk(bus, clock, standing.alarms, standing.pointed_at)
    desk = PilotDesk(settings, bus, keys, QrCodes(clock), aircraft=of_aircraft, history=history, relay=relay)
    add_pilot_routes(door, desk, history, clock, ingest.dismiss)
    if background.kind == "pmtiles":
        add_map_routes(door, package_of(settings.map))
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
                tasks.create_task(_kept_going(history.run, "history", clock), name="history"),
                tasks.create_task(_kept_going(standing.run, "standing", clock), name="standing"),
                *(
                    tasks.create_task(_kept_going(c.run, f"channel {i}", clock), name=f"channel {i}")
                    for i, c in channels.items()
                ),
                tasks.create_task(relay.run(), name="relay"),
            ]
            gc.freeze()  # what is there now stays: the collector need not walk it in mid-picture
            yield Running(url, bus, clock)
            # Order: pages first, so that they hear it; then what fills the bus; the bus last.
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


def _application(tiles_origin: str) -> web.Application:
    app = web.Application(middlewares=[errors_to_http], client_max_size=128 * 1024)
    app.on_response_prepare.append(adding_headers(security_headers(tiles_origin)))
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
