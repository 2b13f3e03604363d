"""The whole service in one process: opens the rooms, wires their doors, and closes them in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock, SystemClock
from flow.errors import ConfigError
from flow.memory_bus import MemoryBus

from .access import Door
from .data_folder import DataFolder
from .errors import errors_to_http
from .headers import adding_headers
from .house import House, Run
from .limits import Crowd, crowd_of, rationing
from .listening import Listener, listen
from .malformed import Malformed
from .map_background import origin_of
from .settings import Settings
from .tls import Certificate, Keeper, keeper_of

log = logging.getLogger("lagebild.web")


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is up: where to look at it, its bus, and every route with who guards it.

    `first_link` makes the first administrator's account, once; "": there is one, or no need of one.
    """

    url: str
    bus: Bus
    clock: Clock
    door: Door
    first_link: str = field(default="", repr=False)
    certificate: Certificate | None = None  # None: the page is not encrypted by us


@contextlib.asynccontextmanager
async def running_service(settings: Settings, dashboard: Path | None = None) -> AsyncIterator[Running]:
    """Run the service for as long as the context is open.

    Raises PortInUseError when the HTTP or the WebRTC port is taken, ConfigError when its address cannot be
    used, what lies under the map cannot, or another server has the data folder. A feed or link that cannot
    be opened is a state of that feed, never an error here.
    """
    folder = DataFolder(Path(settings.server.data_dir))
    if settings.recording.enabled:
        folder.take()
    try:
        async with _running(settings, dashboard, folder) as service:
            yield service
    finally:
        folder.release()


@contextlib.asynccontextmanager
async def _running(settings: Settings, dashboard: Path | None, folder: DataFolder) -> AsyncIterator[Running]:
    clock = SystemClock()
    bus = MemoryBus()
    house = House(settings, bus, clock, folder)
    keeper, crowd = keeper_of(settings, clock), crowd_of(settings, clock)
    app = _application(origin_of(house.background), crowd, keeper)
    door = Door(app, house.porch.guard, _own_names(settings), house.porch.presence)
    house.open_doors(door, dashboard)
    runner = web.AppRunner(app, shutdown_timeout=2.0)
    await runner.setup()
    listener: Listener | None = None
    try:
        context = (lambda: keeper.context) if keeper else None
        listener = await listen(runner, settings.server, Malformed(clock), crowd, context=context)
        folder.tell(listener.url)
        house.porch.audit.started(listener.url)
        first_link = await house.porch.first_link(listener.url)
        await house.relay.open()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(run(), name=name) for name, run in house.rooms()]
            for name, run in house.tellers():
                running.append(tasks.create_task(_kept_going(run, name, clock), name=name))
            if keeper:
                looking = _kept_going(keeper.run, "certificate", clock)
                running.append(tasks.create_task(looking, name="certificate"))
            gc.freeze()  # what is there now stays: the collector need not walk it in mid-picture
            certificate = keeper.certificate if keeper else None
            yield Running(listener.url, bus, clock, door, first_link, certificate)
            # Order: pages first, so that they hear it; then what fills the bus; the bus last.
            house.dismiss_pages()
            listener.close()
            await runner.cleanup()
            await listener.aclose()
            await house.settle()
            for task in running:
                task.cancel()
    finally:
        if listener is not None:
            listener.close()
        await runner.cleanup()
        if listener is not None:
            await listener.aclose()
        await bus.aclose()
        house.close()


def _application(tiles_origin: str, crowd: Crowd, keeper: Keeper | None) -> web.Application:
    app = web.Application(middlewares=[errors_to_http, rationing(crowd)], client_max_size=128 * 1024)

    def is_vouched_for() -> bool:
        return keeper is not None and not keeper.certificate.is_self_signed

    app.on_response_prepare.append(adding_headers(tiles_origin, is_vouched_for))
    return app


async def _kept_going(run: Run, name: str, clock: Clock) -> None:
    """A defect in what tells one feed's pages must not end the pictures of all: log it and go on."""
    while True:
        try:
            await run()
        except ConfigError:
            raise  # no defect: somebody must mend it
        except Exception:
            log.exception("%s failed: a defect of Lagebild; it goes on in a second", name)
        await clock.sleep_until(clock.now_ns() + NS_PER_S)


def _own_names(settings: Settings) -> frozenset[str]:
    own = socket.gethostname().lower()
    return frozenset({own, f"{own}.local", settings.server.host, *(n.lower() for n in settings.server.names)})
