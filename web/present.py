"""Who watches: told to everybody who watches, of the feeds that he reaches himself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

from msgspec import Meta

from flow.clock import NS_PER_MS, Clock

from .access import CallerKind
from .access.presence import Presence, Stay
from .access.reach import EVERYTHING, Within
from .channel import FeedChannel
from .views import Json, ms

TOLD_APART_NS = 250 * NS_PER_MS
TOLD_APART_EACH_NS = 2 * NS_PER_MS
"""More seldom where there are many: a list of all goes to all."""


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody who watches now, on one device or several."""

    id: str
    kind: CallerKind
    name: Annotated[str, Meta(description="As others see it; empty: somebody at the server's own machine")]
    since_ms: Annotated[float, Meta(description="Milliseconds since the Unix epoch")]
    feeds: Annotated[list[str], Meta(description="Of those that you reach; empty: an aircraft's telemetry")]


@dataclass(frozen=True, slots=True)
class People:
    """Who watches, the first to come first."""

    people: list[PersonView]


class PresentBoard:
    """Tells every channel when somebody has come or gone. `run()` until cancelled."""

    def __init__(self, presence: Presence, clock: Clock, channels: Mapping[str, FeedChannel]) -> None:
        self._presence, self._clock, self._channels = presence, clock, channels
        self._wake = asyncio.Event()
        presence.on_change(self._wake.set)
        for channel in channels.values():
            channel.people = self.views

    def people(self, within: Within = EVERYTHING) -> People:
        stays: dict[tuple[CallerKind, str], list[Stay]] = {}
        for stay in self._presence.here():
            if _is_seen(stay, within):
                stays.setdefault((stay.caller.kind, stay.caller.id), []).append(stay)
        views = [_view(each) for each in stays.values()]
        return People(sorted(views, key=lambda view: (view.since_ms, view.id)))

    def views(self, within: Within = EVERYTHING) -> list[Json]:
        return [asdict(view) for view in self.people(within).people]

    def tell(self) -> None:
        """What somebody reaches is another: everybody is told, soon."""
        self._wake.set()

    async def run(self) -> None:
        told: dict[Within, list[Json]] = {}
        while await self._wake.wait():
            self._wake.clear()
            told = self._tell(told)
            apart_ns = TOLD_APART_NS + len(self._presence.here()) * TOLD_APART_EACH_NS
            await self._clock.sleep_until(self._clock.now_ns() + apart_ns)

    def _tell(self, before: Mapping[Within, list[Json]]) -> dict[Within, list[Json]]:
        """Only those for whom it is news; what was told, by what they reach."""
        now: dict[Within, list[Json]] = {}

        def content(within: Within) -> Json | None:
            people = now.get(within)
            if people is None:
                people = now[within] = self.views(within)
            return None if people == before.get(within) else {"people": people}

        for channel in self._channels.values():
            channel.tell_each("present", content)
        return now


def _is_seen(stay: Stay, within: Within) -> bool:
    return within.has_feed(stay.feed_id) if stay.feed_id else within.has_aircraft(stay.aircraft_id)


def _view(stays: list[Stay]) -> PersonView:
    first = min(stays, key=lambda stay: stay.since_ns)
    feeds = sorted({stay.feed_id for stay in stays} - {""})
    caller = stays[-1].caller
    return PersonView(caller.id, caller.kind, caller.name, ms(first.since_ns), feeds)
