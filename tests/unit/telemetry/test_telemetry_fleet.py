"""Several aircraft, ground stations and senders on one link."""

from __future__ import annotations

import math
from typing import Any

import pytest

from flow.flights import Armed
from flow.samples import RawTelemetry, TelemetrySample
from telemetry.protocol.fleet import Fleet
from tests.fakes import aircraft as fake
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS

MS = 1_000_000
S = 1000 * MS
A, B = "udp:10.0.0.1:5000", "udp:10.0.0.2:6000"


class Air:
    """A link and its time; remembers what came out of it."""

    def __init__(self, *system_ids: tuple[str, int | None]) -> None:
        self.fleet = Fleet("udpin:x", system_ids or (("fritz", None),))
        self.now_ns = START_NS
        self.out: list[Any] = []

    def send(self, *messages: bytes, sender: str = A) -> None:
        for message in messages:
            self.out += self.fleet.receive(message, sender, self.now_ns, datagram=True)

    def wait(self, ns: int) -> None:
        self.now_ns += ns
        self.out += self.fleet.poll(self.now_ns)

    def samples(self, aircraft_id: str = "fritz") -> list[TelemetrySample]:
        self.wait(50 * MS)
        return [
            item for item in self.out if isinstance(item, TelemetrySample) and item.aircraft_id == aircraft_id
        ]

    def raw(self, aircraft_id: str) -> list[bytes]:
        return [
            item.data
            for item in self.out
            if isinstance(item, RawTelemetry) and item.aircraft_id == aircraft_id
        ]

    def heard(self, aircraft_id: str = "fritz") -> Any:
        return self.fleet.heard(aircraft_id, self.now_ns)

    def fly(
        self, drone: FakeAircraft, boot_ms: int, lat: float, *, sender: str = A, yaw: float = 0.0
    ) -> None:
        """One tenth of a second of a drone's messages."""
        self.send(
            drone.heartbeat(), drone.attitude(boot_ms, yaw=yaw), drone.position(boot_ms, lat), sender=sender
        )


def test_aircraft_are_told_apart_by_system_id() -> None:
    air = Air(("fritz", 1), ("ottmar", 2))
    one, two = FakeAircraft(1), FakeAircraft(2)
    mine = [one.heartbeat(), one.position(1000, 49.1)]
    yours = [two.heartbeat(armed=True), two.position(1000, 49.2)]
    air.send(mine[0] + yours[0] + mine[1] + yours[1])
    assert air.samples("fritz")[-1].lat_deg == 49.1
    assert air.samples("ottmar")[-1].lat_deg == 49.2
    assert (air.raw("fritz"), air.raw("ottmar")) == (mine, yours)
    assert [event.aircraft_id for event in air.out if isinstance(event, Armed)] == ["ottmar"]


@pytest.mark.parametrize(
    "stranger",
    [
        FakeAircraft(255, 190).heartbeat(kind=6, autopilot=fake.INVALID),
        FakeAircraft(255, 190).heartbeat(kind=6, autopilot=fake.ARDUPILOT),  # ground stations of 2012
        FakeAircraft(254, 0).heartbeat(kind=fake.COPTER),
        FakeAircraft(7, 191).heartbeat(kind=18, autopilot=fake.INVALID),
        FakeAircraft(7, 154).heartbeat(kind=26, autopilot=fake.INVALID),
        FakeAircraft(7, 156).heartbeat(kind=27, autopilot=fake.INVALID),
        FakeAircraft(7, 1).heartbeat(kind=5),  # antenna tracker
        FakeAircraft(7, 1).position(1000),
    ],
    ids=["gcs", "old gcs", "gcs id", "companion", "gimbal", "adsb", "tracker", "no heartbeat"],
)
def test_what_is_no_aircraft_is_not_adopted(stranger: bytes) -> None:
    air = Air()
    air.send(stranger)
    assert (air.heard().system_id, air.heard().unassigned_system_ids, air.out) == (None, (), [])
    drone = FakeAircraft(3)
    air.send(drone.heartbeat(), drone.attitude(1000))
    assert air.heard().system_id == 3
    assert len(air.samples()) == 1


