"""Exports that were ordered, each in a folder of its own.

    exports/3f9a0c5d7e1b2a48/
        job.json        what was ordered, by whom, and what has become of it
        parts/          what is being made; removed when it is packed, or given up
        export.zip      all of it: it gets this name in one step

Whatever a crash leaves, job.json says what was wanted: so an order outlives the server.
"""

from __future__ import annotations

import logging
import re
import secrets
import shutil
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec.structs import replace

from flow.errors import MalformedError, NotFoundError, TooManyError
from recordings.folders import exports_folder
from recordings.json_files import read_json, write_json

from .order import ExportOrder, Part

log = logging.getLogger("lagebild.recordings")

VERSION = 1
EXPORT_ID_PATTERN = re.compile(r"[0-9a-f]{16}")
WAITING_MOST = 20
STARTS_MOST = 3
"""An export that was being made when the server ended, so often, may be why it ended."""

_JOB_FILE = "job.json"


class JobStatus(StrEnum):
    """What has become of an order."""

    WAITING = "waiting"  # one at a time is carried out
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # `reason` says why
    CANCELLED = "cancelled"


OPEN = frozenset({JobStatus.WAITING, JobStatus.RUNNING})


REASONS = frozenset({
    "disk_full", "disk_failed", "recording_damaged", "not_found", "nothing_recorded", "encoder_failed",
    "regions", "worker_died", "interrupted", "export_failed",
})  # fmt: skip
"""Why an export failed, or a part is not in it: codes of the UI catalogue."""


class LeftOut(msgspec.Struct, frozen=True):
    """A part that there is not in an export that was made. `reason` is one of REASONS."""

    part: Part
    feed_id: str
    reason: str


class Job(msgspec.Struct, frozen=True):
    """`reason` is one of REASONS, "" where it has not failed."""

    id: str
    order: ExportOrder
    made_ns: int
    status: JobStatus = JobStatus.WAITING
    reason: str = ""
    size_bytes: int = 0
    left_out: tuple[LeftOut, ...] = ()
    ended_ns: int | None = None
    starts: int = 0
    version: int = VERSION


def new_job(order: ExportOrder, now_ns: int) -> Job:
    return Job(secrets.token_hex(8), order, now_ns)


