"""The catalogue is an index: lost, broken or behind, it is made anew of the folders, and says the same."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from flow.clock import NS_PER_S
from flow.errors import LagebildError, NotFoundError
from flow.flights import Armed, IncidentKind, Marker
from recordings import catalogue_file, deletions
from recordings.archive import Archive
from recordings.deletions import read_deletions, trash_folder
from recordings.entries import Deletion, Rule
from recordings.flight_file import FlightFile, read_flight
from recordings.folders import ROOM_FILE
from recordings.plain_files import replace_file
from recordings.protocol.retention import Days
from recordings.viewing import Viewing
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.recorded_flights import FlightMaker, recorded_flight


async def opened(root: Path) -> Archive:
    archive = Archive(root, FakeClock(), Days())
    await archive.open()
    return archive


async def told(archive: Archive) -> list[object]:
    """All that the lists say."""
    flights = await archive.flights()
    events = [await archive.events(entry.id) for entry in flights]
    seen = await archive.viewings(0, 1 << 62)
    return [flights, events, await archive.incidents(), await archive.deletions(), seen]


async def filled(root: Path) -> list[object]:
    """Flights with everything: what the lists say of them."""
    archive = await opened(root)
    makers = [FlightMaker(root, started_ns=START_NS + n * 600 * NS_PER_S) for n in range(4)]
    for flight in makers:
        flight.film(seconds=1)
        flight.fly(1)
        flight.tell(
            Armed("a1", "fritz", START_NS), Marker("m1", "fritz", START_NS, 49.0, 7.0, "Trupp", "Max")
        )
        flight.end()
        await archive.refresh(flight.id)
    ids = [flight.id for flight in makers]
    incident = await archive.open_incident(IncidentKind.UEBUNG, "Übung", ("fritz",))
    await archive.change_incident(incident.id, flight_ids=(ids[0], ids[2]), closed=True)
    await archive.hold(ids[1], "Ermittlung", "Max")
    await archive.delete(ids[2], Rule.PERSON, "Max", "doppelt")
    for number in range(3):
        await archive.add_viewing(Viewing(f"v{number % 2}", "fritz-tag", START_NS, START_NS + number))
    lists = await told(archive)
    await archive.aclose()
    return lists


def lose(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def garble(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def garble_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "foreign").write_text("mine")


def replace_by_a_link(path: Path) -> None:
    elsewhere = path.with_name("elsewhere.sqlite")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def replace_by_a_foreign_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE flights (id TEXT)")
    foreign.close()


def drop_a_table(path: Path) -> None:
    with sqlite3.connect(path) as rows:
        rows.execute("DROP TABLE feeds")
    rows.close()


def leave_the_log_of_another(path: Path) -> None:
    path.unlink()
    path.with_name(path.name + "-wal").write_bytes(os.urandom(8192))


HARM = (
    lose,
    truncate,
    empty,
    garble,
    garble_the_middle,
    replace_by_a_folder,
    replace_by_a_link,
    replace_by_a_foreign_database,
    drop_a_table,
    leave_the_log_of_another,
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    root = tmp_path_factory.mktemp("sample")
    return root, asyncio.run(filled(root))


@pytest.mark.parametrize("harm", HARM)
async def test_a_catalogue_that_is_no_use_is_made_anew(
    tmp_path: Path, sample: tuple[Path, list[object]], harm: Callable[[Path], None]
) -> None:
    root = tmp_path / "data"
    shutil.copytree(sample[0], root)
    harm(root / "catalogue.sqlite")
    archive = await opened(root)
    assert await told(archive) == sample[1]
    await archive.aclose()
    archive = await opened(root)  # and stays good
    assert await told(archive) == sample[1]
    await archive.aclose()


async def test_what_was_set_aside_is_said_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lists = await filled(tmp_path)
    for content in (b"first" * 99, b"second" * 99):
        (tmp_path / "catalogue.sqlite").write_bytes(content)
        archive = await opened(tmp_path)
        assert await told(archive) == lists
        await archive.aclose()
        assert (tmp_path / "catalogue.sqlite.set-aside").read_bytes() == content
        assert "made anew from the folders" in caplog.text
        caplog.clear()


async def test_the_catalogue_of_a_newer_program_is_set_aside_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lists = await filled(tmp_path)
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as rows:
        rows.execute("PRAGMA user_version = 99")
    rows.close()
    archive = await opened(tmp_path)
    assert await told(archive) == lists
    await archive.aclose()
    assert "of a newer Lagebild: version 99" in caplog.text
    with sqlite3.connect(tmp_path / "catalogue.sqlite.set-aside") as rows:
        assert rows.execute("PRAGMA user_version").fetchone() == (99,)
    rows.close()


async def test_an_older_catalogue_is_migrated_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lists = await filled(tmp_path)
    more = (*catalogue_file.MIGRATIONS, "CREATE TABLE old (id TEXT); INSERT INTO old SELECT id FROM flights;")
    monkeypatch.setattr(catalogue_file, "MIGRATIONS", more)
    archive = await opened(tmp_path)
    assert await told(archive) == lists
    await archive.aclose()
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as rows:
        assert rows.execute("PRAGMA user_version").fetchone() == (len(more),)
        assert rows.execute("SELECT count(*) FROM old").fetchone() == (3,)
        assert rows.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    rows.close()
    assert not (tmp_path / "catalogue.sqlite.set-aside").exists()


async def test_a_migration_that_fails_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = await filled(tmp_path)
    fails_on_rows = "DELETE FROM feeds; INSERT INTO viewing_files SELECT id, NULL FROM flights;"
    monkeypatch.setattr(catalogue_file, "MIGRATIONS", (*catalogue_file.MIGRATIONS, fails_on_rows))
    archive = await opened(tmp_path)
    assert await told(archive) == lists
    await archive.aclose()
    with sqlite3.connect(tmp_path / "catalogue.sqlite.set-aside") as rows:
        assert rows.execute("PRAGMA user_version").fetchone() == (len(catalogue_file.MIGRATIONS) - 1,)
        assert rows.execute("SELECT count(*) FROM feeds").fetchone() == (3,)
    rows.close()


async def test_what_changed_while_the_server_was_off_is_seen(tmp_path: Path) -> None:
    await filled(tmp_path)
    flights = sorted((tmp_path / "flights").iterdir())
    shutil.rmtree(flights[0])
    (flights[1] / "fritz-tag.0001.mp4").unlink()
    new = recorded_flight(tmp_path, started_ns=START_NS + 9999 * NS_PER_S)
    archive = await opened(tmp_path)
    listed = {entry.id: entry for entry in await archive.flights()}
    assert set(listed) == {flights[1].name, flights[2].name, new.id}
    assert listed[flights[1].name].feeds[0].segments == 0
    missing = [each.flight_id for each in await archive.deletions() if each.rule is Rule.MISSING]
    assert missing == [flights[0].name]
    await archive.aclose()
    archive = await opened(tmp_path)
    assert len([each for each in await archive.deletions() if each.rule is Rule.MISSING]) == 1
    await archive.aclose()


async def test_foreign_things_among_the_flights_are_left_alone(tmp_path: Path) -> None:
    await filled(tmp_path)
    flights = tmp_path / "flights"
    outside = tmp_path / "outside"
    shutil.copytree(next(flights.iterdir()), outside)
    (flights / "20200101t000000z-link").symlink_to(outside)
    (flights / "20200101t000000z-file").write_text("no folder")
    (flights / "lost+found").mkdir()
    (flights / "20200101t000000z-empty").mkdir()
    archive = await opened(tmp_path)
    listed = {entry.id: entry for entry in await archive.flights()}
    assert len(listed) == 4
    assert listed["20200101t000000z-empty"].damage == "flight.json: it is not there"
    with pytest.raises(LagebildError):
        await archive.delete("20200101t000000z-link", Rule.PERSON, "Max")
    assert (outside / "flight.json").is_file()
    await archive.aclose()


# --- a crash in the middle of a deletion --------------------------------------------------------------------


def a_deletion(flight_id: str) -> Deletion:
    return Deletion(
        f"{flight_id}-1", flight_id, "fritz", START_NS, START_NS, "", 3, 9, START_NS, Rule.PERSON, "Max"
    )


def only_decided(root: Path, deletion: Deletion) -> None:
    (trash_folder(root) / f"{deletion.flight_id}.json").write_bytes(msgspec.json.encode(deletion))


def half_documented(root: Path, deletion: Deletion) -> None:
    only_decided(root, deletion)
    with (root / "deletions.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(deletion)[:20])


def documented(root: Path, deletion: Deletion) -> None:
    only_decided(root, deletion)
    with (root / "deletions.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(deletion) + b"\n")


def moved(root: Path, deletion: Deletion) -> None:
    documented(root, deletion)
    (root / "flights" / deletion.flight_id).rename(trash_folder(root) / deletion.flight_id)


def half_removed(root: Path, deletion: Deletion) -> None:
    moved(root, deletion)
    next((trash_folder(root) / deletion.flight_id).glob("*.mp4")).unlink()


def all_removed(root: Path, deletion: Deletion) -> None:
    moved(root, deletion)
    shutil.rmtree(trash_folder(root) / deletion.flight_id)


@pytest.mark.parametrize(
    "crash", [only_decided, half_documented, documented, moved, half_removed, all_removed]
)
async def test_a_deletion_that_a_crash_interrupts_is_finished(
    tmp_path: Path, sample: tuple[Path, list[object]], crash: Callable[[Path, Deletion], None]
) -> None:
    root = tmp_path / "data"
    shutil.copytree(sample[0], root)
    flight_id = min(path.name for path in (root / "flights").iterdir())
    deletion = a_deletion(flight_id)
    crash(root, deletion)
    archive = await opened(root)
    assert flight_id not in {entry.id for entry in await archive.flights()}
    assert not (root / "flights" / flight_id).exists()
    assert list(trash_folder(root).iterdir()) == []
    assert [each for each in read_deletions(root) if each.flight_id == flight_id] == [deletion]
    assert deletion in await archive.deletions()
    await archive.aclose()


async def test_a_deleted_flight_that_comes_back_from_a_backup_is_a_flight(tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path)
    shutil.copytree(flight.folder, tmp_path / "backup")
    archive = await opened(tmp_path)
    await archive.delete(flight.id, Rule.PERSON, "Max")
    await archive.aclose()
    (tmp_path / "backup").rename(flight.folder)
    archive = await opened(tmp_path)
    assert [entry.id for entry in await archive.flights()] == [flight.id]
    await archive.aclose()


async def test_nothing_is_deleted_for_a_document_that_is_none(tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path)
    trash_folder(tmp_path).mkdir()
    document = trash_folder(tmp_path) / f"{flight.id}.json"
    other = a_deletion("20200101t000000z-other")
    for content in (b"", b"{}", msgspec.json.encode(other)):
        document.write_bytes(content)
        archive = await opened(tmp_path)
        assert [entry.id for entry in await archive.flights()] == [flight.id]
        await archive.aclose()


async def test_what_is_moved_into_the_trash_is_ours_to_remove(tmp_path: Path) -> None:
    """Somebody made .trash a link to a folder that has a folder of the same name."""
    flight = recorded_flight(tmp_path)
    outside = tmp_path / "outside"
    (outside / flight.id).mkdir(parents=True)
    (outside / flight.id / "precious").write_text("mine")
    trash_folder(tmp_path).symlink_to(outside)
    archive = await opened(tmp_path)
    await archive.delete(flight.id, Rule.PERSON, "Max")
    await archive.aclose()
    assert (outside / flight.id / "precious").read_text() == "mine"


async def test_a_server_whose_disk_is_missing_has_empty_lists(tmp_path: Path) -> None:
    """It shows pictures all the same: nothing is raised."""
    (tmp_path / "data").write_text("no folder")
    archive = await opened(tmp_path / "data")
    assert await told(archive) == [[], [], [], [], []]
    with pytest.raises(LagebildError) as caught:
        await archive.open_incident(IncidentKind.EINSATZ, "Brand")
    assert caught.value.code == "disk_failed"
    await archive.aclose()


async def test_closing_does_not_wait_for_a_long_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is stopped while the first of three flights is being read; the next start reads the rest."""
    lists = await filled(tmp_path)
    (tmp_path / "catalogue.sqlite").unlink()
    reading, go_on = threading.Event(), threading.Event()

    def slowly(folder: Path) -> FlightFile:
        reading.set()
        go_on.wait()
        return read_flight(folder)

    monkeypatch.setattr("recordings.survey.read_flight", slowly)
    archive = await opened(tmp_path)
    await asyncio.to_thread(reading.wait)
    closing = asyncio.ensure_future(archive.aclose())
    await asyncio.sleep(0)
    go_on.set()
    await closing
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as rows:
        assert rows.execute("SELECT count(*) FROM flights").fetchone() == (1,)
    rows.close()
    archive = await opened(tmp_path)
    assert await told(archive) == lists
    await archive.aclose()


