"""A running service whose data folder holds flights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from flow.clock import NS_PER_S
from flow.flights import Aircraft, Alarm, Feed, Marker
from flow.recording import RecordingState, RecordingStatus
from flow.samples import Severity, StatusText, TelemetrySample
from tests.fakes.clock import START_NS
from tests.fakes.recorded_flights import FRITZ, FlightMaker, recorded_flight
from web.service import Running, running_service
from web.settings import AircraftSettings, FeedSettings, ServerSettings, Settings, WebRtcSettings
from web.views import ms

OTTO = Aircraft("otto", "Ottmar", (Feed("tag", "otto", "Tag"), Feed("push", "otto", "Handy")))
START_MS = ms(START_NS)
LATER_NS = START_NS + 3600 * NS_PER_S
RUNNING_NS = START_NS + 7200 * NS_PER_S


@dataclass(slots=True)
class RecordedHouse:
    """`whole` has ended long ago, `later` an hour after it. `running` is being recorded."""

    service: Running
    http: aiohttp.ClientSession
    whole: FlightMaker
    later: FlightMaker
    running: FlightMaker

    async def get(self, path: str, status: int = 200, **how: Any) -> Any:
        return await self.ask("GET", path, status, **how)

    async def ask(self, method: str, path: str, status: int = 200, **how: Any) -> Any:
        async with self.http.request(method, path, **how) as reply:
            body = await reply.read()
            assert reply.status == status, (method, path, reply.status, body[:300])
            return await reply.json() if reply.content_type == "application/json" and body else body

    def record(self) -> None:
        """Say that `running` is being recorded, as the recorder does."""
        self.service.bus.publish(
            RecordingState("otto", RecordingStatus.RECORDING, RUNNING_NS, self.running.id, RUNNING_NS)
        )


def samples(count: int, started_ns: int = START_NS) -> list[TelemetrySample]:
    """Ten a second."""
    return [
        TelemetrySample("fritz", started_ns + n * NS_PER_S // 10, lat_deg=49.4, lon_deg=7.7, mode="LOITER")
        for n in range(count)
    ]


def make_flights(root: Path) -> tuple[FlightMaker, FlightMaker]:
    whole = recorded_flight(root, FRITZ, seconds=3)
    whole.sample(*samples(30))
    whole.tell(
        Marker("m-1", "fritz", START_NS + 1, 49.4, 7.7, "Glutnest", "ELW 1", marker_id="m"),
        Alarm("a-1", "fritz", START_NS + 2, "no_fix", {"limit": "3"}),
        StatusText("t-1", "fritz", START_NS + 3, Severity.WARNING, "Battery low"),
    )
    return whole, recorded_flight(root, OTTO, LATER_NS)


def recorded_settings(root: Path) -> Settings:
    feeds = (FeedSettings("tag", "rtp://127.0.0.1:0", "Tag"), FeedSettings("push", "whip", "Handy"))
    return Settings(
        server=ServerSettings(port=0, data_dir=str(root)),
        webrtc=WebRtcSettings(port=0),
        aircraft=(AircraftSettings("otto", "Ottmar", "udpin:127.0.0.1:0", 1, feed=feeds),),
    )


@asynccontextmanager
async def recorded_house(root: Path) -> AsyncIterator[RecordedHouse]:
    flights = make_flights(root)
    async with (
        running_service(recorded_settings(root)) as service,
        aiohttp.ClientSession(service.url) as http,
    ):
        await _until_open(http)
        running = FlightMaker(root, OTTO, RUNNING_NS)  # one that was there before would have been ended
        running.film("tag", 2)
        yield RecordedHouse(service, http, *flights, running)


async def _until_open(http: aiohttp.ClientSession) -> None:
    """The archive opens beside the page."""
    async with asyncio.timeout(10):
        while True:
            async with http.get("/api/v1/flights") as reply:
                if reply.status == 200 and len((await reply.json())["flights"]) == 2:
                    return
            await asyncio.sleep(0.01)
