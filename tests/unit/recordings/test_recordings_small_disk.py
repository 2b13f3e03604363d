"""A real small disk that fills up, with the real archive on it: thinned, then stopped, never filled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.errors import LagebildError
from flow.flights import Aircraft, Feed
from flow.memory_bus import MemoryBus
from flow.recording import StorageStatus
from recordings.archive import Archive
from recordings.disk_space import space_of
from recordings.entries import FlightQuery, Rule
from recordings.flight_file import FlightFile, RecordedFeed, encoded
from recordings.folders import ROOM_FILE, TLOG_FILE, flight_folder, flight_id
from recordings.keeper import Keeper
from recordings.owner import claim
from recordings.protocol.retention import Days
from recordings.protocol.storage import LOOK_EVERY_NS, levels
from recordings.settings import RecordingsSettings
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.disk import FakeArchive, FakeDisk

MIB = 1024**2
SIZE, RESERVE, FLIGHT = 64 * MIB, 16 * MIB, 4 * MIB
DAY_NS = 86_400 * NS_PER_S


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 64 MiB; skips where this user may not mount one."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "lagebild-test", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def write_flight(root: Path, days_ago: float) -> str:
    """A flight of 4 MiB that ended so long ago."""
    ended_ns = START_NS - round(days_ago * DAY_NS)
    started_ns = ended_ns - 600 * NS_PER_S
    flight = flight_id(started_ns, "fritz")
    folder = flight_folder(root, flight)
    folder.mkdir(parents=True)
    (folder / TLOG_FILE).write_bytes(bytes(FLIGHT))
    feeds = (RecordedFeed("tag", "Tag"),)
    (folder / "flight.json").write_bytes(
        encoded(FlightFile(flight, "fritz", "Fritz", feeds, started_ns, ended_ns))
    )
    return flight


def fill(root: Path, leave_bytes: int) -> None:
    """What another program does."""
    taken = space_of(root).free_bytes - leave_bytes
    with (root / "foreign").open("ab") as file:
        os.posix_fallocate(file.fileno(), file.tell(), taken)


async def test_a_small_disk(disk: Path) -> None:
    clock, bus = FakeClock(), MemoryBus()
    with claim(disk):
        overdue, held, oldest, older, fresh = (write_flight(disk, days) for days in (61, 50, 40, 30, 0.5))
        archive = Archive(disk, clock, Days())
        await archive.open()
        try:
            await archive.hold(held, "Gericht", "Wolf")
            aircraft = Aircraft("fritz", "Fritz", (Feed("tag", "fritz", "Tag"),))
            settings = RecordingsSettings(disk, (aircraft,), reserve_bytes=RESERVE)
            keeper = Keeper(bus, clock, settings, archive)

            async def look() -> StorageStatus:
                clock.advance(LOOK_EVERY_NS)
                await keeper.look()
                await keeper.tidy()
                return (await keeper.look()).status

            assert await look() is StorageStatus.OK
            assert await kept(archive) == {held, oldest, older, fresh}
            thin_bytes = levels(SIZE, 0.0).thin
            fill(disk, RESERVE + thin_bytes - MIB)
            await look()
            assert await kept(archive) == {held, older, fresh}
            fill(disk, RESERVE - MIB)
            await look()
            assert await kept(archive) == {held, fresh}
            fill(disk, RESERVE)
            assert await look() is StorageStatus.FULL
            assert keeper.refusal() == "disk_full"
            assert await kept(archive) == {held, fresh}
            await archive.release(held, "Wolf")
            await look()
            assert keeper.refusal() == ""
            assert await kept(archive) == {fresh}
            told = [(each.flight_id, each.rule, each.by) for each in await archive.deletions()]
            assert told == [
                *((each, Rule.THINNED, "lagebild") for each in (held, older, oldest)),
                (overdue, Rule.EINSATZ_DAYS, "lagebild"),
            ]
        finally:
            await archive.aclose()


async def test_a_disk_that_others_fill_to_the_last_byte(disk: Path) -> None:
    clock = FakeClock()
    write_flight(disk, 40)
    archive = Archive(disk, clock, Days())
    await archive.open()
    assert len(await archive.flights()) == 1
    try:
        keeper = Keeper(MemoryBus(), clock, RecordingsSettings(disk, reserve_bytes=RESERVE), archive)
        fill(disk, 0)
        await keeper.look()
        await keeper.tidy()
        assert await kept(archive) == set()
        assert (disk / ROOM_FILE).exists()
    finally:
        await archive.aclose()


async def test_a_disk_without_room_for_a_document(disk: Path) -> None:
    """Not even that of a deletion can be written; it goes on as soon as there is a little room."""
    clock = FakeClock()
    flight = write_flight(disk, 40)
    archive = Archive(disk, clock, Days())
    await archive.open()
    assert len(await archive.flights()) == 1  # it has read the folders
    try:
        settings = RecordingsSettings(disk, reserve_bytes=RESERVE)
        keeper = Keeper(MemoryBus(), clock, settings, archive)
        (disk / ROOM_FILE).unlink()
        fill(disk, 0)
        assert (await keeper.look()).status is StorageStatus.FULL
        with pytest.raises(LagebildError, match="No space left on device") as caught:
            await keeper.tidy()
        assert caught.value.code == "disk_full"
        assert await kept(archive) == {flight}
        os.truncate(disk / "foreign", (disk / "foreign").stat().st_size - MIB)
        await keeper.look()
        await keeper.tidy()
        assert await kept(archive) == set()
        assert [each.flight_id for each in await archive.deletions()] == [flight]
    finally:
        await archive.aclose()


async def test_a_disk_that_becomes_read_only(disk: Path) -> None:
    """As ext4 does after an error."""
    clock = FakeClock()
    settings = RecordingsSettings(disk, reserve_bytes=RESERVE)
    keeper = Keeper(MemoryBus(), clock, settings, FakeArchive(FakeDisk(SIZE, SIZE)))
    assert (await keeper.look()).status is StorageStatus.OK
    remount(disk, "ro")
    state = await keeper.look()
    assert (state.status, keeper.refusal()) == (StorageStatus.FAILED, "disk_failed")
    assert state.detail == "the data folder cannot be written: Read-only file system"
    remount(disk, "rw")
    await keeper.look()
    assert (await keeper.look()).status is StorageStatus.OK


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def kept(archive: Archive) -> set[str]:
    return {flight.id for flight in await archive.flights(FlightQuery())}
