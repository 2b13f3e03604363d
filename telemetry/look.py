"""Where the cameras look: keeps the last half minute of every aircraft, and answers for any moment of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from flow.bus import Bus
from flow.clock import Clock
from flow.doors import CameraLook, GroundPoint
from flow.errors import NotFoundError
from flow.flights import Feed, SourceState
from flow.samples import TelemetrySample
from flow.source_clock import ClockStatus

from .protocol.camera_look import look_of, point_of
from .protocol.geometry import locate
from .protocol.ground_error import CLOCK_ARRIVAL_S, CLOCK_TRUSTED_S
from .protocol.pose_track import PoseTrack
from .protocol.sight import Picture, sight_of
from .surroundings import SurroundingsKeeper


class Looks:
    """A TelemetryDoor. `run()` until cancelled; it reads no file but in another thread."""

    name = "looks"

    def __init__(self, bus: Bus, clock: Clock, cameras: tuple[Feed, ...], terrain: tuple[str, ...]) -> None:
        self._bus = bus
        self._cameras = {feed.id: feed for feed in cameras}
        self._tracks: dict[str, PoseTrack] = defaultdict(PoseTrack)
        self._samples = bus.latest(TelemetrySample)
        self._around = SurroundingsKeeper(terrain, clock)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._around.run())

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        feed = self._feed(feed_id)
        moment = self._track(feed).at(utc_ns)
        return look_of(moment, self._picture(feed), self._around.of(feed.aircraft_id), utc_ns)

    def ground(self, feed_id: str, x: float, y: float, utc_ns: int) -> GroundPoint:
        feed = self._feed(feed_id)
        moment = self._track(feed).at(utc_ns)
        sight = sight_of(moment, self._picture(feed), self._around.of(feed.aircraft_id))
        return point_of(feed_id, utc_ns, sight, locate(sight, x, y))

    def _feed(self, feed_id: str) -> Feed:
        feed = self._cameras.get(feed_id)
        if feed is None:
            raise NotFoundError(f"no feed '{feed_id}'")
        return feed

    def _picture(self, feed: Feed) -> Picture:
        state = self._bus.peek(SourceState, feed.id)
        config = state.config if state else None
        trusted = state is not None and state.clock is not None and state.clock.status is ClockStatus.GOOD
        return Picture(
            feed,
            config.height_px / config.width_px if config and config.width_px else None,
            CLOCK_TRUSTED_S if trusted else CLOCK_ARRIVAL_S,
        )

    def _track(self, feed: Feed) -> PoseTrack:
        for sample in self._samples.drain():  # whoever asks may have been told of the newest before us
            self._add(sample)
        return self._tracks[feed.aircraft_id]

    async def _follow(self) -> None:
        async for sample in self._samples:
            self._add(sample)

    def _add(self, sample: TelemetrySample) -> None:
        self._tracks[sample.aircraft_id].add(sample)
        self._around.want(sample)
