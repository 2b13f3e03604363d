"""The RTMP server on a real socket, by a clock that a test moves."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from flow.clock import NS_PER_S
from flow.doors import KeyDoor
from flow.errors import ConfigError, PortInUseError
from ingest.protocol.admission import YOUNG_NS, origin_of
from ingest.protocol.events import Awaited, Gone, Heard, Opened, ParameterSets, SourceEvent, SourcePicture
from ingest.protocol.rtmp import amf0
from ingest.protocol.rtmp.messages import Kind
from ingest.publications import Publications
from ingest.settings import FeedSource, PublishSettings
from ingest.sources.rtmp import WAITING_MOST, WAITING_PER_ORIGIN, RtmpServer
from tests.fakes.clock import FakeClock
from tests.fakes.derived_keys import DerivedKeys

from .material import coded
from .rtmp_publisher import C2, HELLO, RtmpPublisher, commands

DEADLINE_S = 10.0


class House:
    """A server with the feeds "tag", "nacht" and "roh", and all that it tells them."""

    def __init__(
        self, *more: str, takeover: bool = False, keys: KeyDoor | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.clock = FakeClock()
        ids = ("tag", "nacht", "roh", *more)
        feeds = [FeedSource(feed_id, "rtmp", takeover=takeover) for feed_id in ids]
        self.publications = Publications(feeds, keys or DerivedKeys(), self.clock)
        self.events: dict[str, list[SourceEvent]] = {feed.feed_id: [] for feed in feeds}
        for feed_id, events in self.events.items():
            self.publications.place(feed_id).attach(events.append)
        self.server = RtmpServer(self.publications, PublishSettings((host,), rtmp_port=0), self.clock)

    @property
    def port(self) -> int:
        *_, told = (event.detail for event in self.events["roh"] if isinstance(event, Awaited))
        return int(told.rpartition(":")[2].removesuffix("/live"))

    def kinds(self, feed_id: str = "tag") -> list[type[SourceEvent]]:
        """What was told since the server listens."""
        return [type(event) for event in self.events[feed_id][2:]]

    def gone(self, feed_id: str = "tag") -> list[str]:
        return [event.reason for event in self.events[feed_id] if isinstance(event, Gone)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0)


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[House]:
    task = asyncio.ensure_future(house.server.run())
    try:
        await until(lambda: len(house.events["roh"]) == 2 or task.done())
        yield house
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()


class Encoder:
    """A publisher on its connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.speech = RtmpPublisher()
        self._reader, self._writer = reader, writer
        self.told: list[list[amf0.Value]] = []

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def publish(self, name: str = "tag?key=k-tag") -> str:
        """Open everything at once; the code of the answer."""
        self.say(self.speech.opening(name))
        while not self.codes():
            assert await self.hear(), "the connection was closed without an answer"
        return self.codes()[-1]

    async def hear(self) -> bool:
        """Wait for more; False at the end of the connection."""
        async with asyncio.timeout(DEADLINE_S):
            data = await self._reader.read(65_536)
        self.told += commands(self.speech.hear(data))
        return bool(data)

    async def ended(self) -> bool:
        """Whether the server ends the connection, heard to its end."""
        try:
            while await self.hear():
                pass
        except ConnectionResetError:
            return True
        return True

    def codes(self) -> list[str]:
        """Of all onStatus."""
        told = (values[3] for values in self.told if values[0] == "onStatus")
        return [str(each["code"]) for each in told if isinstance(each, dict)]

    def close(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def encoder(house: House, host: str = "127.0.0.1") -> AsyncIterator[Encoder]:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port, local_addr=(host, 0))
    made = Encoder(reader, writer)
    try:
        yield made
    finally:
        made.close()


