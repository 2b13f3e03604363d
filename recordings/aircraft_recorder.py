"""Records one aircraft: follows everything of it on the bus, and has its flights written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from flow.bus import Bus, Reader, unit_key
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import OverflowedError
from flow.flights import Aircraft, Alarm, AlarmLevel, Armed, Disarmed, Marker, RecordingSwitch
from flow.memory_bus import Group as Pictures
from flow.samples import Group, Metadata, RawTelemetry, StatusText, TelemetrySample
from flow.units import AccessUnit, Rendition

from .flight_file import KeptRule
from .flight_writer import FlightWriter
from .open_flights import Cut, OpenFlights, Place
from .protocol.flight_detector import QUIET_NS, FlightDetector, Split, Start, Turn
from .protocol.preroll import TelemetryPreroll
from .recording_report import RecordingReport
from .rules import Rules
from .wanted import Wanted

log = logging.getLogger("lagebild.recordings")

TICK_NS = 250 * NS_PER_MS
SAMPLE_NS = 100 * NS_PER_MS
PREROLL_NS = 15 * NS_PER_S
"""What belongs to a flight may be so much older than its start."""

Noted: TypeAlias = Marker | Alarm | StatusText | RecordingSwitch | Armed | Disarmed
T = TypeVar("T")


class AircraftRecorder:
    """`run()` until cancelled; a flight that goes on is then left open, and all of it is on the disk.
    `rules` say what of it is recorded."""

    def __init__(
        self,
        aircraft: Aircraft,
        place: Place,
        bus: Bus,
        clock: Clock,
        *,
        rules: Rules,
        cut: Cut | None = None,
    ) -> None:
        self._rules, self._rule = rules, rules.of(aircraft.id, "")
        self._wanted = Wanted(aircraft, self._rule.records)
        self._aircraft, self._bus, self._clock = aircraft, bus, clock
        self._flights = OpenFlights(aircraft, place, bus)
        self._detector = FlightDetector()
        if cut is not None:
            self._detector = FlightDetector.resumed(cut.flight.started_ns, cut.last_ns)
            self._flights.resume(cut, clock.now_ns())
        self._groups = {feed.id: Pictures() for feed in aircraft.feeds}
        self._preroll = TelemetryPreroll()
        self._sample_slot = 0  # in which the last sample was kept
        self._report = RecordingReport(bus, aircraft.id)

    async def run(self) -> None:
        forget = self._rules.on_change(self._follow_rules)
        try:
            self._follow_rules()
            async with asyncio.TaskGroup() as tasks:
                for feed in self._aircraft.feeds:
                    tasks.create_task(self._follow_pictures(feed.id))
                    tasks.create_task(self._follow_metadata(feed.id))
                tasks.create_task(self._follow_raw())
                tasks.create_task(self._follow_samples())
                tasks.create_task(self._follow_events())
                tasks.create_task(self._flights.close_ended())
                tasks.create_task(self._tick())
        finally:
            forget()
            await self._flights.leave(self._clock.now_ns())

    @property
    def left(self) -> Cut | None:
        """After `run`: the flight that was left open."""
        return self._flights.left

    # --- readers ----------------------------------------------------------------------------------

    async def _follow_pictures(self, feed_id: str) -> None:
        reader = self._bus.lossless(AccessUnit, unit_key(feed_id, Rendition.SOURCE))
        await _follow(reader, self._on_picture, lambda missing, why: self._on_gap(feed_id, missing, why))

    async def _follow_metadata(self, feed_id: str) -> None:
        await _follow(self._bus.lossless(Metadata, feed_id), self._on_metadata, _lesser_gap)

    async def _follow_raw(self) -> None:
        await _follow(self._bus.lossless(RawTelemetry, self._aircraft.id), self._on_raw, _lesser_gap)

    async def _follow_samples(self) -> None:
        with self._bus.latest(TelemetrySample, self._aircraft.id) as samples:
            async for sample in samples:
                self._on_sample(sample)

    async def _follow_events(self) -> None:
        with self._bus.events(Marker, Alarm, StatusText, RecordingSwitch, Armed, Disarmed) as events:
            async for event in events:
                if isinstance(event, Noted) and event.aircraft_id in {self._aircraft.id, ""}:
                    self._on_event(event)

    async def _tick(self) -> None:
        while True:
            now_ns = self._clock.now_ns()
            self._carry_out(self._detector.tick(now_ns))
            await self._flights.tick(now_ns)
            self._tell()
            await self._clock.sleep_until(now_ns + TICK_NS)

    # --- what comes -------------------------------------------------------------------------------

    def _on_picture(self, unit: AccessUnit) -> None:
        now_ns = self._clock.now_ns()
        if self._wanted.feed(unit.feed_id):
            self._groups[unit.feed_id].add(unit)
        rolled = self._carry_out(self._detector.picture(unit.keyframe, now_ns))
        writer = self._flights.home_of(unit)
        if self._wanted.picture(unit) and writer is not None and unit.feed_id not in rolled:
            writer.picture(unit, now_ns)

    def _on_metadata(self, metadata: Metadata) -> None:
        if self._wanted.telemetry and (writer := self._flights.current) is not None:
            writer.metadata(metadata)

    def _on_raw(self, raw: RawTelemetry) -> None:
        if not self._wanted.telemetry:
            return
        self._preroll.add(raw)
        if (writer := self._flights.current) is not None:
            writer.raw(raw)

    def _on_sample(self, sample: TelemetrySample) -> None:
        now_ns = self._clock.now_ns()
        if now_ns - _heard_ns(sample) < QUIET_NS:  # not what the bus has kept from another day
            told_ns = sample.received_ns.get(Group.MODE, sample.utc_ns)
            self._carry_out(self._detector.telemetry(sample.armed, told_ns, now_ns))
        slot, writer = now_ns // SAMPLE_NS, self._flights.current
        if self._wanted.telemetry and writer is not None and slot != self._sample_slot:
            self._sample_slot = slot
            writer.sample(sample)

    def _on_event(self, event: Noted) -> None:
        was_noted = self._note(event)
        if isinstance(event, RecordingSwitch):
            self._carry_out(self._detector.switch(event.on, self._clock.now_ns()))
            if not was_noted:
                self._note(event)

    def _note(self, event: Noted) -> bool:
        """Into the flight that goes on; what the bus has kept from before it is none of it."""
        writer = self._flights.current
        if writer is None or event.utc_ns < writer.flight.started_ns - PREROLL_NS:
            return False
        if not self._is_kept(event):
            return True
        writer.event(event)
        return True

    def _is_kept(self, event: Noted) -> bool:
        """What the aircraft says goes with its telemetry; what people mark is kept beside anything else, and
        that somebody switched, in any case."""
        match event:
            case RecordingSwitch():
                return True
            case Marker():
                return self._wanted.anything
            case _:
                return self._wanted.telemetry

    def _on_gap(self, feed_id: str, missing: int, why: OverflowedError) -> None:
        """The stream goes on behind it. How many are missing is known only where they were dropped here."""
        log.warning("recording: %s", why)
        if not self._wanted.feed(feed_id) or (writer := self._flights.home(feed_id)) is None:
            return
        writer.miss(missing)
        now_ns = self._clock.now_ns()
        gap = Alarm(
            id=f"{writer.flight.id}-gap-{feed_id}-{now_ns}",
            aircraft_id=self._aircraft.id,
            utc_ns=now_ns,
            code="recording_gap",
            values={"feed": feed_id, "pictures": str(missing), "text": str(why)},
            level=AlarmLevel.WARNING,
            active=False,  # it is a note, and nothing that stands
        )
        writer.event(gap)

    # --- flights ----------------------------------------------------------------------------------

    def _carry_out(self, turns: list[Turn]) -> set[str]:
        """Return the feeds whose newest picture is recorded by that: the flight began with their groups."""
        rolled: set[str] = set()
        for turn in turns:
            match turn:
                case Start(at_ns):
                    rolled = self._begin(at_ns)
                case Split(at_ns):
                    self._hand_preroll_to(self._flights.split(at_ns))
                    self._follow_rules()
                case _:
                    self._flights.end(turn.at_ns)
                    rolled = set()
                    self._follow_rules()  # the next flight's may be another incident's
        if turns:
            self._tell()
        return rolled

    def _begin(self, at_ns: int) -> set[str]:
        """A flight begins with the keyframe that its first picture needs, though that one came before."""
        groups = {
            feed_id: group.units
            for feed_id, group in self._groups.items()
            if group.units and abs(at_ns - group.units[0].utc_ns) < PREROLL_NS
        }
        earliest_ns = min((units[0].utc_ns for units in groups.values()), default=at_ns)
        writer = self._flights.begin(min(at_ns, earliest_ns), at_ns)
        self._follow_rules()
        self._hand_preroll_to(writer)
        for units in groups.values():
            for unit in units:
                if self._wanted.picture(unit):
                    writer.picture(unit, at_ns)
        return set(groups)

    def _follow_rules(self) -> None:
        """At once what is no more to be recorded ends, what is to be begins with the next keyframe, and each
        is told: in flight.json, and to the pages."""
        writer, now_ns = self._flights.current, self._clock.now_ns()
        self._rule = self._rules.of(self._aircraft.id, writer.flight.id if writer else "")
        stopped = self._wanted.change(self._rule.records)
        for feed_id in stopped:
            self._groups[feed_id].clear()
            self._flights.pause(feed_id)
        if not self._wanted.telemetry:
            self._preroll = TelemetryPreroll()
        records = self._wanted.records
        self._flights.keep(KeptRule(now_ns, records, self._rule.incident_id, self._rule.by))
        self._tell()

    def _hand_preroll_to(self, writer: FlightWriter) -> None:
        for raw in self._preroll.messages(self._clock.now_ns()):
            writer.raw(raw)

    def _tell(self) -> None:
        reason, records = self._detector.idle_reason, self._wanted.records
        self._report.tell(self._flights.current, reason, self._clock.now_ns(), records)


async def _follow(
    reader: Reader[T], take: Callable[[T], None], gap: Callable[[int, OverflowedError], None]
) -> None:
    """Hand on everything, and at a gap how many items are known to be missing; until the bus is closed."""
    counted = 0
    with reader:
        while True:
            try:
                async for item in reader:
                    take(item)
                return
            except OverflowedError as error:
                missing, counted = reader.dropped - counted, reader.dropped
                gap(missing, error)


def _lesser_gap(missing: int, why: OverflowedError) -> None:
    log.warning("recording: %s", why)


def _heard_ns(sample: TelemetrySample) -> int:
    """When the aircraft itself was last heard; a radio on the ground speaks for itself."""
    heard = (at_ns for group, at_ns in sample.received_ns.items() if group is not Group.LINK)
    return max(heard, default=sample.utc_ns)
