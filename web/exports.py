"""Exports, carried out one at a time by a process of their own: ordered, followed, cancelled, removed.

What is ordered lies on the disk (recordings/export/jobs.py), so it is carried out also after a restart; only
how far the one that is being made has come is known here alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from flow.clock import NS_PER_S, Clock
from flow.errors import BusyError, LagebildError, NotFoundError, UnavailableError
from flow.flights import Incident
from recordings.entries import FlightEntry
from recordings.export.jobs import REASONS, Job, JobShelf, JobStatus, new_job
from recordings.export.order import ExportOrder, order_of
from recordings.flight_file import read_flight
from recordings.folders import flight_folder

from .archive_calls import DiskReads, in_time
from .byte_ranges import OpenFile
from .children import child
from .export_talk import Failed, Made, Progress, Task, Word

log = logging.getLogger("lagebild.web")

AGAIN_NS = 5 * NS_PER_S
REMOVE_EVERY_NS = 3600 * NS_PER_S
_DAY_NS = 86_400 * NS_PER_S

_NOT_BEGUN = Progress(0.0, "")

P = ParamSpec("P")
T = TypeVar("T")


class Recorded(Protocol):
    """What exports need of recordings (room.Recordings)."""

    @property
    def archive(self) -> Flights: ...

    def refusal(self) -> str: ...


class Flights(Protocol):
    async def flight(self, flight_id: str) -> FlightEntry: ...

    def playing(self, flight_id: str) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class ExportRules:
    """An export is removed `days` after it was made. See export_talk.Task for the rest."""

    days: float = 14.0
    reserve_bytes: int = 0
    recorded_bytes_s: int = 0
    terrain: tuple[str, ...] = ()
    module: str = "web.export_worker"


@dataclass(slots=True)
class _Work:
    """The export that is being made."""

    job: Job
    task: asyncio.Task[Job | None]
    progress: Progress = _NOT_BEGUN
    has_ended: asyncio.Event = field(default_factory=asyncio.Event)  # and the disk says how


class ExportDesk:
    """`run()` until cancelled; may be called again after it has failed."""

    def __init__(self, clock: Clock, recorded: Recorded, root: Path, rules: ExportRules) -> None:
        self._clock, self._recorded, self.root, self._rules = clock, recorded, root, rules
        self._shelf = JobShelf(root)
        self._disk = DiskReads(threads=1)  # so that changes are made in the order in which they are asked for
        self._work: _Work | None = None
        self._news = asyncio.Event()

    def close(self) -> None:
        """Let go of the thread."""
        self._disk.close()

    async def order(self, wished: ExportOrder) -> Job:
        """It is carried out when its turn comes. Raises NotFoundError, MalformedError (order.order_of),
        TooManyError, LagebildError ("recording_damaged"), UnavailableError ("disk_full", "disk_failed")."""
        if code := self._recorded.refusal():
            raise UnavailableError("nothing can be written to the disk just now", code=code)
        folder = flight_folder(self.root, wished.flight_id)
        await in_time(self._recorded.archive.flight(wished.flight_id))
        flight = await self._disk.call(read_flight, folder)
        now_ns = self._clock.now_ns()
        order = order_of(flight, now_ns if flight.ended_ns is None else flight.ended_ns, wished)
        job = await self._disk.call(self._shelf.add, new_job(order, now_ns))
        log.info("export %s of flight %s is ordered by %s", job.id, order.flight_id, order.by)
        self._news.set()
        return job

    async def jobs(self, flight_id: str = "") -> list[Job]:
        """The newest first."""
        found = await self._disk.call(self._shelf.all)
        return [job for job in found if flight_id in ("", job.order.flight_id)]

    async def job(self, job_id: str) -> Job:
        """Raises NotFoundError."""
        return await self._disk.call(self._shelf.get, job_id)

    def progress(self, job: Job) -> Progress:
        work = self._work  # asked from threads, too
        if work is not None and work.job.id == job.id:
            return work.progress
        return Progress(1.0, "") if job.status is JobStatus.DONE else _NOT_BEGUN

    async def newest_done(self, flight_id: str) -> Job:
        """Raises NotFoundError ("no_export")."""
        flight_folder(self.root, flight_id)
        done = (job for job in await self.jobs(flight_id) if job.status is JobStatus.DONE)
        job = next(done, None)
        if job is None:
            raise NotFoundError("no export of this flight is ready; order one first", code="no_export")
        return job

    def opened(self, job: Job) -> OpenFile:
        """Blocking. Raises FileNotFoundError until it is done."""
        return OpenFile(self._shelf.zip_path(job.id))

    async def cancel(self, job: Job) -> Job:
        """Give it up, as far as it has not ended. Raises NotFoundError."""
        job = await self._disk.call(self._shelf.give_up, job.id, self._clock.now_ns())
        work = self._work
        if job.status is JobStatus.RUNNING and work is not None and work.job.id == job.id:
            work.task.cancel()
            await in_time(work.has_ended.wait())
        return await self.job(job.id)

    async def remove(self, job: Job) -> None:
        """With all that was made for it. Who downloads it just now gets the rest of it."""
        await self._disk.call(self._shelf.remove, job.id)

    async def run(self) -> None:
        await self._of_the_disk(self._shelf.recover, self._clock.now_ns())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._remove_old(), name="exports: days")
            while True:
                job = await self._next()
                self._work = work = _Work(job, tasks.create_task(self._made(job), name=f"export {job.id}"))
                try:
                    await asyncio.wait([work.task])
                    cancelled = work.task.cancelled()
                    ended = self._ended(job, JobStatus.CANCELLED) if cancelled else work.task.result()
                    if ended is not None:
                        await self._keep(ended)
                finally:
                    self._work = None
                    work.has_ended.set()

    async def _remove_old(self) -> None:
        while True:
            before_ns = self._clock.now_ns() - round(self._rules.days * _DAY_NS)
            await self._of_the_disk(self._shelf.remove_ended, before_ns)
            await self._clock.sleep_until(self._clock.now_ns() + REMOVE_EVERY_NS)

    async def _next(self) -> Job:
        while True:
            self._news.clear()
            waiting = [
                job for job in await self._of_the_disk(self._shelf.all) if job.status is JobStatus.WAITING
            ]
            if self._recorded.refusal() == "disk_failed":  # or another server has the folder
                await self._clock.sleep_until(self._clock.now_ns() + AGAIN_NS)
            elif waiting:
                return waiting[-1]
            else:
                await self._news.wait()

    async def _made(self, job: Job) -> Job | None:
        """What has become of it; None: it was given up before it was begun."""
        order = job.order
        try:
            with self._recorded.archive.playing(order.flight_id):
                flight = await self._flight(order.flight_id)
                begun = await self._disk.call(self._shelf.begin, job.id)
                if begun is None:
                    return None
                job = begun
                last = await self._listen(job, flight.incident)
        except LagebildError as error:
            last = Failed(error.code if error.code in REASONS else "export_failed", str(error))
        except (OSError, ValueError, msgspec.MsgspecError) as error:  # no process, or one that says nonsense
            last = Failed("export_failed", str(error))
        if isinstance(last, Made):
            log.info("export %s is made: %.1f MB", job.id, last.size_bytes / 1e6)
            return replace(
                self._ended(job, JobStatus.DONE), size_bytes=last.size_bytes, left_out=last.left_out
            )
        log.warning("export %s failed (%s): %s", job.id, last.reason, last.detail)
        return replace(self._ended(job, JobStatus.FAILED), reason=last.reason)

    async def _flight(self, flight_id: str) -> FlightEntry:
        """Until the archive says: after a start it may take its time. Raises NotFoundError."""
        while True:
            try:
                return await in_time(self._recorded.archive.flight(flight_id))
            except UnavailableError as error:
                log.info("exports wait for the archive: %s", error)
                await self._clock.sleep_until(self._clock.now_ns() + AGAIN_NS)

    async def _listen(self, job: Job, incident: Incident | None) -> Made | Failed:
        """Have a process make it."""
        rules = self._rules
        task = Task(
            str(self.root.absolute()),
            job.id,
            incident,
            rules.terrain,
            rules.reserve_bytes,
            rules.recorded_bytes_s,
        )
        last: Word | None = None
        async with child(rules.module, [str(os.getpid())], talks=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(msgspec.json.encode(task) + b"\n")
            async for line in process.stdout:
                last = msgspec.json.decode(line, type=Word)
                if isinstance(last, Progress) and self._work is not None:
                    self._work.progress = last
            code = await process.wait()
        if last is None or isinstance(last, Progress):
            return Failed("worker_died", f"its process ended with code {code}, and did not say why")
        return last

    def _ended(self, job: Job, status: JobStatus) -> Job:
        return replace(job, status=status, ended_ns=self._clock.now_ns())

    async def _keep(self, job: Job) -> None:
        """What is half made goes first: it may be why there is no room for saying so."""
        if job.status is not JobStatus.DONE:
            await self._of_the_disk(self._shelf.clear, job.id)
        try:
            await self._of_the_disk(self._shelf.put, job)
        except NotFoundError:
            log.info("export %s was removed meanwhile", job.id)

    async def _of_the_disk(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Until the disk does it: nothing can be exported before."""
        while True:
            try:
                return await self._disk.call(work, *arguments, **named)
            except (UnavailableError, BusyError) as error:
                log.warning("exports wait for the disk: %s", error)
                await self._clock.sleep_until(self._clock.now_ns() + AGAIN_NS)
