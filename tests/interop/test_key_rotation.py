"""Real encoders whose key is rotated while they send: no picture is lost, the old key opens nothing new."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.flights import SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit
from web.publish_keys import PublishKeys
from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PublishingSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

from .ingest_rig import DEADLINE_S, FFMPEG_9, Rig, check_invariants, publishing
from .test_ingest_publishers import make_clip

PICTURE_90K = 3000
ROUNDING_90K = 90  # FLV tells milliseconds
WAYS = ("rtmp", "srt", "whip")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("clips")
    return make_clip(folder / "live.mp4", "-tune", "zerolatency", "-g", "30")


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class House:
    """One running service with a feed for each way; `addresses` of the keys made so far, by way."""

    http: aiohttp.ClientSession
    rig: Rig
    data: Path
    clip: str

    async def key(self, way: str, **wish: bool) -> dict[str, Any]:
        async with self.http.post(f"/api/v1/feeds/{way}/keys", json=wish or None) as reply:
            assert reply.status == 201
            told: dict[str, Any] = await reply.json()
            return told

    def command(self, way: str, made: dict[str, Any]) -> list[str]:
        """Sends the clip for ever."""
        told = next(each["way"] for each in made["ways"] if each["way"]["protocol"] == way)
        film = [FFMPEG_9, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", self.clip]
        film += ["-map", "0:v", "-c", "copy"]
        how = {
            "rtmp": ["-f", "flv"],
            "srt": ["-f", "mpegts"],
            "whip": ["-f", "whip", "-authorization", made["key"]],
        }
        return [*film, *how[way], told["address"]]

    async def publisher_key(self, way: str) -> str | None:
        async with self.http.get("/api/v1/pilot") as reply:
            feeds = (await reply.json())["aircraft"][0]["feeds"]
        told: str | None = next(each["publisher_key"] for each in feeds if each["feed"]["id"] == way)
        return told

    def waits(self, way: str) -> bool:
        return self.rig.state(way).detail.startswith("waiting for a publisher")


@asynccontextmanager
async def house(data: Path, clip: str) -> AsyncIterator[House]:
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(data)),
        webrtc=WebRtcSettings(port=0),
        publish=PublishingSettings(
            rtmp_port=free_port(socket.SOCK_STREAM), srt_port=free_port(socket.SOCK_DGRAM)
        ),
        aircraft=(AircraftSettings("otto", feed=tuple(FeedSettings(way, way) for way in WAYS)),),
        recording=RecordingSettings(enabled=False),
    )
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        assert isinstance(service.bus, MemoryBus)
        rig = Rig(service.bus)
        bus = service.bus
        await rig.until(lambda: all(bus.peek(SourceState, way) for way in WAYS), "the first states")
        told = House(http, rig, data, clip)
        await rig.until(lambda: all(map(told.waits, WAYS)), "the servers listen")
        yield told


async def refused(command: list[str]) -> None:
    async with publishing(*command) as process, asyncio.timeout(DEADLINE_S):
        assert await process.wait() != 0


def check_whole(units: list[AccessUnit]) -> None:
    """One stream, and none of its pictures is missing."""
    check_invariants(units)
    assert len({unit.epoch for unit in units}) == 1
    steps = {after.dts_90k - before.dts_90k for before, after in pairwise(units)}
    assert max(steps) <= PICTURE_90K + ROUNDING_90K, sorted(steps)


@pytest.mark.parametrize("way", WAYS)
async def test_no_picture_is_lost_when_the_key_is_rotated(way: str, clip: str, tmp_path: Path) -> None:
    async with house(tmp_path, clip) as there:
        first = await there.key(way)
        async with publishing(*there.command(way, first)):
            await there.rig.until_pictures(way, 30)
            assert await there.publisher_key(way) == "current"
            second = await there.key(way, rotate=True)
            assert second["rotated"] == 1
            before = len(there.rig.units(way))
            await refused(there.command(way, first))
            assert await there.publisher_key(way) == "rotated"
            await there.rig.until_pictures(way, before + 60)
            state = there.rig.state(way)
            assert (state.status, state.damaged, state.lost_packets) == (SourceStatus.LIVE, 0, 0)
            check_whole(there.rig.units(way))
        await there.rig.until(lambda: there.rig.state(way).status is SourceStatus.LOST, "it has left")
        before = len(there.rig.units(way))
        async with publishing(*there.command(way, second)):
            await there.rig.until_pictures(way, before + 30)
            assert await there.publisher_key(way) == "current"
            PublishKeys(there.data).withdraw(way)  # by another process: `lagebild key FEED --withdraw`
            await there.rig.until_status(way, SourceStatus.LOST, "key_withdrawn")
