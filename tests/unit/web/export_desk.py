"""A desk of exports over a folder with flights, whose workers are processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from flow.clock import SystemClock
from recordings.archive import Archive
from recordings.export.jobs import OPEN, Job
from recordings.export.order import ExportOrder, Part
from recordings.protocol.retention import Days
from tests.fakes.recorded_flights import recorded_flight
from web.exports import ExportDesk, ExportRules

MAKER = "tests.fakes.export_maker"


@dataclass(slots=True)
class Recorded:
    """Recordings, as far as exports ask them."""

    archive: Archive
    trouble: str = ""

    def refusal(self) -> str:
        return self.trouble


@dataclass(slots=True)
class Office:
    """A desk at work, and the flight that it exports."""

    desk: ExportDesk
    recorded: Recorded
    flight_id: str

    @property
    def archive(self) -> Archive:
        return self.recorded.archive

    async def order(self, by: str, *parts: Part) -> Job:
        wished = ExportOrder(self.flight_id, -(1 << 60), 1 << 62, (), parts or (Part.CSV,), by)
        return await self.desk.order(wished)

    async def working(self, job: Job) -> Job:
        """When its worker has begun to make it."""
        async with asyncio.timeout(90):
            while self.desk.progress(job).share < 0.4:
                await asyncio.sleep(0.005)
        return await self.desk.job(job.id)

    async def ended(self, job: Job) -> Job:
        async with asyncio.timeout(90):
            while (now := await self.desk.job(job.id)).status in OPEN:
                await asyncio.sleep(0.005)
        return now


@asynccontextmanager
async def office(root: Path, rules: ExportRules | None = None, *, fly: bool = True) -> AsyncIterator[Office]:
    """`fly`: with one flight of two seconds in it, else with what is there."""
    flight = recorded_flight(root).id if fly else next(path.name for path in (root / "flights").iterdir())
    archive = Archive(root, SystemClock(), Days(1e6, 1e6))
    await archive.open()
    recorded = Recorded(archive)
    desk = ExportDesk(SystemClock(), recorded, root, rules or ExportRules(module=MAKER))
    running = asyncio.create_task(desk.run())
    try:
        yield Office(desk, recorded, flight)
    finally:
        running.cancel()
        await asyncio.wait([running])
        desk.close()
        await archive.aclose()
