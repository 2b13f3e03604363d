"""Looks: what the bus told of aircraft, asked for any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from flow.doors import GroundPoint
from flow.errors import NotFoundError, UnlocatableError
from flow.flights import Feed, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.samples import Place, TelemetrySample
from flow.source_clock import ClockState, ClockStatus
from flow.units import Codec, CodecConfig
from telemetry.look import Looks
from telemetry.protocol.earth import Plane
from telemetry.protocol.places import bearing_and_distance, distance_m
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.height_models import write_wgs84

LAT, LON = 49.44, 7.77
FEEDS = (Feed("tag", "otto", "Tag", hfov_deg=70.0), Feed("fritz-tag", "fritz", "Tag", hfov_deg=70.0))
CONFIG = CodecConfig(Codec.H264, 1280, 720, 66, 0, 31, "4:2:0", 8, False, False)


def sample(
    at_ns: int = START_NS, aircraft_id: str = "otto", lat_deg: float | None = LAT, **told: float
) -> TelemetrySample:
    known: dict[str, Any] = {"alt_home_m": 100.0, "gimbal_pitch_deg": -45.0, "gimbal_yaw_deg": 90.0} | told
    return TelemetrySample(aircraft_id, at_ns, lat_deg, LON, home=Place(LAT, LON, 250.0), **known)


@asynccontextmanager
async def running(terrain: tuple[str, ...] = ()) -> AsyncIterator[tuple[MemoryBus, Looks]]:
    bus, clock = MemoryBus(), FakeClock()
    looks = Looks(bus, clock, FEEDS, terrain)
    task = asyncio.create_task(looks.run())
    try:
        bus.publish(SourceState("tag", SourceStatus.LIVE, START_NS, config=CONFIG))
        yield bus, looks
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.aclose()


async def taken_in() -> None:
    """LATEST keeps one sample; the looks' own task takes each as the loop turns."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_look_is_known_as_soon_as_the_sample_is_on_the_bus() -> None:
    async with running() as (bus, looks):
        bus.publish(sample())
        look = looks.look("tag", START_NS)  # no turn of the loop between
    assert (look.reason, look.bearing_deg, look.cut) == ("", 90.0, False)
    assert look.centre is not None
    assert not look.centre.terrain
    place = look.centre.place
    east, north = Plane(LAT, LON).offset(place.lat_deg, place.lon_deg, 250.0)
    assert (east, north) == pytest.approx((100.0, 0.0), abs=0.01)
    assert len(look.corners) == 4


async def test_any_moment_of_the_last_seconds_can_be_asked_for() -> None:
    async with running() as (bus, looks):
        for step in range(20):
            bus.publish(sample(START_NS + step * 100_000_000, gimbal_yaw_deg=float(step)))
            await taken_in()
        for at, yaw in ((0, 0.0), (250, 2.5), (1900, 19.0)):
            assert looks.look("tag", START_NS + at * 1_000_000).bearing_deg == pytest.approx(yaw)


async def test_one_aircraft_says_nothing_of_another() -> None:
    async with running() as (bus, looks):
        bus.publish(sample())
        assert looks.look("fritz-tag", START_NS).reason == "no_position"
        with pytest.raises(UnlocatableError) as refused:
            looks.ground("fritz-tag", 0.5, 0.5, START_NS)
    assert refused.value.code == "no_position"


async def test_a_feed_that_does_not_exist_is_not_found() -> None:
    async with running() as (_, looks):
        with pytest.raises(NotFoundError):
            looks.look("nobody", START_NS)
        with pytest.raises(NotFoundError):
            looks.ground("nobody", 0.5, 0.5, START_NS)


async def test_the_reason_and_still_the_bearing() -> None:
    async with running() as (bus, looks):
        bus.publish(sample(gimbal_pitch_deg=30.0))
        look = looks.look("tag", START_NS)
        assert (look.reason, look.bearing_deg, look.corners, look.centre) == ("above_horizon", 90.0, (), None)
        bus.publish(sample(START_NS + 1, lat_deg=None))
        assert looks.look("tag", START_NS + 1).reason == "no_position"


async def test_without_the_size_of_the_picture_its_lens_is_not_known() -> None:
    async with running() as (bus, looks):
        bus.publish(sample(aircraft_id="fritz"))
        assert looks.look("fritz-tag", START_NS).reason == "no_lens"


async def test_a_clock_that_is_trusted_makes_a_smaller_ellipse() -> None:
    async with running() as (bus, looks):
        for step in range(2):  # 11 m/s to the north
            bus.publish(sample(START_NS + step * 100_000_000, lat_deg=LAT + step * 1e-5))
            await taken_in()
        guessed = looks.ground("tag", 0.5, 0.5, START_NS + 50_000_000).error
        good = ClockState(ClockStatus.GOOD)
        bus.publish(SourceState("tag", SourceStatus.LIVE, START_NS, config=CONFIG, clock=good))
        trusted = looks.ground("tag", 0.5, 0.5, START_NS + 50_000_000).error
    assert trusted.semi_major_m < guessed.semi_major_m


async def test_the_height_model_is_read_beside_the_loop_and_follows_the_aircraft(tmp_path: Path) -> None:
    write_wgs84(tmp_path / "here.tif", lambda x, y: 240.0, LON - 0.02, LAT + 0.02, 0.04, 1e-3)
    write_wgs84(tmp_path / "north.tif", lambda x, y: 300.0, LON - 0.02, LAT + 1.02, 0.04, 1e-3)
    async with running((str(tmp_path),)) as (bus, looks):
        bus.publish(sample())
        assert looks.look("tag", START_NS).reason == "no_terrain"
        found = await centre_of(looks, START_NS, lambda c: c.terrain)
        assert found.place.alt_msl_m == pytest.approx(240.0, abs=0.02)
        bus.publish(sample(START_NS + 1, lat_deg=LAT + 1, alt_msl_m=400.0))
        await centre_of(looks, START_NS + 1, lambda c: round(c.place.alt_msl_m or 0) == 300)
        bus.publish(sample(START_NS + 2, lat_deg=LAT - 1))  # beyond every model: flat
        await centre_of(looks, START_NS + 2, lambda c: not c.terrain)


async def centre_of(looks: Looks, utc_ns: int, holds: Callable[[GroundPoint], bool]) -> GroundPoint:
    """The look's centre once that holds: files are read in another thread."""
    async with asyncio.timeout(10):
        while True:
            centre = looks.look("tag", utc_ns).centre
            if centre is not None and holds(centre):
                return centre
            await asyncio.sleep(0.005)


def test_bearing_and_distance() -> None:
    assert bearing_and_distance((49.0, 7.0), (50.0, 7.0))[0] == pytest.approx(0.0)
    assert bearing_and_distance((49.0, 7.0), (49.0, 6.99))[0] == pytest.approx(270.0, abs=0.01)
    assert bearing_and_distance((49.0, 7.0), (49.0, 7.0)) == (0.0, 0.0)
    assert bearing_and_distance((0.0, 0.0), (0.0, 1.0))[1] == distance_m((0.0, 0.0), (0.0, 1.0))
