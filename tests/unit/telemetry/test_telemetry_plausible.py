"""Places that cannot be: how long they are held back, and what is shown meanwhile."""

from __future__ import annotations

import math
from functools import partial

import pytest

from flow.samples import Group, LinkStatus
from telemetry.protocol.plausible import Plausibility, Whereabouts
from telemetry.settings import AircraftLink
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.unit.telemetry.test_telemetry_assembly import Told
from tests.unit.telemetry.test_telemetry_link import LOCAL, Running, running, udp_socket

MS = 1_000_000
S = 1000 * MS
NEAR_PEAK = (49.43, 7.6)  # 3.3 km away


def flight(told: Told, drone: FakeAircraft, count: int, boot_ms: int = 1000) -> int:
    """Some positions at one place, ten a second; the uptime after them."""
    for number in range(count):
        told(drone.position(boot_ms + 100 * number), after_ns=100 * MS)
    return boot_ms + 100 * count


@pytest.mark.parametrize("place", [NEAR_PEAK, (0.0, 0.0), (-35.3, 149.1), (91.0, 7.6)])
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_up_to_three_samples_elsewhere_are_held_back(place: tuple[float, float], samples: int) -> None:
    told, drone = Told(), FakeAircraft()
    boot_ms = flight(told, drone, 5)
    good_ns = told.sample.received_ns[Group.POSITION]
    for number in range(samples):
        told(drone.position(boot_ms + 100 * number, *place, alt=2000, home=1750), after_ns=100 * MS)
        assert (told.sample.lat_deg, told.sample.lon_deg, told.sample.alt_msl_m) == (49.4, 7.6, 300.0)
        assert told.sample.alt_home_m == 50.0
        assert told.sample.received_ns[Group.POSITION] == good_ns  # as old as it is, not as fresh as the peak
    assert told.assembly.implausible == samples
    flight(told, drone, 1, boot_ms + 500)
    assert told.sample.lat_deg == 49.4
    assert told.sample.received_ns[Group.POSITION] > good_ns


def test_a_height_on_a_mountain_is_held_back_too() -> None:
    told, drone = Told(), FakeAircraft()
    boot_ms = flight(told, drone, 5)
    told(drone.position(boot_ms, alt=1500.0), after_ns=100 * MS)
    assert (told.sample.alt_msl_m, told.assembly.implausible) == (300.0, 1)


def test_a_jump_that_stays_is_believed() -> None:
    told, drone = Told(), FakeAircraft()
    boot_ms = flight(told, drone, 5)
    shown = []
    for number in range(6):
        told(drone.position(boot_ms + 100 * number, 50.0 + number * 1e-5, 8.0), after_ns=100 * MS)
        shown.append(told.sample.lat_deg)
    assert shown[:3] == [49.4] * 3
    assert shown[3:] == pytest.approx([50.00003, 50.00004, 50.00005])
    assert told.assembly.implausible == 3


def test_places_that_do_not_agree_are_never_believed() -> None:
    told, drone = Told(), FakeAircraft()
    boot_ms = flight(told, drone, 5)
    for number in range(30):
        told(drone.position(boot_ms + 100 * number, 50.0 + number % 2, 8.0), after_ns=100 * MS)
    assert (told.sample.lat_deg, told.assembly.implausible) == (49.4, 30)


def test_a_lost_position_is_lost_in_the_end() -> None:
    told, drone = Told(), FakeAircraft()
    boot_ms = flight(told, drone, 5)
    for number in range(4):
        told(drone.position(boot_ms + 100 * number, 0.0, 0.0), after_ns=100 * MS)
    assert (told.sample.lat_deg, told.sample.alt_home_m) == (None, 50.0)
    flight(told, drone, 1, boot_ms + 500)
    assert told.sample.lat_deg == 49.4  # and is welcome back at once


def test_what_can_be_flown_is_believed_also_after_a_silence() -> None:
    told, drone = Told(), FakeAircraft()
    boot_ms = flight(told, drone, 5)
    told(drone.position(boot_ms + 60_000, *NEAR_PEAK), after_ns=60 * S)  # 55 m/s
    assert (told.sample.lat_deg, told.assembly.implausible) == (49.43, 0)


def test_a_log_run_fast_is_no_jump() -> None:
    """25 times too fast, 40 m/s look like 1 km/s; the aircraft's own uptime says otherwise."""
    told, drone = Told(), FakeAircraft()
    for number in range(100):
        north = 40 * 0.1 * number / 111_195
        told(drone.position(1000 + 100 * number, 49.4 + north), after_ns=4 * MS)
    assert told.assembly.implausible == 0


def test_a_bare_tracker_is_held_back_alike() -> None:
    told, drone = Told(), FakeAircraft()
    for lat in (49.4, 49.4, 50.0, 49.4):
        told(drone.gps(3, lat=lat), after_ns=200 * MS)
        assert told.sample.lat_deg == 49.4
    assert told.assembly.implausible == 1


def test_a_restart_elsewhere_is_believed_at_once() -> None:
    told, drone = Told(), FakeAircraft()
    flight(told, drone, 5, boot_ms=600_000)
    told(drone.position(2000, 50.0))
    assert (told.sample.lat_deg, told.assembly.implausible) == (50.0, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e30])
@pytest.mark.parametrize("axis", ["roll", "pitch", "yaw"])
def test_an_impossible_attitude_is_not_shown(bad: float, axis: str) -> None:
    told, drone = Told(), FakeAircraft()
    told(drone.attitude(1000, 1, 2, 3))
    good_ns = told.now_ns
    told(drone.attitude(1100, **{axis: bad}))
    sample = told.sample
    assert (sample.roll_deg, sample.pitch_deg, sample.yaw_deg) == pytest.approx((1, 2, 3), abs=1e-4)
    assert sample.received_ns[Group.ATTITUDE] == good_ns


def test_time_that_steps_back_allows_no_distance() -> None:
    plausibility = Plausibility()
    assert plausibility.believes(Whereabouts((49.4, 7.6), 300, START_NS, 5000))
    assert plausibility.believes(Whereabouts((49.4, 7.6), 300, START_NS - S, 4000))
    assert not plausibility.believes(Whereabouts((49.5, 7.6), 300, START_NS - 100 * S, 1000))


def has_heard(run: Running, count: int) -> bool:
    return run.state().messages == count


async def test_the_link_tells_of_it_while_it_is_news() -> None:
    drone = FakeAircraft()
    async with running(AircraftLink("fritz", LOCAL, 1)) as run:
        where = await run.opened()
        with udp_socket() as peer:
            for sent, lat in enumerate((49.4, 49.9), 1):
                peer.sendto(drone.position(1000 + 100 * sent, lat), where)
                await run.until(partial(has_heard, run, sent), 50 * MS)
            assert (run.state().reason, run.state().implausible) == ("position_implausible", 1)
            assert run.state().status is LinkStatus.LIVE
            for boot_ms in range(2000, 10_000, 500):
                peer.sendto(drone.position(boot_ms, 49.4), where)
                run.clock.advance(500 * MS)
                await run.until(lambda: True)
            await run.until(lambda: not run.state().reason)
            assert run.state().implausible == 1
