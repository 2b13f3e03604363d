"""What an incident says of recording, through to the files on the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.flights import (
    Aircraft,
    Alarm,
    Feed,
    FlightEnded,
    FlightStarted,
    Incident,
    IncidentKind,
    Marker,
)
from flow.recording import EVERYTHING, RecordingStatus, RecordKind, in_order
from flow.samples import Metadata, MetadataKind
from recordings.flight_file import read_flight
from recordings.folders import EVENTS_FILE, METADATA_FILE, SAMPLES_FILE, TLOG_FILE, segments_in
from recordings.rules import Defaults, Rule, Rules, read_incidents
from recordings.start_up import put_in_order
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.unit.recordings.tower import (
    film,
    flights,
    lines,
    merged,
    raw,
    recorded,
    recording,
    same_pictures,
    sample,
    watched_disks,
)

__all__ = ["watched_disks"]
pytestmark = pytest.mark.usefixtures("watched_disks")

PICTURES, THERMAL, TELEMETRY = RecordKind
FRITZ = Aircraft(
    "fritz",
    "Fritz",
    (Feed("fritz-tag", "fritz", "Tag"), Feed("fritz-waerme", "fritz", "Wärme", thermal=True)),
)
FIRE = Incident("brand", IncidentKind.EINSATZ, "Brand", START_NS, aircraft_ids=("fritz",))


def wanting(*kinds: RecordKind) -> Incident:
    return replace(FIRE, record=kinds, record_by="Weber, ELW 1")


def ruled(incident: Incident, defaults: Defaults | None = None) -> Rules:
    rules = Rules(defaults or Defaults())
    rules.put(incident)
    return rules


def messages(seconds: int) -> list[object]:
    """All that an aircraft says, once a second, and a marker that somebody sets."""
    autopilot = FakeAircraft()
    said: list[object] = [raw(n + 0.1, autopilot.heartbeat()) for n in range(seconds)]
    said += [sample(n + 0.2, armed=True) for n in range(seconds)]
    said += [
        Metadata("fritz-tag", MetadataKind.KLV, START_NS + n * NS_PER_S + NS_PER_S // 3, b"\x06\x0e")
        for n in range(seconds)
    ]
    said.append(Alarm("low", "fritz", START_NS + 2 * NS_PER_S, "battery_low"))
    said.append(Marker("glut", "fritz", START_NS + 2 * NS_PER_S, 49.4, 7.6, "Glut", "Weber"))
    return said


async def kept(root: Path, *kinds: RecordKind) -> Path:
    """The folder of a flight of four seconds whose incident wants these."""
    everything = merged(film(seconds=4.0), film("fritz-waerme", 4.0), messages(4))
    async with recording(root, FRITZ, rules=ruled(wanting(*kinds))) as tower:
        await tower.fly(*everything)
    (folder,) = flights(root)
    return folder


async def test_pictures_without_telemetry(tmp_path: Path) -> None:
    folder = await kept(tmp_path, PICTURES)
    assert same_pictures(recorded(folder, "fritz-tag"), film(seconds=4.0))
    assert same_pictures(recorded(folder, "fritz-waerme"), film("fritz-waerme", 4.0))
    assert not {TLOG_FILE, SAMPLES_FILE, METADATA_FILE} & {path.name for path in folder.iterdir()}
    noted = [type(event) for event in lines(folder / EVENTS_FILE)]
    assert Marker in noted
    assert Alarm not in noted


async def test_thermal_pictures_alone(tmp_path: Path) -> None:
    folder = await kept(tmp_path, THERMAL)
    assert {feed_id for feed_id, _, _ in segments_in(folder)} == {"fritz-waerme"}
    assert same_pictures(recorded(folder, "fritz-waerme"), film("fritz-waerme", 4.0))


async def test_telemetry_without_pictures(tmp_path: Path) -> None:
    folder = await kept(tmp_path, TELEMETRY)
    assert segments_in(folder) == []
    assert {TLOG_FILE, SAMPLES_FILE, METADATA_FILE} <= {path.name for path in folder.iterdir()}
    assert {Alarm, Marker} <= {type(event) for event in lines(folder / EVENTS_FILE)}
    flight = read_flight(folder)
    assert flight.withheld == "pictures"
    assert [(rule.incident_id, rule.by) for rule in flight.rules] == [("brand", "Weber, ELW 1")]


async def test_of_a_flight_of_which_nothing_is_wanted_only_that_it_was_flown_is_kept(tmp_path: Path) -> None:
    folder = await kept(tmp_path)
    assert {path.name for path in folder.iterdir()} == {"flight.json", EVENTS_FILE}
    assert {type(event) for event in lines(folder / EVENTS_FILE)} <= {FlightStarted, FlightEnded}
    assert read_flight(folder).withheld == "pictures telemetry"


async def test_what_is_kept_as_ever_says_nothing_of_rules(tmp_path: Path) -> None:
    folder = await kept(tmp_path, PICTURES, TELEMETRY)
    assert read_flight(folder).rules == ()


async def test_pages_are_told_what_is_recorded(tmp_path: Path) -> None:
    rules = Rules()
    async with recording(tmp_path, FRITZ, rules=rules) as tower:
        assert (tower.state().reason, tower.state().records) == ("no_flight", EVERYTHING)
        rules.put(wanting())
        assert (tower.state().reason, tower.state().records) == ("not_wanted", ())
        rules.put(wanting(TELEMETRY))
        await tower.fly(*film(seconds=1.0))
        assert tower.state().status is RecordingStatus.RECORDING
        assert tower.state().records == (TELEMETRY,)
        rules.put(wanting())
        state = tower.state()
        assert (state.status, state.reason) == (RecordingStatus.OFF, "not_wanted")
        assert state.flight_id == flights(tmp_path)[0].name


async def test_thermal_pictures_that_no_camera_takes_are_not_told_of(tmp_path: Path) -> None:
    blind = replace(FRITZ, feeds=FRITZ.feeds[:1])
    async with recording(tmp_path, blind, rules=ruled(wanting(THERMAL))) as tower:
        assert tower.state().records == ()


async def test_in_mid_flight_it_ends_at_once_and_begins_with_the_next_keyframe(tmp_path: Path) -> None:
    """No picture of the time between is on the disk, and flight.json says why."""
    day, rules = film(seconds=8.0), ruled(wanting(PICTURES, TELEMETRY))
    async with recording(tmp_path, FRITZ, rules=rules) as tower:
        await tower.fly(*day[:75])
        rules.put(wanting(TELEMETRY))
        await tower.fly(*day[75:160])
        rules.put(wanting(PICTURES, TELEMETRY))
        await tower.fly(*day[160:])
        assert tower.state().lost == 0
    (folder,) = flights(tmp_path)
    assert same_pictures(recorded(folder, "fritz-tag"), day[:75] + day[180:])  # keyframes: 0, 30, … 180
    assert [rule.records for rule in read_flight(folder).rules] == [(TELEMETRY,), (PICTURES, TELEMETRY)]
    assert [rule.since_ns for rule in read_flight(folder).rules] == [day[74].utc_ns, day[159].utc_ns]


async def test_telemetry_of_the_time_before_is_not_added_afterwards(tmp_path: Path) -> None:
    """The seconds before a flight are kept in memory: not those in which nobody wanted any."""
    rules, autopilot = ruled(wanting(PICTURES)), FakeAircraft()
    async with recording(tmp_path, FRITZ, rules=rules) as tower:
        await tower.fly(*(raw(n / 2, autopilot.heartbeat()) for n in range(4)))
        rules.put(wanting(PICTURES, TELEMETRY))
        await tower.fly(raw(2.0, autopilot.heartbeat()), *film(seconds=1.0, start_s=2.1))
    (folder,) = flights(tmp_path)
    log = (folder / TLOG_FILE).read_bytes()
    assert log.startswith((START_NS // 1000 + 2_000_000).to_bytes(8, "big"))


async def test_a_flight_keeps_to_its_incident_when_that_is_closed(tmp_path: Path) -> None:
    """It flies home from a house where nobody wanted pictures kept."""
    rules, day = ruled(wanting()), film(seconds=6.0)
    async with recording(tmp_path, FRITZ, rules=rules) as tower:
        await tower.fly(*day[:60])
        joined = replace(wanting(), flight_ids=(flights(tmp_path)[0].name,))
        rules.put(joined)
        rules.put(replace(joined, closed_ns=START_NS + 2 * NS_PER_S))
        await tower.fly(*day[60:])
    assert segments_in(flights(tmp_path)[0]) == []


async def test_a_flight_that_is_gone_on_with_after_a_restart_keeps_to_it(tmp_path: Path) -> None:
    day = film(seconds=4.0)
    async with recording(tmp_path, FRITZ, rules=ruled(wanting(TELEMETRY))) as tower:
        await tower.fly(*day[:60])
    found = put_in_order(tmp_path, START_NS + 2 * NS_PER_S, (FRITZ,))
    start_ns = START_NS + 2 * NS_PER_S
    async with recording(tmp_path, FRITZ, start_ns=start_ns, found=found, rules=ruled(FIRE)) as tower:
        await tower.fly(*day[60:])
    (folder,) = flights(tmp_path)
    assert same_pictures(recorded(folder, "fritz-tag"), day[60:])
    assert [rule.records for rule in read_flight(folder).rules] == [(TELEMETRY,), EVERYTHING]


def test_what_the_settings_say_counts_where_the_incident_says_nothing() -> None:
    rules = Rules(Defaults(einsatz=EVERYTHING, uebung=(TELEMETRY,), otherwise=()))
    assert rules.of("fritz", "") == Rule(())
    rules.put(replace(FIRE, kind=IncidentKind.UEBUNG))
    assert rules.of("fritz", "") == Rule((TELEMETRY,), "brand")
    assert rules.of("ottmar", "") == Rule(())
    rules.put(FIRE)
    assert rules.of("fritz", "") == Rule(EVERYTHING, "brand")
    rules.put(wanting(THERMAL))
    assert rules.of("fritz", "") == Rule((THERMAL,), "brand", "Weber, ELW 1")
    rules.put(replace(wanting(THERMAL), closed_ns=START_NS + 1))
    assert rules.of("fritz", "") == Rule(())


def test_the_incident_opened_last_has_the_aircraft_and_a_flight_can_be_moved() -> None:
    rules = ruled(replace(wanting(), flight_ids=("f",)))
    rules.put(replace(FIRE, id="zweiter", opened_ns=START_NS + 1, record=(THERMAL,)))
    assert rules.of("fritz", "").incident_id == "zweiter"
    assert rules.of("fritz", "f").incident_id == "brand"
    rules.put(wanting())  # it has left that one
    assert rules.of("fritz", "f").incident_id == "zweiter"


def test_thermal_pictures_are_among_the_pictures() -> None:
    assert in_order([TELEMETRY, THERMAL, PICTURES, TELEMETRY]) == EVERYTHING
    assert in_order([TELEMETRY, THERMAL]) == (THERMAL, TELEMETRY)


def test_no_incidents_and_no_folder_is_no_trouble(tmp_path: Path) -> None:
    assert read_incidents(tmp_path / "none") == []
