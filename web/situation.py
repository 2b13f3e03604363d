"""The situation as other programs draw it: aircraft, their tracks, what their cameras see, markers.

What is old is never shown as fresh: an aircraft whose position is old is there as `stale`, with its age, and
everything else of it that is old is unknown. One without a position is not there at all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.doors import CameraLook, TelemetryDoor
from flow.errors import NotFoundError
from flow.flights import Aircraft, Feed, Marker
from flow.markers import Markers
from flow.samples import Group, Place, TelemetrySample

from .access.reach import EVERYTHING, Within

STALE_NS = 3 * NS_PER_S
"""Telemetry comes several times a second; after so long without, its link is silent."""
TRACK_EVERY_NS = NS_PER_S
TRACK_NS = 300 * NS_PER_S
_TRACK_POINTS = TRACK_NS // TRACK_EVERY_NS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """One aircraft at `now_ns`; `place` is where it was at `placed_ns`, newest last in `track`."""

    aircraft: Aircraft
    sample: TelemetrySample
    place: Place
    placed_ns: int
    now_ns: int
    track: tuple[Place, ...] = ()
    looks: tuple[tuple[Feed, CameraLook], ...] = ()

    @property
    def age_ns(self) -> int:
        return max(0, self.now_ns - self.placed_ns)

    @property
    def stale(self) -> bool:
        return self.age_ns > STALE_NS

    def fresh(self, group: Group, value: T) -> T | None:
        """`value` of that group of fields, or None where it is old."""
        told_ns = self.sample.received_ns.get(group)
        return value if told_ns is not None and self.now_ns - told_ns <= STALE_NS else None


class Situation:
    """Follows all aircraft and markers. `run()` until cancelled; without `door` no camera is looked along."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        aircraft: tuple[Aircraft, ...],
        door: TelemetryDoor | None = None,
        *,
        hides: Callable[[str], bool] = lambda aircraft_id: False,
    ) -> None:
        self._bus, self._clock, self._door, self._hides = bus, clock, door, hides
        self._aircraft = {each.id: each for each in aircraft}
        self._tracks: dict[str, deque[tuple[int, Place]]] = {
            each.id: deque(maxlen=_TRACK_POINTS) for each in aircraft
        }
        self._markers = Markers()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_samples())
            tasks.create_task(self._follow_markers())

    def markers(self, within: Within = EVERYTHING) -> list[Marker]:
        return [marker for marker in self._markers.standing() if within.has_marker(marker)]

    def everybody(self, within: Within = EVERYTHING) -> list[Seen]:
        """All aircraft whose position was ever known."""
        found = (
            self.one(each, within.since_ns(each)) for each in self._aircraft if within.has_aircraft(each)
        )
        return [seen for seen in found if seen]

    def one(self, aircraft_id: str, since_ns: int = 0) -> Seen | None:
        """None where its position was never known, or it is not shown; its track since then. Raises
        NotFoundError."""
        aircraft = self._aircraft.get(aircraft_id)
        if aircraft is None:
            raise NotFoundError(f"no aircraft '{aircraft_id}'")
        sample = self._bus.peek(TelemetrySample, aircraft_id)
        at = _placed(sample) if sample else None
        if sample is None or at is None or self._hides(aircraft_id):
            return None
        now_ns = self._clock.now_ns()
        seen = Seen(aircraft, sample, at[1], at[0], now_ns)
        from_ns = max(since_ns, now_ns - TRACK_NS + 1)
        track = tuple(place for ns, place in self._tracks[aircraft_id] if ns >= from_ns)
        looks = () if seen.stale else tuple(self._looks(aircraft, sample.utc_ns))
        return replace(seen, track=(*track, seen.place) if track else (), looks=looks)

    def _looks(self, aircraft: Aircraft, utc_ns: int) -> list[tuple[Feed, CameraLook]]:
        looks: list[tuple[Feed, CameraLook]] = []
        if self._door is None:
            return looks
        for feed in aircraft.feeds:
            with contextlib.suppress(NotFoundError):  # not a camera that can be looked along
                looks.append((feed, self._door.look(feed.id, utc_ns)))
        return looks

    async def _follow_samples(self) -> None:
        with self._bus.latest(TelemetrySample) as samples:
            async for sample in samples:
                track, at = self._tracks.get(sample.aircraft_id), _placed(sample)
                if track is not None and sample.forgets:
                    track.clear()
                if track is not None and at and (not track or at[0] - track[-1][0] >= TRACK_EVERY_NS):
                    track.append(at)

    async def _follow_markers(self) -> None:
        with self._bus.events(Marker) as events:
            async for event in events:
                if isinstance(event, Marker):
                    self._markers.take(event)


def _placed(sample: TelemetrySample) -> tuple[int, Place] | None:
    told_ns = sample.received_ns.get(Group.POSITION)
    if sample.lat_deg is None or sample.lon_deg is None or told_ns is None:
        return None
    return told_ns, Place(sample.lat_deg, sample.lon_deg, sample.alt_msl_m)
