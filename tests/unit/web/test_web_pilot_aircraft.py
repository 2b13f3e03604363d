"""What its pilot is told of an aircraft: where somebody points, standing alarms, who reads along."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.clock import NS_PER_S
from flow.flights import Alarm, AlarmLevel, Marker
from flow.memory_bus import MemoryBus
from flow.samples import ForwardState, Group, TelemetrySample
from tests.fakes.clock import FakeClock
from web.pilot_aircraft import STALE_NS, AircraftDesk, pointed
from web.pointing import bearing_and_distance
from web.settings import AircraftSettings
from web.standing import MARKERS_KEPT, Standing

NOW_NS = 1_795_330_000 * NS_PER_S


def marker(id_: str, **more: object) -> Marker:
    given: dict[str, object] = {"lat_deg": 49.45, "lon_deg": 7.77, "label": "Person", "by": "Einsatzleiter"}
    return Marker(id_, "otto", NOW_NS, **given | more)  # type: ignore[arg-type]


def alarm(id_: str, code: str, **more: object) -> Alarm:
    return Alarm(id_, "otto", NOW_NS, code, **more)  # type: ignore[arg-type]


def sample(**more: object) -> TelemetrySample:
    given: dict[str, object] = {
        "lat_deg": 49.44,
        "lon_deg": 7.77,
        "yaw_deg": 90.0,
        "received_ns": {Group.POSITION: NOW_NS, Group.ATTITUDE: NOW_NS},
    }
    return TelemetrySample("otto", NOW_NS, **given | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "bearing_deg", "distance_m"),
    [  # of a degree of latitude on the sphere, and of a parallel near Kaiserslautern
        (49.451, 7.77, 0.0, 111.19),
        (49.449, 7.77, 180.0, 111.19),
        (49.45, 7.771, 90.0, 72.29),
        (49.45, 7.769, 270.0, 72.29),
        (49.451, 7.771, 33.03, 132.6),
    ],
)
def test_bearing_and_distance(lat_deg: float, lon_deg: float, bearing_deg: float, distance_m: float) -> None:
    bearing, distance = bearing_and_distance(49.45, 7.77, lat_deg, lon_deg)
    assert bearing == pytest.approx(bearing_deg, abs=0.1)
    assert distance == pytest.approx(distance_m, rel=0.002)


def test_the_arrow_is_relative_to_the_nose() -> None:
    seen = pointed(marker("a"), sample(), NOW_NS)
    assert seen.bearing_deg == pytest.approx(0.0, abs=0.01)
    assert seen.distance_m == pytest.approx(1112, abs=1)
    assert seen.right_deg == pytest.approx(270.0, abs=0.01)


@pytest.mark.parametrize(
    "of",
    [
        None,
        sample(lat_deg=None),
        sample(received_ns={}),
        sample(received_ns={Group.POSITION: NOW_NS - STALE_NS - 1}),
    ],
    ids=["no telemetry", "no position", "never received", "old"],
)
def test_from_an_unknown_or_old_position_nothing_is_pointed_at(of: TelemetrySample | None) -> None:
    seen = pointed(marker("a"), of, NOW_NS)
    assert (seen.bearing_deg, seen.distance_m, seen.right_deg) == (None, None, None)
    assert seen.label == "Person"


def test_without_a_heading_there_is_a_bearing_and_no_arrow() -> None:
    seen = pointed(marker("a"), sample(received_ns={Group.POSITION: NOW_NS}), NOW_NS)
    assert seen.bearing_deg is not None
    assert seen.right_deg is None


def test_the_newest_place_counts_until_it_is_taken_away() -> None:
    standing = Standing(MemoryBus())
    for event in (marker("1", label="Brandherd"), marker("2"), marker("3", marker_id="1", label="Glutnest")):
        standing.take(event)
    newest = standing.pointed_at("otto")
    assert newest
    assert newest.label == "Glutnest"
    standing.take(marker("4", marker_id="1", removed=True))
    newest = standing.pointed_at("otto")
    assert newest
    assert newest.id == "2"
    assert standing.pointed_at("fritz") is None  # it is set in Otto's picture
    standing.take(replace(marker("5"), aircraft_id=""))
    newest = standing.pointed_at("fritz")
    assert newest
    assert newest.id == "5"  # set on the map, for all
    for number in range(MARKERS_KEPT + 5):
        standing.take(marker(f"more-{number}"))
    assert len(standing._markers) == MARKERS_KEPT


def test_an_alarm_stands_until_it_is_over_and_those_of_pictures_are_the_cameras() -> None:
    bus = MemoryBus()
    standing = Standing(bus)
    desk = AircraftDesk(bus, FakeClock(NOW_NS), standing)
    standing.take(alarm("1", "battery_low", values={"pct": "19"}))
    standing.take(alarm("2", "picture_black", values={"feed": "tag"}))
    (told,) = desk.alarms("otto")
    assert (told.code, told.values, told.level) == ("battery_low", {"pct": "19"}, AlarmLevel.ALARM)
    assert desk.alarms("fritz") == []
    standing.take(alarm("3", "battery_low", active=False))
    assert desk.alarms("otto") == []


def test_who_reads_along_and_what_they_sent() -> None:
    bus = MemoryBus()
    desk = AircraftDesk(bus, FakeClock(NOW_NS), Standing(bus))
    assert desk.forward("otto") is None
    bus.publish(ForwardState("otto", stations=("192.0.2.7:14550",), commands=3, last_command="COMMAND_LONG"))
    told = desk.forward("otto")
    assert told
    assert (told.stations, told.commands) == (["192.0.2.7:14550"], 3)


def test_telemetry_within_a_stream_is_told_as_such() -> None:
    bus = MemoryBus()
    desk = AircraftDesk(bus, FakeClock(NOW_NS), Standing(bus))
    told = desk.telemetry(AircraftSettings("otto", telemetry="feed:film"), "")
    assert told
    assert (told.way.address, told.way.pulled, told.state) == ("feed:film", True, None)
    assert desk.telemetry(AircraftSettings("otto"), "") is None
