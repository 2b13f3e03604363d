"""The flights of one aircraft that are being written: at most one that goes on, and those that just ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from flow.bus import Bus
from flow.clock import NS_PER_S
from flow.flights import Aircraft, FlightEnded, FlightStarted
from flow.units import AccessUnit

from .flight_file import FlightFile, KeptRule
from .flight_writer import FlightWriter
from .folders import flight_id

log = logging.getLogger("lagebild.recordings")

LEAVING_NS = 60 * NS_PER_S
"""After a split, a feed that has no keyframe for so long is not waited for."""

GROWTH_NS = 10 * NS_PER_S  # that a flight has grown is news so often
LEAVE_S = 2.5
_LAST_WORDS_S = 60.0  # how long a slow disk may take to write the end of a flight


@dataclass(frozen=True, slots=True)
class Cut:
    """A flight that goes on where the last server ended: the number of its segments by feed, and what it
    had come to."""

    flight: FlightFile
    last_ns: int
    segments: dict[str, int]
    pictures: int = 0
    written_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where flights go. `taken` are the names that are in use in the flights' folder; `refusal` says why
    nothing may be written; `changed` is told of a flight whose folder has news for the catalogue."""

    root: Path
    taken: set[str]
    refusal: Callable[[], str]
    changed: Callable[[str], None]


