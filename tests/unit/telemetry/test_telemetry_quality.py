"""Link quality and height over ground: which message counts, and what it comes to."""

from __future__ import annotations

from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.samples import Group, TelemetrySample
from telemetry.protocol.fleet import Fleet
from telemetry.protocol.quality import LinkQuality
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.unit.telemetry.test_telemetry_assembly import Told

MS = 1_000_000
S = 1000 * MS
DOWN, FORWARD = 25, 0  # MAV_SENSOR_ORIENTATION


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def drone() -> FakeAircraft:
    return FakeAircraft()


# --- the link ---


def quality(*reports: tuple[int, int, int, int]) -> float | None:
    """After RADIO_STATUS of (rssi, noise, remrssi, remnoise)."""
    link = LinkQuality()
    for rssi, noise, far, far_noise in reports:
        link.on_radio(dialect.MAVLink_radio_status_message(rssi, far, 100, noise, far_noise, 0, 0), START_NS)
    return link.percent


@pytest.mark.parametrize(
    ("report", "percent"),
    [
        ((200, 48, 200, 48), 100.0),  # 80 dB
        ((86, 48, 200, 48), 50.0),  # 20 dB, the weaker way
        ((200, 48, 86, 48), 50.0),
        ((40, 48, 200, 48), 0.0),
        ((86, 48, 255, 48), 50.0),
        ((255, 255, 255, 255), None),
        ((127, 0, 0, 0), 50.0),  # a bridge that measures no noise and has no other end
        ((86, 48, 0, 0), 50.0),
    ],
)
def test_radio(report: tuple[int, int, int, int], percent: float | None) -> None:
    assert quality(report) == (None if percent is None else pytest.approx(percent, abs=0.1))


def test_a_pair_that_is_parted_has_no_quality() -> None:
    """As the real copter's radio says it in the end."""
    assert quality((145, 48, 140, 51), (46, 33, 0, 0)) == 0.0


def remote(rssi: int, *, old: bool = False) -> Any:
    if old:
        return dialect.MAVLink_rc_channels_raw_message(1000, 0, *[1500] * 8, rssi)
    return dialect.MAVLink_rc_channels_message(1000, 18, *[1500] * 18, rssi)


@pytest.mark.parametrize("old", [False, True])
def test_the_remote_control_stands_in_for_the_radio(told: Told, drone: FakeAircraft, old: bool) -> None:
    told(drone.send(remote(127, old=old)))
    assert told.sample.link_quality_pct == pytest.approx(50)
    assert told.sample.received_ns[Group.LINK] == told.now_ns
    told.assembly.on_radio(dialect.MAVLink_radio_status_message(200, 200, 100, 48, 48, 0, 0), told.now_ns)
    told(drone.send(remote(127, old=old)), after_ns=4 * S)
    assert told.sample.link_quality_pct == 100
    told(drone.send(remote(127, old=old)), after_ns=2 * S)
    assert told.sample.link_quality_pct == pytest.approx(50)


def test_a_receiver_that_measures_nothing_says_nothing(told: Told, drone: FakeAircraft) -> None:
    told(drone.heartbeat(), drone.send(remote(0)), drone.send(remote(255)))
    assert told.sample.link_quality_pct is None
    assert Group.LINK not in told.sample.received_ns
    told(drone.send(remote(254)), drone.send(remote(0)))
    assert told.sample.link_quality_pct == 0


def samples(out: list[Any], aircraft_id: str) -> list[TelemetrySample]:
    return [item for item in out if isinstance(item, TelemetrySample) and item.aircraft_id == aircraft_id]


def test_the_radio_of_a_link_is_the_aircrafts_that_is_heard_by_it() -> None:
    fleet = Fleet("x", [("fritz", 1), ("ottmar", 2)])
    radio = FakeAircraft(51, 68, v1=True)
    out: list[Any] = []
    for boot_ms in range(1000, 3000, 100):
        now_ns = START_NS + boot_ms * MS
        out += fleet.receive(FakeAircraft(1).position(boot_ms), "serial", now_ns)
        out += fleet.receive(FakeAircraft(2).position(boot_ms), "udp", now_ns)
        out += fleet.receive(radio.radio(86, 48), "serial", now_ns)
    assert samples(out, "fritz")[-1].link_quality_pct == pytest.approx(50)
    assert samples(out, "ottmar")[-1].link_quality_pct is None
    assert fleet.heard("fritz", now_ns).unassigned_system_ids == ()
    out = []
    for boot_ms in range(3000, 5000, 100):  # both by one radio: nobody can tell
        now_ns = START_NS + boot_ms * MS
        out += fleet.receive(FakeAircraft(1).position(boot_ms), "serial", now_ns)
        out += fleet.receive(FakeAircraft(2).position(boot_ms), "serial", now_ns)
        out += fleet.receive(radio.radio(200, 48), "serial", now_ns)
    assert samples(out, "ottmar")[-1].link_quality_pct is None
    assert samples(out, "fritz")[-1].received_ns[Group.LINK] < START_NS + 3 * S


