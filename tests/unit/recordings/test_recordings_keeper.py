"""The keeper: warns, thins, stops and recovers, and carries out retention."""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from flow.clock import NS_PER_S
from flow.errors import LagebildError
from flow.flights import Aircraft, Alarm, Feed, Incident, IncidentKind
from flow.memory_bus import MemoryBus
from flow.recording import RecordingState, RecordingStatus, StorageState, StorageStatus
from recordings.entries import FlightEntry, Hold, Rule
from recordings.export.jobs import JobShelf, JobStatus, new_job
from recordings.export.order import ExportOrder, Part
from recordings.folders import CLOCK_FILE, OWNER_FILE
from recordings.json_files import write_json
from recordings.keeper import RETAIN_EVERY_NS, Keeper
from recordings.owner import claim
from recordings.protocol.clock_doubt import WAIT_NS, ClockSeen
from recordings.protocol.storage import LOOK_EVERY_NS
from recordings.settings import RecordingsSettings
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.disk import FakeArchive, FakeDisk

GIB = 1024**3
DAY_NS = 86_400 * NS_PER_S
FRITZ = Aircraft("fritz", "Fritz", (Feed("fritz-tag", "fritz", "Tag"),))
TRAINING = Aircraft("uebung", "Übung", (Feed("uebung-1", "uebung", "Tag", training=True),), training=True)


def flight(
    number: int, days_ago: float = 10.0, size: int = GIB, *, uebung: bool = False, held: bool = False
) -> FlightEntry:
    return FlightEntry(
        id=f"20261101t{number:06d}z-fritz",
        aircraft_id="fritz",
        aircraft_name="Fritz",
        started_ns=1,
        ended_ns=START_NS - round(days_ago * DAY_NS),
        size_bytes=size,
        incident=Incident("i", IncidentKind.UEBUNG, "Übung", 1, 2) if uebung else None,
        hold=Hold("Gericht", "Wolf", 5) if held else None,
    )


class House:
    """A keeper of a disk of 100 GiB with a reserve of 1 GiB."""

    def __init__(self, root: Path, room: int, *flights: FlightEntry, patience_s: float = 30.0) -> None:
        self.clock, self.bus = FakeClock(), MemoryBus()
        self.disk = FakeDisk(100 * GIB, GIB + room)
        self.archive = FakeArchive(self.disk, *flights)
        settings = RecordingsSettings(root, (FRITZ, TRAINING))
        self.keeper = Keeper(
            self.bus, self.clock, settings, self.archive, statvfs=self.disk.statvfs, patience_s=patience_s
        )
        self._alarms = self.bus.events(Alarm)

    def record(self, written: int, aircraft: str = "fritz") -> None:
        state = RecordingState(aircraft, RecordingStatus.RECORDING, 1, "f1", 1, written_bytes=written)
        self.bus.publish(state)

    async def look(self) -> StorageState:
        self.clock.advance(LOOK_EVERY_NS)
        state = await self.keeper.look()
        assert self.bus.peek(StorageState, "") == state
        await self.keeper.tidy()
        return self.bus.peek(StorageState, "") or state

    @property
    def told(self) -> list[tuple[str, bool]]:
        alarms = [each for each in self._alarms.drain() if isinstance(each, Alarm)]
        assert all(each.aircraft_id == "" for each in alarms)
        return [(each.code, each.active) for each in alarms]


async def test_hours_go_by_what_running_flights_write(tmp_path: Path) -> None:
    house = House(tmp_path, 10 * GIB)
    house.record(10**9, "uebung")  # exercises are never recorded, whatever somebody says
    assert (await house.look()).hours_left is None
    house.record(10**9)
    first = await house.look()
    assert first.hours_left == pytest.approx(10 * GIB / 500_000 / 3600)  # as one feed is taken to write
    for looks in range(1, 4):  # a megabyte a second
        house.record(10**9 + looks * 10_000_000)
        state = await house.look()
    assert state.status is StorageStatus.LOW
    assert state.hours_left == pytest.approx(10 * GIB / 1_000_000 / 3600)
    assert house.told == [("disk_low", True), ("disk_low", True)]  # said again: only half as long


