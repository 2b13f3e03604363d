"""The whole service with feeds that are published by WHIP, and a publisher from another house."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from flow.flights import SourceState
from flow.memory_bus import MemoryBus
from web.publish_keys import PublishKeys
from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

from .ingest_rig import DEADLINE_S, FFMPEG_9, Rig

GST_PUBLISHER = Path(__file__).parents[1] / "fakes" / "gst_publisher.py"


@dataclass(slots=True)
class House:
    """A running service; `keys` by feed."""

    url: str
    bus: MemoryBus
    rig: Rig
    keys: dict[str, str]


@asynccontextmanager
async def whip_house(data_dir: Path, *feed_ids: str, takeover: bool = False) -> AsyncIterator[House]:
    keys = PublishKeys(data_dir)
    made = {feed_id: keys.make(feed_id) for feed_id in feed_ids}
    feeds = tuple(FeedSettings(feed_id, "whip", feed_id, takeover=takeover) for feed_id in feed_ids)
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(data_dir)),
        webrtc=WebRtcSettings(port=0),
        aircraft=(AircraftSettings("fritz", "Fritz", feed=feeds),),
        recording=RecordingSettings(enabled=False),
    )
    async with running_service(settings) as service:
        bus = service.bus
        assert isinstance(bus, MemoryBus)
        rig = Rig(bus)
        await rig.until(lambda: all(bus.peek(SourceState, f) for f in feed_ids), "the first states")
        yield House(service.url.rstrip("/"), bus, rig, made)


def ffmpeg_whip(clip: str, url: str, key: str, *options: str) -> list[str]:
    command = [FFMPEG_9, "-nostdin", "-loglevel", "error", "-re", *options, "-i", clip, "-map", "0:v"]
    return [*command, "-c:v", "copy", "-f", "whip", "-authorization", key, url]


class GstPublisher:
    """tests/fakes/gst_publisher.py; its offer is posted by the test, as a WHIP client would."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def publish(self, url: str, key: str) -> str:
        """Returns where the session is."""
        offer = await self.told("offer")
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession() as http, http.post(url, data=offer, headers=headers) as reply:
            answer = await reply.text()
            assert reply.status == 201, answer
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"answer": answer}).encode() + b"\n")
            return str(reply.url.join(URL(reply.headers["Location"])))

    async def told(self, what: str) -> Any:
        """The next line that tells this."""
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._process.stdout:
                told = json.loads(line)
                if what in told:
                    return told[what]
        raise AssertionError(f"GStreamer ended before it told its {what}")


@asynccontextmanager
async def gst_publisher(clip: str) -> AsyncIterator[GstPublisher]:
    if shutil.which("gst-launch-1.0") is None:
        pytest.fail("GStreamer is not installed: run scripts/apt-test")
    process = await asyncio.create_subprocess_exec(
        "/usr/bin/python3",
        str(GST_PUBLISHER),
        clip,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield GstPublisher(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