def test_a_configured_id_may_be_any() -> None:
    air = Air(("fritz", 255))
    air.send(FakeAircraft(255).attitude(1000))
    assert len(air.samples()) == 1


def test_the_first_aircraft_is_adopted_and_others_are_named() -> None:
    air = Air()
    air.send(FakeAircraft(4).heartbeat(), FakeAircraft(9).heartbeat(), FakeAircraft(6).heartbeat())
    assert (air.heard().system_id, air.heard().unassigned_system_ids) == (4, (6, 9))
    air.wait(31 * S)
    assert air.heard().unassigned_system_ids == ()
    air.send(FakeAircraft(9).heartbeat())  # the first one is gone: the second one is what flies now
    assert (air.heard().system_id, air.heard().unassigned_system_ids) == (9, ())


def test_nothing_is_forgotten_while_one_sender_speaks() -> None:
    air, drone = Air(("fritz", 1)), FakeAircraft()
    air.send(drone.heartbeat(mode=6), drone.system_status(50), drone.attitude(1000), drone.position(1000))
    sample = air.samples()[-1]
    assert (sample.mode, sample.battery_pct, sample.lat_deg) == ("RTL", 50, 49.4)


def test_an_unconfigured_id_is_reported_and_not_shown() -> None:
    air = Air(("fritz", 1))
    stranger = FakeAircraft(2)
    air.send(stranger.heartbeat(), stranger.position(1000))
    assert air.heard().unassigned_system_ids == (2,)
    assert air.out == []


def test_counters() -> None:
    air = Air(("fritz", 1))
    drone = FakeAircraft()
    first = drone.attitude(1000)
    air.send(b"junk", first, first)
    drone.skip(3)
    air.send(drone.attitude(1100))
    heard = air.heard()
    assert (heard.messages, heard.bad_bytes, heard.duplicates, heard.lost) == (2, 4, 1, 3)
    assert len(air.raw("fritz")) == 2


def test_messages_of_one_moment_make_one_sample() -> None:
    air, drone = Air(("fritz", 1)), FakeAircraft()
    for number in range(30):
        boot_ms = 1000 + 33 * number
        late_ms = number % 3 * 7
        air.wait(late_ms * MS)
        air.send(drone.attitude(boot_ms, yaw=number))
        air.wait(MS)
        air.send(drone.position(boot_ms, 49 + number / 1e5))
        for _ in range(32 - late_ms):
            air.wait(MS)
    samples = air.samples()
    assert len(samples) == 30
    assert all(
        round((sample.lat_deg or 0) * 1e5) - 4_900_000 == round(sample.yaw_deg or 0) for sample in samples
    )


def test_samples_keep_a_bound_and_end_with_the_newest() -> None:
    air, drone = Air(("fritz", 1)), FakeAircraft()
    for number in range(500):  # 250 Hz
        air.send(drone.attitude(1000 + 4 * number, yaw=number / 2))
        air.wait(4 * MS)
    samples = air.samples()
    assert 55 <= len(samples) <= 70
    assert samples[-1].yaw_deg == pytest.approx(499 / 2, abs=1e-3)


def test_a_sample_a_second_while_only_slow_messages_come() -> None:
    air, drone = Air(("fritz", 1)), FakeAircraft()
    for _ in range(50):
        air.send(drone.system_status())
        air.wait(200 * MS)
    assert 9 <= len(air.samples()) <= 11
    air.wait(60 * S)
    assert len(air.samples()) <= 12  # and none while nothing comes


