"""Exports are made by processes of their own, one at a time, whatever becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from flow.clock import NS_PER_S
from flow.errors import LagebildError, MalformedError, NotFoundError, UnavailableError
from recordings.export.jobs import Job, JobShelf, JobStatus, new_job
from recordings.export.order import ExportOrder, Part
from tests.fakes.clock import START_NS
from tests.fakes.export_maker import FAILS, FILLS, FINISHES, STICKS
from tests.fakes.recorded_flights import FlightMaker, recorded_flight
from tests.unit.web.export_desk import MAKER, Office, office
from web.export_talk import Task

TMPFS_BYTES = 48 << 20


def left(root: Path, job: Job) -> set[str]:
    """What lies in an export's folder."""
    return {path.name for path in (root / "exports" / job.id).iterdir()}


def workers() -> list[int]:
    """Our children that make exports."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if int(stat[1]) == os.getpid() and MAKER.encode() in command and stat[0] != "Z":
                found.append(int(folder.name))
    return found


async def test_one_is_made_at_a_time_by_a_process_that_takes_what_nobody_else_needs(tmp_path: Path) -> None:
    async with office(tmp_path) as desk:
        first, second, third = [await desk.order(by) for by in (STICKS, FINISHES, FINISHES)]
        assert (await desk.working(first)).status is JobStatus.RUNNING
        assert 0.4 < desk.desk.progress(first).share < 0.5  # half of making, and packing is still to come
        assert (await desk.desk.job(third.id)).status is JobStatus.WAITING
        (worker,) = workers()
        assert os.getpriority(os.PRIO_PROCESS, worker) == 19
        assert len(os.sched_getaffinity(worker)) == 1  # by which libav and OpenCV count their threads

        waited = await desk.desk.cancel(await desk.desk.job(second.id))
        assert (waited.status, waited.starts) == (JobStatus.CANCELLED, 0)
        assert await desk.desk._made(second) is None  # had its turn come in that very moment
        assert (await desk.desk.cancel(first)).status is JobStatus.CANCELLED
        assert worker not in workers()
        assert left(tmp_path, first) == {"job.json"}
        assert (await desk.ended(third)).status is JobStatus.DONE
        assert [job.id for job in await desk.desk.jobs()] == [third.id, second.id, first.id]


@pytest.mark.parametrize(("by", "reason"), [(STICKS, "worker_died"), (FAILS, "export_failed")])
async def test_a_worker_that_is_killed_or_fails_leaves_nothing(tmp_path: Path, by: str, reason: str) -> None:
    async with office(tmp_path) as desk:
        job = await desk.order(by)
        if by is STICKS:
            await desk.working(job)
            os.kill(workers()[0], signal.SIGKILL)
        failed = await desk.ended(job)
        assert (failed.status, failed.reason) == (JobStatus.FAILED, reason)
        assert left(tmp_path, job) == {"job.json"}


async def test_what_was_being_made_when_the_service_ended_is_made_by_the_next(tmp_path: Path) -> None:
    async with office(tmp_path) as before:
        job = await before.order(STICKS)
        await before.working(job)
    assert workers() == []
    assert "parts" in left(tmp_path, job)
    async with office(tmp_path, fly=False) as after:
        assert (await after.working(job)).starts == 2


def test_a_worker_ends_with_who_started_it(tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path)
    order = ExportOrder(flight.id, START_NS, START_NS + NS_PER_S, ("fritz-tag",), (Part.CSV,), STICKS)
    job = JobShelf(tmp_path).add(new_job(order, START_NS))
    task = msgspec.json.encode(Task(str(tmp_path), job.id)) + b"\n"

    def started(parent: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", MAKER, str(parent)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )

    with started(os.getpid()) as worker, started(1) as orphan:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(task)
        worker.stdin.flush()
        assert b'"progress"' in worker.stdout.readline()
        worker.stdin.close()  # as the kernel does when we are gone
        assert worker.wait(30) == orphan.wait(30) == 0
    assert not JobShelf(tmp_path).zip_path(job.id).exists()


async def test_nothing_is_ordered_where_nothing_can_be_written(tmp_path: Path) -> None:
    async with office(tmp_path) as desk:
        desk.recorded.trouble = "disk_full"
        with pytest.raises(UnavailableError):
            await desk.order(FINISHES)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "lagebild-test", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


async def test_a_disk_that_fills_up_is_told_and_nothing_of_it_stays(small_disk: Path) -> None:
    async with office(small_disk) as desk:
        failed = await desk.ended(await desk.order(FILLS))
        assert (failed.status, failed.reason) == (JobStatus.FAILED, "disk_full")
        assert left(small_disk, failed) == {"job.json"}
        assert os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize > TMPFS_BYTES // 2
        await desk.desk.remove(failed)
        assert list((small_disk / "exports").iterdir()) == []


async def test_a_flight_that_is_still_recorded_is_exported_as_far_as_it_is(tmp_path: Path) -> None:
    async with office(tmp_path) as desk:
        running = FlightMaker(tmp_path, started_ns=time.time_ns() - 60 * NS_PER_S)
        running.film(seconds=1)
        await desk.archive.refresh(running.id)
        wished = ExportOrder(running.id, 0, 1 << 62, (), (Part.CLIP,), FINISHES)
        made = await desk.ended(await desk.desk.order(wished))
        assert (made.status, made.order.from_ns) == (JobStatus.DONE, running.file.started_ns)
        assert running.file.started_ns < made.order.to_ns <= made.made_ns


async def refused(desk: Office, **wished: object) -> type[Exception]:
    order = {"from_ns": 0, "to_ns": 1 << 62, "feed_ids": (), "parts": (Part.CSV,), "by": FINISHES}
    try:
        await desk.desk.order(ExportOrder(**({"flight_id": desk.flight_id} | order | wished)))  # type: ignore[arg-type]
    except LagebildError as error:
        return type(error)
    raise AssertionError("it was taken")


async def test_what_cannot_be_is_not_taken(tmp_path: Path) -> None:
    async with office(tmp_path) as desk:
        for path in ("../flights", "/etc", "..", desk.flight_id + "/..", "20261122t064640z-nobody"):
            assert await refused(desk, flight_id=path) is NotFoundError
        assert await refused(desk, to_ns=1) is MalformedError
        assert await refused(desk, from_ns=1 << 61) is MalformedError
        assert await refused(desk, feed_ids=("other",)) is MalformedError
        assert await refused(desk, parts=()) is MalformedError
        assert JobShelf(tmp_path).all() == []
