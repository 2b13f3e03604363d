"""The room as a whole: what is recorded is in the archive, over the end and the start of the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.recording import RecordingState, RecordingStatus, StorageState
from recordings.archive import Archive
from recordings.entries import FlightEntry
from recordings.flight_file import FlightFile, encoded, read_flight
from recordings.folders import FLIGHT_FILE, flights_folder
from recordings.keeper import Keeper
from recordings.recorder import Recorder
from recordings.room import Recordings
from recordings.settings import RecordingsSettings
from tests.fakes.clock import START_NS
from tests.unit.recordings.tower import FRITZ, Tower, film, watched_disks

__all__ = ["watched_disks"]
pytestmark = pytest.mark.usefixtures("watched_disks")

FLIGHT = "20261122t064640z-fritz"


@asynccontextmanager
async def opened(root: Path, start_s: float = 0.0) -> AsyncIterator[tuple[Tower, Archive]]:
    tower = Tower(root, start_ns=START_NS + round(start_s * NS_PER_S))
    settings = RecordingsSettings(root, (FRITZ,), reserve_bytes=0)
    recordings = Recordings(tower.bus, tower.clock, settings)
    task = asyncio.create_task(recordings.run())
    try:
        await tower.until(lambda: tower.bus.peek(RecordingState, "fritz") is not None, "the first state", 0.0)
        yield tower, recordings.archive
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await tower.bus.aclose()


async def entry(tower: Tower, archive: Archive, pictures: int = 0, *, ended: bool = False) -> FlightEntry:
    """The only flight, once the archive knows so many pictures of it, and its end."""
    for _ in range(400):
        found = await archive.flights()
        if found and (found[0].ended_ns is not None) == ended and found[0].feeds[0].pictures >= pictures:
            return found[0]
        await asyncio.sleep(0.01)
        await tower.pass_time(0.25)
    raise AssertionError(found)


async def test_a_flight_is_in_the_archive_while_it_flies_and_after(tmp_path: Path) -> None:
    async with opened(tmp_path) as (tower, archive):
        await tower.until(lambda: tower.bus.peek(StorageState, "") is not None, "how full the disk is", 0.0)
        await tower.fly(*film(seconds=3.0))
        flying = await entry(tower, archive, 90)
        assert (flying.id, flying.aircraft_name) == (FLIGHT, "Fritz")
        await tower.pass_time(121.0)
        ended = await entry(tower, archive, ended=True)
        assert ended.feeds[0].pictures == 90
        assert ended.ended_ns == START_NS + 89 * NS_PER_S // 30


async def test_a_flight_goes_on_over_the_restart_of_the_server(tmp_path: Path) -> None:
    async with opened(tmp_path) as (tower, _):
        await tower.fly(*film(seconds=2.0))
    assert read_flight(flights_folder(tmp_path) / FLIGHT).ended_ns is None
    async with opened(tmp_path, 20.0) as (tower, archive):
        assert tower.state().status is RecordingStatus.RECORDING
        await tower.fly(*film(seconds=2.0, start_s=21.0))
        await tower.pass_time(121.0)
        ended = await entry(tower, archive, ended=True)
        assert ended.id == FLIGHT
        assert (ended.feeds[0].pictures, ended.feeds[0].gaps, ended.feeds[0].segments) == (120, 1, 2)


async def test_a_data_folder_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "flights").write_text("a file where the folder should be")
    async with opened(tmp_path) as (tower, _):
        await tower.fly(*film(seconds=2.0))
        await tower.until_status(RecordingStatus.FAILED)
        (tmp_path / "flights").unlink()
        await tower.until_status(RecordingStatus.RECORDING)


async def test_what_was_put_in_order_is_in_the_archive(tmp_path: Path) -> None:
    folder = flights_folder(tmp_path) / FLIGHT
    folder.mkdir(parents=True)
    (folder / FLIGHT_FILE).write_bytes(encoded(FlightFile.begun(FLIGHT, FRITZ, START_NS)))
    async with opened(tmp_path, 500.0) as (tower, archive):
        found = await entry(tower, archive, ended=True)
        assert (found.ended_ns, found.repaired_ns) == (START_NS, START_NS + 500 * NS_PER_S)


async def test_a_defect_of_what_lists_and_tidies_ends_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fails = iter([True, True])
    look, refresh = Keeper.look, Archive.refresh

    async def failing_look(keeper: Keeper) -> StorageState:
        if next(fails, False):
            raise ValueError("a bug")
        return await look(keeper)

    async def failing_refresh(archive: Archive, flight_id: str) -> None:
        if next(fails, False):
            raise ValueError("another")
        await refresh(archive, flight_id)

    monkeypatch.setattr(Keeper, "look", failing_look)
    monkeypatch.setattr(Archive, "refresh", failing_refresh)
    async with opened(tmp_path) as (tower, archive):
        await tower.fly(*film(seconds=3.0))
        await tower.until(lambda: tower.bus.peek(StorageState, "") is not None, "how full the disk is")
        await tower.pass_time(121.0)
        assert (await entry(tower, archive, ended=True)).feeds[0].segments == 1
    assert next(fails, None) is None
    assert caplog.text.count("a defect of Lagebild") == 2


async def test_the_room_opens_again_after_it_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> None:
        raise ValueError("a bug")

    tower = Tower(tmp_path)
    recordings = Recordings(tower.bus, tower.clock, RecordingsSettings(tmp_path, (FRITZ,), reserve_bytes=0))
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "run", failing)
        with pytest.raises(ExceptionGroup):
            await recordings.run()
    task = asyncio.create_task(recordings.run())
    await tower.until(lambda: tower.bus.peek(RecordingState, "fritz") is not None, "the first state", 0.0)
    await tower.fly(*film(seconds=2.0))
    assert (await entry(tower, recordings.archive)).id == FLIGHT
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await tower.bus.aclose()
