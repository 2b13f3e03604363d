"""What a feed tells of the ways by which publishers can come to it, and why not by the others."""

from __future__ import annotations

import asyncio

from flow.errors import ConfigError, PortInUseError
from flow.flights import SourceState
from flow.memory_bus import MemoryBus
from ingest.protocol.events import Awaited, Gone, SourceEvent, WaysOff
from ingest.publications import Publisher
from ingest.settings import FeedSource, IngestSettings
from ingest.supervisor import Ingest
from tests.fakes.clock import FakeClock
from tests.unit.ingest.test_ingest_publications import Desk

MISSING = ConfigError("SRT is off: libsrt is not installed", code="srt_missing")
TAKEN = PortInUseError("TCP 127.0.0.1, port 1935 is in use by another program")
RTMP = "rtmp://127.0.0.1:1935/live"


def last(desk: Desk) -> SourceEvent:
    return desk.events[-1]


def test_all_ways_that_are_open_are_named() -> None:
    desk = Desk("push")
    assert last(desk) == Awaited("waiting for a publisher by rtmp, srt, whip")
    desk.publications.available("rtmp", RTMP)
    assert last(desk) == Awaited(f"waiting for a publisher on {RTMP} or by srt, whip")
    desk.publications.available("srt", "srt://127.0.0.1:8890")
    assert last(desk) == Awaited(f"waiting for a publisher on {RTMP}, srt://127.0.0.1:8890 or by whip")
    assert not any(isinstance(event, WaysOff) for event in desk.events)


def test_ways_that_are_off_are_named_with_their_reason() -> None:
    desk = Desk("push")
    desk.publications.unavailable("srt", MISSING)
    desk.publications.unavailable("rtmp", TAKEN)
    assert desk.events[-2:] == [
        WaysOff({"rtmp": "port_in_use", "srt": "srt_missing"}),
        Awaited(f"waiting for a publisher by whip; not by rtmp: {TAKEN}; not by srt: {MISSING}"),
    ]
    desk.publications.available("rtmp", RTMP)
    assert desk.events[-2:] == [
        WaysOff({"srt": "srt_missing"}),
        Awaited(f"waiting for a publisher on {RTMP} or by whip; not by srt: {MISSING}"),
    ]


def test_the_same_is_told_once_and_a_feed_that_begins_later_hears_it_too() -> None:
    desk = Desk("push")
    place = desk.publications.place("tag")
    desk.publications.unavailable("srt", MISSING)
    before = len(desk.events)
    desk.publications.unavailable("srt", MISSING)
    assert len(desk.events) == before
    place.detach()
    place.attach(desk.events.append)
    assert last(desk) == Awaited(f"waiting for a publisher by rtmp, whip; not by srt: {MISSING}")
    other = Desk("srt")
    other.publications.place("tag").detach()
    other.publications.unavailable("srt", MISSING)
    other.publications.place("tag").attach(other.events.append)
    assert other.events[-2:] == [WaysOff({"srt": "srt_missing"}), Gone("srt_missing", str(MISSING))]


def test_a_feed_that_somebody_sends_to_is_told_of_its_other_ways_and_stays_as_it_is() -> None:
    desk = Desk("push")
    desk.open(Publisher("rtmp", "192.0.2.7:1"))
    desk.publications.unavailable("srt", MISSING)
    assert last(desk) == WaysOff({"srt": "srt_missing"})


async def test_the_state_tells_the_ways_that_are_off() -> None:
    bus, clock = MemoryBus(), FakeClock()
    ingest = Ingest(bus, clock, IngestSettings((FeedSource("tag", "push"),)))
    feed = asyncio.create_task(ingest._feeds[0].run())
    await asyncio.sleep(0)
    ingest._publications.unavailable("srt", MISSING)
    state = bus.peek(SourceState, "tag")
    assert state is not None
    assert (state.reason, state.ways_off) == ("no_publisher", {"srt": "srt_missing"})
    feed.cancel()
    await asyncio.wait([feed])
