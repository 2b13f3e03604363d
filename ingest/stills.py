"""Stills of every feed, and the health of its pictures: both come from one decoder process per feed."""

from __future__ import annotations

import asyncio
import logging

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.codec.exif import Shot, with_exif
from flow.doors import Still
from flow.errors import NotFoundError
from flow.flights import Feed
from flow.samples import TelemetrySample
from flow.units import captured_ns

from .decoding import Decoded, FeedDecoder
from .health import HealthWatch
from .protocol.shots import Track, shot_of

log = logging.getLogger("lagebild.ingest")

_TICK_NS = NS_PER_S


class Stills:
    """One camera's failure touches no other."""

    def __init__(self, bus: Bus, clock: Clock, cameras: tuple[Feed, ...], *, health: bool) -> None:
        self._bus, self._clock = bus, clock
        self._cameras = {camera.id: camera for camera in cameras}
        self._tracks = {camera.aircraft_id: Track() for camera in cameras}
        self._watches = {c.id: HealthWatch(c, bus, clock) for c in cameras if health}
        self._decoders = {
            feed_id: FeedDecoder(feed_id, bus, clock, self._watches.get(feed_id)) for feed_id in self._cameras
        }

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for feed_id, decoder in self._decoders.items():
                tasks.create_task(self._kept_going(decoder), name=f"decoder-{feed_id}")
            for watch in self._watches.values():
                tasks.create_task(watch.run(), name=f"health-{watch.feed_id}")
            for aircraft_id, track in self._tracks.items():
                tasks.create_task(self._follow(aircraft_id, track))
            tasks.create_task(self._tick(), name="stills-tick")

    async def still(self, feed_id: str) -> Still:
        """See flow/doors.py IngestDoor."""
        if feed_id not in self._cameras:
            raise NotFoundError(f"no feed '{feed_id}'")
        return self._signed(self._cameras[feed_id], await self._decoders[feed_id].still())

    def _signed(self, camera: Feed, decoded: Decoded) -> Still:
        """With time, place and age in it."""
        made = decoded.picture
        utc_ns = captured_ns(made.utc_ns, made.utc_origin, camera.air_link_ms)
        age_ms = max(0.0, (self._clock.now_ns() - utc_ns) / NS_PER_MS)
        kind = "newest picture" if decoded.warm else "newest keyframe"
        of = f"Feed {camera.id} of aircraft {camera.aircraft_id}"
        name = f"EXERCISE (UEBUNG): {of}" if camera.training else of
        shot = Shot(
            utc_ns,
            made.width_px,
            made.height_px,
            description=f"{name}, {kind}, {age_ms:.0f} ms old",
            comment=f"feed={camera.id} age_ms={age_ms:.0f} time_origin={made.utc_origin}",
        )
        sample = self._tracks[camera.aircraft_id].at(utc_ns)
        return Still(
            feed_id=camera.id,
            jpeg=with_exif(made.jpeg, shot_of(camera, sample, shot)),
            utc_ns=utc_ns,
            utc_origin=made.utc_origin,
            age_ms=age_ms,
            width_px=made.width_px,
            height_px=made.height_px,
            warm=decoded.warm,
        )

    async def _kept_going(self, decoder: FeedDecoder) -> None:
        """A defect in what serves one feed must not end the pictures of all: log it and go on."""
        while True:
            try:
                return await decoder.run()
            except Exception:
                log.exception("feed %s: its decoder failed: a defect of Lagebild", decoder.feed_id)
            await self._clock.sleep_until(self._clock.now_ns() + NS_PER_S)

    async def _follow(self, aircraft_id: str, track: Track) -> None:
        with self._bus.latest(TelemetrySample, aircraft_id) as samples:
            async for sample in samples:
                track.add(sample)

    async def _tick(self) -> None:
        while True:
            for decoder in self._decoders.values():
                decoder.tick()
            for watch in self._watches.values():
                watch.tick()
            await self._clock.sleep_until(self._clock.now_ns() + _TICK_NS)
