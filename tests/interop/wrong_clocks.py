"""The simulator with wrong clocks flies into the real service: what is told of pictures and telemetry."""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import av
from av.video.codeccontext import VideoCodecContext

from flow.codec.rtp import signed_distance
from flow.flights import SourceState
from flow.samples import LinkState
from flow.units import AccessUnit
from simulator import strip
from tests.bench.truth import Truth, heading
from web.service import Running, running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

FEED, AIRCRAFT = "fritz-tag", "fritz"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is told to the pages, and when it was truly captured: burned into it."""

    rtp_timestamp: int
    utc_ms: float
    origin: str
    captured_ms: int


@dataclass
class Flown:
    """What the pages of a flight were told."""

    truth: Path
    units: list[AccessUnit] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    source: SourceState | None = None
    link: LinkState | None = None

    def pictures(self) -> list[Picture]:
        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, VideoCodecContext)
        found: list[Picture] = []
        for unit in self.units:
            frames = decoder.decode(av.Packet(unit.data))
            reads = filter(None, (strip.read(frame.to_ndarray(format="gray")) for frame in frames))
            found += (
                Picture(unit.rtp_timestamp, unit.utc_ns / 1e6, unit.utc_origin, read[0]) for read in reads
            )
        return found

    def sync_errors_ms(self) -> list[float]:
        """By how much telemetry is later than the picture that it is told to belong to, while the aircraft
        turns: from the content of both."""
        truth, pictures = Truth(self.truth, heading), self.pictures()
        base = pictures[0].rtp_timestamp
        ticks = [signed_distance(base, picture.rtp_timestamp, 1 << 32) for picture in pictures]
        errors = []
        for sample in self.samples:
            if None in (sample["rtp_timestamp"], sample["yaw_deg"], sample["roll_deg"]):
                continue
            at = signed_distance(base, sample["rtp_timestamp"], 1 << 32)
            i = bisect.bisect(ticks, at)
            if not 0 < i < len(ticks):
                continue
            share = (at - ticks[i - 1]) / (ticks[i] - ticks[i - 1])
            before_ms, after_ms = pictures[i - 1].captured_ms, pictures[i].captured_ms
            shown_ms = before_ms + (after_ms - before_ms) * share
            if truth.moving(shown_ms) and (true_ms := truth.when(heading(shown_ms, sample))) is not None:
                errors.append(true_ms - shown_ms)
        return errors


async def flown(
    folder: Path, seconds: float, *clocks: str, trust_clock: bool, air_link_ms: float = 0
) -> Flown:
    """Fly the simulator with these arguments into a service of its own."""
    feed = FeedSettings(FEED, "rtp://127.0.0.1:0", "Tag", trust_clock=trust_clock, air_link_ms=air_link_ms)
    aircraft = AircraftSettings(AIRCRAFT, "Fritz", "udpin:127.0.0.1:0", 1, feed=(feed,))
    server = ServerSettings(port=0, data_dir=str(folder))
    settings = Settings(
        server=server,
        webrtc=WebRtcSettings(port=0),
        aircraft=(aircraft,),
        recording=RecordingSettings(enabled=False),
    )
    found = Flown(folder / "truth.jsonl")
    async with running_service(settings) as service, _listening(service, found):
        ports = ["--rtp", await _video_port(service), "--mavlink", await _link_port(service)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simulator", *ports, "--truth", str(found.truth), "--size", "640x368",
            "--seconds", str(seconds), "--with-parent", *clocks, stdin=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(seconds + 40):
            assert await process.wait() == 0
        found.source = service.bus.peek(SourceState, FEED)
        found.link = service.bus.peek(LinkState, AIRCRAFT)
    return found


@contextlib.asynccontextmanager
async def _listening(service: Running, found: Flown) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(service.url) as http, asyncio.TaskGroup() as tasks:
        listeners = [
            tasks.create_task(_take_pictures(service, found)),
            tasks.create_task(_take_samples(http, found)),
        ]
        yield
        for listener in listeners:
            listener.cancel()


async def _take_pictures(service: Running, found: Flown) -> None:
    with service.bus.from_keyframe(FEED) as units:
        async for unit in units:
            found.units.append(unit)


async def _take_samples(http: aiohttp.ClientSession, found: Flown) -> None:
    async with http.ws_connect(f"/api/v1/feeds/{FEED}/telemetry") as socket:
        async for message in socket:
            told = json.loads(message.data)
            if told["type"] == "telemetry":
                found.samples.append(told)


async def _video_port(service: Running) -> str:
    with service.bus.latest(SourceState, FEED) as states:
        async for state in states:
            if state.address:
                return state.address.partition("://")[2]
    raise AssertionError


async def _link_port(service: Running) -> str:
    with service.bus.latest(LinkState, AIRCRAFT) as links:
        async for link in links:
            if link.address:
                return link.address.partition(":")[2]
    raise AssertionError
