"""A small flight for browser tests: real RTP and MAVLink into a service that runs as its own process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.browser.harness import RunningLagebild, lagebild
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.encoded import FPS, h264_pictures
from tests.fakes.rtp_camera import RtpCamera

FEED = "otto-tag"
LAT_DEG, LON_DEG = 49.4431207, 7.7726542
CONFIG = """
[server]
title = "Einsatz 4711"
[[aircraft]]
id = "otto"
name = "Ottmar"
mavlink = "udpin:127.0.0.1:{mavlink}"
system_id = 1
  [[aircraft.feed]]
  id = "otto-tag"
  name = "Tageslicht"
  source = "rtp://127.0.0.1:{video}"
  air_link_ms = 120.0
"""


def free_udp_port() -> int:
    """A port that the kernel says is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Say: TypeAlias = Callable[[FakeAircraft], bytes]


@dataclass(slots=True)
class Flight:
    """The configuration that receives it, and switches for what the aircraft sends."""

    config: Path
    sends_video: asyncio.Event
    sends_telemetry: asyncio.Event
    says: list[Say] = field(default_factory=list)  # beside that, once each

    def served(self, port: int = 0) -> contextlib.AbstractAsyncContextManager[RunningLagebild]:
        """A service that receives this flight."""
        return lagebild("serve", "--config", str(self.config), port=port)


@contextlib.asynccontextmanager
async def flying(folder: Path, *, fix: bool = True) -> AsyncIterator[Flight]:
    """A service with one aircraft in the air, 30 pictures and 10 positions a second, until switched off."""
    video, telemetry = free_udp_port(), free_udp_port()
    config = folder / "lagebild.toml"
    config.write_text(CONFIG.format(mavlink=telemetry, video=video), encoding="utf-8")
    flight = Flight(config, asyncio.Event(), asyncio.Event())
    flight.sends_video.set()
    flight.sends_telemetry.set()
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(_film(video, flight.sends_video)),
            tasks.create_task(report(telemetry, flight.sends_telemetry, fix, flight.says)),
        ]
        yield flight
        for task in running:
            task.cancel()


async def _film(port: int, switched_on: asyncio.Event) -> None:
    camera = RtpCamera(f"rtp://127.0.0.1:{port}")
    loop = asyncio.get_running_loop()
    try:
        for picture in itertools.cycle(h264_pictures(60)):
            began = loop.time()
            if not switched_on.is_set():
                await switched_on.wait()
                camera.timestamp += round((loop.time() - began) * 90_000)
            camera.send(picture)
            await asyncio.sleep(max(0.0, began + 1 / FPS - loop.time()))
    finally:
        camera.close()


async def report(
    port: int, switched_on: asyncio.Event, fix: bool = True, says: list[Say] | None = None
) -> None:
    """Ten positions and headings (90°) a second to that port, until cancelled; beside them `says`, once."""
    aircraft = FakeAircraft()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        for tenth in itertools.count():
            await switched_on.wait()
            boot_ms = 10_000 + tenth * 100
            lat, lon = (LAT_DEG, LON_DEG) if fix else (0.0, 0.0)
            messages = [aircraft.attitude(boot_ms, yaw=90.0), aircraft.position(boot_ms, lat, lon, home=84.0)]
            if tenth % 10 == 0:
                messages.append(aircraft.heartbeat(armed=True))
                messages.append(aircraft.gps(fix=3 if fix else 0))
            if says:
                messages += [say(aircraft) for say in says]
                says.clear()
            for message in messages:
                link.sendto(message, ("127.0.0.1", port))
            await asyncio.sleep(0.1)
