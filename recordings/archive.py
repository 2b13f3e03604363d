"""Flights, incidents, holds, deletions and viewings, for whoever runs on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ParamSpec, TypeVar

from flow.bus import Event
from flow.clock import Clock
from flow.errors import LagebildError, UnavailableError
from flow.flights import Incident, IncidentKind
from flow.recording import RecordKind

from .archivist import Archivist
from .entries import Deletion, FlightEntry, FlightQuery, Hold, Rule
from .folders import flight_folder
from .incident_desk import IncidentChange
from .players import Players
from .protocol.retention import Days
from .viewing import Viewing

log = logging.getLogger("lagebild.recordings")

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Archive:
    """Whatever is asked is done in one thread, in the order asked. What a caller that is cancelled had asked
    for is done, or was not begun.

    Every method raises NotFoundError for ids that are unknown or can be none, RemoteError ("bad_name") for
    words that cannot be kept, LagebildError ("disk_full", "disk_failed") where the disk does not do, and
    UnavailableError before `open` and after `aclose`.
    """

    def __init__(self, root: Path, clock: Clock, days: Days) -> None:
        self._root = root
        self._players = Players()
        self._archivist = Archivist(root, clock, days, self._players, self._stored)
        self._on_incident: list[Callable[[Incident], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread, self._removing = _threads()
        self._open = False

    async def open(self) -> None:
        """Finish deletions that a crash interrupted, and begin to make the catalogue agree with the folders:
        what is asked waits for that, but a recorder need not. With no disk nothing is in the lists."""
        self._open, self._loop = True, asyncio.get_running_loop()
        try:
            await self._do(self._archivist.open)
        except BaseException:
            self._open = False
            raise
        self._thread.submit(_logged, self._archivist.reconcile)

    async def aclose(self) -> None:
        """Waits for what was asked before. May be called again, and without `open`; may be opened again."""
        was_open, self._open = self._open, False
        self._archivist.leave()
        if was_open:
            self._thread.submit(self._archivist.close)
        for executor in (self._thread, self._removing):
            await asyncio.to_thread(executor.shutdown)
        self._thread, self._removing = _threads()

    async def refresh(self, flight_id: str) -> None:
        """Read what has changed in a flight's folder. Where that is gone, the flight is gone from the lists,
        and documented as missing."""
        await self._do(self._archivist.refresh, flight_id)

    async def flights(self, query: FlightQuery | None = None) -> list[FlightEntry]:
        """The newest first; `query.limit` is 1000 at most."""
        return await self._do(self._archivist.flights, query or FlightQuery())

    async def flight(self, flight_id: str) -> FlightEntry:
        return await self._do(self._archivist.flight, flight_id)

    async def events(self, flight_id: str) -> list[Event]:
        """In the order of time."""
        return await self._do(self._archivist.events, flight_id)

    async def incidents(self) -> list[Incident]:
        """The newest first."""
        return await self._do(self._archivist.incidents)

    async def open_incident(
        self,
        kind: IncidentKind,
        name: str,
        aircraft_ids: tuple[str, ...] = (),
        by: str = "",
        record: tuple[RecordKind, ...] | None = None,
    ) -> Incident:
        """`record` is what is recorded of its flights; None: what the settings say."""
        return await self._do(lambda: self._archivist.desk.open(kind, name, aircraft_ids, by, record))

    async def change_incident(
        self,
        incident_id: str,
        *,
        name: str | None = None,
        kind: IncidentKind | None = None,
        closed: bool | None = None,
        aircraft_ids: tuple[str, ...] | None = None,
        flight_ids: tuple[str, ...] | None = None,
        add_flight_ids: tuple[str, ...] = (),
        remove_flight_ids: tuple[str, ...] = (),
        record: tuple[RecordKind, ...] | None = None,
        record_as_set: bool = False,
        by: str = "",
    ) -> Incident:
        """None leaves as it is; aircraft and flights are given as they shall be, all of them, or those
        flights that come and go. A flight that is in another incident leaves that. `record_as_set`: what is
        recorded is again what the settings say; `by` has said so."""
        change = IncidentChange(
            name, kind, closed, aircraft_ids, flight_ids, add_flight_ids, remove_flight_ids,
            record, record_as_set, by,
        )  # fmt: skip
        return await self._do(lambda: self._archivist.desk.change(incident_id, change))

    def on_incident(self, told: Callable[[Incident], None]) -> None:
        """Call `told`, on the event loop, with every incident as it is opened or changed from now on, by
        people or because a flight has joined it; whoever asked for that may have gone."""
        self._on_incident.append(told)

    def _stored(self, incident: Incident) -> None:
        """In the archive's thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # of a loop that was closed under us
                self._loop.call_soon_threadsafe(self._tell, incident)

    def _tell(self, incident: Incident) -> None:
        for told in self._on_incident:
            told(incident)

    async def hold(self, flight_id: str, reason: str, by: str) -> Hold:
        return await self._do(self._archivist.hold, flight_id, reason, by)

    async def release(self, flight_id: str, by: str) -> None:
        await self._do(self._archivist.release, flight_id, by)

    async def delete(self, flight_id: str, rule: Rule, by: str, reason: str = "") -> Deletion:
        """Raises LagebildError: "flight_running", "on_hold", "flight_playing"."""
        deletion, removed = await self._do(self._delete, flight_id, rule, by, reason)
        await asyncio.wrap_future(removed)  # so that who deletes to make room finds it made
        return deletion

    def _delete(self, flight_id: str, rule: Rule, by: str, reason: str) -> tuple[Deletion, Future[None]]:
        """Gigabytes are removed in another thread: lists need not wait for that."""
        try:
            deletion = self._archivist.delete(flight_id, rule, by, reason)
        except sqlite3.Error:  # the catalogue could not be told, but the disk may be full of just this flight
            self._removing.submit(self._archivist.sweep, flight_id)
            raise
        return deletion, self._removing.submit(self._archivist.sweep, flight_id)

    async def deletions(self, limit: int = 1000) -> list[Deletion]:
        """The newest first."""
        return await self._do(self._archivist.deletions, limit)

    async def add_viewing(self, viewing: Viewing) -> None:
        """A later one with the same id takes its place."""
        await self._do(self._archivist.add_viewing, viewing)

    async def viewings(self, from_ns: int, to_ns: int, feed_ids: tuple[str, ...] = ()) -> list[Viewing]:
        """Those that were at any of these feeds, or at any feed, within that time; the oldest first."""
        return await self._do(self._archivist.viewings, from_ns, to_ns, feed_ids)

    def playing(self, flight_id: str) -> AbstractContextManager[None]:
        """While inside, the flight is not deleted: that is refused with "flight_playing"."""
        return self._players.playing(flight_folder(self._root, flight_id).name)

    async def _do(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        if not self._open:
            raise UnavailableError("the archive is not open")
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: _told(work, *args, **kwargs)
        )


def _threads() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    """They begin to run with the first work."""
    return ThreadPoolExecutor(1, "archive"), ThreadPoolExecutor(1, "archive-removing")


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("the catalogue does not agree with the folders")


def _told(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    try:
        return work(*args, **kwargs)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise LagebildError(f"recordings: {error}", code="disk_full" if full else "disk_failed") from error
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise LagebildError(
            f"recordings: the catalogue: {error}", code="disk_full" if full else "disk_failed"
        ) from error
