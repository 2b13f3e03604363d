"""What the pages of one feed hear, and that one of them never harms the others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from flow.errors import BusyError
from flow.flights import Aircraft, Feed, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.samples import TelemetrySample
from flow.units import AccessUnit, UtcOrigin
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.encoded import as_units, h264_pictures
from web.channel import SUBSCRIBERS_MOST, WAITING_MOST, FeedChannel, FeedList, Subscriber
from web.service import _kept_going

FEED = Feed("otto-tag", "otto", "Tageslicht", air_link_ms=120.0)
OTTO = Aircraft("otto", "Ottmar", (FEED,))


class Studio:
    """A channel on a bus and a clock of its own."""

    def __init__(self) -> None:
        self.bus, self.clock = MemoryBus(), FakeClock()
        self.channel = FeedChannel(self.bus, self.clock, OTTO, FEED)
        self.feeds = FeedList(self.bus, (OTTO,), {FEED.id: self.channel})

    async def publish(self, *items: Any) -> None:
        for item in items:
            self.bus.publish(item)
            for _ in range(5):
                await asyncio.sleep(0)


async def heard(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [json.loads(message) for message in await subscriber.next_batch()]


def unit(n: int = 0, origin: UtcOrigin = UtcOrigin.ARRIVAL) -> AccessUnit:
    plain = as_units(h264_pictures(60), FEED.id)[n]
    return AccessUnit(
        **{name: getattr(plain, name) for name in AccessUnit.__slots__ if name != "utc_origin"},
        utc_origin=origin,
    )


@pytest.fixture
async def studio() -> Any:
    studio = Studio()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(studio.channel.run()), tasks.create_task(studio.feeds.run())]
        await asyncio.sleep(0)
        yield studio
        for task in running:
            task.cancel()


@pytest.mark.parametrize(("origin", "late_ms"), [(UtcOrigin.ARRIVAL, 120), (UtcOrigin.SOURCE, 0)])
async def test_telemetry_belongs_to_the_picture_that_was_captured_then(
    studio: Studio, origin: UtcOrigin, late_ms: int
) -> None:
    subscriber = studio.channel.join()
    await studio.publish(unit(0, origin), TelemetrySample("otto", START_NS + 40_000_000, yaw_deg=90.0))
    sample = next(m for m in await heard(subscriber) if m["type"] == "telemetry")
    assert sample["rtp_timestamp"] == unit(0).rtp_timestamp + (40 + late_ms) * 90


async def test_a_joiner_hears_all_there_is(studio: Studio) -> None:
    await studio.publish(
        unit(), SourceState(FEED.id, SourceStatus.LIVE, START_NS), TelemetrySample("otto", START_NS)
    )
    kinds = [m["type"] for m in await heard(studio.channel.join())]
    assert kinds == ["hello", "feeds", "state", "anchor", "telemetry"]


async def test_a_page_that_does_not_read_gets_the_present_and_slows_nobody(studio: Studio) -> None:
    slow, quick = studio.channel.join(), studio.channel.join()
    await quick.next_batch()
    for n in range(WAITING_MOST + 50):
        await studio.publish(TelemetrySample("otto", START_NS + n))
        assert [m["type"] for m in await heard(quick)] == ["telemetry"]
    late = await heard(slow)
    assert len(late) <= WAITING_MOST
    assert late[0]["type"] == "hello"
    assert late[-1]["utc_ms"] == pytest.approx((START_NS + WAITING_MOST + 49) / 1e6, abs=0.001)


async def test_a_name_that_is_no_utf8_is_told_all_the_same(studio: Studio) -> None:
    subscriber = studio.channel.join()
    await subscriber.next_batch()
    detail = b"file:/tmp/Fl\xfcg.mp4".decode("utf-8", "surrogateescape")
    await studio.publish(SourceState(FEED.id, SourceStatus.LOST, START_NS, detail=detail))
    assert {m["type"] for m in await heard(subscriber)} == {"state", "feeds"}


async def test_listeners_are_bounded(studio: Studio) -> None:
    joined = [studio.channel.join() for _ in range(SUBSCRIBERS_MOST)]
    with pytest.raises(BusyError, match="its limit"):
        studio.channel.join()
    studio.channel.leave(joined[0])
    studio.channel.join()


async def test_a_defect_in_one_channel_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    clock, runs = FakeClock(), 0

    async def fails() -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("defect")

    task = asyncio.create_task(_kept_going(fails, "channel otto-tag", clock))
    for _ in range(3):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        clock.advance(1_000_000_000)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert runs >= 3
    assert "channel otto-tag failed: a defect of Lagebild" in caplog.text
