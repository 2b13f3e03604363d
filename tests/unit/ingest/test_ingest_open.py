from __future__ import annotations

import asyncio
import errno
import socket
import sys
from itertools import pairwise
from typing import Any, ClassVar

import pytest

from flow.errors import ConfigError, PortInUseError
from ingest.open import open_source
from ingest.protocol.events import Opened, SourceEvent, Unusable
from ingest.protocol.srt_address import SrtUrl
from ingest.settings import FeedSource
from ingest.sources.file import FileSource
from ingest.sources.mpegts import MpegTsSource
from ingest.sources.rtp import RtpSource
from ingest.sources.srt_caller import SrtSource
from ingest.sources.udp import Batch, Endpoint, UdpPort, listen
from tests.fakes.clock import FakeClock

CLOCK = FakeClock()


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("rtp://127.0.0.1:5600", RtpSource(Endpoint("127.0.0.1", 5600), CLOCK)),
        ("RTP://[::1]:5600/", RtpSource(Endpoint("::1", 5600), CLOCK)),
        ("udp://127.0.0.1:5004", MpegTsSource(Endpoint("127.0.0.1", 5004), CLOCK)),
        ("srt://192.0.2.7:9000?latency=20", SrtSource(SrtUrl("192.0.2.7", 9000, latency_ms=20), CLOCK)),
        ("file:flight.mp4", FileSource("flight.mp4", None, False, CLOCK)),
        ("file:///data/flight.mp4", FileSource("/data/flight.mp4", None, False, CLOCK)),
        ("/data/flight 14:03.mp4", FileSource("/data/flight 14:03.mp4", None, False, CLOCK)),
        ("flight.h264", FileSource("flight.h264", None, False, CLOCK)),
    ],
)
def test_urls_name_sources(url: str, source: object) -> None:
    assert open_source(FeedSource("f", url), CLOCK) == source


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("rtsps://camera/main", "rtsps:// sources are not in this version"),
        ("rtmp://0.0.0.0/live", "rtmp:// sources are not in this version"),
        ("gopher://x", "'gopher' is no kind of source"),
        ("rtp://127.0.0.1", "needs an address and a port"),
        ("udp://:5004", "needs an address and a port"),
        ("rtp://127.0.0.1:99999", "rtp://127.0.0.1:99999"),
        ("udp://127.0.0.1:geheim@x", "udp://x"),
        ("rtp://u:geheim@127.0.0.1", "rtp://127.0.0.1 needs"),
        ("rtp://127.0.0.1:5600x?geheim", "rtp://127.0.0.1:5600x has no"),
    ],
)
def test_other_urls_are_refused_with_what_is_possible(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match="possible are rtp://") as raised:
        open_source(FeedSource("f", url), CLOCK)
    assert said in str(raised.value)
    assert "geheim" not in str(raised.value)
    assert raised.value.code == "unsupported_url"


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("0.0.0.0", 0),
        Endpoint("::", 0),
        Endpoint("camera.example", 0),
        Endpoint("192.0.2.1", 0, ("10.0.0.0/8",)),  # TEST-NET-1: no machine has it
        Endpoint("127.0.0.1", 0, ("nobody",)),
    ],
)
def test_addresses_that_may_not_or_cannot_be_bound_are_refused(endpoint: Endpoint) -> None:
    with pytest.raises(ConfigError) as raised:
        UdpPort(endpoint)
    assert raised.value.code == "address_refused"
    assert str(endpoint.port) in str(raised.value)


def test_a_port_in_use_is_said_to_be_that() -> None:
    with UdpPort(Endpoint("127.0.0.1", 0)) as port:
        taken = int(port.address.rpartition(":")[2])
        with pytest.raises(PortInUseError, match=f"127.0.0.1:{taken} is in use"):
            UdpPort(Endpoint("127.0.0.1", taken))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_a_port_open_to_the_network_hears_only_who_is_named(host: str) -> None:
    with UdpPort(Endpoint(host, 0, ("127.0.0.2", "10.1.0.0/16"))) as port:
        number = int(port.address.rpartition(":")[2])
        for address in ("127.0.0.1", "127.0.0.2"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind((address, 0))
                sender.sendto(address.encode(), ("127.0.0.1", number))
        batch = await first_batch(port)
    assert [(data, sender.allowed) for data, sender in batch] == [(b"127.0.0.1", False), (b"127.0.0.2", True)]


async def first_batch(port: UdpPort) -> Batch:
    arrived: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(port.serve(arrived.set_result))
    try:
        return await asyncio.wait_for(arrived, 10)
    finally:
        serving.cancel()
        await asyncio.wait([serving])


async def test_what_a_batch_runs_into_ends_the_port() -> None:
    def fail(batch: Batch) -> None:
        raise ValueError(batch[0][0])

    with UdpPort(Endpoint("127.0.0.1", 0)) as port:
        number = int(port.address.rpartition(":")[2])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"anything", ("127.0.0.1", number))
        with pytest.raises(ValueError, match="anything"):
            await asyncio.wait_for(port.serve(fail), 10)


