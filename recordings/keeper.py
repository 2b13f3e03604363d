"""Keeps room for recordings: deletes flights whose days are over, and more where the disk is nearly full.

Deleting, and documenting it, is the archive's; what may go is decided in protocol/retention.py, how full is
too full in protocol/storage.py. Looking never waits for the archive: on a disk that hangs, deleting hangs,
and that has to be told.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from typing import Protocol

import msgspec

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.errors import LagebildError
from flow.flights import Alarm, AlarmLevel
from flow.recording import RecordingState, RecordingStatus, StorageState, StorageStatus

from .clock_watch import ClockWatch
from .disk_space import PATIENCE_S, DiskProbe, StatVfs
from .entries import Deletion, FlightEntry, FlightQuery, Rule
from .export.jobs import JobShelf
from .protocol.retention import Days, Planned, due, planned, thin
from .protocol.storage import FEED_BYTES_S, Look, Space, StorageJudge
from .protocol.write_rate import WriteRate
from .settings import RecordingsSettings

log = logging.getLogger("lagebild.recordings")

RETAIN_EVERY_NS = 3600 * NS_PER_S
BY = "lagebild"
"""Who deletes, in the document, where no person does."""

_USED_EVERY_NS = 60 * NS_PER_S
_PAGE = 500

_REFUSALS = {StorageStatus.FULL: "disk_full", StorageStatus.FAILED: "disk_failed"}
_LOG_LEVELS = {
    StorageStatus.OK: logging.INFO,
    StorageStatus.LOW: logging.WARNING,
    StorageStatus.FULL: logging.ERROR,
    StorageStatus.FAILED: logging.ERROR,
}


class Flights(Protocol):
    """What the keeper needs of the archive."""

    async def flights(self, query: FlightQuery) -> list[FlightEntry]: ...

    async def delete(self, flight_id: str, rule: Rule, by: str, reason: str = "") -> Deletion: ...


async def every_flight(archive: Flights, query: FlightQuery) -> list[FlightEntry]:
    """All that `query` asks for, whatever its limit."""
    found: list[FlightEntry] = []
    page: list[FlightEntry] | None = None
    while page is None or page:
        before = found[-1].id if found else query.before_id
        page = await archive.flights(msgspec.structs.replace(query, before_id=before, limit=_PAGE))
        found += page
    return found


class Keeper:
    """One for the installation; `run()` until cancelled."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: RecordingsSettings,
        archive: Flights,
        *,
        statvfs: StatVfs = os.statvfs,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._bus, self._clock, self._archive = bus, clock, archive
        self._days = Days(settings.einsatz_days, settings.uebung_days)
        self._recorded = [aircraft for aircraft in settings.aircraft if not aircraft.training]
        feeds = sum(len(aircraft.feeds) for aircraft in self._recorded)
        self._judge = StorageJudge(settings.reserve_bytes, settings.warn_hours, feeds * FEED_BYTES_S)
        self._probe = DiskProbe(settings.root, statvfs, patience_s)
        self._exports = JobShelf(settings.root)
        self._rate = WriteRate()
        self._clock_watch = ClockWatch(settings.root)
        self._doubt: Alarm | None = None  # that stands
        self._needed_bytes = 0  # to be thinned
        self._looked = asyncio.Event()
        self._retain_ns = 0
        self._stuck: dict[str, int] = {}  # flights that could not be deleted, and when to try again
        self._used_bytes = self._used_ns = 0
        self._status = StorageStatus.OK

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_on())
            tasks.create_task(self._tidy_on())

    def refusal(self) -> str:
        """ "" while there is room, else why nothing may be written: "disk_full", "disk_failed"."""
        return _REFUSALS.get(self._status, "")

    async def plan(self) -> list[Planned]:
        """A dry run: every flight that nobody holds, with its rule and its day, the first to go first."""
        return planned(await self._flights(), self._days)

    async def retain(self) -> list[Deletion]:
        """Delete every flight whose day has come; what cannot be deleted is told and stops no other. Where
        the clock is doubted (`doubted_days`), nothing.

        Raises LagebildError where the catalogue cannot be read, or nothing can be documented any more.
        """
        now_ns, flights = self._clock.now_ns(), await self._flights()
        ended = (flight.ended_ns for flight in flights if flight.ended_ns is not None)
        await self._clock_watch.look(now_ns, max(ended, default=now_ns))
        plans = due(flights, now_ns, self._days)
        self._tell_doubt(len(plans))
        if self.doubted_days:
            return []
        deletions = [await self._delete(plan.flight_id, plan.rule) for plan in plans]
        return [deletion for deletion in deletions if deletion]

    @property
    def doubted_days(self) -> int:
        """By so many the clock has leapt ahead, and nothing goes by its days for now; 0: it is right."""
        return self._clock_watch.doubted_days

    def _tell_doubt(self, due_flights: int) -> None:
        """Only where it keeps something: who is out once a month need not read of it every time."""
        is_told = bool(self.doubted_days and due_flights)
        if is_told == (self._doubt is not None):
            return
        now_ns = self._clock.now_ns()
        if self._doubt is None:
            values = {"days": str(self.doubted_days), "flights": str(due_flights)}
            self._doubt = Alarm(
                f"clock_ahead-{now_ns}-on",
                "",
                now_ns,
                code="clock_ahead",
                values=values,
                level=AlarmLevel.WARNING,
            )
            self._bus.publish(self._doubt)
            return
        self._bus.publish(
            dataclasses.replace(self._doubt, id=f"clock_ahead-{now_ns}-off", utc_ns=now_ns, active=False)
        )
        self._doubt = None

    async def look(self) -> StorageState:
        """Look at the disk once, and tell the bus."""
        look = await self._look()
        self._needed_bytes = self._judge.needed_bytes(look)
        state = self._judge.judge(look, self._used_bytes)
        if state.status is not self._status:
            log.log(_LOG_LEVELS[state.status], "storage: %s: %s", state.status, state.detail)
        self._status = state.status
        self._bus.publish(state)
        for alarm in self._judge.alarms():
            self._bus.publish(alarm)
        self._looked.set()
        return state

    async def tidy(self) -> None:
        """After a look: delete what is due, once an hour, and thin where it must be."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._retain_ns:
            self._retain_ns = now_ns + RETAIN_EVERY_NS
            await self.retain()
        else:
            await self._clock_watch.look(now_ns)
        if self._needed_bytes and await self._thin():
            await self.look()  # whether that was enough
        elif now_ns >= self._used_ns + _USED_EVERY_NS:
            await self._flights()

    async def _look_on(self) -> None:
        while True:
            begun_ns = self._clock.now_ns()
            await self.look()
            await self._clock.sleep_until(begun_ns + self._judge.look_after_ns)

    async def _tidy_on(self) -> None:
        while True:
            await self._looked.wait()
            self._looked.clear()
            try:
                await self.tidy()
            except (LagebildError, OSError) as error:
                log.error("recordings cannot be tidied up: %s", error)

    async def _look(self) -> Look:
        space: Space | None = None
        trouble = ""
        try:
            space = await self._probe.look()
        except OSError as error:
            trouble = f"the data folder cannot be written: {error.strerror or error}"
        now_ns = self._clock.now_ns()
        running = self._running()
        self._rate.take(now_ns, {flight: size for flight, (size, _) in running.items()})
        rate = self._rate.per_s
        if rate is None and running:
            rate = float(FEED_BYTES_S * sum(feeds for _, feeds in running.values()))
        return Look(now_ns, space, rate, trouble)

    def _running(self) -> dict[str, tuple[int, int]]:
        """Bytes so far and feeds of each flight that is being recorded."""
        states = ((self._bus.peek(RecordingState, each.id), len(each.feeds)) for each in self._recorded)
        return {
            state.flight_id: (state.written_bytes, feeds)
            for state, feeds in states
            if state and state.status is RecordingStatus.RECORDING
        }

    async def _thin(self) -> bool:
        """Whether anything went. Exports before flights: they can be made again."""
        freed = await asyncio.to_thread(self._exports.make_room, self._needed_bytes)
        if freed >= self._needed_bytes:
            return True
        now_ns = self._clock.now_ns()
        flights = [each for each in await self._flights() if self._stuck.get(each.id, 0) <= now_ns]
        going = thin(flights, self._needed_bytes - freed, now_ns)
        return any([await self._delete(flight.id, Rule.THINNED) for flight in going]) or freed > 0

    async def _delete(self, flight_id: str, rule: Rule) -> Deletion | None:
        try:
            deletion = await self._archive.delete(flight_id, rule, BY)
        except (LagebildError, OSError) as error:
            if isinstance(error, LagebildError) and error.code == "disk_full":
                raise  # no room for the document of any deletion: no matter of this flight
            log.error("flight %s should go (%s) and cannot be deleted: %s", flight_id, rule, error)
            self._stuck[flight_id] = self._clock.now_ns() + RETAIN_EVERY_NS
            return None
        self._stuck.pop(flight_id, None)
        size_mb = deletion.size_bytes / 1e6
        log.info("flight %s is deleted (%s): %d files, %.1f MB", flight_id, rule, deletion.files, size_mb)
        return deletion

    async def _flights(self) -> list[FlightEntry]:
        """All of them; what they take on the disk is counted on the way."""
        found = await every_flight(self._archive, FlightQuery())
        self._used_bytes = sum(flight.size_bytes for flight in found)
        self._used_ns = self._clock.now_ns()
        return found
