"""Messages to state: units, what counts as unknown, restarts, events."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.flights import Armed, Disarmed
from flow.samples import Group, Place, Severity, StatusText, TelemetrySample
from telemetry.protocol.assembly import Assembly
from telemetry.protocol.parser import Decoder, Parser
from tests.fakes import aircraft as fake
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS

MS = 1_000_000
S = 1000 * MS


class Told:
    """An assembly that is fed framed messages at stated times."""

    def __init__(self) -> None:
        self.assembly = Assembly("fritz")
        self.now_ns = START_NS
        self._parser, self._decoder = Parser(), Decoder()

    def __call__(self, *messages: bytes, after_ns: int = 10 * MS) -> list[Any]:
        events: list[Any] = []
        for frame in self._parser.push(b"".join(messages)):
            self.now_ns += after_ns
            message = self._decoder.decode(frame)
            events += self.assembly.handle(frame.component_id, message, self.now_ns)
        return events

    @property
    def sample(self) -> TelemetrySample:
        sample = self.assembly.sample()
        assert sample is not None
        return sample


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def drone() -> FakeAircraft:
    return FakeAircraft()


def test_nothing_is_known_at_first(told: Told) -> None:
    assert told.assembly.sample() is None


def test_everything_with_its_units(told: Told, drone: FakeAircraft) -> None:
    told(
        drone.heartbeat(mode=16, armed=True),
        drone.attitude(1000, roll=-10, pitch=5, yaw=-90),
        drone.position(1000, 49.4, 7.6, alt=312.5, home=84.25),
        drone.hud(12.5, -1.5),
        drone.gps(6, 17),
        drone.system_status(71, 22_100),
        drone.home(49.39, 7.59, 228.0),
        drone.landed(2),
    )
    sample = told.sample
    assert (sample.lat_deg, sample.lon_deg) == (49.4, 7.6)
    assert (sample.alt_msl_m, sample.alt_home_m, sample.alt_agl_m) == (312.5, 84.25, None)
    assert (sample.roll_deg, sample.pitch_deg, sample.yaw_deg) == pytest.approx((-10, 5, 270), abs=1e-4)
    assert (sample.ground_speed_ms, sample.climb_ms) == (12.5, -1.5)
    assert (sample.fix, sample.satellites) == ("rtk_fixed", 17)
    assert (sample.battery_pct, sample.battery_v) == (71, 22.1)
    assert (sample.mode, sample.armed, sample.landed) == ("POSHOLD", True, "in_air")
    assert sample.home == Place(49.39, 7.59, 228.0)
    assert set(sample.received_ns) == set(Group) - {Group.GIMBAL, Group.LINK, Group.CAMERA}
    assert sample.utc_ns == max(sample.received_ns.values())


def test_groups_have_their_own_age(told: Told, drone: FakeAircraft) -> None:
    told(drone.attitude(1000))
    first_ns = told.now_ns
    told(drone.position(3000), drone.system_status(), after_ns=2 * S)
    later_ns = first_ns + 2 * S
    ages_ns = {Group.ATTITUDE: first_ns, Group.POSITION: later_ns, Group.SPEED: later_ns}
    assert told.sample.received_ns == {**ages_ns, Group.BATTERY: later_ns}


@pytest.mark.parametrize(("lat", "lon"), [(0, 0), (214.7483647, 0.0), (0.1, 200.0)])
def test_no_position_is_unknown(told: Told, drone: FakeAircraft, lat: float, lon: float) -> None:
    told(drone.gps(3), drone.position(1000, lat, lon, home=3.0))
    assert (told.sample.lat_deg, told.sample.lon_deg, told.sample.alt_msl_m) == (None, None, None)
    assert told.sample.alt_home_m == 3.0


def test_one_coordinate_may_be_zero(told: Told, drone: FakeAircraft) -> None:
    told(drone.gps(3), drone.position(1000, 51.5, 0.0))
    assert (told.sample.lat_deg, told.sample.lon_deg) == (51.5, 0.0)


@pytest.mark.parametrize("fix", [0, 1])
def test_without_a_fix_the_position_is_unknown(told: Told, drone: FakeAircraft, fix: int) -> None:
    told(drone.gps(3), drone.position(1000), drone.hud(), drone.attitude(1000), drone.gps(fix, 3))
    sample = told.sample
    assert (sample.lat_deg, sample.alt_msl_m, sample.ground_speed_ms) == (None, None, None)
    assert (sample.fix, sample.satellites, sample.climb_ms) == ("none", 3, 1.0)
    assert sample.alt_home_m == 50.0
    assert sample.yaw_deg == pytest.approx(90, abs=1e-4)


def test_a_flat_fix_has_no_height_above_the_sea(told: Told, drone: FakeAircraft) -> None:
    told(drone.gps(2), drone.position(1000))
    assert (told.sample.lat_deg, told.sample.alt_msl_m, told.sample.fix) == (49.4, None, "2d")


def test_a_bare_tracker_is_on_the_map(told: Told, drone: FakeAircraft) -> None:
    told(drone.gps(3, 255, 49.5, 7.7))
    assert (told.sample.lat_deg, told.sample.lon_deg, told.sample.alt_msl_m) == (49.5, 7.7, 300.0)
    assert told.sample.satellites is None
    told(drone.position(1000, 49.4, 7.6), drone.gps(3, 10, 49.5, 7.7))
    assert told.sample.lat_deg == 49.4


def test_heading_and_speed_of_the_position_stand_in(told: Told, drone: FakeAircraft) -> None:
    told(drone.position(1000, velocity=(300, 400, -150), hdg=27_050))
    assert (told.sample.yaw_deg, told.sample.roll_deg) == (270.5, None)
    assert (told.sample.ground_speed_ms, told.sample.climb_ms) == (5.0, 1.5)
    told(drone.attitude(1000, yaw=10), drone.hud(6.0, 0.5), drone.position(1100, velocity=(0, 0, 0)))
    assert told.sample.yaw_deg == pytest.approx(10, abs=1e-4)
    assert (told.sample.ground_speed_ms, told.sample.climb_ms) == (6.0, 0.5)


def test_an_unknown_heading_is_unknown(told: Told, drone: FakeAircraft) -> None:
    told(drone.position(1000, hdg=0xFFFF))
    assert told.sample.yaw_deg is None


@pytest.mark.parametrize(
    ("percent", "millivolts", "known"),
    [(-1, 0, (None, None)), (-1, 0xFFFF, (None, None)), (0, 10_080, (0, 10.08)), (120, 433, (None, 0.433))],
)
def test_battery_of_the_system_status(
    told: Told, drone: FakeAircraft, percent: int, millivolts: int, known: tuple[float | None, float | None]
) -> None:
    told(drone.system_status(percent, millivolts))
    assert (told.sample.battery_pct, told.sample.battery_v) == known


def test_battery_status_fills_what_the_system_does_not_know(told: Told, drone: FakeAircraft) -> None:
    told(drone.battery(64, [4100, 4090, 4110]), drone.system_status(-1, 0))
    assert told.sample.battery_pct == 64
    assert told.sample.battery_v == pytest.approx(12.3)
    told(drone.battery(10, [3300], number=1))  # a second one: not the flight battery
    assert told.sample.battery_pct == 64
    told(drone.system_status(70, 12_000))
    assert (told.sample.battery_pct, told.sample.battery_v) == (70, 12.0)


def test_a_system_status_that_has_stopped_makes_way(told: Told, drone: FakeAircraft) -> None:
    told(drone.system_status(71, 22_100))
    system_ns = told.now_ns
    told(drone.battery(12, [3300]), after_ns=3 * S)
    assert (told.sample.battery_pct, told.sample.battery_v) == (71, 22.1)
    assert told.sample.received_ns[Group.BATTERY] == system_ns  # not fresher than what is shown
    told(drone.battery(11, [3300]), after_ns=S)
    assert (told.sample.battery_pct, told.sample.battery_v) == (11, 3.3)
    assert told.sample.received_ns[Group.BATTERY] == told.now_ns
    told(drone.system_status(10, 3_200), after_ns=S)
    assert (told.sample.battery_pct, told.sample.battery_v) == (10, 3.2)


def test_the_age_of_the_battery_is_that_of_its_oldest_value_shown(told: Told, drone: FakeAircraft) -> None:
    told(drone.battery(64, [4100]))
    percent_ns = told.now_ns
    told(drone.system_status(-1, 12_000), after_ns=10 * S)
    assert (told.sample.battery_pct, told.sample.battery_v) == (64, 12.0)
    assert told.sample.received_ns[Group.BATTERY] == percent_ns
    told(drone.system_status(-1, 0), drone.battery(-1, []), after_ns=S)
    assert (told.sample.battery_pct, told.sample.battery_v) == (None, None)
    assert told.sample.received_ns[Group.BATTERY] == told.now_ns


def test_cells_beyond_ten_count(told: Told, drone: FakeAircraft) -> None:
    told(drone.battery(50, [4000] * 10, more=(4000, 4000)))
    assert told.sample.battery_v == pytest.approx(48.0)
    told(drone.battery(-1, []))
    assert (told.sample.battery_pct, told.sample.battery_v) == (None, None)


def test_home_at_zero_is_no_home(told: Told, drone: FakeAircraft) -> None:
    told(drone.home(0, 0, 0))
    assert told.sample.home is None


def test_nan_is_unknown(told: Told, drone: FakeAircraft) -> None:
    told(drone.hud(float("nan"), float("inf")), drone.attitude(1000, yaw=float("nan")))
    assert (told.sample.ground_speed_ms, told.sample.climb_ms, told.sample.yaw_deg) == (None, None, None)


def test_gimbal_follows_the_heading(told: Told, drone: FakeAircraft) -> None:
    camera = FakeAircraft(1, 154)
    half = 0.70710678
    told(camera.gimbal([half, 0.0, -half, 0.0], 32), drone.heartbeat())
    assert told.sample.gimbal_pitch_deg == pytest.approx(-90, abs=0.02)
    assert told.sample.gimbal_yaw_deg is None
    told(drone.attitude(1000, yaw=40))
    assert told.sample.gimbal_yaw_deg == pytest.approx(40, abs=0.01)
    told(FakeAircraft(1, 171).gimbal([1.0, 0.0, 0.0, 0.0], 64))  # a second gimbal
    assert told.sample.gimbal_pitch_deg == pytest.approx(-90, abs=0.02)


def test_a_gimbal_on_a_vehicle_whose_heading_is_old_looks_nobody_knows_where(
    told: Told, drone: FakeAircraft
) -> None:
    half = math.radians(90) / 2
    gimbal, in_vehicle_frame = [math.cos(half), 0.0, 0.0, math.sin(half)], 32
    told(drone.attitude(1000, yaw=90), drone.gimbal(gimbal, in_vehicle_frame))
    assert told.sample.gimbal_yaw_deg == pytest.approx(180)
    told(drone.position(5000), drone.gimbal(gimbal, in_vehicle_frame), after_ns=2 * S)
    assert told.sample.gimbal_pitch_deg == pytest.approx(0)
    assert told.sample.gimbal_yaw_deg is None


def test_components_and_ground_stations_do_not_speak_for_the_aircraft(
    told: Told, drone: FakeAircraft
) -> None:
    told(drone.heartbeat(mode=6, armed=True))
    companion = FakeAircraft(1, 194)
    told(
        companion.heartbeat(kind=18, autopilot=fake.INVALID),
        companion.heartbeat(kind=26, autopilot=fake.INVALID),
    )
    told(FakeAircraft(1, 191).heartbeat(kind=fake.COPTER, mode=0), FakeAircraft(1, 191).attitude(1000))
    assert (told.sample.mode, told.sample.armed, told.sample.yaw_deg) == ("RTL", True, None)


def test_an_autopilot_may_have_another_component_id(told: Told) -> None:
    drone = FakeAircraft(1, 42)
    told(drone.heartbeat(), drone.attitude(1000))
    assert told.sample.yaw_deg == pytest.approx(90, abs=1e-4)


def test_a_restart_forgets_everything_from_before(told: Told, drone: FakeAircraft) -> None:
    told(drone.gps(), drone.position(600_000), drone.system_status(), drone.home(49.4, 7.6, 200))
    told(drone.attitude(4_000))
    sample = told.sample
    assert told.assembly.restarts == 1
    assert set(sample.received_ns) == {Group.ATTITUDE}
    assert (sample.lat_deg, sample.battery_pct, sample.home, sample.satellites) == (None, None, None, None)


def test_an_overtaken_message_is_not_shown(told: Told, drone: FakeAircraft) -> None:
    told(drone.position(10_000, 49.5), drone.position(9_500, 49.4))
    assert told.sample.lat_deg == 49.5
    assert told.assembly.restarts == 0


def test_armed_and_disarmed_once_each(told: Told, drone: FakeAircraft) -> None:
    assert told(drone.heartbeat()) == []
    [armed] = told(drone.heartbeat(armed=True), drone.heartbeat(armed=True))
    [disarmed] = told(drone.heartbeat())
    assert isinstance(armed, Armed)
    assert isinstance(disarmed, Disarmed)
    assert (armed.aircraft_id, disarmed.aircraft_id) == ("fritz", "fritz")
    assert armed.id != disarmed.id


def test_heard_armed_for_the_first_time_is_an_event(told: Told, drone: FakeAircraft) -> None:
    assert [type(event) for event in told(drone.heartbeat(armed=True))] == [Armed]


def test_a_restart_in_the_air_ends_in_disarmed(told: Told, drone: FakeAircraft) -> None:
    told(drone.heartbeat(armed=True), drone.attitude(600_000), drone.attitude(1_000))
    assert told.sample.armed is None
    assert [type(event) for event in told(drone.heartbeat())] == [Disarmed]


def test_a_text(told: Told, drone: FakeAircraft) -> None:
    [event] = told(drone.text("Low Battery!", severity=2))
    assert isinstance(event, StatusText)
    assert (event.text, event.severity, event.aircraft_id) == ("Low Battery!", Severity.CRITICAL, "fritz")


LONG = "Battery 1 is low 14.20V used 3312 mAh, consider to land at the next place that is safe for people"


def chunks(drone: FakeAircraft, text_id: int = 7) -> list[bytes]:
    parts = [LONG[at : at + 50] for at in range(0, len(LONG), 50)]
    return [drone.text(part, 4, text_id, number) for number, part in enumerate(parts)]


def test_chunks_are_joined_in_any_order(told: Told, drone: FakeAircraft) -> None:
    first, second = chunks(drone)
    assert [event.text for event in told(second, first)] == [LONG]


def test_a_missing_chunk_is_shown_as_missing(told: Told, drone: FakeAircraft) -> None:
    assert told(chunks(drone)[1]) == []
    assert told.assembly.poll(told.now_ns + S) == []
    [event] = told.assembly.poll(told.now_ns + 3 * S)
    assert isinstance(event, StatusText)
    assert event.text == "…" + LONG[50:]
    assert told(chunks(drone, 8)[0]) == []
    assert [event.text for event in told(*chunks(drone, 9))] == [LONG[:50] + "…", LONG]


def test_an_echo_over_a_second_channel_is_one_event(told: Told, drone: FakeAircraft) -> None:
    events = told(drone.text("Arming motors"), drone.text("Arming motors"), drone.text("", 3))
    assert [event.text for event in events] == ["Arming motors"]
    assert len(told(drone.text("Arming motors"), after_ns=2 * S)) == 1


@pytest.mark.parametrize("breached", [True, False])
def test_the_fence(told: Told, drone: FakeAircraft, breached: bool) -> None:
    told(drone.heartbeat(), drone.send(dialect.MAVLink_fence_status_message(int(breached), 3, 1, 0)))
    assert told.sample.fence_breached is breached