class JobShelf:
    """The folders of exports. Every method is blocking and raises OSError where the disk does not do.

    Whoever changes them does so from one thread: what is written last counts.
    """

    def __init__(self, root: Path) -> None:
        self._root = exports_folder(root)

    def all(self) -> list[Job]:
        """The newest first. What cannot be read is passed over."""
        jobs = []
        for folder in self._folders():
            try:
                jobs.append(_read(folder))
            except (MalformedError, FileNotFoundError):
                continue
        return sorted(jobs, key=lambda job: (job.made_ns, job.id), reverse=True)

    def get(self, job_id: str) -> Job:
        """Raises NotFoundError, also for what can be no export's id, such as a path."""
        try:
            return _read(self.folder(job_id))
        except (MalformedError, FileNotFoundError):
            raise _no_such() from None

    def add(self, job: Job) -> Job:
        """Raises TooManyError where enough wait already."""
        if sum(each.status is JobStatus.WAITING for each in self.all()) >= WAITING_MOST:
            raise TooManyError(f"{WAITING_MOST} exports wait already; cancel one, or come back later")
        folder = self.folder(job.id)
        folder.mkdir(parents=True)
        try:
            write_json(folder / _JOB_FILE, job)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return job

    def put(self, job: Job) -> Job:
        """Raises NotFoundError where it was removed meanwhile."""
        try:
            write_json(self.folder(job.id) / _JOB_FILE, job)
        except FileNotFoundError:
            raise _no_such() from None
        return job

    def begin(self, job_id: str) -> Job | None:
        """It is being made now. None: somebody has given it up. Raises NotFoundError."""
        job = self.get(job_id)
        if job.status is not JobStatus.WAITING:
            return None
        return self.put(replace(job, status=JobStatus.RUNNING, starts=job.starts + 1))

    def give_up(self, job_id: str, now_ns: int) -> Job:
        """As far as it has not been begun. Raises NotFoundError."""
        job = self.get(job_id)
        if job.status is not JobStatus.WAITING:
            return job
        return self.put(replace(job, status=JobStatus.CANCELLED, ended_ns=now_ns))

    def clear(self, job_id: str) -> None:
        """Remove what was made for it, whole or not. The order stays."""
        shutil.rmtree(self.parts_folder(job_id), ignore_errors=True)
        for path in self.folder(job_id).glob("export.zip*"):
            path.unlink(missing_ok=True)

    def remove(self, job_id: str) -> None:
        """The order first: a folder without one is removed at the next start."""
        folder = self.folder(job_id)
        if folder.is_dir() and not folder.is_symlink():
            (folder / _JOB_FILE).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    def recover(self, now_ns: int) -> None:
        """At the start: what was being made is made anew, what was being removed is gone."""
        for folder in list(self._folders()):
            if not (folder / _JOB_FILE).exists():
                shutil.rmtree(folder, ignore_errors=True)
        for job in self.all():
            if job.status is JobStatus.RUNNING:
                self.clear(job.id)
                self.put(_again(job, now_ns))

    def remove_ended(self, before_ns: int) -> None:
        """Those that ended before that time."""
        for job in self.all():
            if job.ended_ns is not None and job.ended_ns < before_ns:
                self._let_go(job, "its days are over")

    def make_room(self, needed_bytes: int) -> int:
        """Remove those that have ended, the oldest first, until so much is free. Returns how much that is."""
        freed = 0
        for job in reversed(self.all()):
            if freed >= needed_bytes:
                break
            if job.status is JobStatus.DONE:
                freed += job.size_bytes * self._let_go(job, "the disk is nearly full")
        return freed

    def _let_go(self, job: Job, why: str) -> bool:
        """Whether it could be removed. One that could not keeps no other, and no flight, from going."""
        try:
            self.remove(job.id)
        except OSError as error:
            log.error("export %s should go (%s) and cannot be removed: %s", job.id, why, error)
            return False
        log.info("export %s of flight %s is removed: %s", job.id, job.order.flight_id, why)
        return True

    def remove_of(self, flight_id: str) -> None:
        """Those of a flight that is deleted, and those whose order is damaged: any of them may be of it."""
        for folder in self._folders():
            try:
                of = _read(folder).order.flight_id
            except FileNotFoundError:  # it is being added, or removed
                continue
            except MalformedError as error:
                log.warning("export %s is removed, for nobody can tell whose it is: %s", folder.name, error)
                of = flight_id
            if of == flight_id:
                self.remove(folder.name)

    def folder(self, job_id: str) -> Path:
        """Raises NotFoundError for what can be no export's id, such as a path."""
        if not EXPORT_ID_PATTERN.fullmatch(job_id):
            raise _no_such()
        return self._root / job_id

    def parts_folder(self, job_id: str) -> Path:
        return self.folder(job_id) / "parts"

    def zip_path(self, job_id: str) -> Path:
        return self.folder(job_id) / "export.zip"

    def _folders(self) -> list[Path]:
        if not self._root.is_dir():
            return []
        return [
            path
            for path in self._root.iterdir()
            if EXPORT_ID_PATTERN.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
        ]


def _read(folder: Path) -> Job:
    job = read_json(folder / _JOB_FILE, Job, VERSION)
    if job.id != folder.name:
        raise MalformedError(f"{_JOB_FILE}: it says it is export '{job.id[:60]}'")
    return job


def _again(job: Job, now_ns: int) -> Job:
    if job.starts < STARTS_MOST:
        return replace(job, status=JobStatus.WAITING)
    return replace(job, status=JobStatus.FAILED, reason="interrupted", ended_ns=now_ns)


def _no_such() -> NotFoundError:
    return NotFoundError("there is no such export (any more)")