async def test_where_the_catalogue_is_full_the_files_go_all_the_same(tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path)
    archive = await opened(tmp_path)
    assert len(await archive.flights()) == 1

    def only_read(on: int) -> None:
        archive._archivist._catalogue._rows.execute(f"PRAGMA query_only = {on}")

    await asyncio.wrap_future(archive._thread.submit(only_read, 1))
    with pytest.raises(LagebildError) as caught:
        await archive.delete(flight.id, Rule.THINNED, "lagebild")
    assert caught.value.code == "disk_failed"
    await asyncio.wrap_future(archive._removing.submit(lambda: None))
    assert not flight.folder.exists()
    assert list(trash_folder(tmp_path).iterdir()) == []
    await asyncio.wrap_future(archive._thread.submit(only_read, 0))
    with pytest.raises(LagebildError, match="any more"):
        await archive.delete(flight.id, Rule.THINNED, "lagebild")
    assert await archive.flights() == []
    assert [each.rule for each in read_deletions(tmp_path)] == [Rule.THINNED]
    await archive.aclose()


async def test_a_disk_that_others_have_filled_is_made_room_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last byte: then the document of a deletion finds room in what was kept for it."""
    flight, other = recorded_flight(tmp_path), recorded_flight(tmp_path, started_ns=START_NS + 10**12)
    archive = await opened(tmp_path)
    room = tmp_path / ROOM_FILE
    assert room.stat().st_size > 2 * len(flight.id)

    def full(path: Path, data: bytes) -> None:
        if room.exists() or not flight.folder.exists():
            raise OSError(errno.ENOSPC, "no space left")
        replace_file(path, data)

    with monkeypatch.context() as filled:
        filled.setattr(deletions, "replace_file", full)
        await archive.delete(flight.id, Rule.THINNED, "lagebild")
        assert not flight.folder.exists()
        assert await refused(archive, other.id) == "disk_full"  # there is none to be given any more
    await archive.delete(other.id, Rule.THINNED, "lagebild")
    assert [each.flight_id for each in read_deletions(tmp_path)] == [flight.id, other.id]
    assert room.exists()  # again
    await archive.aclose()


async def refused(archive: Archive, flight_id: str) -> str:
    with pytest.raises(LagebildError) as caught:
        await archive.delete(flight_id, Rule.THINNED, "lagebild")
    return caught.value.code


async def test_a_deletion_that_fails_is_gone_on_with_and_documented_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flight = recorded_flight(tmp_path)
    archive = await opened(tmp_path)

    def fails(root: Path, flight_id: str) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as broken:
        broken.setattr("recordings.deletions._move_aside", fails)
        with pytest.raises(LagebildError, match="the disk is broken"):
            await archive.delete(flight.id, Rule.PERSON, "Max")
    assert [entry.id for entry in await archive.flights()] == [flight.id]
    with pytest.raises(NotFoundError, match="being deleted"):  # it is decided: too late for a hold
        await archive.hold(flight.id, "Ermittlung", "Erika")
    deletion = await archive.delete(flight.id, Rule.THINNED, "lagebild")
    assert (deletion.rule, deletion.by) == (Rule.PERSON, "Max")
    assert list(read_deletions(tmp_path)) == await archive.deletions() == [deletion]
    assert not flight.folder.exists()
    await archive.aclose()
