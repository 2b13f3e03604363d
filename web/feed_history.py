"""The last five minutes of each feed, a value a second: what its pilot's plots show from the start."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.flights import Feed, SourceState, SourceStatus
from flow.units import AccessUnit, UtcOrigin

from .views import ms

KEPT_S = 300


@dataclass(frozen=True, slots=True)
class FeedMoment:
    """One second of a feed; null: no pictures came."""

    utc_ms: Annotated[float, Meta(description="The end of that second: milliseconds since the Unix epoch")]
    bitrate_bps: float | None = None
    fps: float | None = None
    age_ms: Annotated[
        float | None, Meta(description="Of the latest of its pictures, when it came; the air link is in it")
    ] = None
    age_origin: Annotated[
        UtcOrigin | None, Meta(description="Where that counts from; arrival: it is at least so old")
    ] = None


@dataclass(frozen=True, slots=True)
class FeedPast:
    """What came of a feed, second by second, the newest last, as in FeedMoment; one list for each figure, so
    that five minutes have 10 kB. A second that is missing was not seen."""

    kept_s: Annotated[int, Meta(description="How far back it goes at most")]
    utc_ms: list[float]
    bitrate_bps: list[float | None]
    fps: list[float | None]
    age_ms: list[float | None]


class FeedHistory:
    """Follows every feed's state and pictures. `run()` until cancelled."""

    def __init__(self, bus: Bus, clock: Clock, feeds: Iterable[Feed]) -> None:
        self._bus, self._clock = bus, clock
        self._feeds = {feed.id: feed for feed in feeds}
        self._kept: dict[str, deque[FeedMoment]] = {id_: deque(maxlen=KEPT_S) for id_ in self._feeds}
        self._oldest: dict[str, tuple[float, UtcOrigin]] = {}  # of the pictures of this second

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for feed in self._feeds.values():
                tasks.create_task(self._follow(feed))
            tasks.create_task(self._every_second())

    def past(self, feed_id: str) -> FeedPast:
        """Raises KeyError for a feed that there is not."""
        kept = self._kept[feed_id]
        return FeedPast(
            KEPT_S,
            [moment.utc_ms for moment in kept],
            [moment.bitrate_bps for moment in kept],
            [moment.fps for moment in kept],
            [moment.age_ms for moment in kept],
        )

    def newest(self, feed_id: str) -> FeedMoment | None:
        """The last second, None before the first."""
        kept = self._kept[feed_id]
        return kept[-1] if kept else None

    async def _follow(self, feed: Feed) -> None:
        began_ns = self._clock.now_ns()
        with self._bus.from_keyframe(feed.id) as units:
            async for unit in units:
                if unit.utc_ns >= began_ns:  # else of the cached group: it came long ago
                    self.take(feed, unit)

    def take(self, feed: Feed, unit: AccessUnit) -> None:
        """A picture has come just now."""
        link_ms = feed.air_link_ms if unit.utc_origin is UtcOrigin.ARRIVAL else 0.0
        age_ms = round((self._clock.now_ns() - unit.utc_ns) / NS_PER_MS + link_ms, 1)
        before = self._oldest.get(feed.id)
        if before is None or before[0] < age_ms:
            self._oldest[feed.id] = age_ms, unit.utc_origin

    async def _every_second(self) -> None:
        due_ns = self._clock.now_ns()
        while True:
            due_ns = max(due_ns + NS_PER_S, self._clock.now_ns())  # what was slept through is not made up for
            await self._clock.sleep_until(due_ns)
            self.note(due_ns)

    def note(self, now_ns: int) -> None:
        """A second has passed."""
        for feed_id, kept in self._kept.items():
            kept.append(self._moment(feed_id, now_ns))
        self._oldest.clear()

    def _moment(self, feed_id: str, now_ns: int) -> FeedMoment:
        state = self._bus.peek(SourceState, feed_id)
        if state is None or state.status is not SourceStatus.LIVE:
            return FeedMoment(ms(now_ns))
        age_ms, origin = self._oldest.get(feed_id, (None, None))
        return FeedMoment(ms(now_ns), _rounded(state.bitrate_bps, 0), _rounded(state.fps, 2), age_ms, origin)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
