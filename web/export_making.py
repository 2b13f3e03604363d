"""An export is made: part by part, then packed and signed. Blocking; export_worker.py gives it a process.

The makers are imported where they are needed: who wants a GPX track need not wait for libav.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from flow.errors import LagebildError, MalformedError, NotFoundError
from recordings.disk_space import space_of
from recordings.export.jobs import REASONS, Job, JobShelf, LeftOut
from recordings.export.manifest import Origin
from recordings.export.order import Part
from recordings.export.package import write_package
from recordings.export.signature import signing_key
from recordings.export.source import ExportSource, Progress
from recordings.protocol.storage import levels

from .export_source import open_source
from .export_talk import Failed, Made, Task
from .export_talk import Progress as ProgressWord

log = logging.getLogger("lagebild.export")

Say = Callable[[ProgressWord], None]

PACKING = "package"
TRACKS = (Part.CSV, Part.GPX, Part.KML, Part.GEOJSON, Part.TLOG)
NOTHING = "nothing_recorded"
WITH_REGIONS = "regions"

_WEIGHTS = {Part.CLIP: 4.0, Part.BURNED: 40.0, Part.TS: 4.0, Part.REPORT: 4.0}
_ENCODED = 40.0  # of a clip none of whose pictures can be copied
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_OF_THE_DISK = frozenset({"disk_full", "disk_failed"})


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a maker. `weight` is its share of the work, as a guess."""

    part: Part
    feed_id: str
    weight: float
    make: Callable[[Progress], None]


def check_room(task: Task) -> None:
    """Raises OSError (ENOSPC) before flights would be thinned to make room for an export."""
    space = space_of(Path(task.root))
    kept = task.reserve_bytes + levels(space.total_bytes, task.recorded_bytes_s).thin
    if space.free_bytes < kept:
        raise OSError(errno.ENOSPC, "an export may not take the room of recordings")


@dataclass(slots=True)
class Making:
    """One export, from its order to its export.zip."""

    task: Task
    say: Say
    left_out: list[LeftOut] = field(default_factory=list)
    _done: float = 0.0
    _all: float = 1.0

    def run(self) -> Made:
        """Raises LagebildError and OSError; what was half made then lies in the parts' folder."""
        root = Path(self.task.root)
        shelf = JobShelf(root)
        job = shelf.get(self.task.job_id)
        check_room(self.task)
        parts = shelf.parts_folder(job.id)
        shelf.clear(job.id)
        parts.mkdir()
        source = open_source(root, job.order, self.task.incident, self.task.terrain)
        self._make(list(steps_of(source, parts)), source)
        if not any(path.is_file() for path in parts.rglob("*")):
            raise LagebildError("there is nothing of all that was wanted", code=NOTHING)
        return Made(self._pack(job, shelf, root), tuple(self.left_out))

    def _make(self, steps: list[Step], source: ExportSource) -> None:
        self._all = 1.1 * sum(step.weight for step in steps)  # a tenth for packing
        for step in steps:
            check_room(self.task)
            try:
                if step.part is Part.TS and source.order.regions.get(step.feed_id):
                    raise LagebildError("its pictures may not leave as they are", code=WITH_REGIONS)
                step.make(self._progress(step.part, step.weight))
            except LagebildError as error:
                if error.code in _OF_THE_DISK:
                    raise
                log.warning("export %s: %s is left out: %s", self.task.job_id, step.part, error)
                self.left_out.append(LeftOut(step.part, step.feed_id, reason_of(error)))
            self._done += step.weight

    def _progress(self, name: str, weight: float) -> Progress:
        def progress(share: float) -> None:
            share = max(0.0, min(share, 1.0))
            self.say(ProgressWord((self._done + weight * share) / self._all, name))

        progress(0.0)
        return progress

    def _pack(self, job: Job, shelf: JobShelf, root: Path) -> int:
        path = shelf.zip_path(job.id)
        new = path.with_name(path.name + ".new")
        progress = self._progress(PACKING, self._all - self._done)
        pack(root, shelf.parts_folder(job.id), new, self._origin(job), progress)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(path)
        shutil.rmtree(shelf.parts_folder(job.id))
        return path.stat().st_size

    def _origin(self, job: Job) -> Origin:
        left_out = tuple(msgspec.to_builtins(each) for each in self.left_out)
        made = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        order = msgspec.to_builtins(job.order)
        return Origin(job.order.flight_id, order, left_out, made, f"lagebild {version('lagebild')}")


