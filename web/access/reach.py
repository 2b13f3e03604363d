"""Which feeds, aircraft and flights belong to which incident now.

Answered from memory. What is changed through our own interface is known at once (`told`), everything else
within LOOK_EVERY_S.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.errors import LagebildError, UnavailableError
from flow.flights import Aircraft, Incident, Marker
from flow.recording import RecordingState

from .caller import Caller

if TYPE_CHECKING:
    from recordings.archive import Archive

    from .policy import Reach

log = logging.getLogger("lagebild.web")

LOOK_EVERY_S = 1.0
LOOK_SOON_S = 0.1
"""While a flight has begun and is not in the incident of its aircraft yet: it will be in a moment."""
JOINS_WITHIN_NS = 10 * NS_PER_S

_NONE: frozenset[str] = frozenset()


class NoIncidents:
    """Where nothing is recorded there are none: nobody who is bound to one reaches anything."""

    def feeds(self, incident_id: str) -> frozenset[str]:
        return _NONE

    def aircraft(self, incident_id: str) -> frozenset[str]:
        return _NONE

    def flights(self, incident_id: str) -> frozenset[str]:
        return _NONE

    def running(self) -> frozenset[str]:
        return _NONE

    def since_ns(self, incident_id: str, aircraft_id: str) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class _Own:
    """What one incident has. `aircraft`: since when."""

    aircraft: Mapping[str, int] = field(default_factory=dict)
    feeds: frozenset[str] = _NONE
    flights: frozenset[str] = _NONE


_NOTHING = _Own()


class IncidentReach:
    """Follows the incidents of the archive. `run()` until cancelled.

    An aircraft is in one incident at a time, as a flight is: in the one that was opened last, of those that
    are open and have it. Who forgot to close yesterday's does not show today's to yesterday's guests.
    """

    def __init__(
        self, bus: Bus, clock: Clock, aircraft: Sequence[Aircraft], archive: Archive | None = None
    ) -> None:
        self._bus, self._clock, self._archive = bus, clock, archive
        self._aircraft = {each.id: each for each in aircraft if not each.training}
        self._incidents: dict[str, Incident] = {}
        self._own: dict[str, _Own] = {}
        self._has_looked = False
        self._told: list[Callable[[], None]] = []

    def feeds(self, incident_id: str) -> frozenset[str]:
        return self._own.get(incident_id, _NOTHING).feeds

    def aircraft(self, incident_id: str) -> frozenset[str]:
        return frozenset(self._own.get(incident_id, _NOTHING).aircraft)

    def flights(self, incident_id: str) -> frozenset[str]:
        """Of a closed one, those that go on are none of it any more."""
        incident, own = self._incidents.get(incident_id), self._own.get(incident_id, _NOTHING)
        is_closed = incident is None or incident.closed_ns is not None
        return own.flights - self.running() if is_closed else own.flights

    def running(self) -> frozenset[str]:
        states = (self._bus.peek(RecordingState, aircraft_id) for aircraft_id in self._aircraft)
        return frozenset(state.flight_id for state in states if state and state.flight_id)

    def since_ns(self, incident_id: str, aircraft_id: str) -> int:
        """Since when an aircraft is in it; what was marked before is of another incident, or of none."""
        return self._own.get(incident_id, _NOTHING).aircraft.get(aircraft_id, self._clock.now_ns())

    def incident(self, incident_id: str) -> Incident | None:
        """As it was known last, open or closed."""
        return self._incidents.get(incident_id)

    def incidents(self) -> list[Incident]:
        return list(self._incidents.values())

    @property
    def has_looked(self) -> bool:
        """Whether the archive has told of its incidents at all."""
        return self._has_looked

    def on_change(self, told: Callable[[], None]) -> None:
        """Call `told` whenever something belongs to another incident than before, or to none."""
        self._told.append(told)

    def told(self, incident: Incident) -> None:
        """This one is so from now on."""
        others = {each.id: each for each in self._incidents.values() if each.id != incident.id}
        self._take([*others.values(), incident])

    async def refresh(self) -> None:
        """Raises what the archive does; then everything is as it was."""
        if self._archive is not None:
            incidents = await self._archive.incidents()
            self._take(incidents)
            self._has_looked = True

    async def run(self) -> None:
        fails = False
        while True:
            try:
                await self.refresh()
                fails = False
            except UnavailableError:  # the archive is not open: whoever opens it says why
                pass
            except LagebildError as error:
                if not fails:
                    log.warning("incidents: what changes now is not seen: %s", error)
                fails = True
            await self._rest()

    async def _rest(self) -> None:
        """Until it is time to look again."""
        until_ns = self._clock.now_ns() + round(LOOK_EVERY_S * NS_PER_S)
        while self._clock.now_ns() < until_ns:
            await self._clock.sleep_until(self._clock.now_ns() + round(LOOK_SOON_S * NS_PER_S))
            if self.awaits_flight():
                return

    def awaits_flight(self) -> bool:
        """Whether an aircraft of an open incident has just begun a flight that is in none yet."""
        held = {aircraft_id for own in self._own.values() for aircraft_id in own.aircraft}
        since_ns = self._clock.now_ns() - JOINS_WITHIN_NS
        states = (self._bus.peek(RecordingState, aircraft_id) for aircraft_id in held)
        begun = [s.flight_id for s in states if s and s.flight_id and (s.started_ns or 0) > since_ns]
        return any(all(each not in own.flights for own in self._own.values()) for each in begun)

    def _take(self, incidents: Iterable[Incident]) -> None:
        by_age = sorted(incidents, key=lambda each: (each.opened_ns, each.id))
        holders = {a: each for each in by_age if each.closed_ns is None for a in each.aircraft_ids}
        own = {each.id: self._own_of(each, holders) for each in by_age}
        is_news = own != self._own
        self._incidents, self._own = {each.id: each for each in by_age}, own
        if is_news:
            for told in self._told:
                told()

    def _own_of(self, incident: Incident, holders: Mapping[str, Incident]) -> _Own:
        had = self._own.get(incident.id, _NOTHING).aircraft
        ids = [a for a in incident.aircraft_ids if holders.get(a) is incident and a in self._aircraft]
        since = {a: had.get(a) or self._began_ns(incident, a) for a in ids}
        feeds = frozenset(feed.id for a in ids for feed in self._aircraft[a].feeds)
        return _Own(since, feeds, frozenset(incident.flight_ids))

    def _began_ns(self, incident: Incident, aircraft_id: str) -> int:
        """Of one that was not in it before: with its flight, where that is of this incident."""
        if not self._has_looked:
            return incident.opened_ns
        state = self._bus.peek(RecordingState, aircraft_id)
        flies_in_it = state is not None and state.flight_id in incident.flight_ids
        return (flies_in_it and state and state.started_ns) or self._clock.now_ns()


@dataclass(frozen=True, slots=True)
class Within:
    """What a caller reaches. Equal for all who reach the same, so that they can be told the same."""

    reach: Reach
    incident_id: str | None = None

    @property
    def is_all(self) -> bool:
        """Bound to no incident."""
        return self.incident_id is None

    def has_feed(self, feed_id: str) -> bool:
        return self.incident_id is None or feed_id in self.reach.feeds(self.incident_id)

    def has_aircraft(self, aircraft_id: str) -> bool:
        return self.incident_id is None or aircraft_id in self.reach.aircraft(self.incident_id)

    def since_ns(self, aircraft_id: str) -> int:
        """What is known of that aircraft from before is not for this caller."""
        return 0 if self.incident_id is None else self.reach.since_ns(self.incident_id, aircraft_id)

    def has_marker(self, marker: Marker) -> bool:
        """Those for no aircraft are the installation's."""
        aircraft_id = marker.aircraft_id
        return self.has_aircraft(aircraft_id) and marker.utc_ns >= self.since_ns(aircraft_id)


EVERYTHING = Within(NoIncidents())


def within(caller: Caller, reach: Reach) -> Within:
    """Raises nothing: who is bound to an incident that is closed, or gone, reaches nothing."""
    return EVERYTHING if caller.incident_id is None else Within(reach, caller.incident_id)
