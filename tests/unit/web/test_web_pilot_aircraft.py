"""What its pilot is told of an aircraft: where somebody points, standing alarms, who reads along."""

from __future__ import annotations

import pytest

from flow.clock import NS_PER_S
from flow.flights import Alarm, AlarmLevel, Marker
from flow.memory_bus import MemoryBus
from flow.samples import ForwardState, Group, TelemetrySample
from tests.fakes.clock import FakeClock
from web.pilot_aircraft import STALE_NS, AircraftDesk, pointed
from web.settings import AircraftSettings, Settings

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


def desk_of(bus: MemoryBus, standing: list[Alarm]) -> AircraftDesk:
    settings = Settings(aircraft=(AircraftSettings("otto"),))
    return AircraftDesk(settings, bus, FakeClock(NOW_NS), lambda _: standing, lambda _: None)


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


def test_an_alarm_is_told_with_what_it_is_about() -> None:
    desk = desk_of(MemoryBus(), [alarm("1", "battery_low", values={"pct": "19"})])
    (told,) = desk.alarms("otto")
    assert (told.code, told.values, told.level) == ("battery_low", {"pct": "19"}, AlarmLevel.ALARM)


def test_who_reads_along_and_what_they_sent() -> None:
    bus = MemoryBus()
    desk = desk_of(bus, [])
    assert desk.forward("otto") is None
    bus.publish(ForwardState("otto", stations=("192.0.2.7:14550",), commands=3, last_command="COMMAND_LONG"))
    told = desk.forward("otto")
    assert told
    assert (told.stations, told.commands) == (["192.0.2.7:14550"], 3)


def test_telemetry_within_a_stream_is_told_as_such() -> None:
    bus = MemoryBus()
    desk = desk_of(bus, [])
    told = desk.telemetry(AircraftSettings("otto", telemetry="feed:film"), "")
    assert told
    assert (told.way.address, told.way.pulled, told.state) == ("feed:film", True, None)
    assert desk.telemetry(AircraftSettings("otto"), "") is None
