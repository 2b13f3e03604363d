"""What the pages of one feed hear, and that one of them never harms the others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from flow.errors import BusyError, TooManyError
from flow.flights import Aircraft, Feed, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.samples import LinkState, LinkStatus, TelemetrySample
from flow.source_clock import ClockState, ClockStatus
from flow.units import AccessUnit, UtcOrigin
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.encoded import as_units, h264_pictures
from tests.fakes.page_socket import PageSocket
from web import subscriber
from web.channel import FeedChannel, FeedList
from web.service import _kept_going
from web.settings import ViewerSettings
from web.subscriber import WAITING_MOST_BYTES, text_frame

FEED = Feed("otto-tag", "otto", "Tageslicht", air_link_ms=120.0)
OTTO = Aircraft("otto", "Ottmar", (FEED,))


class Studio:
    """A channel on a bus and a clock of its own."""

    def __init__(self) -> None:
        self.bus, self.clock = MemoryBus(), FakeClock()
        self.channel = FeedChannel(self.bus, self.clock, OTTO, FEED, ViewerSettings(3, 2))
        self.feeds = FeedList(self.bus, (OTTO,), {FEED.id: self.channel})

    async def publish(self, *items: Any) -> None:
        for item in items:
            self.bus.publish(item)
            for _ in range(5):
                await asyncio.sleep(0)

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[PageSocket]:
        """A page that has joined and heard nothing yet."""
        subscriber = self.channel.join("192.0.2.1")
        async with PageSocket.open(subscriber) as page:
            yield page
        self.channel.leave(subscriber)


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
    async with studio.page() as page:
        await studio.publish(unit(0, origin), TelemetrySample("otto", START_NS + 40_000_000, yaw_deg=90.0))
        sample = next(m for m in page.heard() if m["type"] == "telemetry")
    assert sample["rtp_timestamp"] == unit(0).rtp_timestamp + (40 + late_ms) * 90


async def test_what_a_clock_is_off_by_is_no_news_but_its_refusal_is(studio: Studio) -> None:
    def link(clock: ClockState) -> LinkState:
        return LinkState("otto", "udpin:127.0.0.1:14550", LinkStatus.LIVE, START_NS, clock=clock)

    good = ClockState(ClockStatus.GOOD, "", 12.0, 3.0)
    async with studio.page() as page:
        page.heard()
        await studio.publish(TelemetrySample("otto", START_NS), link(good))
        assert page.kinds() == ["telemetry", "link"]
        await studio.publish(link(replace(good, offset_ms=12.1, drift_ppm=3.1)))
        assert page.kinds() == []  # it rides with the next sample
        await studio.publish(link(replace(good, status=ClockStatus.REFUSED, reason="clock_fast")))
        assert page.kinds() == ["link"]


async def test_a_joiner_hears_all_there_is(studio: Studio) -> None:
    await studio.publish(
        unit(), SourceState(FEED.id, SourceStatus.LIVE, START_NS), TelemetrySample("otto", START_NS)
    )
    async with studio.page() as page:
        assert page.kinds() == ["hello", "feeds", "state", "anchor", "telemetry"]


async def test_a_page_that_does_not_read_gets_the_present_and_slows_nobody(studio: Studio) -> None:
    async with studio.page() as slow, studio.page() as quick:
        quick.kinds()
        n = 0
        while slow.subscriber.dropped < 10:
            n += 1
            await studio.publish(TelemetrySample("otto", START_NS + n))
            assert quick.kinds() == ["telemetry"]
        assert slow.waiting_bytes <= WAITING_MOST_BYTES + 2000
        await slow.until_drained()
        late = slow.heard()
    kinds = [m["type"] for m in late]
    assert kinds == ["hello", "feeds", *["telemetry"] * (n - 10), "hello", "feeds", "telemetry"]
    times = [m["utc_ms"] for m in late if m["type"] == "telemetry"]
    assert times[-1] == pytest.approx((START_NS + n) / 1e6, abs=0.001)


async def test_a_page_that_never_reads_is_given_up(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber, "CATCH_UP_WITHIN_S", 0.01)
    async with studio.page() as page:
        while not page.subscriber.dropped:
            await studio.publish(TelemetrySample("otto", START_NS))
        with pytest.raises(TimeoutError):
            await page.attending


async def test_nothing_follows_a_close_frame(studio: Studio) -> None:
    async with studio.page() as left, studio.page() as closed:
        left.heard(), closed.heard()
        left.closed = True  # aiohttp has sent a close frame and waits for the page's
        closed.subscriber.close()
        await studio.publish(TelemetrySample("otto", START_NS))
        assert left.heard() == closed.heard() == []
        await closed.attending


async def test_a_name_that_is_no_utf8_is_told_all_the_same(studio: Studio) -> None:
    async with studio.page() as page:
        page.heard()
        detail = b"file:/tmp/Fl\xfcg.mp4".decode("utf-8", "surrogateescape")
        await studio.publish(SourceState(FEED.id, SourceStatus.LOST, START_NS, detail=detail))
        assert set(page.kinds()) == {"state", "feeds"}


async def test_listeners_are_bounded_in_all_and_by_address(studio: Studio) -> None:
    joined = [studio.channel.join("192.0.2.1") for _ in range(2)]
    with pytest.raises(TooManyError, match=r"192\.0\.2\.1 listens 2 times"):
        studio.channel.join("192.0.2.1")
    studio.channel.join("192.0.2.2")
    with pytest.raises(BusyError, match="has 3 listeners, its limit"):
        studio.channel.join("192.0.2.3")
    studio.channel.leave(joined[0])
    studio.channel.join("192.0.2.1")


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_a_frame_is_one_unmasked_text_message(size: int, header: str) -> None:
    assert text_frame(b"x" * size) == bytes.fromhex(header) + b"x" * size  # RFC 6455 5.2


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