def test_one_aircraft_over_two_routers_is_one_aircraft() -> None:
    air, drone = Air(("fritz", 1)), FakeAircraft()
    for number in range(100):
        boot_ms = 5000 + 100 * number
        messages = [
            drone.heartbeat(),
            drone.attitude(boot_ms, yaw=number),
            drone.position(boot_ms, 49 + number / 1e5),
        ]
        air.send(*messages, sender=A)
        air.wait(20 * MS)
        air.send(*messages, sender=B)
        air.wait(80 * MS)
        assert air.heard().rival is None
    assert air.heard().messages == 300
    assert air.heard().duplicates > 250
    assert air.heard().lost == 0


@pytest.mark.parametrize("delay", [1, 5, 20])
def test_one_aircraft_over_two_channels_of_its_own_is_one_aircraft(delay: int) -> None:
    """Each channel counts its own sequence; the second one is up to two seconds late."""
    air = Air(("fritz", 1))
    near, far = FakeAircraft(), FakeAircraft()
    far.skip(99)
    late: list[list[bytes]] = []
    for number in range(120):
        boot_ms, place = 5000 + 100 * number, 49 + number / 1e5 * 2
        velocity = (2224, 0, 0)  # 22 m/s north, as the places say
        air.send(near.heartbeat(), near.attitude(boot_ms), near.position(boot_ms, place, velocity=velocity))
        later = boot_ms + 30
        late.append(
            [far.heartbeat(), far.attitude(later), far.position(later, place + 6e-6, velocity=velocity)]
        )
        if number >= delay:
            air.send(*late[number - delay], sender=B)
        assert air.heard().rival is None
        air.wait(100 * MS)
    lats = [sample.lat_deg or 0 for sample in air.samples()]
    assert lats == sorted(lats)
    assert len(air.raw("fritz")) > 360 + 200


@pytest.mark.parametrize(
    ("boot_ms", "lat"), [(900_000, 48.0), (900_000, 49.0), (5_000, 48.0), (5_100, 49.001)],
    ids=["other clock, far", "other clock, same place", "same clock, far", "same clock, 110 m away"],
)  # fmt: skip
def test_two_aircraft_with_one_system_id_are_found(boot_ms: int, lat: float) -> None:
    air = Air(("fritz", 1))
    one, two = FakeAircraft(), FakeAircraft()
    for number in range(50):
        air.fly(one, 5_000 + 100 * number, 49.0)
        air.fly(two, boot_ms + 100 * number, lat, sender=B)
        air.wait(100 * MS)
    assert air.heard().rival == (A, B)
    assert {sample.lat_deg for sample in air.samples()} == {49.0}
    assert len(air.raw("fritz")) == 150
    assert air.fleet._aircraft[0].assembly.restarts == 0


def test_two_aircraft_without_a_fix_are_told_by_uptime_and_heading() -> None:
    air = Air(("fritz", 1))
    one, two = FakeAircraft(), FakeAircraft()
    for number in range(30):
        air.send(one.attitude(5_000 + 100 * number, yaw=10))
        air.send(two.attitude(5_000 + 100 * number, yaw=200), sender=B)
        air.wait(100 * MS)
    assert air.heard().rival == (A, B)
    assert {round(sample.yaw_deg or 0) for sample in air.samples()} == {10}


def test_an_attitude_that_is_no_number_makes_nobody_the_same_aircraft() -> None:
    air = Air(("fritz", 1))
    one, two = FakeAircraft(), FakeAircraft()
    for number in range(30):
        air.send(one.heartbeat(mode=0), one.attitude(5_000 + 100 * number, yaw=10))
        air.send(two.attitude(5_000 + 100 * number, yaw=math.nan), two.heartbeat(mode=6), sender=B)
        air.wait(100 * MS)
    assert {sample.mode for sample in air.samples()} == {"STABILIZE"}


