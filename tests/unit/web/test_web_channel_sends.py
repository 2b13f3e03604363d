"""How often a page is written to: what is no news rides with the next sample, news goes at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import Aircraft, Feed, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.samples import LinkState, LinkStatus, TelemetrySample
from flow.units import AccessUnit
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.encoded import as_units, h264_pictures
from tests.fakes.page_socket import PageSocket
from web.channel import ANCHOR_EVERY_NS, SAMPLES_FLOW_NS, FeedChannel
from web.settings import ViewerSettings
from web.subscriber import Subscriber

FEED = Feed("otto-tag", "otto", "Tageslicht")
OTTO = Aircraft("otto", "Ottmar", (FEED,))
SOURCE = SourceState(FEED.id, SourceStatus.LIVE, START_NS)
LINK = LinkState("otto", "udpin:127.0.0.1:14550", LinkStatus.LIVE, START_NS)
PICTURES = as_units(h264_pictures(60), FEED.id)


class Studio:
    """A channel with everything told once, and a clock that stands still."""

    def __init__(self) -> None:
        self.bus, self.clock = MemoryBus(), FakeClock()
        self.channel = FeedChannel(self.bus, self.clock, OTTO, FEED, ViewerSettings(3, 3))

    async def publish(self, *items: Any) -> None:
        for item in items:
            self.bus.publish(item)
            for _ in range(5):
                await asyncio.sleep(0)

    async def sample(self) -> None:
        await self.publish(TelemetrySample("otto", self.clock.now_ns()))

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[PageSocket]:
        """A page that has heard the present."""
        subscriber = self.channel.join("192.0.2.1")
        async with PageSocket.open(subscriber) as page:
            page.heard()
            yield page
        self.channel.leave(subscriber)


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    studio = Studio()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(studio.channel.run())
        await asyncio.sleep(0)
        await studio.publish(SOURCE, LINK, PICTURES[0])
        await studio.sample()
        yield studio
        running.cancel()


def next_picture(studio: Studio) -> AccessUnit:
    """The film goes on, and its first picture is due for an anchor."""
    studio.clock.advance(ANCHOR_EVERY_NS)
    return PICTURES[1]


async def test_figures_and_anchors_ride_with_the_next_sample_in_one_write(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    offer = Subscriber.offer

    def counted(self: Subscriber, frames: bytes) -> None:
        written.append(frames)
        offer(self, frames)

    async with studio.page() as page:
        monkeypatch.setattr(Subscriber, "offer", counted)
        picture = next_picture(studio)
        await studio.sample()
        written.clear()
        page.heard()
        await studio.publish(picture, replace(LINK, messages=50), replace(SOURCE, pictures=30, fps=30.0))
        assert page.kinds() == []
        await studio.sample()
        assert page.kinds() == ["telemetry", "anchor", "link", "state"]
        assert len(written) == 1
        await studio.sample()
        assert page.kinds() == ["telemetry"]


@pytest.mark.parametrize(
    ("news", "kind"),
    [
        (replace(LINK, status=LinkStatus.SILENT), "link"),
        (replace(SOURCE, status=SourceStatus.STALLED, reason="stalled"), "state"),
        (replace(PICTURES[1], epoch=7, keyframe=True), "anchor"),
        (replace(PICTURES[1], utc_ns=PICTURES[1].utc_ns + 6 * NS_PER_MS), "anchor"),
    ],
)
async def test_news_waits_for_nothing(studio: Studio, news: Any, kind: str) -> None:
    async with studio.page() as page:
        await studio.publish(replace(LINK, messages=50), replace(SOURCE, pictures=30))
        await studio.publish(news)
        told = page.kinds()
        assert told[0] == kind
        assert sorted(told) == sorted({"link", "state", kind})  # the newer of a kind only


async def test_where_no_samples_flow_everything_goes_at_once(studio: Studio) -> None:
    async with studio.page() as page:
        await studio.publish(replace(LINK, messages=50))
        studio.clock.advance(SAMPLES_FLOW_NS)
        await studio.publish(replace(SOURCE, pictures=30))
        assert page.kinds() == ["state", "link"]
        await studio.publish(replace(LINK, messages=51))
        assert page.kinds() == ["link"]


async def test_what_waited_for_pages_that_have_left_is_not_told_to_others(studio: Studio) -> None:
    async with studio.page():
        await studio.publish(replace(LINK, messages=50))
    studio.clock.advance(NS_PER_S)
    async with studio.page() as page:
        await studio.sample()
        assert page.kinds() == ["telemetry"]
