"""Ingest's part where a rendition is made of a feed in real time: pictures encoded beforehand, on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.flights import KeyframeWanted, RenditionWanted
from flow.units import AccessUnit, Codec, Rendition

from .encoded import Picture


class RenditionMaker:
    """Publishes one of `pictures` for each of the source's while a lease holds, `delay_ms` later.

    They begin with a keyframe, as does each start and each answer to a KeyframeWanted: then it is from the
    first of `pictures` on. An encoder takes `starts_ms` to start.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        feed_id: str,
        rendition: Rendition,
        pictures: Sequence[Picture],
        *,
        delay_ms: int = 40,
        starts_ms: int = 800,
    ) -> None:
        self.published = 0
        self.leases = 0
        self._bus, self._clock, self._feed_id, self._rendition = bus, clock, feed_id, rendition
        self._pictures = pictures
        self._delay_ns, self._starts_ns = delay_ms * NS_PER_MS, starts_ms * NS_PER_MS
        self._leased_until_ns = 0
        self._ready_ns: int | None = None
        self._at = 0

    async def run(self) -> None:
        """Until cancelled."""
        key = f"{self._feed_id}/{self._rendition}"
        with (
            self._bus.latest(RenditionWanted, key) as leases,
            self._bus.latest(KeyframeWanted, key) as wishes,
            self._bus.from_keyframe(self._feed_id) as units,
        ):
            async with asyncio.TaskGroup() as tasks:
                async for unit in units:
                    self._hear(leases.drain())
                    if self._ready_ns is None or self._clock.now_ns() < self._ready_ns:
                        continue
                    if wishes.drain() and self._at > len(self._pictures) // 4:
                        self._at = 0
                    tasks.create_task(self._publish(self._made_of(unit)))

    def _hear(self, leases: list[RenditionWanted]) -> None:
        now_ns = self._clock.now_ns()
        for lease in leases:
            self.leases += 1
            self._leased_until_ns = lease.until_ns
        if now_ns > self._leased_until_ns + 3 * NS_PER_S:
            self._ready_ns = None
        elif self._ready_ns is None:
            self._ready_ns, self._at = now_ns + self._starts_ns, 0

    def _made_of(self, unit: AccessUnit) -> AccessUnit:
        picture = self._pictures[self._at]
        self._at = (self._at + 1) % len(self._pictures)
        self.published += 1
        return replace(
            unit,
            rendition=self._rendition,
            codec=Codec.H264,
            seq=self.published,
            keyframe=picture.keyframe,
            data=picture.data,
        )

    async def _publish(self, unit: AccessUnit) -> None:
        await self._clock.sleep_until(self._clock.now_ns() + self._delay_ns)
        self._bus.publish(unit)


def padded(pictures: Sequence[Picture], size_bytes: int) -> list[Picture]:
    """With filler data (H.264 7.3.2.7) behind each, as from an encoder that keeps a rate."""
    return [
        Picture(p.data + b"\0\0\0\1\x0c" + b"\xff" * max(1, size_bytes - len(p.data)) + b"\x80", p.keyframe)
        for p in pictures
    ]
