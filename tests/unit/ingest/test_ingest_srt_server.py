"""The SRT server and libsrt, called by encoders of our own; its patience by a clock that a test moves."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from flow.clock import NS_PER_S
from flow.doors import KeyDoor
from flow.errors import ConfigError, PortInUseError
from ingest.libsrt import Rejection
from ingest.protocol.events import Awaited, Gone, Heard, Opened, SourceEvent, SourcePicture, Unusable
from ingest.publications import Publications, Publisher
from ingest.settings import FeedSource, PublishSettings
from ingest.sources.srt import SrtServer
from tests.fakes.clock import FakeClock
from tests.fakes.derived_keys import DerivedKeys
from tests.fakes.srt_encoder import SrtEncoder

from .material import coded, written

DEADLINE_S = 10.0
PICTURES = 10


class House:
    """A server with the feeds "tag", "nacht" and "roh", and all that it tells them."""

    def __init__(
        self,
        *,
        takeover: bool = False,
        keys: KeyDoor | None = None,
        passphrase: str = "",
        latency_ms: int = 20,
    ) -> None:
        self.clock = FakeClock()
        feeds = [FeedSource(feed_id, "srt", takeover=takeover) for feed_id in ("tag", "nacht", "roh")]
        self.publications = Publications(feeds, keys or DerivedKeys(), self.clock)
        self.events: dict[str, list[SourceEvent]] = {feed.feed_id: [] for feed in feeds}
        for feed_id, events in self.events.items():
            self.publications.place(feed_id).attach(events.append)
        settings = PublishSettings(
            ("127.0.0.1",), srt_port=0, srt_latency_ms=latency_ms, srt_passphrase=passphrase
        )
        self.server = SrtServer(self.publications, settings, self.clock)

    @property
    def port(self) -> int:
        *_, told = (event.detail for event in self.events["roh"] if isinstance(event, Awaited))
        return int(told.removeprefix("waiting for a publisher on srt://127.0.0.1:"))

    def kinds(self, feed_id: str = "tag") -> list[type[SourceEvent]]:
        """What was told since the server listens."""
        return [type(event) for event in self.events[feed_id][2:]]

    def gone(self, feed_id: str = "tag") -> list[str]:
        return [event.reason for event in self.events[feed_id] if isinstance(event, Gone)]

    def pictures(self, feed_id: str = "tag") -> int:
        return self.kinds(feed_id).count(SourcePicture)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.002)  # libsrt goes by its own clock


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
    assert "srt" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """MPEG-TS of ten pictures."""
    path = tmp_path_factory.mktemp("srt") / "clip.ts"
    return written(path, coded(PICTURES), format="mpegts").read_bytes()


async def test_a_publisher_comes_sends_and_leaves(stream: bytes) -> None:
    async with serving(House()) as house:
        with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
            assert phone.call(house.port) == 0
            assert phone.latency_ms() == 20
            phone.send(stream)
            await until(lambda: house.pictures() == PICTURES)
            opened, first = house.events["tag"][2:4]
            assert isinstance(opened, Opened)
            assert opened.address.startswith("srt://127.0.0.1:")
            assert isinstance(first, Heard)
            assert Unusable not in house.kinds()
            assert house.gone() == []
        await until(lambda: house.gone() == ["publisher_left"])
        assert house.server.connections == set()
        with SrtEncoder(stream_id="#!::m=publish,r=tag,u=otto,s=k-tag") as phone:
            assert phone.call(house.port) == 0
            await until(lambda: house.kinds()[-1] is Opened)


async def test_last_words_are_heard_and_do_not_keep_the_next_one_out(stream: bytes) -> None:
    """With 500 ms of latency nothing of this is due before the connection is over."""
    house = House(latency_ms=500)
    async with serving(house):
        with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
            assert phone.call(house.port) == 0
            phone.send(stream)
            await until(phone.is_heard)
        assert house.pictures() == 0
        await until(lambda: house.gone() == ["publisher_left"])
        assert house.pictures() == PICTURES
        with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
            assert phone.call(house.port) == 0
            phone.send(stream)
            await until(phone.is_heard)
        (connection,) = house.server.connections
        await until(lambda: connection._publication is not None and connection._publication.is_leaving)
        with SrtEncoder(stream_id="publish:tag:k-tag") as again:
            assert again.call(house.port) == 0
            await until(lambda: connection not in house.server.connections)
            assert again.is_connected()
        assert house.pictures() == PICTURES


async def test_many_publishers_on_one_port(stream: bytes) -> None:
    feeds = ("tag", "nacht", "roh")
    async with serving(House()) as house:
        with (
            SrtEncoder(stream_id="publish:tag:k-tag") as a,
            SrtEncoder(stream_id="publish:nacht:k-nacht") as b,
            SrtEncoder(stream_id="publish:roh:k-roh") as c,
        ):
            for encoder in (a, b, c):
                assert encoder.call(house.port) == 0
            for encoder in (a, b, c):
                encoder.send(stream)
            await until(lambda: all(house.pictures(feed_id) == PICTURES for feed_id in feeds))
            assert len(house.server.connections) == 3


@pytest.mark.parametrize(
    ("stream_id", "rejection", "reason"),
    [
        ("publish:tag:k-secret", Rejection.UNAUTHORIZED, "this key is wrong"),
        ("publish:tag", Rejection.UNAUTHORIZED, "the key is missing"),
        ("publish:nobody:k-nobody", Rejection.NOTFOUND, "no feed of ours"),
        ("k-secret", Rejection.BAD_REQUEST, "publish:FEED:KEY"),
        ("", Rejection.BAD_REQUEST, "publish:FEED:KEY"),
    ],
)
async def test_who_is_refused_is_told_by_a_code_before_being_let_in(
    stream_id: str, rejection: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(House()) as house:
        with SrtEncoder(stream_id=stream_id) as stranger:
            assert stranger.call(house.port) == rejection
        assert house.kinds() == []
    assert "secret" not in caplog.text
    assert "was refused" in caplog.text
    assert reason in caplog.text


async def test_a_second_publisher_waits_its_turn_or_takes_over(stream: bytes) -> None:
    me = "publish:tag:k-tag"
    async with serving(House()) as house:
        with SrtEncoder(stream_id=me) as phone, SrtEncoder(stream_id=me) as laptop:
            assert phone.call(house.port) == 0
            phone.send(stream)
            await until(lambda: house.pictures() == PICTURES)
            assert laptop.call(house.port) == Rejection.CONFLICT
            house.clock.advance(2 * NS_PER_S)
            with SrtEncoder(stream_id=me) as again:
                assert again.call(house.port) == 0  # the first one is as good as dead
                await until(lambda: not phone.is_connected())
    async with serving(House(takeover=True)) as house:
        with SrtEncoder(stream_id=me) as phone, SrtEncoder(stream_id=me) as laptop:
            assert phone.call(house.port) == 0
            phone.send(stream)
            await until(lambda: house.pictures() == PICTURES)
            assert laptop.call(house.port) == 0
            await until(lambda: not phone.is_connected())
            laptop.send(stream)
            await until(lambda: house.pictures() == 2 * PICTURES)
            assert house.gone() == []
            assert len(house.server.connections) == 1


async def test_whoever_was_let_in_too_late_for_the_place_is_hung_up_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(House()) as house:
        with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
            assert phone.call(house.port) == 0  # the loop has not turned since
            house.publications.open("tag", "k-tag", Publisher("srt", "192.0.2.7:1"), 33, lambda _: None)
            await until(lambda: "came too late" in caplog.text)
        assert house.kinds() == [Opened]
        assert house.server.connections == set()


async def test_a_wrong_passphrase_is_complained_of(caplog: pytest.LogCaptureFixture, stream: bytes) -> None:
    async with serving(House(passphrase="0123456789")) as house:
        for passphrase in ("9876543210", ""):
            with SrtEncoder(passphrase, "publish:tag:k-tag") as stranger:
                assert stranger.call(house.port) in (Rejection.BADSECRET, Rejection.UNSECURE)
        with SrtEncoder("0123456789", "publish:tag:k-tag") as phone:
            assert phone.call(house.port) == 0
            phone.send(stream)
            await until(lambda: house.pictures() == PICTURES)
        assert caplog.text == ""
        house.clock.advance(NS_PER_S // 4)
        await until(lambda: "has the key but could not connect" in caplog.text)
        assert "see that it has the same passphrase" in caplog.text
        assert "0123456789" not in caplog.text
    async with serving(House()) as house:
        with SrtEncoder("0123456789", "publish:tag:k-tag") as stranger:
            assert stranger.call(house.port) == Rejection.UNSECURE
        house.clock.advance(NS_PER_S // 4)
        await until(lambda: "sets no passphrase" in caplog.text)


async def test_silence_and_garbage_end_the_connection(stream: bytes) -> None:
    async with serving(House()) as house:
        with (
            SrtEncoder(stream_id="publish:tag:k-tag") as silent,
            SrtEncoder(stream_id="publish:nacht:k-nacht") as garbled,
            SrtEncoder(stream_id="publish:roh:k-roh") as sound,
        ):
            for encoder in (silent, garbled, sound):
                assert encoder.call(house.port) == 0
            silent.send(stream)
            await until(lambda: house.pictures() == PICTURES)
            house.clock.advance(9 * NS_PER_S)
            garbled.send(b"\xff", 1)
            garbled.send(random.Random(5).randbytes(20_000))
            sound.send(stream)
            await until(lambda: house.kinds("nacht").count(Unusable) == 17)
            await until(lambda: house.pictures("roh") == PICTURES)
            assert len(house.server.connections) == 3
            house.clock.advance(NS_PER_S)
            await until(lambda: len(house.server.connections) == 1)
            assert house.gone() == ["publisher_silent"]
            assert house.gone("nacht") == ["publisher_garbled"]
            assert not (silent.is_connected() and garbled.is_connected())
            assert sound.is_connected()


async def test_datagrams_that_are_no_srt_harm_nobody(stream: bytes) -> None:
    chance = random.Random(7)
    async with serving(House()) as house:
        with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
            assert phone.call(house.port) == 0
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for index in range(2000):
                    junk = bytearray(chance.randbytes(chance.randrange(80)))
                    if index % 2:  # a control packet, most of them handshakes
                        junk[:4] = b"\x80\x00\x00\x00" if index % 4 == 1 else b"\x80" + chance.randbytes(3)
                    stranger.sendto(junk, ("127.0.0.1", house.port))
            phone.send(stream)
            await until(lambda: house.pictures() == PICTURES)
            assert len(house.server.connections) == 1


async def test_a_flood_waits_in_libsrt_and_not_in_the_loop(stream: bytes) -> None:
    """A publisher sends as fast as it can; in no turn are more than 32 messages of it taken."""
    async with serving(House()) as house:
        turns: list[int] = []
        with SrtEncoder(stream_id="publish:tag:k-tag") as flood:
            assert flood.call(house.port) == 0
            await until(lambda: Opened in house.kinds())
            sending = asyncio.create_task(asyncio.to_thread(flood_with, flood, stream, 100))
            try:
                told = len(house.events["tag"])
                while not sending.done() or house.pictures() < 100:
                    await asyncio.sleep(0)
                    turns.append(house.events["tag"][told:].count(Heard()))
                    told = len(house.events["tag"])
            finally:
                await sending
        assert max(turns) <= 32


def flood_with(encoder: SrtEncoder, data: bytes, times: int) -> None:
    for _ in range(times):
        while not encoder.try_send(data):
            pass


class Counted(DerivedKeys):
    """How often a key was asked for, and by which thread."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def check(self, feed_id: str, key: str) -> None:
        self.threads.append(threading.get_ident())
        super().check(feed_id, key)


