"""Incidents: opened, closed, renamed; what belongs to them, also afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from flow.clock import NS_PER_S
from flow.errors import LagebildError, NotFoundError
from flow.flights import Aircraft, Feed, IncidentKind
from recordings.archive import Archive
from recordings.entries import Rule
from recordings.incidents import INCIDENT_ID_PATTERN, incident_path, read_incident, write_incident
from recordings.protocol.retention import Days
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.recorded_flights import FlightMaker

OTTMAR = Aircraft("ottmar", "Ottmar", (Feed("ottmar-waerme", "ottmar", "Wärmebild"),))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def archive(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Archive]:
    opened = Archive(tmp_path, clock, Days())
    await opened.open()
    yield opened
    await opened.aclose()


async def reopened(archive: Archive, root: Path, clock: FakeClock) -> Archive:
    """The archive made of the folders alone."""
    await archive.aclose()
    (root / "catalogue.sqlite").unlink()
    again = Archive(root, clock, Days())
    await again.open()
    return again


async def test_an_incident_is_opened_changed_and_closed(
    archive: Archive, tmp_path: Path, clock: FakeClock
) -> None:
    opened = await archive.open_incident(IncidentKind.EINSATZ, " Dachstuhlbrand Höheinöd ", ("fritz",), "Max")
    assert opened.id == "20261122t064640z-dachstuhlbrand-hoeheinoed"
    assert (opened.name, opened.opened_ns, opened.closed_ns) == ("Dachstuhlbrand Höheinöd", START_NS, None)
    clock.advance(NS_PER_S)
    changed = await archive.change_incident(
        opened.id,
        name="Übung am Weiher",
        kind=IncidentKind.UEBUNG,
        closed=True,
        aircraft_ids=("ottmar", "fritz"),
    )
    assert (changed.id, changed.name, changed.kind) == (opened.id, "Übung am Weiher", IncidentKind.UEBUNG)
    assert (changed.closed_ns, changed.aircraft_ids) == (START_NS + NS_PER_S, ("fritz", "ottmar"))
    clock.advance(NS_PER_S)
    assert (await archive.change_incident(opened.id, closed=True)).closed_ns == START_NS + NS_PER_S
    assert (await archive.change_incident(opened.id, closed=False)).closed_ns is None

    again = await reopened(archive, tmp_path, clock)
    assert await again.incidents() == [await again.change_incident(opened.id)]
    assert (await again.incidents())[0].name == "Übung am Weiher"
    assert read_incident(incident_path(tmp_path, opened.id)).opened_by == "Max"
    await again.aclose()


async def test_every_incident_gets_an_id_of_its_own(archive: Archive) -> None:
    names = ["Brand", "Brand", "!?", "!?", "火災", "x" * 200, "../../etc/passwd"]
    ids = [(await archive.open_incident(IncidentKind.EINSATZ, name)).id for name in names]
    assert len(set(ids)) == len(names)
    assert all(INCIDENT_ID_PATTERN.fullmatch(each) for each in ids)
    assert [each.id for each in await archive.incidents()] == sorted(ids, reverse=True)


async def test_a_new_flight_joins_the_open_incident_of_its_aircraft(archive: Archive, tmp_path: Path) -> None:
    incident = await archive.open_incident(IncidentKind.EINSATZ, "Brand", ("fritz",))
    flight, other = FlightMaker(tmp_path), FlightMaker(tmp_path, OTTMAR)
    for each in (flight.id, other.id):
        await archive.refresh(each)
    joined = (await archive.flight(flight.id)).incident
    assert joined is not None
    assert (joined.id, joined.flight_ids) == (incident.id, (flight.id,))
    assert (await archive.flight(other.id)).incident is None
    assert read_incident(incident_path(tmp_path, incident.id)).flight_ids == (flight.id,)

    await archive.change_incident(incident.id, closed=True)
    later = FlightMaker(tmp_path, started_ns=START_NS + 3600 * NS_PER_S)
    await archive.refresh(later.id)
    assert (await archive.flight(later.id)).incident is None


async def test_a_flight_that_the_archive_first_sees_when_it_is_over_joins_too(
    archive: Archive, tmp_path: Path, clock: FakeClock
) -> None:
    """The archive was busy with other things from its beginning to its end."""
    incident = await archive.open_incident(IncidentKind.UEBUNG, "Übung", ("fritz",))
    former = FlightMaker(tmp_path, started_ns=START_NS - 3600 * NS_PER_S)  # back from a backup
    flight = FlightMaker(tmp_path, started_ns=START_NS - NS_PER_S)
    for each in (former, flight):
        each.end(90.0)
        await archive.refresh(each.id)
    (told,) = await archive.incidents()
    assert (told.id, told.flight_ids) == (incident.id, (flight.id,))
    await archive.change_incident(incident.id, flight_ids=())
    await archive.refresh(flight.id)
    assert (await archive.flight(flight.id)).incident is None


async def test_a_flight_that_was_taken_out_stays_out(
    archive: Archive, tmp_path: Path, clock: FakeClock
) -> None:
    incident = await archive.open_incident(IncidentKind.EINSATZ, "Brand", ("fritz",))
    flight = FlightMaker(tmp_path)
    await archive.refresh(flight.id)
    await archive.change_incident(incident.id, flight_ids=())
    flight.film(seconds=1)
    await archive.refresh(flight.id)
    assert (await archive.flight(flight.id)).incident is None
    flight.end()
    clock.advance(60 * NS_PER_S)
    again = await reopened(archive, tmp_path, clock)
    assert (await again.flight(flight.id)).incident is None
    await again.aclose()


async def test_flights_in_the_air_belong_to_what_is_opened_for_them(archive: Archive, tmp_path: Path) -> None:
    before = FlightMaker(tmp_path, started_ns=START_NS - 9000 * NS_PER_S)
    before.end()
    fritz, ottmar = FlightMaker(tmp_path), FlightMaker(tmp_path, OTTMAR)
    for each in (before.id, fritz.id, ottmar.id):
        await archive.refresh(each)
    incident = await archive.open_incident(IncidentKind.EINSATZ, "Brand", ("fritz",))
    assert incident.flight_ids == (fritz.id,)
    changed = await archive.change_incident(incident.id, aircraft_ids=("fritz", "ottmar"))
    assert changed.flight_ids == (fritz.id, ottmar.id)


async def test_flights_come_and_go_one_by_one(archive: Archive, tmp_path: Path) -> None:
    """What is told whole forgets what was deleted, and what somebody else has assigned meanwhile."""
    first, second, third = (FlightMaker(tmp_path, started_ns=START_NS + n * NS_PER_S).end() for n in range(3))
    for flight in (first, second, third):
        await archive.refresh(flight)
    incident = await archive.open_incident(IncidentKind.EINSATZ, "Brand")
    await archive.change_incident(incident.id, flight_ids=(first, second))
    await archive.delete(first, Rule.PERSON, "Klein")
    changed = await archive.change_incident(
        incident.id, add_flight_ids=(third,), remove_flight_ids=(second, "20200101t000000z-fritz")
    )
    assert changed.flight_ids == (third,)
    assert read_incident(incident_path(tmp_path, incident.id)).flight_ids == (first, third)
    with pytest.raises(NotFoundError, match="no flight"):
        await archive.change_incident(incident.id, add_flight_ids=(first,))


async def test_a_flight_belongs_to_one_incident_at_most(
    archive: Archive, tmp_path: Path, clock: FakeClock
) -> None:
    flight = FlightMaker(tmp_path).end()
    await archive.refresh(flight)
    first = await archive.open_incident(IncidentKind.EINSATZ, "Brand")
    second = await archive.open_incident(IncidentKind.UEBUNG, "Übung")
    await archive.change_incident(first.id, flight_ids=(flight,))
    clock.advance(1)
    await archive.change_incident(second.id, flight_ids=(flight,))
    assert {each.id: each.flight_ids for each in await archive.incidents()} == {
        first.id: (),
        second.id: (flight,),
    }
    assert read_incident(incident_path(tmp_path, first.id)).flight_ids == ()

    # A power cut between the two files: both claim it, and the one changed last has it.
    old = read_incident(incident_path(tmp_path, first.id))
    write_incident(tmp_path, msgspec.structs.replace(old, flight_ids=(flight,)))
    again = await reopened(archive, tmp_path, clock)
    in_ = (await again.flight(flight)).incident
    assert in_ is not None
    assert in_.id == second.id
    await again.aclose()


async def test_what_does_not_exist_cannot_be_assigned(archive: Archive) -> None:
    incident = await archive.open_incident(IncidentKind.EINSATZ, "Brand")
    with pytest.raises(NotFoundError, match="no flight"):
        await archive.change_incident(incident.id, flight_ids=("20261122t064640z-fritz",))
    with pytest.raises(NotFoundError, match="no aircraft"):
        await archive.change_incident(incident.id, aircraft_ids=("../fritz",))
    with pytest.raises(NotFoundError, match="no such incident"):
        await archive.change_incident("20261122t064640z-nothing", closed=True)


async def test_an_incident_file_that_is_none_is_passed_over_and_left_alone(
    archive: Archive, tmp_path: Path, clock: FakeClock
) -> None:
    good = await archive.open_incident(IncidentKind.EINSATZ, "Brand")
    folder = tmp_path / "incidents"
    strange = {
        "cut-off.json": b'{"id":"cut',
        "other.json": (folder / f"{good.id}.json").read_bytes(),
        "newer.json": b'{"id":"newer","kind":"einsatz","name":"x","opened_ns":1,"changed_ns":1,"version":9}',
        "huge.json": b'{"id":"huge","kind":"einsatz","name":"","opened_ns":%d,"changed_ns":1}' % (10**20),
        "Foreign File.txt": b"hello",
    }
    for name, data in strange.items():
        (folder / name).write_bytes(data)
    (folder / "a-link.json").symlink_to("/etc/passwd")
    again = await reopened(archive, tmp_path, clock)
    assert [each.id for each in await again.incidents()] == [good.id]
    assert {name: (folder / name).read_bytes() for name in strange} == strange
    await again.aclose()


async def test_an_incident_that_cannot_be_written_is_not_opened(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "incidents").rmdir()
    with pytest.raises(LagebildError) as caught:
        await archive.open_incident(IncidentKind.EINSATZ, "Brand")
    assert caught.value.code == "disk_failed"
    assert await archive.incidents() == []
