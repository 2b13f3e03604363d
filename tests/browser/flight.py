"""A small flight for browser tests: real RTP and MAVLink into a service that runs as its own process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.browser.harness import RunningLagebild, lagebild
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.encoded import FPS, Picture, h264_pictures
from tests.fakes.rtp_camera import RtpCamera
from tests.fakes.stamped import stamped_pictures

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
  trust_clock = {told}
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
    tells_time: bool
    pictures: Iterator[Picture]  # another one from the next picture on: the camera changes
    says: list[Say] = field(default_factory=list)  # beside that, once each

    def served(
        self, port: int = 0, data_dir: Path | None = None
    ) -> contextlib.AbstractAsyncContextManager[RunningLagebild]:
        """A service that receives this flight, and records it where it is given a folder."""
        return lagebild("serve", "--config", str(self.config), port=port, data_dir=data_dir)


@contextlib.asynccontextmanager
async def flying(folder: Path, *, fix: bool = True, stamped: bool = False) -> AsyncIterator[Flight]:
    """A service with one aircraft in the air, 30 pictures and 10 positions a second, until switched off.

    `stamped`: its pictures have their time of capture burned in, and its camera tells it.
    """
    video, telemetry = free_udp_port(), free_udp_port()
    config = folder / "lagebild.toml"
    config.write_text(
        CONFIG.format(mavlink=telemetry, video=video, told=str(stamped).lower()), encoding="utf-8"
    )
    pictures = stamped_pictures() if stamped else itertools.cycle(h264_pictures(60))
    flight = Flight(config, asyncio.Event(), asyncio.Event(), stamped, pictures)
    flight.sends_video.set()
    flight.sends_telemetry.set()
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(_film(video, flight)),
            tasks.create_task(report(telemetry, flight.sends_telemetry, fix, flight.says)),
        ]
        yield flight
        for task in running:
            task.cancel()


async def _film(port: int, flight: Flight) -> None:
    """Timestamps and sender reports say when each picture was captured, however late we are."""
    camera = RtpCamera(f"rtp://127.0.0.1:{port}")
    loop = asyncio.get_running_loop()
    try:
        while True:
            began = loop.time()
            await flight.sends_video.wait()
            captured_ns = time.time_ns()
            camera.timestamp = captured_ns * 9 // 100_000 & 0xFFFF_FFFF
            picture = next(flight.pictures)
            if picture.keyframe and flight.tells_time:
                camera.report(captured_ns)
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