async def test_the_refused_do_not_occupy_the_loop() -> None:
    """Their keys are judged in libsrt's thread, and nothing of them comes to the loop."""
    keys = Counted()
    async with serving(House(keys=keys)) as house:
        for _ in range(20):
            with SrtEncoder(stream_id="publish:tag:x") as stranger:
                assert stranger.call(house.port) == Rejection.UNAUTHORIZED
        assert len(keys.threads) == 20
        assert threading.get_ident() not in keys.threads


def call_until(done: threading.Event, port: int) -> int:
    """Call with a wrong key, again and again; how often."""
    calls = 0
    while not done.is_set() and calls < 50:  # each leaves descriptors behind for a second, on this side
        with SrtEncoder(stream_id="publish:tag:x") as stranger:
            assert stranger.call(port) == Rejection.UNAUTHORIZED
        calls += 1
    return calls


async def test_strangers_who_call_again_and_again_keep_nobody_out(stream: bytes) -> None:
    """There is no number of connections that they could use up: who has no key is never connected."""
    done = threading.Event()
    async with serving(House()) as house:
        calling = [asyncio.create_task(asyncio.to_thread(call_until, done, house.port)) for _ in range(4)]
        try:
            for turn in range(1, 4):
                with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
                    assert await asyncio.to_thread(phone.call, house.port) == 0
                    phone.send(stream)
                    await until(lambda turn=turn: house.pictures() == turn * PICTURES)  # type: ignore[misc]
                await until(lambda turn=turn: house.gone().count("publisher_left") == turn)  # type: ignore[misc]
        finally:
            done.set()
            calls = await asyncio.gather(*calling)
        assert sum(calls) > 20
        assert house.server.connections == set()


