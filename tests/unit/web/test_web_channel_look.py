"""The look rides with telemetry: ten times a second at most, and only where it is news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flow.clock import NS_PER_MS
from flow.doors import CameraLook, GroundPoint
from flow.flights import Aircraft, Ellipse, Feed
from flow.memory_bus import MemoryBus
from flow.samples import Place, TelemetrySample
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.page_socket import PageSocket
from web.channel import FeedChannel
from web.settings import ViewerSettings

FEED = Feed("tag", "otto", "Tag")
OTTO = Aircraft("otto", "Otto", (FEED,))


class Looks:
    """A TelemetryDoor whose camera looks where the test says; it counts how often it is asked."""

    def __init__(self) -> None:
        self.bearing_deg = 0.0
        self.reason = ""
        self.asked = 0

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        self.asked += 1
        if self.reason:
            return CameraLook(feed_id, utc_ns, self.reason, self.bearing_deg)
        corners = tuple(Place(49.0 + n / 1000, 7.0, 250.0) for n in range(4))
        centre = GroundPoint(feed_id, utc_ns, Place(49.0015, 7.0005), 141.42, Ellipse(3.0, 2.0, 10.0), True)
        return CameraLook(feed_id, utc_ns, "", self.bearing_deg, corners, True, centre)

    def ground(self, feed_id: str, x: float, y: float, utc_ns: int) -> GroundPoint:
        raise NotImplementedError


class Studio:
    def __init__(self) -> None:
        self.bus, self.clock, self.looks = MemoryBus(), FakeClock(), Looks()
        self.channel = FeedChannel(self.bus, self.clock, OTTO, FEED, ViewerSettings(), looks=self.looks)

    async def sample(self, after_ms: int = 0) -> None:
        self.clock.advance(after_ms * NS_PER_MS)
        self.bus.publish(TelemetrySample("otto", self.clock.now_ns()))
        for _ in range(5):
            await asyncio.sleep(0)

    @asynccontextmanager
    async def page(self) -> AsyncIterator[PageSocket]:
        subscriber = self.channel.join("192.0.2.1")
        async with PageSocket.open(subscriber) as page:
            yield page
        self.channel.leave(subscriber)


@pytest.fixture
async def studio() -> Any:
    studio = Studio()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(studio.channel.run())
        await asyncio.sleep(0)
        yield studio
        running.cancel()


def looks_of(page: PageSocket) -> list[Any]:
    return [message["look"] for message in page.heard() if message["type"] == "telemetry"]


async def test_a_look_as_the_map_draws_it(studio: Studio) -> None:
    async with studio.page() as page:
        await studio.sample(200)
        (look,) = looks_of(page)
    assert look == {
        "reason": "",
        "bearing_deg": 0.0,
        "corners": [[7.0, 49.0], [7.0, 49.001], [7.0, 49.002], [7.0, 49.003]],
        "cut": True,
        "centre": [7.0005, 49.0015],
        "slant_range_m": 141.4,
        "terrain": True,
    }


async def test_what_is_no_news_is_not_told_again(studio: Studio) -> None:
    async with studio.page() as page:
        for _ in range(3):
            await studio.sample(200)
        assert [look is None for look in looks_of(page)] == [False, True, True]
        studio.looks.reason = "no_height"
        await studio.sample(200)
        (look,) = looks_of(page)
    assert (look["reason"], look["corners"], look["centre"], look["bearing_deg"]) == (
        "no_height",
        [],
        None,
        0.0,
    )


async def test_at_most_ten_a_second(studio: Studio) -> None:
    """Samples come fifty times a second from a camera that turns all the time."""
    async with studio.page() as page:
        told: list[Any] = []
        for step in range(100):
            studio.looks.bearing_deg = float(step)
            await studio.sample(20)
            told += [look for look in looks_of(page) if look is not None]
    assert 18 <= len(told) <= 21
    assert studio.looks.asked <= 21


async def test_a_joiner_gets_the_look_though_it_is_no_news_to_others(studio: Studio) -> None:
    async with studio.page() as first:
        await studio.sample(200)
        await studio.sample(200)
        first.heard()
        async with studio.page() as second:
            (look,) = looks_of(second)
            assert look["corners"]


async def test_nobody_is_asked_for_nobody(studio: Studio) -> None:
    for _ in range(5):
        await studio.sample(200)
    assert studio.looks.asked == 0


async def test_without_anybody_to_ask_there_is_no_look() -> None:
    bus = MemoryBus()
    channel = FeedChannel(bus, FakeClock(START_NS), OTTO, FEED, ViewerSettings())
    bus.publish(TelemetrySample("otto", START_NS))
    subscriber = channel.join("192.0.2.1")
    async with PageSocket.open(subscriber) as page:
        assert looks_of(page) == [None]
    channel.leave(subscriber)
