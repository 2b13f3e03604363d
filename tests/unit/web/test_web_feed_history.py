"""What is kept of a feed's last minutes: a value a second, gaps as gaps, bounded."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import Feed, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from tests.fakes.clock import FakeClock
from web.feed_history import KEPT_S, FeedHistory, FeedMoment

START_NS = 1_795_330_000 * NS_PER_S
TAG = Feed("tag", "otto", "Tag", air_link_ms=120.0)


def unit(utc_ns: int, origin: UtcOrigin = UtcOrigin.ARRIVAL, seq: int = 0) -> AccessUnit:
    return AccessUnit("tag", Rendition.SOURCE, Codec.H264, 0, seq, seq, seq, utc_ns, origin, True, b"\x00")


def live(fps: float = 25.0) -> SourceState:
    return SourceState("tag", SourceStatus.LIVE, START_NS, fps=fps, bitrate_bps=4e6)


async def test_a_second_holds_its_latest_picture_and_no_other_seconds() -> None:
    bus, clock = MemoryBus(), FakeClock(START_NS)
    history = FeedHistory(bus, clock, [TAG])
    assert history.newest("tag") is None
    bus.publish(live())
    for late_ms in (20, 300, 40):
        history.take(TAG, unit(clock.now_ns() - late_ms * NS_PER_MS))
    history.note(START_NS + NS_PER_S)
    first = history.newest("tag")
    assert first == FeedMoment((START_NS + NS_PER_S) / NS_PER_MS, 4e6, 25.0, 420.0, UtcOrigin.ARRIVAL)
    history.take(TAG, unit(clock.now_ns() - 50 * NS_PER_MS, UtcOrigin.SOURCE))
    history.note(START_NS + 2 * NS_PER_S)
    second = history.newest("tag")
    assert second
    assert (second.age_ms, second.age_origin) == (50.0, UtcOrigin.SOURCE)


async def test_what_did_not_come_is_a_gap() -> None:
    bus, clock = MemoryBus(), FakeClock(START_NS)
    history = FeedHistory(bus, clock, [TAG])
    history.note(START_NS)
    bus.publish(live())
    history.note(START_NS + NS_PER_S)
    bus.publish(replace(live(), status=SourceStatus.STALLED))
    history.note(START_NS + 2 * NS_PER_S)
    assert history.past("tag").fps == [None, 25.0, None]
    assert history.past("tag").age_ms == [None, None, None]


async def test_five_minutes_are_kept_and_no_more() -> None:
    history = FeedHistory(MemoryBus(), FakeClock(START_NS), [TAG])
    for second in range(KEPT_S + 50):
        history.note(START_NS + second * NS_PER_S)
    past = history.past("tag")
    assert len(past.utc_ms) == len(past.bitrate_bps) == KEPT_S == past.kept_s
    assert past.utc_ms[0] == (START_NS + 50 * NS_PER_S) / NS_PER_MS
    with pytest.raises(KeyError):
        history.past("nobody")


async def test_pictures_are_heard_on_the_bus_and_a_cached_group_is_not_taken_for_late() -> None:
    bus, clock = MemoryBus(), FakeClock(START_NS)
    bus.publish(unit(START_NS - 5 * NS_PER_S))  # came before anybody listened
    history = FeedHistory(bus, clock, [TAG])
    bus.publish(live())
    task = asyncio.create_task(history.run())
    await asyncio.sleep(0)
    while not bus.is_read(AccessUnit, "tag/source"):
        await asyncio.sleep(0)
    clock.advance(30 * NS_PER_MS)
    bus.publish(unit(clock.now_ns() - 10 * NS_PER_MS, seq=1))
    for _ in range(5):
        await asyncio.sleep(0)
    clock.advance(NS_PER_S)
    while history.newest("tag") is None:
        await asyncio.sleep(0)
    newest = history.newest("tag")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert newest is not None
    assert newest.age_ms == 130.0