def test_another_kind_of_aircraft_is_another_aircraft() -> None:
    air = Air(("fritz", 1))
    one, two = FakeAircraft(), FakeAircraft()
    for _ in range(5):
        air.send(one.heartbeat(kind=fake.COPTER))
        air.send(two.heartbeat(kind=fake.PLANE, mode=10), sender=B)
        air.wait(S)
    assert air.heard().rival == (A, B)
    assert {sample.mode for sample in air.samples()} == {"STABILIZE"}


def test_the_second_takes_over_when_the_first_is_gone() -> None:
    air = Air(("fritz", 1))
    one, two = FakeAircraft(), FakeAircraft()
    air.send(one.system_status(33), one.home(49.0, 7.0, 200))
    for number in range(20):
        air.fly(one, 5_000 + 100 * number, 49.0)
        air.fly(two, 900_000 + 100 * number, 48.0, sender=B)
        air.wait(100 * MS)
    air.wait(4 * S)
    air.fly(two, 906_000, 48.0, sender=B)
    sample = air.samples()[-1]
    assert (sample.lat_deg, sample.battery_pct, sample.home) == (48.0, None, None)
    assert air.heard().rival is None


def test_a_restart_from_a_new_port_is_no_second_aircraft() -> None:
    air = Air(("fritz", 1))
    before, again = FakeAircraft(), FakeAircraft()
    for number in range(30):
        air.fly(before, 600_000 + 100 * number, 49.0)
        air.wait(100 * MS)
    for number in range(60):
        air.fly(again, 1_000 + 100 * number, 49.0, sender=B)
        air.wait(100 * MS)
    assert air.heard().rival is None
    assert air.samples()[-1].utc_ns > air.now_ns - S


def test_a_gimbal_with_an_address_of_its_own_belongs_to_its_aircraft() -> None:
    air = Air(("fritz", 1))
    drone, camera = FakeAircraft(), FakeAircraft(1, 154)
    for number in range(10):
        air.send(camera.heartbeat(kind=26, autopilot=fake.INVALID), sender=B)
        air.send(camera.gimbal([1.0, 0.0, 0.0, 0.0], 64), sender=B)
        air.fly(drone, 5_000 + 100 * number, 49.0)
        air.wait(100 * MS)
    sample = air.samples()[-1]
    assert (sample.gimbal_pitch_deg, sample.lat_deg) == (0.0, 49.0)
    assert air.heard().rival is None


def test_a_gimbal_that_changes_its_port_makes_nothing_forgotten() -> None:
    air = Air(("fritz", 1))
    drone, camera = FakeAircraft(), FakeAircraft(1, 154)
    air.send(drone.system_status(66))
    air.send(camera.gimbal([1.0, 0.0, 0.0, 0.0], 64), sender=B)
    for number in range(50):
        air.fly(drone, 5_000 + 100 * number, 49.0)
        air.wait(100 * MS)
    air.send(camera.gimbal([0.0, 0.0, 0.0, 1.0], 64), sender="udp:10.0.0.2:6001")
    air.fly(drone, 10_000, 49.0)
    sample = air.samples()[-1]
    assert (sample.battery_pct, sample.gimbal_yaw_deg) == (66, 180.0)


def test_a_link_with_heartbeats_only_does_not_shut_out_the_full_one() -> None:
    air = Air(("fritz", 1))
    thin, full = FakeAircraft(), FakeAircraft()
    for number in range(20):
        air.send(thin.heartbeat(), sender=B)
        air.fly(full, 5_000 + 100 * number, 49.0)
        air.wait(100 * MS)
    assert air.samples()[-1].lat_deg == 49.0
    assert air.heard().rival is None


def test_many_senders_stay_bounded() -> None:
    air = Air(("fritz", 1))
    drone = FakeAircraft()
    for number in range(300):
        air.send(drone.attitude(1000 + number), sender=f"udp:10.0.0.9:{number}")
    assert len(air.fleet._senders) <= 64
    assert all(len(claims._claims) <= 8 for claims in air.fleet._aircraft[0].claims.values())
