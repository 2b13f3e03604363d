"""Encoders that listen for SRT, called by us; and what a machine without libsrt says."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from flow.clock import SystemClock
from flow.errors import LagebildError, SourceError
from flow.flights import SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from ingest import libsrt
from ingest.libsrt import Address, Rejection
from ingest.open import open_source
from ingest.protocol.events import Opened, SourceEvent, SourcePicture
from ingest.settings import FeedSource, IngestSettings, PublishSettings
from ingest.sources import srt_caller
from ingest.srt_waiting import waiting
from ingest.supervisor import Ingest
from tests.fakes.derived_keys import DerivedKeys
from tests.fakes.srt_encoder import SrtEncoder

from .material import coded, written

DEADLINE_S = 10.0
PICTURES = 10
SECRETS = "streamid=secret-id&passphrase=secret-phrase"


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """MPEG-TS of ten pictures."""
    path = tmp_path_factory.mktemp("srt") / "clip.ts"
    return written(path, coded(PICTURES), format="mpegts").read_bytes()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.002)  # libsrt goes by its own clock


class Call:
    """What a source told, and how it ended."""

    def __init__(self, url: str) -> None:
        self.events: list[SourceEvent] = []
        source = open_source(FeedSource("tag", url), SystemClock())
        self.task = asyncio.ensure_future(source.run(self.events.append))

    async def failed(self) -> LagebildError:
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(LagebildError) as raised:
                await self.task
        assert "secret" not in str(raised.value)
        return raised.value


@asynccontextmanager
async def calling(url: str) -> AsyncIterator[Call]:
    call = Call(url)
    try:
        yield call
    finally:
        call.task.cancel()
        await asyncio.wait([call.task])
        if not call.task.cancelled():
            call.task.exception()
    assert "srt" not in {thread.name for thread in threading.enumerate()}


async def test_an_encoder_is_called_sends_and_hangs_up(stream: bytes) -> None:
    asked: list[str] = []

    def ask(number: int, caller: Address, stream_id: str) -> int:
        asked.append(stream_id)
        return 0

    with SrtEncoder("secret-phrase") as encoder:
        port = encoder.listen(ask)
        async with calling(f"srt://127.0.0.1:{port}?latency=30&{SECRETS}") as call:
            await until(encoder.was_called)
            assert asked == ["secret-id"]
            await until(lambda: call.events == [Opened(f"srt://127.0.0.1:{port}", 33)])
            encoder.send(stream)
            await until(lambda: [*map(type, call.events)].count(SourcePicture) == PICTURES)
            encoder.hang_up()
            error = await call.failed()
    assert isinstance(error, SourceError)
    assert error.code == "connection_lost"


async def test_we_hang_up_when_the_feed_ends() -> None:
    with SrtEncoder() as encoder:
        async with calling(f"srt://localhost:{encoder.listen()}"):
            await until(encoder.was_called)
            assert encoder.is_connected()
        await until(lambda: not encoder.is_connected())


@pytest.mark.parametrize(
    ("passphrase", "code", "reason"),
    [
        ("secret-other", 0, "passphrase_wrong"),
        ("", 0, "passphrase_wrong"),
        ("secret-phrase", Rejection.UNAUTHORIZED, "srt_refused"),
    ],
)
async def test_who_refuses_us_is_told_apart(passphrase: str, code: int, reason: str) -> None:
    with SrtEncoder(passphrase) as encoder:
        port = encoder.listen(lambda *_: code)
        async with calling(f"srt://127.0.0.1:{port}?{SECRETS}") as call:
            error = await call.failed()
    assert error.code == reason
    assert f"srt://127.0.0.1:{port}" in str(error)
    assert "1401" in str(error) or reason != "srt_refused"
    assert call.events == []


async def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srt_caller, "CONNECT_MOST_MS", 300)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        async with calling(f"srt://127.0.0.1:{mute.getsockname()[1]}?{SECRETS}") as call:
            error = await call.failed()
            assert (error.code, call.events) == ("unreachable", [])
    for host in ("nobody.invalid", "a" * 70 + ".invalid", "[::1%nowhere]", "[::ffff]"):
        async with calling(f"srt://{host}:9?{SECRETS}") as call:
            assert (await call.failed()).code == "unreachable"


async def test_all_of_a_loop_share_one_thread() -> None:
    async with waiting() as one, waiting() as other:
        assert one is other
        assert [thread.name for thread in threading.enumerate()].count("srt") == 1
    async with waiting() as later:
        assert later is not one
    assert "srt" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def no_libsrt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(libsrt, "SONAMES", ("libsrt-of-nobody.so.9", "libc.so.6"))  # not there; no libsrt
    monkeypatch.setattr(libsrt, "NAMES", ("srt-of-nobody",))
    for cached in (libsrt.load, libsrt._found):
        cached.cache_clear()
    yield
    for cached in (libsrt.load, libsrt._found):
        cached.cache_clear()


@pytest.mark.usefixtures("no_libsrt")
async def test_without_libsrt_srt_is_off_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bus = MemoryBus()
    feeds = [FeedSource("push", "srt"), FeedSource("call", "srt://127.0.0.1:9000"), FeedSource("any", "push")]
    settings = IngestSettings(tuple(feeds), publish=PublishSettings(rtmp_port=0, srt_port=0))
    task = asyncio.ensure_future(Ingest(bus, SystemClock(), settings, keys=DerivedKeys()).run())

    def reason(feed_id: str) -> str:
        state = bus.peek(SourceState, feed_id)
        return "" if state is None else f"{state.status} {state.reason}"

    try:
        off = f"{SourceStatus.LOST} srt_missing"
        await until(lambda: (reason("push"), reason("call")) == (off, off))
        await until(lambda: reason("any") == f"{SourceStatus.CONNECTING} no_publisher")
    finally:
        task.cancel()
        await asyncio.wait([task])
        await bus.aclose()
    lines = [record.message for record in caplog.records if record.message.startswith("nobody can publish")]
    (line,) = lines
    assert "libsrt is not installed" in line


@pytest.mark.usefixtures("no_libsrt")
async def test_an_encoder_is_called_once_libsrt_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = MemoryBus()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = IngestSettings((FeedSource("call", f"srt://127.0.0.1:{port}"),), retry_first_s=0.05)
    task = asyncio.ensure_future(Ingest(bus, SystemClock(), settings).run())

    def reason() -> str:
        state = bus.peek(SourceState, "call")
        return state.reason if state else ""

    try:
        await until(lambda: reason() == "srt_missing")
        monkeypatch.undo()  # what the fixture has taken away is there again
        with SrtEncoder() as encoder:
            encoder.socket.listen(Address("127.0.0.1", port), 4, lambda *_: 0)
            await until(encoder.was_called)
    finally:
        task.cancel()
        await asyncio.wait([task])
        await bus.aclose()