async def test_little_room_is_thinned_exercises_first_and_no_hold(tmp_path: Path) -> None:
    flights = [flight(n, days_ago=40 - n, size=GIB // 4) for n in range(1, 6)]
    held, exercise = flight(0, 50, held=True), flight(6, 3, size=GIB // 4, uebung=True)
    house = House(tmp_path, 100 * 1024**2, *flights, held, exercise)
    state = await house.look()
    assert [flight_id for flight_id, _, _ in house.archive.deleted] == [exercise.id, flights[0].id]
    assert {(rule, by) for _, rule, by in house.archive.deleted} == {(Rule.THINNED, "lagebild")}
    assert state.free_bytes == 612 * 1024**2
    assert state.used_bytes == GIB + 6 * GIB // 4  # as it was counted before
    assert house.keeper.refusal() == ""
    assert (await house.look()).free_bytes == 612 * 1024**2  # that is enough
    assert house.told == [("disk_low", True)]


async def test_exports_go_before_flights_for_they_can_be_made_again(tmp_path: Path) -> None:
    house = House(tmp_path, 100 * 1024**2, flight(1), flight(2))
    shelf, order = JobShelf(tmp_path), ExportOrder("f", 1, 2, ("tag",), (Part.CLIP,), "Meier")
    oldest, older, running = (shelf.add(new_job(order, n)) for n in range(3))
    for job in (oldest, older):
        shelf.put(replace(job, status=JobStatus.DONE, size_bytes=GIB))
    await house.look()
    assert house.archive.deleted == []
    assert [job.id for job in shelf.all()] == [running.id, older.id]  # one was enough
    await house.look()
    await house.look()  # there is no other left
    assert [job.id for job in shelf.all()] == [running.id]
    assert [flight_id for flight_id, _, _ in house.archive.deleted] == [flight(1).id]


async def test_an_export_that_cannot_be_removed_keeps_no_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(shelf: JobShelf, job_id: str) -> None:
        raise PermissionError(1, "not permitted", job_id)

    monkeypatch.setattr(JobShelf, "remove", refuses)
    house = House(tmp_path, 100 * 1024**2, flight(1))
    order = ExportOrder("f", 1, 2, ("tag",), (Part.CLIP,), "Meier")
    JobShelf(tmp_path).add(replace(new_job(order, 0), status=JobStatus.DONE, size_bytes=GIB))
    await house.look()
    assert [flight_id for flight_id, _, _ in house.archive.deleted] == [flight(1).id]


async def test_full_where_nothing_may_go_and_on_again_when_somebody_lets_go(tmp_path: Path) -> None:
    house = House(tmp_path, 0, flight(1, held=True), flight(2, days_ago=0.5))
    assert (await house.look()).status is StorageStatus.FULL
    assert house.keeper.refusal() == "disk_full"
    assert house.told == [("disk_full", True)]
    assert house.archive.deleted == []
    house.archive.kept["20261101t000001z-fritz"] = flight(1)
    await house.look()
    assert house.archive.deleted == [(flight(1).id, Rule.THINNED, "lagebild")]
    assert house.keeper.refusal() == ""
    assert house.told == [("disk_full", False), ("disk_low", True)]


async def test_what_cannot_be_deleted_stops_nothing_and_is_tried_again_an_hour_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, next_one = flight(1, 30), flight(2, 20)
    house = House(tmp_path, 0, stuck, next_one)
    house.archive.stuck = {stuck.id}
    with caplog.at_level(logging.INFO):
        await house.look()
        assert house.archive.deleted == []
        await house.look()
    assert house.archive.deleted == [(next_one.id, Rule.THINNED, "lagebild")]
    assert (
        f"flight {stuck.id} should go (thinned) and cannot be deleted: it is being looked at" in caplog.text
    )
    assert f"flight {next_one.id} is deleted (thinned): 3 files, 1073.7 MB" in caplog.text
    house.disk.free_bytes, house.archive.stuck = GIB, set()
    await house.look()
    assert len(house.archive.deleted) == 1
    house.clock.advance(RETAIN_EVERY_NS)
    await house.look()
    assert house.archive.deleted[1:] == [(stuck.id, Rule.THINNED, "lagebild")]


async def test_retention_at_the_start_and_every_hour(tmp_path: Path) -> None:
    old, stuck, young = flight(1, 60), flight(2, 61), flight(3, 59.99)
    exercise, held = flight(4, 30, uebung=True), flight(5, 90, held=True)
    write_json(tmp_path / CLOCK_FILE, ClockSeen(START_NS))
    house = House(tmp_path, 50 * GIB, old, stuck, young, exercise, held)
    house.archive.stuck = {stuck.id}
    plans = await house.keeper.plan()
    assert [(plan.flight_id, plan.rule) for plan in plans] == [
        (stuck.id, Rule.EINSATZ_DAYS),
        (old.id, Rule.EINSATZ_DAYS),
        (exercise.id, Rule.UEBUNG_DAYS),
        (young.id, Rule.EINSATZ_DAYS),
    ]
    assert house.archive.deleted == []  # that was a dry run
    await house.look()
    assert [(each, rule) for each, rule, _ in house.archive.deleted] == [
        (old.id, Rule.EINSATZ_DAYS),
        (exercise.id, Rule.UEBUNG_DAYS),
    ]
    house.archive.stuck = set()
    await house.look()
    assert len(house.archive.deleted) == 2
    house.clock.advance(RETAIN_EVERY_NS)
    await house.look()
    assert [each for each, _, _ in house.archive.deleted[2:]] == [stuck.id, young.id]


def years_ahead(root: Path, *flights: FlightEntry, after_ns: int = 0) -> House:
    """A server that starts with a clock that is four years ahead, and has run on for so long."""
    house = House(root, 50 * GIB, *flights)
    house.clock.advance(4 * 365 * DAY_NS + after_ns)
    return house


async def test_a_clock_that_is_years_ahead_deletes_nothing_for_a_day_of_running(tmp_path: Path) -> None:
    before = House(tmp_path, 50 * GIB, flight(1, 10))
    await before.look()
    assert before.told == []
    house = years_ahead(tmp_path, flight(1, 10), flight(2, 20))
    await house.look()
    assert (house.archive.deleted, house.told) == ([], [("clock_ahead", True)])
    for _ in range(12):
        house.clock.advance(RETAIN_EVERY_NS)
        await house.look()
    again = years_ahead(tmp_path, flight(1, 10), after_ns=13 * RETAIN_EVERY_NS)
    for _ in range(10):
        await again.look()
        again.clock.advance(RETAIN_EVERY_NS)
    assert (again.archive.deleted, again.told) == ([], [("clock_ahead", True)])
    for _ in range(4):
        again.clock.advance(RETAIN_EVERY_NS)
        await again.look()
    assert [each for each, _, _ in again.archive.deleted] == [flight(1).id]
    assert again.told == [("clock_ahead", False)]


async def test_a_clock_that_is_set_right_again_is_doubted_no_more(tmp_path: Path) -> None:
    write_json(tmp_path / CLOCK_FILE, ClockSeen(START_NS + 900 * DAY_NS, WAIT_NS, 900 * DAY_NS))
    house = House(tmp_path, 50 * GIB, flight(1, 61), flight(2, 10))
    await house.look()
    assert [each for each, _, _ in house.archive.deleted] == [flight(1).id]
    assert house.told == []


@pytest.mark.parametrize("content", [None, b"{", b'{"seen_ns": 1e99}', b'{"seen_ns": 1, "version": 7}'])
async def test_without_a_note_of_the_time_the_newest_flight_says_it(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / CLOCK_FILE).write_bytes(content)
    house = years_ahead(tmp_path, flight(1, 61), flight(2, 10))
    house.archive.broken = True
    with pytest.raises(LagebildError):
        await house.look()
    house.archive.broken = False
    house.clock.advance(RETAIN_EVERY_NS)
    await house.look()
    assert (house.archive.deleted, house.told) == ([], [("clock_ahead", True)])


async def test_room_is_made_whatever_the_clock_says(tmp_path: Path) -> None:
    house = House(tmp_path, 0, flight(1, 40), flight(2, 30))
    house.clock.advance(4 * 365 * DAY_NS)
    await house.look()
    assert [(each, rule) for each, rule, _ in house.archive.deleted] == [(flight(1).id, Rule.THINNED)]


async def test_a_disk_that_fails_stops_recording_until_it_is_sound(tmp_path: Path) -> None:
    house = House(tmp_path, 50 * GIB)
    assert (await house.look()).status is StorageStatus.OK
    house.disk.trouble = OSError(errno.EIO, "Input/output error")
    state = await house.look()
    assert (state.status, house.keeper.refusal()) == (StorageStatus.FAILED, "disk_failed")
    assert state.detail == "the data folder cannot be written: Input/output error"
    house.disk.trouble = None
    await house.look()
    assert house.keeper.refusal() == "disk_failed"
    await house.look()
    assert house.keeper.refusal() == ""
    assert house.told == [("disk_failed", True), ("disk_failed", False)]


async def test_a_disk_that_hangs_is_told_and_asked_only_once(tmp_path: Path) -> None:
    house = House(tmp_path, 50 * GIB, patience_s=0.02)
    house.disk.answers.clear()
    for _ in range(3):
        assert (await house.look()).detail == "the data folder cannot be written: no answer in 0 s"
    assert house.keeper.refusal() == "disk_failed"
    assert house.disk.asked == 1
    house.disk.answers.set()
    async with asyncio.timeout(20):
        while house.keeper.refusal():
            await house.look()


async def test_a_folder_that_is_gone_or_another_is_a_failure(tmp_path: Path) -> None:
    root = tmp_path / "data"
    house = House(root, 50 * GIB)
    with claim(root):
        assert (await house.look()).status is StorageStatus.OK
        shutil.rmtree(root)
        assert "is gone" in (await house.look()).detail
        root.mkdir()  # what a disk was mounted on, and is no more
        state = await house.look()
        assert (state.status, house.keeper.refusal()) == (StorageStatus.FAILED, "disk_failed")
        (root / OWNER_FILE).touch()
        await house.look()
        assert (await house.look()).status is StorageStatus.OK
    assert sorted(each.name for each in root.iterdir()) == [OWNER_FILE]  # looking leaves nothing


async def test_a_catalogue_that_cannot_be_read_leaves_the_disk_watched(tmp_path: Path) -> None:
    house = House(tmp_path, 50 * GIB)
    house.archive.broken = True
    running = asyncio.create_task(house.keeper.run())
    try:
        await until(lambda: house.bus.peek(StorageState, "") is not None)
        house.disk.free_bytes = GIB
        house.clock.advance(LOOK_EVERY_NS)
        await until(lambda: house.keeper.refusal() == "disk_full")
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_run_thins_until_there_is_room(tmp_path: Path) -> None:
    house = House(tmp_path, 0, *(flight(n, size=GIB // 8) for n in range(1, 8)))
    house.archive.stuck = {flight(1).id, flight(2).id}
    running = asyncio.create_task(house.keeper.run())
    try:
        await until(lambda: house.keeper.refusal() == "" and len(house.archive.deleted) == 4)
        assert house.disk.free_bytes == GIB + GIB // 2
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)
