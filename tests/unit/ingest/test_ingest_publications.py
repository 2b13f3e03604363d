from __future__ import annotations

import asyncio

import pytest

from flow.clock import NS_PER_S
from flow.doors import NoKeys
from flow.errors import ConfigError, PortInUseError, RefusedError
from flow.flights import SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, Codec
from ingest.protocol.events import Awaited, Gone, Heard, Opened, SourceEvent, SourcePicture, WaysOff
from ingest.publications import SILENT_NS, Publication, Publications, Publisher
from ingest.serving import keep_serving
from ingest.settings import FeedSource, IngestSettings
from ingest.supervisor import Ingest
from tests.fakes.clock import FakeClock
from tests.fakes.encoded import h264_pictures

PHONE, LAPTOP = Publisher("rtmp", "192.0.2.7:50000"), Publisher("rtmp", "192.0.2.8:50001")


class OneKey:
    """ "k-FEED" is the key of each feed."""

    def check(self, feed_id: str, key: str) -> None:
        if key != f"k-{feed_id}":
            raise RefusedError("no", code="key_wrong")


class Desk:
    """Publications of one feed, attached to a listener."""

    def __init__(self, url: str = "rtmp", *, takeover: bool = False) -> None:
        self.clock = FakeClock()
        source = FeedSource("tag", url, takeover=takeover)
        self.publications = Publications(
            [source, FeedSource("roh", "rtp://127.0.0.1:0")], OneKey(), self.clock
        )
        self.events: list[SourceEvent] = []
        self.displaced: list[Publisher] = []
        self.publications.place("tag").attach(self.events.append)

    def open(self, publisher: Publisher = PHONE, feed_id: str = "tag", key: str = "k-tag") -> Publication:
        return self.publications.open(feed_id, key, publisher, 64, lambda _: self.displaced.append(publisher))

    def refusal(self, publisher: Publisher = PHONE, feed_id: str = "tag", key: str = "k-tag") -> str:
        with pytest.raises(RefusedError) as refused:
            self.open(publisher, feed_id, key)
        return refused.value.code


def test_a_publisher_comes_sends_and_leaves() -> None:
    desk = Desk()
    phone = desk.open()
    phone.publish(Heard(), desk.clock.now_ns())
    phone.close()
    phone.close()
    phone.publish(Heard(), desk.clock.now_ns())
    waiting, *rest = desk.events
    assert isinstance(waiting, Awaited)
    assert rest == [
        Opened("rtmp://192.0.2.7:50000", 64),
        Heard(),
        Gone("publisher_left", "the publisher at 192.0.2.7:50000 has left"),
    ]
    assert desk.open(LAPTOP).is_open


def test_who_may_not_is_told_why_and_the_key_comes_first() -> None:
    desk = Desk()
    assert desk.refusal(key="k-otto") == "key_wrong"
    assert desk.refusal(feed_id="nobody", key="x") == "key_wrong"
    assert desk.refusal(feed_id="nobody", key="k-nobody") == "not_pushed"
    assert desk.refusal(feed_id="roh", key="k-roh") == "not_pushed"
    assert desk.refusal(Publisher("srt", "192.0.2.7:1")) == "not_pushed"
    desk.open()
    assert desk.refusal(LAPTOP) == "feed_busy"
    assert desk.refusal(LAPTOP, key="x") == "key_wrong"
    with pytest.raises(RefusedError):
        NoKeys().check("tag", "k-tag")


def test_a_push_feed_takes_every_protocol() -> None:
    for protocol in ("rtmp", "srt", "whip"):
        assert Desk("push").open(Publisher(protocol, "192.0.2.7:1")).is_open


def test_a_newer_publisher_takes_over_where_configured() -> None:
    desk = Desk(takeover=True)
    phone, laptop = desk.open(PHONE), desk.open(LAPTOP)
    assert (phone.is_open, laptop.is_open, desk.displaced) == (False, True, [PHONE])
    before = len(desk.events)
    phone.publish(Heard(), desk.clock.now_ns())
    phone.close()
    assert len(desk.events) == before
    assert laptop.is_open