class OpenFlights:
    """Begins, splits and ends flights; says to which of them a picture belongs."""

    def __init__(self, aircraft: Aircraft, place: Place, bus: Bus) -> None:
        self._aircraft, self._place, self._bus = aircraft, place, bus
        self.current: FlightWriter | None = None
        self.left: Cut | None = None
        """After `leave`: what there is to go on with."""
        self._leaving: FlightWriter | None = None  # after a split, of feeds that have had no keyframe yet
        self._leaving_until_ns = 0
        self._growth_due_ns = 0
        self._homes: dict[str, FlightWriter] = {}  # by feed
        self._ended: asyncio.Queue[FlightWriter] = asyncio.Queue()
        self._closing: list[FlightWriter] = []

    # --- begin and end ----------------------------------------------------------------------------

    def resume(self, cut: Cut, now_ns: int) -> None:
        """Go on with a flight. Its cameras may be others by now: those that it had are kept."""
        flight = FlightFile.begun(cut.flight.id, self._aircraft, cut.flight.started_ns)
        former = tuple(feed for feed in cut.flight.feeds if feed.id not in {own.id for own in flight.feeds})
        flight = msgspec.structs.replace(
            flight,
            feeds=flight.feeds + former,
            repaired_ns=cut.flight.repaired_ns,
            rules=cut.flight.rules,
        )
        writer = FlightWriter(self._place.root, flight, self._place.refusal, now_ns, cut.segments)
        writer.count_before(cut.pictures, cut.written_bytes)
        self._enter(writer)

    def begin(self, started_ns: int, now_ns: int) -> FlightWriter:
        name = self._free_id(started_ns)
        flight = FlightFile.begun(name, self._aircraft, started_ns)
        writer = FlightWriter(self._place.root, flight, self._place.refusal, now_ns)
        writer.event(self._enter(writer))
        return writer

    def split(self, at_ns: int) -> FlightWriter:
        """Begin the next flight. The one before gets what is left of each feed's group."""
        self._retire_leaving(at_ns)
        self._leaving, self._leaving_until_ns = self.current, at_ns + LEAVING_NS
        homes = self._homes
        writer = self.begin(at_ns, at_ns)
        self._homes = homes
        return writer

    def end(self, at_ns: int) -> None:
        self._retire_leaving(at_ns)
        if self.current is not None:
            self._retire(self.current, at_ns)
        self.current, self._homes = None, {}

    def home(self, feed_id: str) -> FlightWriter | None:
        """The flight that a feed's pictures belong to."""
        return self._homes.get(feed_id)

    def home_of(self, unit: AccessUnit) -> FlightWriter | None:
        """Where this picture belongs: a keyframe moves its feed to the newest flight."""
        if unit.keyframe and self.current is not None:
            self._homes[unit.feed_id] = self.current
        return self._homes.get(unit.feed_id)

    def pause(self, feed_id: str) -> None:
        """No picture of that feed is written until its next keyframe."""
        for writer in (self.current, self._leaving):
            if writer is not None:
                writer.pause(feed_id)

    def keep(self, rule: KeptRule) -> None:
        """Flights that go on are recorded so from now on."""
        for writer in (self.current, self._leaving):
            if writer is not None and writer.flight.records != rule.records:
                writer.keep(rule)

    # --- time passes ------------------------------------------------------------------------------

    async def tick(self, now_ns: int) -> None:
        if self._leaving is not None:
            if now_ns >= self._leaving_until_ns or self._leaving not in self._homes.values():
                self._retire_leaving(now_ns)
            else:
                await self._leaving.tick(now_ns)
        if (writer := self.current) is not None:
            await writer.tick(now_ns)
            self._tell_news(writer, now_ns)

    def _tell_news(self, writer: FlightWriter, now_ns: int) -> None:
        """Growth is told whatever waits for the disk: with some cameras, something always does."""
        is_news = writer.has_news and writer.is_settled
        has_grown = now_ns >= self._growth_due_ns and writer.written_bytes > 0
        if (is_news or has_grown) and writer.trouble is None:
            writer.has_news = writer.has_news and not is_news
            self._growth_due_ns = now_ns + GROWTH_NS
            self._place.changed(writer.flight.id)

    async def close_ended(self) -> None:
        """Wait for the disks of flights that ended, one after the other; until cancelled."""
        while True:
            writer = await self._ended.get()
            if not await writer.aclose(_LAST_WORDS_S):
                log.error("flight %s: its end could not be written", writer.flight.id)
            self._closing.remove(writer)
            self._place.changed(writer.flight.id)

    async def leave(self, now_ns: int) -> None:
        """The server ends: a flight that goes on stays open, so that the next start can resume it."""
        self._retire_leaving(now_ns)
        if self.current is not None:
            writer, self.current = self.current, None
            writer.finish(None)
            self.left = Cut(writer.flight, now_ns, writer.segments, writer.pictures, writer.written_bytes)
            self._closing.append(writer)
        closed = await asyncio.gather(*(writer.aclose(LEAVE_S) for writer in self._closing))
        for writer, settled in zip(self._closing, closed, strict=True):
            if not settled:
                log.error("flight %s: the disk did not take its last data", writer.flight.id)
            self._place.changed(writer.flight.id)

    # --- within -----------------------------------------------------------------------------------

    def _enter(self, writer: FlightWriter) -> FlightStarted:
        flight = writer.flight
        self.current = writer
        self._homes = dict.fromkeys((feed.id for feed in self._aircraft.feeds), writer)
        started = FlightStarted(f"{flight.id}-started", flight.aircraft_id, flight.id, flight.started_ns)
        self._bus.publish(started)
        return started

    def _retire_leaving(self, at_ns: int) -> None:
        """Feeds that are still there follow to the newest flight, where they wait for their keyframe."""
        leaving, self._leaving = self._leaving, None
        if leaving is not None and self.current is not None:
            self._retire(leaving, at_ns)
            self._homes = dict.fromkeys(self._homes, self.current)

    def _retire(self, writer: FlightWriter, at_ns: int) -> None:
        flight = writer.flight
        ended = FlightEnded(f"{flight.id}-ended", flight.aircraft_id, flight.id, at_ns)
        writer.event(ended)
        writer.finish(at_ns)
        self._closing.append(writer)
        self._ended.put_nowait(writer)
        self._bus.publish(ended)

    def _free_id(self, started_ns: int) -> str:
        """Two flights within one second, or a clock that was set back: the next free second."""
        name = flight_id(started_ns, self._aircraft.id)
        while name in self._place.taken:
            started_ns += NS_PER_S
            name = flight_id(started_ns, self._aircraft.id)
        self._place.taken.add(name)
        return name