class Unreadable:
    """Keys in a file that is broken."""

    def check(self, feed_id: str, key: str) -> None:
        raise ConfigError("/var/lib/lagebild/publish-keys.json cannot be read")


class Defective:
    """A defect of ours."""

    def check(self, feed_id: str, key: str) -> None:
        raise ZeroDivisionError


@pytest.mark.parametrize("keys", [Unreadable(), Defective()])
async def test_where_keys_cannot_be_judged_nobody_comes_in(
    keys: KeyDoor, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(House(keys=keys)) as house:
        with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
            assert phone.call(house.port) == Rejection.SERVER_ERROR
            if isinstance(keys, Unreadable):
                await until(lambda: house.gone() == ["keys_unreadable"])
                assert "/var" not in str(house.events)
    assert ("could not be asked for its key" in caplog.text) is isinstance(keys, Unreadable)
    assert ("a defect of Lagebild" in caplog.text) is isinstance(keys, Defective)


async def test_complaints_are_a_line_a_second(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(House()) as house:
        for _ in range(5):
            with SrtEncoder(stream_id="publish:tag:x") as stranger:
                stranger.call(house.port)
        house.clock.advance(NS_PER_S)
        with SrtEncoder(stream_id="publish:tag:x") as stranger:
            stranger.call(house.port)
    lines = [record.message for record in caplog.records if record.name == "lagebild.ingest"]
    assert len(lines) == 2
    assert lines[1].endswith("(and 4 more)")


async def test_a_port_in_use_and_an_address_of_another_machine() -> None:
    house = House()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        settings = PublishSettings(("127.0.0.1",), srt_port=port)
        with pytest.raises(PortInUseError, match=str(port)):
            await SrtServer(house.publications, settings, house.clock).run()
    for host in ("192.0.2.1", "nobody.invalid"):
        with pytest.raises(ConfigError, match=host) as refused:
            await SrtServer(house.publications, PublishSettings((host,), srt_port=0), house.clock).run()
        assert refused.value.code == "address_refused"
    assert "srt" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("hosts", [("127.0.0.1", "::1"), ()])
async def test_several_addresses_share_one_port(hosts: tuple[str, ...], stream: bytes) -> None:
    house = House()
    settings = PublishSettings(hosts, srt_port=0, srt_latency_ms=20)
    house.server = SrtServer(house.publications, settings, house.clock)
    async with serving(house):
        *_, told = (event.detail for event in house.events["roh"] if isinstance(event, Awaited))
        port = int(told.rpartition(":")[2])
        with (
            SrtEncoder(stream_id="publish:tag:k-tag") as a,
            SrtEncoder(stream_id="publish:roh:k-roh") as b,
        ):
            assert a.call(port, "127.0.0.1") == 0
            assert b.call(port, "::1") == 0
            a.send(stream)
            b.send(stream)
            await until(lambda: house.pictures() == house.pictures("roh") == PICTURES)


async def test_the_end_of_the_server_ends_its_connections(stream: bytes) -> None:
    with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
        async with serving(House()) as house:
            assert phone.call(house.port) == 0
            phone.send(stream)
            await until(lambda: house.pictures() > 0)
        assert house.server.connections == set()
        assert house.gone() == ["publisher_left"]
        await until(lambda: not phone.is_connected())


async def test_a_server_opens_its_port_again() -> None:
    house = House()
    async with serving(house):
        port = house.port
    settings = PublishSettings(("127.0.0.1",), srt_port=port)
    server = SrtServer(house.publications, settings, house.clock)
    task = asyncio.ensure_future(server.run())
    await until(lambda: len(house.events["roh"]) == 3 or task.done())
    with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
        assert phone.call(port) == 0
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
