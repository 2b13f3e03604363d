"""A disk that is full, gone, slow or refused: it is told, counted, tried again; no other aircraft minds."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from flow.clock import NS_PER_S
from flow.errors import OverflowedError
from flow.flights import Alarm, Marker
from flow.recording import RecordingStatus
from recordings.disk import Disk
from recordings.flight_file import read_flight
from recordings.folders import EVENTS_FILE, flight_folder, segments_in
from tests.fakes.clock import START_NS
from tests.unit.recordings.tower import (
    FRITZ,
    OTTMAR,
    Tower,
    film,
    flights,
    lines,
    merged,
    recorded,
    recording,
    same_pictures,
    so_far,
    watched_disks,
)

__all__ = ["watched_disks"]
pytestmark = pytest.mark.usefixtures("watched_disks")

FLIGHT = "20261122t064640z-fritz"


async def until_written(tower: Tower, folder: Path, count: int) -> None:
    await tower.until(
        lambda: folder.exists() and len(so_far(folder, "fritz-tag")) >= count,
        f"{count} pictures on the disk",
    )


def alarms(tower: Tower, aircraft_id: str = "fritz") -> list[tuple[str, bool]]:
    return [(a.code, a.active) for a in tower.heard(Alarm) if a.aircraft_id == aircraft_id]


async def test_a_folder_that_vanishes_in_mid_flight_and_comes_back(tmp_path: Path) -> None:
    folder = flight_folder(tmp_path, FLIGHT)
    async with recording(tmp_path) as tower:
        await tower.fly(*film(seconds=1.0))
        await until_written(tower, folder, 30)
        shutil.rmtree(tmp_path / "flights")
        second = round((tower.clock.now_ns() - START_NS) / NS_PER_S + 0.5)
        await tower.fly(*film(seconds=1.0, start_s=second))
        await tower.until_status(RecordingStatus.FAILED)
        assert tower.state().reason == "disk_failed"
        assert alarms(tower) == [("recording_failed", True)]
        await tower.until_status(RecordingStatus.RECORDING)
        lost = tower.state().lost
        assert 0 < lost <= 30
        second = round((tower.clock.now_ns() - START_NS) / NS_PER_S + 0.5)
        back = film(seconds=2.0, start_s=second)
        await tower.fly(*back)
        assert alarms(tower) == [("recording_failed", True), ("recording_failed", False)]
        assert tower.state().lost == lost
    assert read_flight(folder).id == FLIGHT
    assert same_pictures(recorded(folder, "fritz-tag"), back)


async def test_a_full_disk_stops_one_aircraft_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the kernel's answer is made up: this test may run where no file system can be made full."""
    full, write = Event(), os.write

    def fails(descriptor: int, data: bytes) -> int:
        if full.is_set() and "fritz" in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", fails)
    mine, other = film(seconds=14.0), film("ottmar-tag", 14.0)
    async with recording(tmp_path, FRITZ, OTTMAR) as tower:
        await tower.fly(*merged(mine[:60], other[:60]))
        await until_written(tower, flight_folder(tmp_path, FLIGHT), 45)
        full.set()
        late_s = (tower.clock.now_ns() - START_NS) / NS_PER_S
        await tower.fly(*(u for u in merged(mine[60:], other[60:])))
        await tower.until_status(RecordingStatus.FAILED)
        assert tower.state().reason == "disk_full"
        assert late_s < 14
        assert tower.state("ottmar").status is RecordingStatus.RECORDING
        assert tower.state("ottmar").lost == 0
        mark = Marker("m", "fritz", tower.clock.now_ns(), 49.4, 7.6, "Glut", "Weber")
        await tower.fly(mark)
        full.clear()
        await tower.until_status(RecordingStatus.RECORDING)
        lost = tower.state().lost
    fritz, ottmar = flights(tmp_path)
    kept = recorded(fritz, "fritz-tag")
    assert same_pictures(kept, mine[: len(kept)])
    assert 45 <= len(mine) - lost <= len(kept)  # what was written but not synced counts as lost
    assert same_pictures(recorded(ottmar, "ottmar-tag"), other)
    assert mark in lines(fritz / EVENTS_FILE)
    assert ("recording_failed", True) not in alarms(tower, "ottmar")