async def test_a_publisher_comes_sends_and_leaves() -> None:
    async with serving(House()) as house, encoder(house) as phone:
        assert await phone.publish() == "NetStream.Publish.Start"
        phone.say(b"".join(phone.speech.pictures(coded(3), start_ms=5000)))
        await until(lambda: len(house.kinds()) == 6)
        assert house.kinds() == [Opened, ParameterSets, Heard, *[SourcePicture] * 3]
        opened = house.events["tag"][2]
        assert isinstance(opened, Opened)
        assert opened.address.startswith("rtmp://127.0.0.1:")
        pictures = [event for event in house.events["tag"] if isinstance(event, SourcePicture)]
        assert [picture.dts for picture in pictures] == [450_000, 453_600, 457_200]
        assert {picture.arrival_ns for picture in pictures} == {house.clock.now_ns()}
        phone.say(phone.speech.command("deleteStream", 9, None, 1))
        await until(lambda: house.gone() == ["publisher_left"])
        phone.say(phone.speech.publish())
        await until(lambda: house.kinds()[-1] is Opened)
        phone.close()
        await until(lambda: house.gone() == ["publisher_left"] * 2)


async def test_many_publishers_on_one_port() -> None:
    async with serving(House()) as house, encoder(house) as a, encoder(house) as b, encoder(house) as c:
        for publisher, feed_id in ((a, "tag"), (b, "nacht"), (c, "roh")):
            assert await publisher.publish(f"{feed_id}?key=k-{feed_id}") == "NetStream.Publish.Start"
        for publisher in (a, b, c):
            publisher.say(b"".join(publisher.speech.pictures(coded(10))))
        for feed_id in ("tag", "nacht", "roh"):
            await until(lambda feed_id=feed_id: house.kinds(feed_id).count(SourcePicture) == 10)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "reason", "codes"),
    [
        ("tag?key=k-secret", "this key is wrong", ["key_wrong"]),
        ("tag", "the key is missing", ["key_missing"]),
        ("nobody?key=k-nobody", "not from a publisher", []),
        ("k-secret/tag/live", "rtmp://SERVER/live/FEED?key=KEY", []),
    ],
)
async def test_who_is_refused_is_told_why_and_so_is_the_feed(
    name: str, reason: str, codes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(House()) as house, encoder(house) as stranger:
        assert await stranger.publish(name) == "NetStream.Publish.BadName"
        assert reason in str(stranger.told[-1][3])
        stranger.say(b"".join(stranger.speech.pictures(coded(3))))
        assert await stranger.ended()
        assert house.kinds() == [Gone] * len(codes)
        assert house.gone() == codes
        assert "secret" not in str(house.events)
    assert "secret" not in caplog.text
    assert ("was refused" in caplog.text) is not name.startswith("k-secret")


async def test_a_refused_publisher_that_does_not_hang_up_is_cut_off() -> None:
    async with serving(House()) as house, encoder(house) as stranger:
        await stranger.publish("tag")
        assert await stranger.ended()  # our half
        house.clock.advance(2 * NS_PER_S)
        await until(lambda: not house.server._connections)


async def test_a_second_publisher_waits_its_turn_or_takes_over() -> None:
    async with serving(House()) as house, encoder(house) as phone, encoder(house) as laptop:
        await phone.publish()
        assert await laptop.publish() == "NetStream.Publish.BadName"
        assert "has a publisher already" in str(laptop.told[-1])
    async with serving(House(takeover=True)) as house, encoder(house) as phone, encoder(house) as laptop:
        await phone.publish()
        phone.say(b"".join(phone.speech.pictures(coded(3))))
        await until(lambda: SourcePicture in house.kinds())
        assert await laptop.publish() == "NetStream.Publish.Start"
        assert await phone.ended()
        assert phone.codes()[-1] == "NetStream.Publish.BadName"
        phone.close()
        laptop.say(b"".join(laptop.speech.pictures(coded(3))))
        await until(lambda: house.kinds().count(SourcePicture) == 6)
        assert house.gone() == []


async def test_garbage_after_a_valid_handshake() -> None:
    async with serving(House()) as house, encoder(house) as stranger, encoder(house) as phone:
        await phone.publish()
        stranger.say(HELLO + C2 + b"\xff" * 5000)
        assert await stranger.ended()
        phone.say(b"".join(phone.speech.pictures(coded(3))))
        await until(lambda: house.kinds().count(SourcePicture) == 3)
        phone.say(b"\xff" * 5000)
        assert await phone.ended()
        assert house.gone() == ["publisher_garbled"]


async def test_another_protocol_is_closed_at_once() -> None:
    async with serving(House()) as house, encoder(house) as browser:
        browser.say(b"GET / HTTP/1.1\r\n\r\n")
        assert await browser.ended()


@pytest.mark.parametrize("said", [b"", b"\x03", HELLO, HELLO + C2], ids=["nothing", "C0", "C1", "C2"])
async def test_who_does_not_publish_in_time_is_cut_off(said: bytes) -> None:
    async with serving(House()) as house, encoder(house) as stranger:
        stranger.say(said)
        await until(lambda: len(house.server._connections) == 1)
        house.clock.advance(9 * NS_PER_S)
        stranger.say(b"")
        await asyncio.sleep(0)
        assert house.server._connections
        house.clock.advance(NS_PER_S)
        assert await stranger.ended()


async def test_a_silent_publisher_is_cut_off() -> None:
    async with serving(House()) as house, encoder(house) as phone:
        await phone.publish()
        house.clock.advance(10 * NS_PER_S)
        assert await phone.ended()
        assert house.gone() == ["publisher_silent"]


class Holders:
    """Connections that are held open and say nothing, or only this."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.open: list[socket.socket] = []

    async def come(self, count: int, host: str = "127.0.0.1", said: bytes = b"") -> None:
        """One after the other, each once the one before is noticed."""
        for _ in range(count):
            known = set(self._house.server._connections)
            held = socket.socket()
            held.bind((host, 0))
            held.connect(("127.0.0.1", self._house.port))
            held.sendall(said)
            held.setblocking(False)
            self.open.append(held)
            await until(lambda known=known: bool(self._house.server._connections - known))  # type: ignore[misc]

    def left(self) -> list[bool]:
        """Which of them the server has closed."""
        return [_is_closed(held) for held in self.open]


def _is_closed(held: socket.socket) -> bool:
    try:
        return held.recv(65_536) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@asynccontextmanager
async def holders(house: House) -> AsyncIterator[Holders]:
    made = Holders(house)
    try:
        yield made
    finally:
        for held in made.open:
            held.close()


async def test_those_who_hold_connections_and_say_nothing_yield_to_newer_ones() -> None:
    """Those of the same address where that has all its places, else the oldest of all; the bounds hold."""
    async with serving(House()) as house, holders(house) as idle:
        for index in range(WAITING_MOST // WAITING_PER_ORIGIN):
            await idle.come(WAITING_PER_ORIGIN, f"127.0.0.{1 + index}")
        await until(lambda: len(house.server._connections) == WAITING_MOST)
        assert not any(idle.left())
        async with encoder(house, "127.0.0.2") as neighbour:
            assert await neighbour.publish() == "NetStream.Publish.Start"
            await until(lambda: [at for at, gone in enumerate(idle.left()) if gone] == [WAITING_PER_ORIGIN])
            await idle.come(1, "127.0.0.2")
            assert sum(idle.left()) == 1  # the publisher's place is free again
            async with encoder(house, "127.0.0.99") as stranger:
                assert await stranger.publish("nacht?key=k-nacht") == "NetStream.Publish.Start"
                await until(lambda: idle.left()[0])
                assert sum(idle.left()) == 2
                assert len(house.server._connections) == WAITING_MOST - 1 + 2


async def test_publishers_of_one_address_are_as_many_as_there_are_feeds() -> None:
    """Behind one mobile router, or one reverse proxy, all have the same address."""
    more = [f"feed-{index}" for index in range(WAITING_PER_ORIGIN + 8)]
    async with serving(House(*more)) as house, AsyncExitStack() as stack, holders(house) as idle:
        coming = [await stack.enter_async_context(encoder(house)) for _ in more]
        codes = await asyncio.gather(
            *(one.publish(f"{name}?key=k-{name}") for one, name in zip(coming, more, strict=True))
        )
        assert set(codes) == {"NetStream.Publish.Start"}
        await idle.come(3 * len(more))
        for one in coming:
            one.say(b"".join(one.speech.pictures(coded(2))))
        for name in more:
            await until(lambda name=name: house.kinds(name).count(SourcePicture) == 2)  # type: ignore[misc]


async def test_whoever_is_refused_displaced_or_pauses_counts_again() -> None:
    async with serving(House(takeover=True)) as house, holders(house) as idle:
        async with encoder(house) as pausing, encoder(house) as displaced, encoder(house) as newer:
            await pausing.publish("nacht?key=k-nacht")
            pausing.say(pausing.speech.command("deleteStream", 9, None, 1))
            await until(lambda: house.gone("nacht") == ["publisher_left"])
            await displaced.publish()
            await newer.publish()
            async with encoder(house) as stranger:
                await stranger.publish("tag?key=k-secret")
                await idle.come(2 * WAITING_PER_ORIGIN)
                assert await stranger.ended()
                assert await displaced.ended()
                house.clock.advance(YOUNG_NS)
                await idle.come(1)
                assert await pausing.ended()
            assert len(house.server._connections) == WAITING_PER_ORIGIN + 1
            assert house.kinds()[-1] is Opened


async def test_of_ipv6_a_64_is_one_origin() -> None:
    """Whoever has one address has 2^64 of them."""
    async with serving(House(host="::1")) as house:
        _, writer = await asyncio.open_connection("::1", house.port)
        await until(lambda: bool(house.server._connections))
        (connection,) = house.server._connections
        assert origin_of(connection.host) == "::/64"
        writer.transport.abort()


async def test_who_asks_and_never_reads_is_cut_off() -> None:
    async with serving(House()) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        speech = RtmpPublisher()
        writer.write(speech.opening())
        await until(lambda: Opened in house.kinds())
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        (connection,) = house.server._connections
        send_buffer = connection._transport.get_extra_info("socket")
        send_buffer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        ping = speech.message(Kind.USER_CONTROL, bytes.fromhex("0006 0000002a"), chunk_stream=2)
        sound = speech.message(Kind.AUDIO, bytes(40))
        async with asyncio.timeout(DEADLINE_S):
            while house.server._connections:
                writer.write((ping + sound) * 500)
                await asyncio.sleep(0)
        assert house.gone() == ["publisher_left"]
        writer.transport.abort()


async def test_complaints_are_a_line_a_second(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(House()) as house:
        for _ in range(5):
            async with encoder(house) as stranger:
                await stranger.publish("tag?key=x")
        house.clock.advance(NS_PER_S)
        async with encoder(house) as stranger:
            await stranger.publish("tag?key=x")
    lines = [record.message for record in caplog.records if record.name == "lagebild.ingest"]
    assert len(lines) == 2
    assert lines[1].endswith("(and 4 more)")


class Unreadable:
    """Keys in a file that is broken."""

    def check(self, feed_id: str, key: str) -> None:
        raise ConfigError("/var/lib/lagebild/publish-keys.json cannot be read")


async def test_where_keys_cannot_be_read_nobody_publishes_and_no_path_is_told() -> None:
    async with serving(House(keys=Unreadable())) as house, encoder(house) as phone:
        assert await phone.publish() == "NetStream.Publish.BadName"
        assert "cannot check keys" in str(phone.told[-1])
        assert house.gone() == ["keys_unreadable"]
        assert "/var" not in f"{phone.told} {house.events}"


async def test_a_port_in_use_and_an_address_of_another_machine() -> None:
    house = House()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = PublishSettings(hosts=("127.0.0.1",), rtmp_port=port)
        with pytest.raises(PortInUseError, match=str(port)):
            await RtmpServer(house.publications, settings, house.clock).run()
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1") as refused:
        await RtmpServer(house.publications, PublishSettings(("192.0.2.1",), 0), house.clock).run()
    assert refused.value.code == "address_refused"


async def test_the_end_of_the_server_ends_its_connections() -> None:
    async with serving(House()) as house:
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(RtmpPublisher().opening())
        await until(lambda: Opened in house.kinds())
    assert house.server._connections == set()
    assert house.gone() == ["publisher_left"]
    writer.transport.abort()
