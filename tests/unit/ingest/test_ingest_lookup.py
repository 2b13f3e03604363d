"""Names that cannot be resolved harm nobody else; and connections to the first address that answers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

import pytest

from flow import lookup
from flow.clock import SystemClock
from flow.errors import SourceError
from flow.lookup import LOOK_UPS_MOST, connected, look_up
from ingest.open import open_source
from ingest.protocol.events import Opened, SourceEvent, SourcePicture
from ingest.protocol.rtsp_messages import Interleaved
from ingest.settings import FeedSource
from ingest.sources import rtsp, srt_caller
from tests.fakes.srt_encoder import SrtEncoder

from .material import coded, written
from .test_ingest_rtsp_source import Caller, datagrams, serving, stay

DEADLINE_S = 10.0
NAMES_MANY = 20  # the event loop's own executor has six threads on a machine with two cores


class Resolver:
    """Asked for a name of `.invalid`, it says nothing until it is let go; all others it knows."""

    def __init__(self) -> None:
        self._real = socket.getaddrinfo
        self.let_go = threading.Event()
        self.asked: Counter[str] = Counter()
        self.known: dict[str, list[tuple[Any, ...]]] = {}

    def __call__(self, host: str, port: int, *args: Any, **how: Any) -> Any:
        if how.get("flags"):  # libc asks nobody
            return self._real(host, port, *args, **how)
        self.asked[host] += 1
        if host in self.known:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", at) for at in self.known[host]]
        if host.endswith(".invalid"):
            self.let_go.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "nobody knows")
        return self._real(host, port, *args, **how)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.let_go.set()
    for thread in threading.enumerate():
        if thread.name == "look-up":
            thread.join(DEADLINE_S)
    assert lookup._running == {}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.002)


class Feeds:
    """Running sources by their URLs, and what they told."""

    def __init__(self, *urls: str) -> None:
        self.events: dict[str, list[SourceEvent]] = {url: [] for url in urls}
        self._tasks = {
            url: asyncio.ensure_future(
                open_source(FeedSource("f", url, transport="tcp"), SystemClock()).run(events.append)
            )
            for url, events in self.events.items()
        }

    def failure(self, url: str) -> BaseException | None:
        task = self._tasks[url]
        return task.exception() if task.done() else None

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def camera(caller: Caller) -> None:
    await caller.play("RTP/AVP/TCP;interleaved=0-1")
    for datagram in datagrams():
        caller.writer.write(Interleaved(0, datagram).serialize())
    await stay(caller)


async def test_names_that_nobody_answers_for_harm_no_other_feed_and_nothing_else(
    resolver: Resolver, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bad = [f"rtsp://kamera-{index}.invalid/main" for index in range(NAMES_MANY)]
    bad += [f"srt://encoder-{index}.invalid:9000" for index in range(NAMES_MANY)]
    stream = written(tmp_path_factory.mktemp("srt") / "clip.ts", coded(10), format="mpegts").read_bytes()
    async with AsyncExitStack() as stack:
        lost = Feeds(*bad)
        stack.push_async_callback(lost.stop)
        await until(lambda: len(resolver.asked) == 2 * NAMES_MANY)

        address = await stack.enter_async_context(serving(camera))
        encoder = stack.enter_context(SrtEncoder())
        good = [address.replace("127.0.0.1", "localhost"), f"srt://localhost:{encoder.listen()}"]
        well = Feeds(*good)
        stack.push_async_callback(well.stop)
        async with asyncio.timeout(DEADLINE_S):
            assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()
        await until(encoder.was_called)
        encoder.send(stream)
        for url in good:
            await until(lambda url=url: any(isinstance(e, SourcePicture) for e in well.events[url]))  # type: ignore[misc]
            assert isinstance(well.events[url][0], Opened)
        assert not any(lost.failure(url) for url in bad)
        resolver.let_go.set()
        await until(lambda: all(lost.failure(url) for url in bad))
        assert {str(lost.failure(url)).rpartition(": ")[2] for url in bad} == {"there is no such name"}


async def test_a_feed_that_tries_again_and_again_asks_once(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up cannot be called off, so what has begun is waited for again."""
    monkeypatch.setattr(rtsp, "CONNECT_MOST_S", 0.02)
    monkeypatch.setattr(srt_caller, "_RESOLVE_MOST_S", 0.02)
    for url in ("rtsp://kamera.invalid/main", "srt://kamera.invalid:9000"):
        for _ in range(5):
            with pytest.raises(SourceError) as raised:
                await open_source(FeedSource("f", url), SystemClock()).run(lambda event: None)
            assert raised.value.code == "unreachable"
    assert resolver.asked == {"kamera.invalid": 2}


async def test_there_is_a_bound_to_what_is_looked_up_at_once(resolver: Resolver) -> None:
    waiting = [
        asyncio.ensure_future(look_up(f"n{index}.invalid", 1, socket.SOCK_STREAM))
        for index in range(LOOK_UPS_MOST)
    ]
    await until(lambda: len(resolver.asked) == LOOK_UPS_MOST)
    with pytest.raises(OSError, match="too many"):
        await look_up("one-more.invalid", 1, socket.SOCK_STREAM)
    resolver.let_go.set()
    for each in waiting:
        with pytest.raises(socket.gaierror):
            await each
    assert await look_up("localhost", 1, socket.SOCK_STREAM)


async def test_an_address_is_nobodys_question(resolver: Resolver) -> None:
    assert [each.address[:2] for each in await look_up("127.0.0.1", 7, socket.SOCK_STREAM)] == [
        ("127.0.0.1", 7)
    ]
    assert [each.address[:2] for each in await look_up("::1", 7, socket.SOCK_DGRAM)] == [("::1", 7)]
    assert not resolver.asked


@contextmanager
def listening(host: str, port: int = 0) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind((host, port))
        listener.listen()
        yield listener


@contextmanager
def mute(port: int) -> Iterator[tuple[str, int]]:
    """Where nobody answers and nobody refuses: who is not accepted fills all the places."""
    with socket.socket() as listener, socket.socket() as one, socket.socket() as other:
        listener.bind(("127.0.0.2", port))
        listener.listen(0)
        for waits in (one, other):
            waits.setblocking(False)
            with suppress(BlockingIOError):
                waits.connect(listener.getsockname())
        yield listener.getsockname()


async def test_of_several_addresses_the_first_that_answers_is_taken(resolver: Resolver) -> None:
    with listening("127.0.0.1") as listener:
        port = listener.getsockname()[1]
        with mute(port) as silent:
            resolver.known["kamera"] = [silent, ("127.0.0.3", port), listener.getsockname()]
            async with asyncio.timeout(DEADLINE_S):
                with await connected("kamera", port) as sock:
                    assert sock.getpeername() == listener.getsockname()
    resolver.known["kamera"] = [("127.0.0.3", port), ("127.0.0.4", port)]
    with pytest.raises(ConnectionRefusedError):
        await connected("kamera", port)


@pytest.mark.parametrize("addresses", [1, 2])
async def test_whoever_is_cancelled_leaves_no_socket_open(resolver: Resolver, addresses: int) -> None:
    """One that is left to the garbage collector would fail this test."""
    with listening("127.0.0.1") as listener:
        resolver.known["kamera"] = [listener.getsockname()] * addresses
        for turns in range(16):
            calling = asyncio.ensure_future(connected("kamera", listener.getsockname()[1]))
            for _ in range(turns):
                await asyncio.sleep(0)
            calling.cancel()
            with suppress(asyncio.CancelledError):
                (await calling).close()
        await asyncio.sleep(0)