async def test_refused_from_the_start_nothing_is_even_tried(tmp_path: Path) -> None:
    async with recording(tmp_path) as tower:
        tower.refusal = "disk_full"
        await tower.fly(*film(seconds=1.0))
        await tower.pass_time(1.25)
        assert (tower.state().status, tower.state().reason) == (RecordingStatus.FAILED, "disk_full")
        assert tower.state().lost == 30
        assert flights(tmp_path) == []
        tower.refusal = ""
        await tower.until_status(RecordingStatus.RECORDING)
        back = film(seconds=1.0, start_s=20.0)
        await tower.fly(*back)
    (folder,) = flights(tmp_path)
    assert folder.name == FLIGHT
    assert same_pictures(recorded(folder, "fritz-tag"), back)


async def test_refused_in_mid_flight_the_segment_is_ended_well(tmp_path: Path) -> None:
    day = film(seconds=3.0)
    async with recording(tmp_path) as tower:
        await tower.fly(*day[:45])
        tower.refusal = "disk_full"
        await tower.pass_time(0.5)
        await tower.fly(*day[60:])
        await tower.pass_time(6.0)
        assert tower.state().lost == 30
        assert tower.state().status is RecordingStatus.FAILED
    (folder,) = flights(tmp_path)
    assert same_pictures(recorded(folder, "fritz-tag"), day[:45])


class HangingDisk:
    """fdatasync(2) waits while the disk hangs; after the test it hangs no more, so that threads end."""

    def __init__(self) -> None:
        self._sync, self._goes_on = os.fdatasync, Event()
        self._goes_on.set()

    def hang(self) -> None:
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    def fdatasync(self, descriptor: int) -> None:
        self._goes_on.wait(60.0)
        self._sync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingDisk]:
    disk = HangingDisk()
    monkeypatch.setattr(os, "fdatasync", disk.fdatasync)
    yield disk
    disk.go_on()


async def test_a_disk_that_hangs_is_told_and_does_not_hang_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: HangingDisk
) -> None:
    disk.hang()
    monkeypatch.setattr("recordings.open_flights.LEAVE_S", 0.05)
    async with recording(tmp_path) as tower:
        tower.disk_hangs = True
        await tower.fly(*film(seconds=2.0))
        await tower.until_status(RecordingStatus.FAILED)
        assert tower.state().reason == "disk_stalled"
        assert tower.state().lost == 0
        disk.go_on()
        await tower.until_status(RecordingStatus.RECORDING)
        disk.hang()
        await tower.fly(*film(seconds=1.0, start_s=40.0))


async def test_more_than_the_bound_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: HangingDisk
) -> None:
    disk.hang()
    monkeypatch.setattr("recordings.flight_writer.WAITING_BYTES", 20_000)
    day = film(seconds=4.0)
    async with recording(tmp_path) as tower:
        tower.disk_hangs = True
        await tower.fly(*day)
        assert (tower.state().status, tower.state().reason) == (RecordingStatus.FAILED, "disk_slow")
        disk.go_on()
        await tower.until_status(RecordingStatus.RECORDING)
        lost = tower.state().lost
        back = film(seconds=1.0, start_s=(tower.clock.now_ns() - START_NS) / NS_PER_S + 0.1)
        await tower.fly(*back)
    (folder,) = flights(tmp_path)
    assert 0 < lost < 120
    assert len(recorded(folder, "fritz-tag")) == len(day) - lost + len(back)
    assert [number for _, number, _ in segments_in(folder)] == [1, 2]


async def test_a_slow_disk_gets_the_end_and_the_catalogue_its_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: HangingDisk
) -> None:
    """Though something waits all the time, more than the bound at last."""
    async with recording(tmp_path) as tower:
        await tower.fly(*film(seconds=1.0))
        disk.hang()
        tower.disk_hangs = True
        tower.changed.clear()
        await tower.fly(*film(seconds=1.0, start_s=9.0))
        await tower.pass_time(1.5)
        assert tower.changed == [FLIGHT]
        monkeypatch.setattr("recordings.flight_writer.Disk.append", overflowing)
        await tower.fly(*film(seconds=0.4, start_s=12.0))
        await tower.pass_time(121.0)
        disk.go_on()
        await tower.until(lambda: read_flight(flights(tmp_path)[0]).ended_ns is not None, "the end")


def overflowing(disk: Disk, path: Path, data: bytes) -> None:
    raise OverflowedError("64 MB wait for the disk, which is too slow")