async def test_a_flood_takes_a_small_batch_a_turn_and_leaves_the_others_theirs() -> None:
    """All that waits is read, with a turn of everybody else between two batches."""
    sizes: list[int] = []
    turns: list[int] = []
    turned = 0

    def count() -> None:
        nonlocal turned
        turned += 1
        loop.call_soon(count)

    def take(batch: Batch) -> None:
        sizes.append(len(batch))
        turns.append(turned)
        if sum(sizes) == 300:
            done.set()

    loop, done = asyncio.get_running_loop(), asyncio.Event()
    with (
        UdpPort(Endpoint("127.0.0.1", 0)) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for _ in range(300):
            sender.sendto(bytes(188), ("127.0.0.1", port.port))
        serving = asyncio.ensure_future(port.serve(take))
        loop.call_soon(count)
        await asyncio.wait_for(done.wait(), 10)
        serving.cancel()
        await asyncio.wait([serving])
    assert max(sizes) <= 32
    assert all(before < after for before, after in pairwise(turns))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a socket drops")
@pytest.mark.parametrize(
    "answer", [OSError(errno.ENOPROTOOPT, "Protocol not available"), bytes(32)], ids=["refused", "short"]
)
async def test_a_kernel_that_does_not_count_what_it_drops_costs_no_datagram(
    answer: OSError | bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old ones, and sandboxes that play a kernel, do not know the option, or give fewer than nine numbers."""

    class Unasked(socket.socket):
        def getsockopt(self, level: int, *_: int) -> Any:
            asked.append(level)
            if isinstance(answer, OSError):
                raise answer
            return answer

    class Counting:
        SCHEME: ClassVar = "rtp"
        TIMESTAMP_BITS: ClassVar = 32

        def handle(self, datagram: bytes, sender: str, now_ns: int) -> list[SourceEvent]:
            came.append(datagram)
            return []

    def publish(event: SourceEvent) -> None:
        events.append(event)
        if isinstance(event, Opened):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(100):
                    sender.sendto(bytes(188), ("127.0.0.1", int(event.address.rpartition(":")[2])))

    asked, came, events = list[int](), list[bytes](), list[SourceEvent]()
    monkeypatch.setattr(socket, "socket", Unasked)
    listening = asyncio.ensure_future(listen(Endpoint("127.0.0.1", 0), Counting(), CLOCK, publish))
    async with asyncio.timeout(10):
        while len(came) < 100 and not listening.done():
            await asyncio.sleep(0)
    assert not listening.done()
    listening.cancel()
    await asyncio.wait([listening])
    assert len(asked) == 3
    assert [type(event) for event in events] == [Opened], "nothing was lost"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a socket drops")
async def test_what_comes_faster_than_it_is_read_is_counted_and_told() -> None:
    told: asyncio.Future[Unusable] = asyncio.get_running_loop().create_future()

    def take(event: SourceEvent) -> None:
        match event:
            case Opened(address):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    for _ in range(12_000):  # more than a buffer of any size that the kernel grants
                        sender.sendto(bytes(1316), ("127.0.0.1", int(address.rpartition(":")[2])))
            case Unusable("overrun") if not told.done():
                told.set_result(event)

    task = asyncio.ensure_future(open_source(FeedSource("f", "udp://127.0.0.1:0"), CLOCK).run(take))
    event = await asyncio.wait_for(told, 10)
    task.cancel()
    await asyncio.wait([task])
    assert int(event.detail.split()[0]) > 1000
    assert "faster than they can be read" in event.detail


async def test_a_source_reports_its_port_and_who_was_refused() -> None:
    events: list[SourceEvent] = []
    refused = asyncio.Event()

    def take(event: SourceEvent) -> None:
        events.append(event)
        if isinstance(event, Opened):
            number = int(event.address.rpartition(":")[2])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"anything", ("127.0.0.1", number))
        else:
            refused.set()

    feed = FeedSource("f", "rtp://127.0.0.1:0", allow_from=("10.0.0.7",))
    task = asyncio.ensure_future(open_source(feed, CLOCK).run(take))
    await asyncio.wait_for(refused.wait(), 10)
    task.cancel()
    await asyncio.wait([task])
    assert isinstance(events[0], Opened)
    assert events[0].timestamp_bits == 32
    assert isinstance(events[1], Unusable)
    assert events[1].reason == "forbidden_sender"