def pack(root: Path, parts: Path, path: Path, origin: Origin, progress: Progress) -> None:
    """Signed with the key of this data folder."""
    write_package(parts, path, signing_key(root), origin, progress)


def steps_of(source: ExportSource, parts: Path) -> Iterator[Step]:
    """What is to be made for an order, the quick before the slow, the report last: it may show the rest."""
    wanted = source.order.parts
    tracks = [part for part in TRACKS if part in wanted]
    if tracks:
        yield Step(tracks[0], "", 1.0, _Tracks(source, _folder(parts, "telemetry")))
    for part in (Part.TS, Part.CLIP, Part.BURNED):
        for feed_id in source.order.feed_ids if part in wanted else ():
            weight = _ENCODED if source.order.regions.get(feed_id) else _WEIGHTS[part]
            yield Step(part, feed_id, weight, _Film(source, part, feed_id, _folder(parts, "video")))
    if Part.REPORT in wanted:
        yield Step(Part.REPORT, "", _WEIGHTS[Part.REPORT], _Report(source, parts))


def failed(error: Exception) -> Failed | None:
    """What an error of `Making.run` means; None: a defect."""
    if getattr(error, "errno", None) in _FULL:  # libav's errors are no OSErrors, but have one's number
        return Failed("disk_full", str(error))
    if isinstance(error, LagebildError):
        return Failed(reason_of(error), str(error))
    return Failed("disk_failed", str(error)) if isinstance(error, OSError) else None


def reason_of(error: LagebildError) -> str:
    """One of jobs.REASONS."""
    if isinstance(error, MalformedError):
        return "recording_damaged"
    if isinstance(error, NotFoundError):  # a camera without pictures: makers have codes of their own for it
        return NOTHING
    return error.code if error.code in REASONS else "export_failed"


@dataclass(frozen=True, slots=True)
class _Tracks:
    source: ExportSource
    folder: Path

    def __call__(self, progress: Progress) -> None:
        from recordings.export.tracks import make_tracks

        make_tracks(self.source, self.folder, progress)


@dataclass(frozen=True, slots=True)
class _Film:
    source: ExportSource
    part: Part
    feed_id: str
    folder: Path

    def __call__(self, progress: Progress) -> None:
        from recordings.export.clip import make_clip
        from recordings.export.ts import make_ts

        path = (
            self.folder
            / {
                Part.CLIP: f"{self.feed_id}.mp4",
                Part.BURNED: f"{self.feed_id}-display.mp4",
                Part.TS: f"{self.feed_id}.ts",
            }[self.part]
        )
        try:
            if self.part is Part.TS:
                make_ts(self.source, self.feed_id, path, progress)
            else:
                make_clip(self.source, self.feed_id, path, progress, burn_in=self.part is Part.BURNED)
        except LagebildError:
            path.unlink(missing_ok=True)  # what is left out is not there by half
            raise


@dataclass(frozen=True, slots=True)
class _Report:
    source: ExportSource
    parts: Path

    def __call__(self, progress: Progress) -> None:
        from recordings.export.report import make_report

        from .export_stills import make_stills

        folder = _folder(self.parts, "report")
        stills = make_stills(self.source, folder, lambda share: progress(share / 2))
        make_report(
            self.source, stills, folder, lambda share: progress(0.5 + share / 2), made_ns=time.time_ns()
        )


def _folder(parts: Path, name: str) -> Path:
    folder = parts / name
    folder.mkdir(exist_ok=True)
    return folder