def test_a_publisher_whose_connection_broke_unnoticed_yields_to_the_next() -> None:
    desk = Desk()
    phone = desk.open(PHONE)
    desk.clock.advance(SILENT_NS - 1)
    assert desk.refusal(LAPTOP) == "feed_busy"
    phone.publish(Heard(), desk.clock.now_ns())
    desk.clock.advance(SILENT_NS - 1)
    assert desk.refusal(LAPTOP) == "feed_busy"
    desk.clock.advance(1)
    assert desk.open(LAPTOP).is_open
    assert desk.displaced == [PHONE]


def test_without_its_source_nobody_gets_a_place() -> None:
    desk = Desk()
    desk.publications.place("tag").detach()
    assert desk.refusal() == "not_pushed"


def test_a_server_that_cannot_listen_is_told_to_the_feeds_that_need_it() -> None:
    desk = Desk()
    desk.publications.unavailable("srt", ConfigError("off"))
    desk.publications.unavailable("rtmp", PortInUseError("1935 is taken"))
    assert desk.events[1:] == [WaysOff({"rtmp": "port_in_use"}), Gone("port_in_use", "1935 is taken")]
    desk.publications.available("rtmp", "rtmp://192.0.2.1:1935/live/tag")
    assert desk.events[3:] == [
        WaysOff({}),
        Awaited("waiting for a publisher on rtmp://192.0.2.1:1935/live/tag"),
    ]


class Failing:
    """A server that fails at first."""

    def __init__(self) -> None:
        self.tries = 0

    async def run(self) -> None:
        self.tries += 1
        if self.tries == 1:
            raise PortInUseError("1935 is taken")
        if self.tries == 2:
            raise ZeroDivisionError
        await asyncio.Event().wait()


async def turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_server_that_fails_is_tried_again() -> None:
    desk, server = Desk(), Failing()
    task = asyncio.ensure_future(keep_serving("rtmp", server, desk.publications, desk.clock))
    for tries in (1, 2, 3):
        await turn()
        assert server.tries == tries
        desk.clock.advance(5 * NS_PER_S)
    codes = [event.reason for event in desk.events if isinstance(event, Gone)]
    assert codes == ["port_in_use", "source_failed"]
    task.cancel()
    await asyncio.wait([task])


async def test_pictures_of_a_publisher_reach_the_bus_and_the_state_says_who() -> None:
    bus, clock = MemoryBus(), FakeClock()
    source = FeedSource("tag", "whip")
    ingest = Ingest(bus, clock, IngestSettings((source,)), keys=OneKey())
    task = asyncio.ensure_future(ingest.run())
    await turn()

    def state() -> SourceState:
        told = bus.peek(SourceState, "tag")
        assert told is not None
        return told

    assert (state().status, state().reason) == (SourceStatus.CONNECTING, "no_publisher")
    clock.advance(60 * NS_PER_S)
    await turn()
    assert state().reason == "no_publisher"  # nobody is late
    publication = ingest._publications.open("tag", "k-tag", Publisher("whip", "192.0.2.7:9"), 32, print)
    with bus.from_keyframe("tag") as units:
        for index, picture in enumerate(h264_pictures(2)):
            now_ns = clock.now_ns()
            publication.publish(SourcePicture(Codec.H264, picture.data, 3000 * index, None, now_ns), now_ns)
        received = units.drain()
    assert [type(unit) for unit in received] == [AccessUnit, AccessUnit]
    assert (state().status, state().address) == (SourceStatus.LIVE, "whip://192.0.2.7:9")
    publication.close("publisher_left", "it hung up")
    assert (state().status, state().reason, state().detail) == (
        SourceStatus.LOST,
        "publisher_left",
        "it hung up",
    )
    task.cancel()
    await asyncio.wait([task])
    assert not ingest._publications.place("tag").is_attached
    await bus.aclose()