# --- over ground ---


def distance(current_cm: int, orientation: int = DOWN, signal: int = 0) -> Any:
    return dialect.MAVLink_distance_sensor_message(
        1000, 20, 1000, current_cm, 0, 0, orientation, 0, signal_quality=signal
    )


def altitude(clearance: float, terrain: float) -> Any:
    return dialect.MAVLink_altitude_message(0, 0, 0, 0, 0, terrain, clearance)


def terrain(height: float, lat: float = 49.4, spacing: int = 100) -> Any:
    place = round(lat * 1e7), 76_000_000
    return dialect.MAVLink_terrain_report_message(*place, spacing, 250.0, height, 0, 500)


def rangefinder(metres: float) -> Any:
    return dialect.MAVLink_rangefinder_message(metres, 0.0)


def test_the_best_source_of_the_height_wins(told: Told, drone: FakeAircraft) -> None:
    told(drone.gps(), drone.position(1000), drone.send(terrain(47.0)))
    assert told.sample.alt_agl_m == 47
    told(drone.send(altitude(-1.0, 48.0)))
    assert told.sample.alt_agl_m == 48
    told(drone.send(altitude(49.0, 48.0)))
    assert told.sample.alt_agl_m == 49
    told(drone.send(rangefinder(8.0)))
    assert told.sample.alt_agl_m == 8
    told(drone.send(distance(750)))
    assert told.sample.alt_agl_m == 7.5
    told(drone.attitude(4000), after_ns=3 * S)
    assert told.sample.alt_agl_m is None  # all of them are old


def test_a_sensor_out_of_its_range_measures_nothing(told: Told, drone: FakeAircraft) -> None:
    """As the real plane's: 0 and 13.43 m from 90 m of height, by a sensor that reaches 10 m."""
    told(drone.gps(), drone.position(1000), drone.send(terrain(90.0)))
    for centimetres in (0, 1343, 1000):
        told(drone.send(distance(centimetres)), drone.send(rangefinder(centimetres / 100)))
        assert told.sample.alt_agl_m == 90
    told(drone.send(distance(500, FORWARD)), drone.send(distance(500, signal=1)))
    assert told.sample.alt_agl_m == 90


def test_a_tilted_sensor_measures_aslant(told: Told, drone: FakeAircraft) -> None:
    told(drone.attitude(1000, roll=60), drone.send(distance(800)))
    assert told.sample.alt_agl_m == pytest.approx(4.0)


@pytest.mark.parametrize("report", [terrain(5.0, 50.0), terrain(5.0, spacing=0), terrain(float("nan"))])
def test_terrain_elsewhere_or_unknown_is_none(told: Told, drone: FakeAircraft, report: Any) -> None:
    told(drone.gps(), drone.position(1000), drone.send(report))
    assert told.sample.alt_agl_m is None


def test_terrain_without_a_fix_is_none(told: Told, drone: FakeAircraft) -> None:
    """The real copter says -581 m before it has a fix."""
    told(drone.gps(1), drone.position(1000), drone.send(terrain(-581.2)))
    assert told.sample.alt_agl_m is None


# --- accuracy and field of view ---


def test_accuracy_of_the_fix(told: Told, drone: FakeAircraft) -> None:
    place = 494_000_000, 76_000_000, 300_000
    known = dialect.MAVLink_gps_raw_int_message(0, 3, *place, 100, 100, 0, 0, 14, 0, 1400, 2600)
    told(drone.send(known), drone.position(1000))
    assert (told.sample.h_accuracy_m, told.sample.v_accuracy_m) == (1.4, 2.6)
    told(drone.gps())
    assert (told.sample.h_accuracy_m, told.sample.v_accuracy_m) == (None, None)


@pytest.mark.parametrize(
    ("hfov", "vfov", "known"),
    [(82.5, 52.0, (82.5, 52.0)), (float("nan"), 52.0, (None, 52.0)), (0.0, 200.0, (None, None))],
)
def test_field_of_view(
    told: Told, hfov: float, vfov: float, known: tuple[float | None, float | None]
) -> None:
    camera = FakeAircraft(1, 100)
    nowhere = [0x7FFFFFFF] * 6
    told(camera.send(dialect.MAVLink_camera_fov_status_message(0, *nowhere, [1, 0, 0, 0], hfov, vfov)))
    assert (told.sample.hfov_deg, told.sample.vfov_deg) == known
    assert told.sample.received_ns[Group.CAMERA] == told.now_ns


def test_a_second_battery_of_old_does_not_replace_the_first(drone: FakeAircraft) -> None:
    fleet = Fleet("x", [("fritz", 1)])
    second = dialect.MAVLink_battery2_message(7_000, -1)
    out = fleet.receive(drone.system_status(71, 22_100) + drone.send(second), "a", START_NS)
    out += fleet.poll(START_NS + 2 * S)
    [sample] = samples(out, "fritz")
    assert (sample.battery_pct, sample.battery_v) == (71, 22.1)
