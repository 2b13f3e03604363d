"""All renditions of one feed on a bus, without network: guests for viewers, an encoder for ingest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import (
    KeyframeWanted,
    RenditionState,
    RenditionStatus,
    RenditionWanted,
    SourceState,
    SourceStatus,
)
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, Codec, CodecConfig, Rendition
from relay.delivery import Delivery, Link, Sent
from relay.protocol.feedback import Feedback
from relay.protocol.pacer import Pacer
from relay.protocol.rendition import H265Limits
from relay.renditions import Renditions
from relay.seat import Seat
from tests.fakes.clock import FakeClock
from tests.fakes.pictures import Camera
from tests.unit.relay.test_relay_delivery import FEED, SHAPE, Tap, Way

PLAIN = CodecConfig(Codec.H264, 1280, 720, 100, 0, 31, "4:2:0", 8, False, False)
FPS = 30
H264_ONLY = {Codec.H264: SHAPE.payload_type}


class Guest:
    """As much of a viewer as relay/renditions.py touches; `tap` has what it was sent."""

    def __init__(
        self,
        stage: Stage,
        payload_types: Mapping[Codec, int] = H264_ONLY,
        h265: H265Limits | None = None,
        tap: Tap | None = None,
    ) -> None:
        self.name = "guest"
        self.tap = tap or Tap()
        stream = stage.renditions.stream
        self.seat = Seat(payload_types, h265, stage.clock.now_ns())
        self.feedback = Feedback(stream.ssrc)
        self.pacer = Pacer()
        self.sent = Sent()
        way: Any = Way()
        srtp: Any = None
        self.delivery = Delivery(stream, Link(SHAPE, srtp, way, self.tap), self.pacer, self.sent)


class Encoder:
    """What ingest does about one rendition, from a second after the first lease on.

    Of each of the source's pictures it makes one, `delay_ms` later; a keyframe every two seconds, and of the
    next picture where one is asked for.
    """

    def __init__(self, stage: Stage, rendition: Rendition, size: int, delay_ms: int = 40) -> None:
        self.rendition, self.size, self.delay_ms = rendition, size, delay_ms
        self.starts_ns: int | None = None
        self.leased_until_ns = 0
        self.leases: list[RenditionWanted] = []
        self.wishes = 0
        self._stage = stage
        self._wanted = stage.bus.latest(RenditionWanted, f"{FEED}/{rendition}")
        self._keyframes = stage.bus.latest(KeyframeWanted, f"{FEED}/{rendition}")
        self._due: list[tuple[int, AccessUnit]] = []
        self._since_keyframe = 2 * FPS
        self._seq = 0
        self._is_live = False

    def take(self, unit: AccessUnit) -> None:
        """The source's next picture."""
        now_ns = self._stage.clock.now_ns()
        wishes = len(self._keyframes.drain())
        self.wishes += wishes
        if self.starts_ns is None or now_ns < self.starts_ns:
            return
        key = self._since_keyframe >= 2 * FPS or (wishes > 0 and self._since_keyframe >= FPS // 2)
        self._since_keyframe = 1 if key else self._since_keyframe + 1
        made = b"\0\0\0\1" + (b"\x65" if key else b"\x41") + b"\x80" * (self.size * (6 if key else 1))
        low = replace(
            unit, rendition=self.rendition, codec=Codec.H264, keyframe=key, data=made, seq=self._seq
        )
        self._seq += 1
        self._due.append((now_ns + self.delay_ms * NS_PER_MS, low))

    def tick(self) -> None:
        now_ns = self._stage.clock.now_ns()
        for lease in self._wanted.drain():
            self.leases.append(lease)
            self.leased_until_ns = max(self.leased_until_ns, lease.until_ns)
            if self.starts_ns is None:
                self.starts_ns = now_ns + NS_PER_S
                self._say(RenditionStatus.STARTING)
        if self.starts_ns is not None and now_ns > self.leased_until_ns + 3 * NS_PER_S:
            self.starts_ns, self._since_keyframe = None, 2 * FPS
            self._say(RenditionStatus.OFF)
        while self._due and self._due[0][0] <= now_ns:
            if not self._is_live:
                self._say(RenditionStatus.LIVE)
            self._stage.bus.publish(self._due.pop(0)[1])

    def _say(self, status: RenditionStatus) -> None:
        self._is_live = status is RenditionStatus.LIVE
        self._stage.bus.publish(RenditionState(FEED, self.rendition, status, self._stage.clock.now_ns()))


class Stage:
    """The source is filmed at 30 pictures a second, a keyframe every `group` of them; `grows` says how much
    larger than usual each is."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.bus = MemoryBus()
        self.camera = Camera(FEED, fps=FPS)
        self.renditions = Renditions(self.bus, self.clock, FEED)
        self.encoders: list[Encoder] = []
        self.codec = Codec.H264
        self.group = 2 * FPS
        self.grows: Callable[[int], float] = lambda number: 1.0
        self._frames = 0
        self._tended_ns = 0

    def say(self, config: CodecConfig = PLAIN, notes: tuple[str, ...] = ()) -> None:
        """What ingest says of the source."""
        self.bus.publish(SourceState(FEED, SourceStatus.LIVE, 0, config=config, notes=notes))

    def enter(self, guest: Any) -> None:
        self.renditions.add(guest)

    async def film(self, seconds: float, size: int = 4000) -> None:
        for _ in range(round(seconds * FPS)):
            key = self._frames % self.group == 0
            grown = round(size * self.grows(self._frames))
            unit = self.camera.keyframe(4 * grown) if key else self.camera.delta(grown)
            self._frames += 1
            if self.codec is Codec.H265:
                start = b"\0\0\0\1\x26\x01" if key else b"\0\0\0\1\x02\x01"
                unit = replace(unit, codec=Codec.H265, data=start + b"\x80" * size)
            self.bus.publish(unit)
            for encoder in self.encoders:
                encoder.take(unit)
            for _ in range(33):
                await self.tick()

    async def tick(self) -> None:
        """A millisecond passes."""
        self.clock.advance(NS_PER_MS)
        for encoder in self.encoders:
            encoder.tick()
        now_ns = self.clock.now_ns()
        if now_ns - self._tended_ns >= 100 * NS_PER_MS:
            self._tended_ns = now_ns
            self.renditions.tend()
        for _ in range(3):
            await asyncio.sleep(0)


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    stage = Stage()
    stage.say()
    running = asyncio.create_task(stage.renditions.run())
    await asyncio.sleep(0)
    try:
        yield stage
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await stage.bus.aclose()
