from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import ConfigError, PortInUseError, SourceError
from flow.flights import SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, Codec
from ingest import supervisor
from ingest.protocol.events import Opened, Restarted, SourcePicture, Unusable
from ingest.settings import FeedSource, IngestSettings
from ingest.sources import Publish
from ingest.supervisor import Ingest
from tests.fakes.clock import FakeClock

from .material import coded

Script = Callable[[Publish, FakeClock], Awaitable[None]]


class ScriptedSource:
    """A source that does what a test wrote down for each of its runs; the last one is repeated."""

    def __init__(self, clock: FakeClock, scripts: list[Script]) -> None:
        self.clock, self.scripts, self.runs = clock, scripts, list[int]()

    async def run(self, publish: Publish) -> None:
        self.runs.append(self.clock.now_ns())
        await self.scripts[min(len(self.runs), len(self.scripts)) - 1](publish, self.clock)


class House:
    """Ingest with scripted sources on a clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = FakeClock()
        self.bus = MemoryBus()
        self.sources: dict[str, ScriptedSource] = {}
        self.opened: list[str] = []
        monkeypatch.setattr(supervisor, "open_source", self._open)

    def _open(self, feed: FeedSource, clock: Clock) -> ScriptedSource:
        self.opened.append(feed.url)
        return self.sources[feed.feed_id]

    def add(self, feed_id: str, *scripts: Script) -> ScriptedSource:
        self.sources[feed_id] = ScriptedSource(self.clock, list(scripts))
        return self.sources[feed_id]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        settings = IngestSettings(tuple(FeedSource(feed_id, "rtp://127.0.0.1:0") for feed_id in self.sources))
        ingest = Ingest(self.bus, self.clock, settings, random.Random(7))
        task = asyncio.ensure_future(ingest.run())
        await self.turn()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            await self.bus.aclose()

    async def turn(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        """Let time pass from one sleeper to the next."""
        end_ns = self.clock.now_ns() + round(seconds * NS_PER_S)
        while (next_ns := self.clock.next_wake_ns) is not None and next_ns <= end_ns:
            self.clock.advance(max(0, next_ns - self.clock.now_ns()))
            await self.turn()
        self.clock.advance(end_ns - self.clock.now_ns())

    def state(self, feed_id: str) -> SourceState:
        state = self.bus.peek(SourceState, feed_id)
        assert state is not None
        return state


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    return House(monkeypatch)


async def sends(publish: Publish, clock: FakeClock, count: int | None = None) -> None:
    """A camera: pictures at 30 fps, `count` of them or for ever."""
    publish(Opened("rtp://127.0.0.1:40123", 32))
    index = 0
    while count is None or index < count:
        data = coded(60, group=30)[index % 60].data
        publish(SourcePicture(Codec.H264, data, 3000 * index, None, clock.now_ns()))
        index += 1
        await clock.sleep_until(clock.now_ns() + NS_PER_S // 30)


async def sends_thirty_and_breaks(publish: Publish, clock: FakeClock) -> None:
    await sends(publish, clock, 30)
    raise SourceError("the camera went away")


async def port_is_taken(publish: Publish, clock: FakeClock) -> None:
    raise PortInUseError("UDP 127.0.0.1:5600 is in use by another program")


async def test_a_live_feed_reports_about_once_a_second(house: House) -> None:
    house.add("tag", sends)
    states = house.bus.lossless(SourceState)
    async with house.running():
        await house.wait(10)
        told = states.drain()
        assert house.state("tag").status is SourceStatus.LIVE
        assert house.state("tag").fps == pytest.approx(30, abs=0.1)
    assert 10 <= len(told) <= 16


async def test_a_failed_source_is_tried_again_with_growing_patience_and_a_new_epoch(house: House) -> None:
    source = house.add("tag", sends_thirty_and_breaks)
    units = house.bus.lossless(AccessUnit)
    async with house.running():
        await house.wait(60)
        state = house.state("tag")
    pauses = [(after - before) / NS_PER_S - 1 for before, after in pairwise(source.runs)]
    for number, pause in enumerate(pauses):
        longest = min(5, 0.5 * 1.5**number)
        assert longest / 2 - 0.01 <= pause <= longest + 0.01
    assert len(pauses) >= 10
    assert state.restarts == len(source.runs) - 1
    sent = units.drain()
    assert sorted({unit.epoch for unit in sent}) == list(range(len(source.runs)))
    decoding = [unit.dts_90k for unit in sent]
    assert decoding == sorted(set(decoding))
    assert all(unit.keyframe for unit in sent if unit.seq == 0)


async def test_a_port_of_the_kernels_choice_stays_the_same_after_a_failure(house: House) -> None:
    house.add("tag", sends_thirty_and_breaks)
    async with house.running():
        await house.wait(5)
    assert house.opened[0] == "rtp://127.0.0.1:0"
    assert set(house.opened[1:]) == {"rtp://127.0.0.1:40123"}


async def test_a_source_that_ran_well_is_soon_tried_again(house: House) -> None:
    async def runs_long_and_breaks(publish: Publish, clock: FakeClock) -> None:
        await sends(publish, clock, 30 * 15)
        raise SourceError("the camera went away")

    source = house.add("tag", port_is_taken, port_is_taken, port_is_taken, runs_long_and_breaks, sends)
    async with house.running():
        await house.wait(30)
    assert len(source.runs) == 5
    assert (source.runs[4] - source.runs[3]) / NS_PER_S < 15 + 0.6


async def test_one_feeds_failure_touches_no_other(house: House) -> None:
    async def has_a_bug(publish: Publish, clock: FakeClock) -> None:
        raise ZeroDivisionError("a bug")

    house.add("tag", sends)
    house.add("waerme", has_a_bug)
    house.add("dritte", sends_thirty_and_breaks)
    units = house.bus.lossless(AccessUnit, "tag/source")
    async with house.running():
        await house.wait(20)
        assert house.state("tag").status is SourceStatus.LIVE
        assert house.state("waerme").reason == "source_failed"
        assert "ZeroDivisionError" in house.state("waerme").detail
    assert 590 <= len(units.drain()) <= 601


async def test_a_port_in_use_is_a_state_and_ends_when_the_port_is_free(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lagebild.ingest")
    house.add("tag", *[port_is_taken] * 4, sends)
    async with house.running():
        await house.wait(0.1)
        assert (house.state("tag").status, house.state("tag").reason) == (SourceStatus.LOST, "port_in_use")
        await house.wait(20)
        assert house.state("tag").status is SourceStatus.LIVE
    said = [record.message for record in caplog.records]
    assert said.count("feed tag: lost: UDP 127.0.0.1:5600 is in use by another program") == 1
    assert said[-1] == "feed tag: live: pictures from rtp://127.0.0.1:40123"


async def test_what_only_the_operator_can_mend_is_not_tried_again(house: House) -> None:
    async def is_refused(publish: Publish, clock: FakeClock) -> None:
        raise ConfigError("0.0.0.0:5600 is open to the network", code="address_refused")

    source = house.add("tag", is_refused)
    async with house.running():
        await house.wait(60)
        assert (house.state("tag").status, house.state("tag").reason) == (
            SourceStatus.LOST,
            "address_refused",
        )
    assert len(source.runs) == 1


async def test_the_end_of_a_file_is_the_end(house: House) -> None:
    async def plays_thirty(publish: Publish, clock: FakeClock) -> None:
        await sends(publish, clock, 30)

    source = house.add("tag", plays_thirty)
    async with house.running():
        await house.wait(60)
        assert (house.state("tag").status, house.state("tag").reason) == (SourceStatus.LOST, "source_ended")
    assert len(source.runs) == 1


async def test_silence_goes_from_live_over_stalled_to_lost_and_the_log_says_each_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def falls_silent(publish: Publish, clock: FakeClock) -> None:
        await sends(publish, clock, 30)
        await clock.sleep_until(clock.now_ns() + 60 * NS_PER_S)

    caplog.set_level(logging.INFO, "lagebild.ingest")
    house.add("fritz-tag", falls_silent)
    async with house.running():
        await house.wait(30)
    assert [record.message for record in caplog.records] == [
        "feed fritz-tag: connecting: opening rtp://127.0.0.1:0",
        "feed fritz-tag: connecting: waiting for pictures on rtp://127.0.0.1:40123",
        "feed fritz-tag: live: pictures from rtp://127.0.0.1:40123",
        "feed fritz-tag: stalled: no packets for 1 s on rtp://127.0.0.1:40123",
        "feed fritz-tag: lost: no packets for 10 s on rtp://127.0.0.1:40123",
    ]


async def test_a_restarted_source_is_told(house: House) -> None:
    async def begins_anew(publish: Publish, clock: FakeClock) -> None:
        await sends(publish, clock, 30)
        publish(Restarted())
        await clock.sleep_until(clock.now_ns() + NS_PER_S)

    house.add("tag", begins_anew)
    async with house.running():
        await house.wait(1.5)
        state = house.state("tag")
    assert (state.status, state.reason, state.epoch, state.restarts) == (
        SourceStatus.LIVE, "source_restarted", 1, 1
    )  # fmt: skip


async def test_a_source_in_a_loop_is_live_without_a_reason_and_its_notes_are_logged_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Each run of the source finds out anew that pictures come in another order than they are shown in."""

    async def loops(publish: Publish, clock: FakeClock) -> None:
        publish(Opened("rtmp://127.0.0.1:40123", 32))
        for _ in range(40):
            publish(Restarted())
            for index, shown in enumerate((0, 3, 1, 2, 6, 4, 5)):
                data = coded(60, group=30)[index].data
                publish(SourcePicture(Codec.H264, data, 3000 * (shown + 2), 3000 * index, clock.now_ns()))
                await clock.sleep_until(clock.now_ns() + NS_PER_S // 30)
        await clock.sleep_until(clock.now_ns() + 60 * NS_PER_S)

    caplog.set_level(logging.INFO, "lagebild.ingest")
    house.add("tag", loops)
    async with house.running():
        await house.wait(9.2)
        state = house.state("tag")
    assert state.restarts >= 30
    assert (state.status, state.reason) == (SourceStatus.LIVE, "")
    assert "b_frames" in state.notes
    noted = [record.message for record in caplog.records if "b_frames" in record.message]
    assert noted == ["feed tag: b_frames"]


async def unusable_beside_pictures(publish: Publish, clock: FakeClock) -> None:
    publish(Opened("rtp://127.0.0.1:40123", 32))
    for index in range(3000):
        data = coded(60, group=30)[index % 60].data
        publish(SourcePicture(Codec.H264, data, 3000 * index, None, clock.now_ns()))
        publish(Unusable("not_video", f"datagram {index} is no RTP"))
        await clock.sleep_until(clock.now_ns() + NS_PER_S // 30)


async def test_a_flood_of_errors_beside_pictures_is_one_line_a_minute(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "lagebild.ingest")
    house.add("tag", unusable_beside_pictures)
    async with house.running():
        await house.wait(90)
        assert house.state("tag").status is SourceStatus.LIVE
    first, second = [record.message for record in caplog.records]
    assert first.startswith("feed tag: unusable: datagram 0 is no RTP")
    assert 1790 <= int(second.rpartition("and ")[2].partition(" more")[0]) <= 1800


async def test_what_comes_instead_of_pictures_is_one_line_whatever_its_shape(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def sends_junk(publish: Publish, clock: FakeClock) -> None:
        publish(Opened("rtp://127.0.0.1:40123", 32))
        for index in range(2000):
            if index % 60 < 20:  # now and then, so that there are silences in between
                publish(Unusable("not_video", f"datagram {index} is no RTP"))
            await clock.sleep_until(clock.now_ns() + 100 * NS_PER_MS)

    caplog.set_level(logging.WARNING, "lagebild.ingest")
    house.add("tag", sends_junk)
    async with house.running():
        await house.wait(11)
        assert (house.state("tag").status, house.state("tag").reason) == (SourceStatus.LOST, "no_packets")
        await house.wait(3)
        assert house.state("tag").reason == "not_video"
    said = [record.message for record in caplog.records]
    assert said == [
        "feed tag: lost: no packets for 10 s on rtp://127.0.0.1:40123",
        "feed tag: lost: rtp://127.0.0.1:40123: datagram 120 is no RTP",
    ]


async def test_a_source_that_breaks_again_and_again_is_logged_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lagebild.ingest")
    source = house.add("tag", sends_thirty_and_breaks)
    async with house.running():
        await house.wait(300)
    assert len(source.runs) > 20
    assert [record.message for record in caplog.records] == [
        "feed tag: connecting: opening rtp://127.0.0.1:0",
        "feed tag: connecting: waiting for pictures on rtp://127.0.0.1:40123",
        "feed tag: live: pictures from rtp://127.0.0.1:40123",
        "feed tag: lost: the camera went away",
    ]
