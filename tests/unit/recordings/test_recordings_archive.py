"""The archive's lists, holds, deletions and viewings, on real folders."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flow.bus import Event
from flow.clock import NS_PER_S
from flow.errors import LagebildError, NotFoundError, RemoteError, UnavailableError
from flow.flights import Aircraft, Alarm, Armed, Feed, IncidentKind, Marker
from flow.units import Codec
from recordings.archive import Archive
from recordings.deletions import read_deletions
from recordings.entries import FlightQuery, Rule
from recordings.holds import read_holds
from recordings.protocol.retention import Days
from recordings.viewing import Viewing
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.recorded_flights import FRITZ, FlightMaker, recorded_flight

DAY_NS = 86_400 * NS_PER_S
OTTMAR = Aircraft("ottmar", "Ottmar Öztürk", (Feed("ottmar-waerme", "ottmar", "Wärmebild"),))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def archive(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Archive]:
    opened = Archive(tmp_path, clock, Days())
    await opened.open()
    yield opened
    await opened.aclose()


async def code_of(work: object) -> str:
    with pytest.raises(LagebildError) as caught:
        await work  # type: ignore[misc]
    return caught.value.code


def marker(number: int, *, removed: bool = False, name: str = "") -> Marker:
    return Marker(
        f"m{number}",
        "fritz",
        START_NS + number,
        49.4,
        7.7,
        "Trupp",
        "Max",
        name or f"m{number}",
        removed=removed,
    )


async def test_a_flight_is_listed_with_all_that_its_folder_holds(archive: Archive, tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    filmed = flight.film(seconds=2)
    flight.cut()
    filmed += flight.film(seconds=1)
    records = flight.fly(3)
    events: list[Event] = [
        Armed("a1", "fritz", START_NS),
        marker(1),
        marker(2),
        marker(3, removed=True, name="m1"),
    ]
    alarms = [
        Alarm("x1", "fritz", START_NS + 9, "battery"),
        Alarm("x2", "fritz", START_NS + 10, "battery", active=False),
    ]
    flight.tell(*events, *alarms)
    flight.end(3.0)
    await archive.refresh(flight.id)

    (entry,) = await archive.flights()
    assert entry == await archive.flight(flight.id)
    assert (entry.aircraft_name, entry.started_ns, entry.ended_ns) == (
        FRITZ.name,
        START_NS,
        START_NS + 3 * NS_PER_S,
    )
    assert entry.size_bytes == sum(path.stat().st_size for path in flight.folder.iterdir())
    assert (entry.messages, entry.markers, entry.alarms, entry.damage) == (records, 1, 1, "")
    (feed,) = entry.feeds
    assert (feed.name, feed.codec, feed.width_px, feed.height_px) == ("Tageslicht", Codec.H264, 320, 240)
    assert (feed.segments, feed.pictures, feed.gaps) == (2, len(filmed), 0)
    assert feed.first_ns == filmed[0].utc_ns
    assert feed.last_ns == pytest.approx(START_NS + 3 * NS_PER_S, abs=1_000_000)
    assert await archive.events(flight.id) == [*events, *alarms]


async def test_the_newest_is_first_and_pages_go_on(archive: Archive, tmp_path: Path) -> None:
    ids = [FlightMaker(tmp_path, started_ns=START_NS + n * 60 * NS_PER_S).end() for n in range(5)]
    for each in ids:
        await archive.refresh(each)
    first = await archive.flights(FlightQuery(limit=2))
    second = await archive.flights(FlightQuery(limit=2, before_id=first[-1].id))
    third = await archive.flights(FlightQuery(limit=2, before_id=second[-1].id))
    assert [entry.id for entry in (*first, *second, *third)] == ids[::-1]


async def test_flights_are_found_by_what_people_know_of_them(archive: Archive, tmp_path: Path) -> None:
    early = FlightMaker(tmp_path).end(60.0)
    late = FlightMaker(tmp_path, OTTMAR, START_NS + 3600 * NS_PER_S).end(60.0)
    for each in (early, late):
        await archive.refresh(each)
    incident = await archive.open_incident(IncidentKind.UEBUNG, "Große Übung")
    await archive.change_incident(incident.id, flight_ids=(late,))

    async def found(**asked: object) -> list[str]:
        return [entry.id for entry in await archive.flights(FlightQuery(**asked))]  # type: ignore[arg-type]

    assert await found(aircraft_id="ottmar") == [late]
    assert await found(incident_id=incident.id) == [late]
    assert await found(text="ÖZTÜRK wärme") == [late]
    assert await found(text="grosse übung") == [late]
    assert await found(text="tageslicht") == [early]
    assert await found(text="tageslicht öztürk") == []
    assert await found(text="100 % _\x00\ud800") == []
    assert await found(from_ns=START_NS + 61 * NS_PER_S) == [late]
    assert await found(to_ns=START_NS + 61 * NS_PER_S) == [early]
    assert await found(from_ns=START_NS + 30 * NS_PER_S, to_ns=1 << 80) == [late, early]
    assert await found(aircraft_id="' OR 1=1 --") == []


async def test_when_a_flight_is_deleted_stands_beside_it(archive: Archive, tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    await archive.refresh(flight.id)
    assert (await archive.flight(flight.id)).delete_on_ns is None  # it is being recorded
    flight.end(10.0)
    await archive.refresh(flight.id)
    entry = await archive.flight(flight.id)
    ended_ns = START_NS + 10 * NS_PER_S
    assert (entry.delete_on_ns, entry.delete_rule) == (ended_ns + 60 * DAY_NS, Rule.EINSATZ_DAYS)

    incident = await archive.open_incident(IncidentKind.UEBUNG, "Übung")
    await archive.change_incident(incident.id, flight_ids=(flight.id,))
    entry = await archive.flight(flight.id)
    assert (entry.delete_on_ns, entry.delete_rule) == (ended_ns + 30 * DAY_NS, Rule.UEBUNG_DAYS)

    await archive.hold(flight.id, "Ermittlung", "Max")
    entry = await archive.flight(flight.id)
    assert (entry.delete_on_ns, entry.delete_rule) == (None, None)


async def test_a_hold_needs_reason_and_name_and_its_history_stays(
    archive: Archive, tmp_path: Path, clock: FakeClock
) -> None:
    flight = recorded_flight(tmp_path, seconds=1)
    await archive.refresh(flight.id)
    for reason, by in (("", "Max"), ("Ermittlung", " "), ("Zeile\nzwei", "Max"), ("x" * 1001, "Max")):
        assert await code_of(archive.hold(flight.id, reason, by)) == "bad_name"
    hold = await archive.hold(flight.id, " Ermittlung ", "Max")
    assert (hold.reason, hold.by, hold.since_ns) == ("Ermittlung", "Max", clock.now_ns())
    assert (await archive.flight(flight.id)).hold == hold
    assert await code_of(archive.delete(flight.id, Rule.THINNED, "lagebild")) == "on_hold"

    clock.advance(NS_PER_S)
    await archive.release(flight.id, "Erika")
    await archive.release(flight.id, "Max")  # too late, and no harm
    assert (await archive.flight(flight.id)).hold is None
    history = read_holds(flight.folder).history
    assert [(change.held, change.by) for change in history] == [(True, "Max"), (False, "Erika")]
    await archive.delete(flight.id, Rule.PERSON, "Max")


async def test_a_hold_that_cannot_be_read_holds(archive: Archive, tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path, seconds=1)
    (flight.folder / "hold.json").write_bytes(b"{")
    await archive.refresh(flight.id)
    held = (await archive.flight(flight.id)).hold
    assert held is not None
    assert "hold.json" in held.reason
    assert await code_of(archive.delete(flight.id, Rule.THINNED, "lagebild")) == "on_hold"
    await archive.release(flight.id, "Max")
    assert (await archive.flight(flight.id)).hold is None
    assert len(list(flight.folder.glob("hold.json.*"))) == 1  # what it was is still there to look at


async def test_a_hold_is_believed_to_the_file_not_to_the_catalogue(archive: Archive, tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path, seconds=1)
    await archive.refresh(flight.id)
    hold = b'{"version":1,"history":[{"held":true,"by":"Max","utc_ns":1,"reason":"by hand"}]}'
    (flight.folder / "hold.json").write_bytes(hold)
    assert await code_of(archive.delete(flight.id, Rule.THINNED, "lagebild")) == "on_hold"
    assert flight.folder.is_dir()


async def test_a_deletion_is_documented_and_complete(
    archive: Archive, tmp_path: Path, clock: FakeClock
) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    flight = recorded_flight(tmp_path)
    (flight.folder / "link").symlink_to(outside)
    (flight.folder / "deep").mkdir()
    (flight.folder / "deep" / "link").symlink_to(outside / "precious")
    files = [path for path in flight.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    size_bytes = sum(path.stat().st_size for path in files)
    await archive.refresh(flight.id)
    incident = await archive.open_incident(IncidentKind.EINSATZ, "Dachstuhlbrand")
    await archive.change_incident(incident.id, flight_ids=(flight.id,))

    deletion = await archive.delete(flight.id, Rule.PERSON, "Max", "doppelt")
    assert (deletion.flight_id, deletion.aircraft_id, deletion.incident) == (
        flight.id,
        "fritz",
        "Dachstuhlbrand",
    )
    assert (deletion.files, deletion.size_bytes) == (len(files) + 2, size_bytes)
    assert (deletion.deleted_ns, deletion.rule, deletion.by, deletion.reason) == (
        clock.now_ns(), Rule.PERSON, "Max", "doppelt",
    )  # fmt: skip
    assert await archive.deletions() == [deletion] == list(read_deletions(tmp_path))
    assert await archive.flights() == []
    assert await code_of(archive.flight(flight.id)) == "not_found"
    assert (await archive.incidents())[0].flight_ids == ()
    assert list((tmp_path / "flights").iterdir()) == list((tmp_path / ".trash").iterdir()) == []
    assert (outside / "precious").read_text() == "mine"


async def test_a_flight_that_is_being_recorded_is_not_deleted(archive: Archive, tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    await archive.refresh(flight.id)
    assert await code_of(archive.delete(flight.id, Rule.PERSON, "Max")) == "flight_running"
    flight.end()  # the catalogue has not heard of it yet
    await archive.delete(flight.id, Rule.PERSON, "Max")
    assert not flight.folder.exists()


async def test_a_flight_that_is_being_played_is_deleted_afterwards(archive: Archive, tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path, seconds=1)
    await archive.refresh(flight.id)
    with archive.playing(flight.id), archive.playing(flight.id):
        assert await code_of(archive.delete(flight.id, Rule.PERSON, "Max")) == "flight_playing"
        assert flight.folder.is_dir()
    assert list(read_deletions(tmp_path)) == []
    await archive.delete(flight.id, Rule.PERSON, "Max")
    assert not flight.folder.exists()


async def test_a_folder_that_somebody_removed_is_documented_as_missing(
    archive: Archive, tmp_path: Path
) -> None:
    flight = recorded_flight(tmp_path, seconds=1)
    await archive.refresh(flight.id)
    flight.folder.rename(tmp_path / "elsewhere")
    await archive.refresh(flight.id)
    assert await archive.flights() == []
    (deletion,) = await archive.deletions()
    assert (deletion.flight_id, deletion.rule, deletion.by) == (flight.id, Rule.MISSING, "unknown")
    (tmp_path / "elsewhere").rename(flight.folder)  # it was a mistake
    await archive.refresh(flight.id)
    assert [entry.id for entry in await archive.flights()] == [flight.id]


async def test_a_disk_that_is_gone_deletes_no_flight(archive: Archive, tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path, seconds=1)
    await archive.refresh(flight.id)
    (tmp_path / "flights").rename(tmp_path / "unmounted")
    assert await code_of(archive.refresh(flight.id)) == "disk_failed"
    assert [entry.id for entry in await archive.flights()] == [flight.id]
    assert await archive.deletions() == []


def viewing(name: str, start_s: int, **said: object) -> Viewing:
    start_ns = START_NS + start_s * NS_PER_S
    return Viewing(name, "fritz-tag", start_ns, start_ns + 60 * NS_PER_S, **said)  # type: ignore[arg-type]


async def test_the_last_word_of_a_viewing_counts(archive: Archive, tmp_path: Path, clock: FakeClock) -> None:
    ages = tuple(float(n) for n in range(10))
    last = viewing("a", 0, joined_ms=140.5, ages=ages, interruptions=2, interrupted_ms=900.0)
    for each in (viewing("a", 0), viewing("b", 600), last):
        await archive.add_viewing(each)
    assert await archive.viewings(0, 1 << 62) == [last, viewing("b", 600)]
    assert await archive.viewings(START_NS + 61 * NS_PER_S, 1 << 70) == [viewing("b", 600)]
    assert await archive.viewings(0, START_NS + 60 * NS_PER_S, ("fritz-tag",)) == [last]
    assert await archive.viewings(0, 1 << 62, ("other",)) == []
    again = Archive(tmp_path, clock, Days())
    (tmp_path / "catalogue.sqlite").unlink()
    await again.open()
    assert await again.viewings(0, 1 << 62) == [last, viewing("b", 600)]
    await again.aclose()


@pytest.mark.parametrize(
    "wrong", ["", "..", "../../etc", "20261122t064640z-fritz/..", "20261122t064640z-\x00", "ü" * 99]
)
async def test_ids_that_can_be_none_are_not_found(archive: Archive, wrong: str) -> None:
    for asked in (
        archive.refresh(wrong),
        archive.flight(wrong),
        archive.events(wrong),
        archive.hold(wrong, "why", "Max"),
        archive.release(wrong, "Max"),
        archive.delete(wrong, Rule.PERSON, "Max"),
        archive.change_incident(wrong, closed=True),
    ):
        assert await code_of(asked) == "not_found"
    with pytest.raises(NotFoundError):
        archive.playing(wrong)


async def test_a_caller_that_is_cancelled_harms_nothing(archive: Archive, tmp_path: Path) -> None:
    """The deletion waits behind something slow; whoever asked goes away before it begins, or after."""
    flight = recorded_flight(tmp_path, seconds=1)
    await archive.refresh(flight.id)
    gate = threading.Event()
    slow = archive._thread.submit(gate.wait)
    asked = asyncio.ensure_future(archive.delete(flight.id, Rule.PERSON, "Max"))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    gate.set()
    await asyncio.wrap_future(slow)
    listed = {entry.id for entry in await archive.flights()}
    assert (flight.id in listed) == flight.folder.is_dir() == (await archive.deletions() == [])


async def test_closing_waits_for_what_was_asked(tmp_path: Path, clock: FakeClock) -> None:
    archive = Archive(tmp_path, clock, Days())
    await archive.aclose()  # never opened
    archive = Archive(tmp_path, clock, Days())
    with pytest.raises(UnavailableError):
        await archive.flights()
    await archive.open()
    opening = asyncio.ensure_future(archive.open_incident(IncidentKind.EINSATZ, "Brand"))
    await asyncio.sleep(0)
    await archive.aclose()
    assert (tmp_path / "incidents" / f"{(await opening).id}.json").is_file()
    with pytest.raises(UnavailableError):
        await archive.flights()
    await archive.aclose()


async def test_without_a_working_disk_lists_still_work(archive: Archive, tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path, seconds=1)
    await archive.refresh(flight.id)
    (flight.folder / "hold.json.new").mkdir()  # nothing can be written there
    assert await code_of(archive.hold(flight.id, "Ermittlung", "Max")) == "disk_failed"
    assert (await archive.flight(flight.id)).hold is None
    assert len(await archive.flights()) == 1


async def test_a_full_disk_is_told_and_lists_still_work(archive: Archive, tmp_path: Path) -> None:
    flight = recorded_flight(tmp_path, seconds=1)
    await archive.refresh(flight.id)

    def fill() -> None:
        rows = archive._archivist._catalogue._rows
        (pages,) = rows.execute("PRAGMA page_count").fetchone()
        rows.execute(f"PRAGMA max_page_count = {pages}")

    await asyncio.wrap_future(archive._thread.submit(fill))
    flight.tell(*(marker(n) for n in range(500)))
    assert await code_of(archive.refresh(flight.id)) == "disk_full"
    assert (await archive.flight(flight.id)).markers == 0
    await asyncio.wrap_future(
        archive._thread.submit(
            lambda: archive._archivist._catalogue._rows.execute("PRAGMA max_page_count = 100000")
        )
    )
    await archive.refresh(flight.id)
    assert (await archive.flight(flight.id)).markers == 500


async def test_names_are_checked(archive: Archive) -> None:
    for wrong in ("", "   ", "x" * 201, "Brand\nund Wasser", "Brand\x00", "Brand\u202egnp", "\ud800"):
        with pytest.raises(RemoteError) as caught:
            await archive.open_incident(IncidentKind.EINSATZ, wrong)
        assert caught.value.code == "bad_name"
