"""A relay with a clock moved by hand and a camera, and light viewers that join it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from flow.clock import NS_PER_MS, NS_PER_S
from flow.doors import PublishDoor
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit
from relay.hub import Relay
from relay.settings import RelaySettings
from tests.fakes.clock import FakeClock
from tests.fakes.light_viewer import LightViewer
from tests.fakes.pictures import Camera

FEED, OTHER = "fritz-tag", "fritz-waerme"
TICK_NS = 100 * NS_PER_MS


class House:
    """The relay of two feeds; `camera` films FEED."""

    def __init__(
        self, settings: RelaySettings, ingest: PublishDoor | None = None, clock: FakeClock | None = None
    ) -> None:
        self.clock = clock or FakeClock()
        self.bus = MemoryBus()
        self.relay = Relay(self.bus, self.clock, settings, [FEED, OTHER], ingest=ingest)
        self.camera = Camera(FEED)
        self.running: asyncio.Task[None] | None = None

    def film(self, *units: AccessUnit) -> None:
        for unit in units or (self.camera.delta(),):
            self.bus.publish(unit)

    async def join(
        self, viewer: LightViewer, kind: str = "udp", host: str | None = None, address: str = ""
    ) -> str:
        """Connect, up to its being served; returns the session's id."""
        answer = await self.relay.answer(FEED, viewer.offer(), address)
        viewer.accept(answer.sdp)
        await viewer.connect(kind, host)
        await viewer.until(lambda: self.state_of(answer.session_id) == "connected")
        return answer.session_id

    def state_of(self, session_id: str) -> str:
        return next((r.state for r in self.relay.viewers() if r.session_id == session_id), "gone")

    async def pass_s(self, seconds: float, watched: Sequence[LightViewer] = ()) -> None:
        """Time goes by in ticks; `watched` viewers read meanwhile."""
        for _ in range(round(seconds * NS_PER_S / TICK_NS)):
            self.clock.advance(TICK_NS)
            await self.turn()
            for viewer in watched:
                viewer.read()

    async def turn(self) -> None:
        """Everybody whose time has come does what there is to do."""
        for _ in range(5):
            await asyncio.sleep(0)

    async def until(self, what: str, count: int) -> None:
        """Wait until so many viewers are in that state ("": there at all)."""
        async with asyncio.timeout(10):
            while sum(what in ("", r.state) for r in self.relay.viewers()) != count:
                await asyncio.sleep(0)

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.running
        await self.bus.aclose()


@asynccontextmanager
async def open_house(
    settings: RelaySettings | None = None,
    *,
    ingest: PublishDoor | None = None,
    clock: FakeClock | None = None,
) -> AsyncIterator[House]:
    house = House(settings or RelaySettings(), ingest, clock)
    await house.relay.open()
    house.running = asyncio.create_task(house.relay.run())
    await house.turn()
    try:
        yield house
    finally:
        await house.stop()


@asynccontextmanager
async def one_viewer(
    kind: str = "udp", settings: RelaySettings | None = None, profile: str = "gcm"
) -> AsyncIterator[tuple[House, LightViewer]]:
    """A house with one viewer that has seen the first keyframe."""
    async with open_house(settings) as house:
        with LightViewer(profile) as viewer:
            house.film(house.camera.keyframe())
            await house.join(viewer, kind)
            await viewer.until_pictures(1)
            yield house, viewer
