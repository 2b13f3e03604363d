"""The RTSP source on real sockets, with a server that does what no honest one does."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from flow.clock import NS_PER_S, Clock, SystemClock
from flow.codec import h264
from flow.codec.rtp import RtpPacket, SenderReport
from flow.errors import ConfigError, LagebildError
from flow.units import Codec
from ingest.open import open_source
from ingest.protocol.events import ClockReport, Opened, ParameterSets, SourceEvent, SourcePicture, Unusable
from ingest.protocol.rtsp_messages import Interleaved
from ingest.protocol.rtsp_url import RtspUrl
from ingest.settings import FeedSource
from ingest.sources.rtsp import RtspSource
from ingest.sources.udp_pair import UdpPair
from tests.fakes.clock import FakeClock

from .material import coded

DEADLINE_S = 20
REPORT = SenderReport(5, 7 * NS_PER_S, 0, 0, 0).serialize()
PICTURES = coded(6)
SDP = (
    "v=0\r\nm=video 0 RTP/AVP 96\r\na=control:t1\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 sprop-parameter-sets=aOvjyyLA\r\n"
)


def datagrams(run: int = 0) -> list[bytes]:
    """All pictures as RTP, for the n-th time."""
    made: list[bytes] = []
    for index, picture in enumerate(PICTURES):
        payloads = h264.packetize(picture.data)
        for number, payload in enumerate(payloads, 1):
            marker = number == len(payloads)
            sequence, timestamp = 1000 * run + len(made), 3000 * (len(PICTURES) * run + index)
            packet = RtpPacket(96, marker, sequence % 65_536, timestamp, 5, payload)
            made.append(packet.serialize())
    return made


class Caller:
    """One connection to the server, with the requests that came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.asked: list[str] = []

    async def request(self) -> str:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head)
        return head

    def answer(self, head: str, *fields: str, status: str = "200 OK", body: str = "") -> None:
        cseq = re.search(r"CSeq: (\d+)", head)
        assert cseq is not None
        lines = [f"RTSP/1.0 {status}", f"CSeq: {cseq[1]}", f"Content-Length: {len(body)}", *fields]
        self.writer.write("\r\n".join([*lines, "", body]).encode())

    async def play(self, transport: str) -> str:
        """Answer well up to PLAY; returns the SETUP that was asked for."""
        for fields, body in (((), ""), ((), SDP), ((f"Transport: {transport}", "Session: 1"), ""), ((), "")):
            self.answer(await self.request(), *fields, body=body)
        return self.asked[2]


@asynccontextmanager
async def serving(behave: Callable[[Caller], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that meets every caller with `behave`; gives its URL."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await behave(Caller(reader, writer))
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with server:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/main"


class Watched:
    """A running source, its events and how it ended."""

    def __init__(self, url: str, transport: str = "tcp", clock: Clock | None = None) -> None:
        self.events: list[SourceEvent] = []
        source = RtspSource(RtspUrl.parse(url), transport, clock or SystemClock())
        self.task = asyncio.ensure_future(source.run(self.events.append))

    @property
    def pictures(self) -> int:
        return sum(isinstance(event, SourcePicture) for event in self.events)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                assert not self.task.done(), self.task
                await asyncio.sleep(0.005)

    async def failure(self) -> LagebildError:
        with pytest.raises(LagebildError) as raised:
            await asyncio.wait_for(self.task, DEADLINE_S)
        return raised.value

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


async def stay(caller: Caller) -> None:
    await caller.reader.read()


async def test_by_tcp_the_pictures_come_with_their_parameter_sets_and_leave_is_taken() -> None:
    left: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def camera(caller: Caller) -> None:
        await caller.play("RTP/AVP/TCP;interleaved=2-3")
        caller.writer.write(Interleaved(3, REPORT).serialize())
        for datagram in datagrams():
            caller.writer.write(Interleaved(2, datagram).serialize())
        left.set_result(await caller.request())

    async with serving(camera) as url:
        watched = Watched(url)
        await watched.until(lambda: watched.pictures == len(PICTURES))
        await watched.stop()
        assert (await asyncio.wait_for(left, DEADLINE_S)).startswith("TEARDOWN ")
    assert ClockReport(7 * NS_PER_S, 0) in watched.events
    assert watched.events[0] == Opened(url, 32)
    assert watched.events[1] == ParameterSets(Codec.H264, b"\x00\x00\x00\x01" + bytes.fromhex("68ebe3cb22c0"))


async def test_by_udp_only_the_camera_is_heard() -> None:
    opened: list[bytes] = []

    async def camera(caller: Caller) -> None:
        rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        with rtp, rtcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for sock, address in ((rtp, "127.0.0.1"), (rtcp, "127.0.0.1"), (stranger, "127.0.0.2")):
                sock.bind((address, 0))
            ports = f"server_port={rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"
            setup = await caller.play(f"RTP/AVP;unicast;{ports}")
            wanted = re.search(r"client_port=(\d+)-(\d+)", setup)
            assert wanted is not None
            port = int(wanted[1])
            assert (port % 2, int(wanted[2])) == (0, port + 1)
            for sock in (rtp, rtcp):
                sock.settimeout(5)
                opened.append(sock.recv(100))
            rtcp.sendto(REPORT, ("127.0.0.1", port + 1))
            for datagram in datagrams():
                stranger.sendto(datagram, ("127.0.0.1", port))
                rtp.sendto(datagram, ("127.0.0.1", port))
            await stay(caller)

    async with serving(camera) as url:
        watched = Watched(url, "udp")
        await watched.until(lambda: watched.pictures == len(PICTURES))
        await watched.stop()
    assert any(isinstance(event, ClockReport) for event in watched.events)
    assert [packet[1] for packet in opened] == [127, 201]
    refused = [event for event in watched.events if isinstance(event, Unusable)]
    assert {event.reason for event in refused} == {"forbidden_sender"}
    assert len(refused) == len(datagrams())
    assert not any(isinstance(e, SourcePicture) and e.damaged for e in watched.events)


async def test_where_nothing_comes_by_udp_tcp_follows_on_a_new_connection() -> None:
    calls: list[Caller] = []
    clock = FakeClock()

    async def camera(caller: Caller) -> None:
        calls.append(caller)
        if len(calls) == 1:
            assert "client_port" in await caller.play("RTP/AVP;unicast;server_port=9-10")
            with suppress(asyncio.IncompleteReadError):
                while True:
                    await caller.request()
        assert "interleaved" in await caller.play("RTP/AVP/TCP;interleaved=0-1")
        for datagram in datagrams():
            caller.writer.write(Interleaved(0, datagram).serialize())
        await stay(caller)

    async with serving(camera) as url:
        watched = Watched(url, "auto", clock)
        await watched.until(lambda: bool(calls) and len(calls[0].asked) == 4)

        def advanced() -> bool:
            clock.advance(NS_PER_S // 10)
            return watched.pictures == len(PICTURES)

        await watched.until(advanced)
        await watched.stop()
    assert len(calls) == 2
    assert calls[0].asked[-1].startswith("TEARDOWN ")
    assert sum(isinstance(event, Opened) for event in watched.events) == 1


async def test_receiver_reports_and_signs_of_life_are_sent() -> None:
    heard = bytearray()
    clock = FakeClock()

    async def camera(caller: Caller) -> None:
        await caller.play("RTP/AVP/TCP;interleaved=0-1")
        for datagram in datagrams():
            caller.writer.write(Interleaved(0, datagram).serialize())
        while data := await caller.reader.read(4096):
            heard.extend(data)
            caller.writer.write(Interleaved(0, datagrams()[-1]).serialize())

    async with serving(camera) as url:
        watched = Watched(url, "tcp", clock)
        await watched.until(lambda: watched.pictures == len(PICTURES))

        def advanced() -> bool:
            clock.advance(NS_PER_S // 4)
            return heard.count(b"$\x01") >= 4 and b"OPTIONS " in heard

        await watched.until(advanced)
        await watched.stop()
    assert heard[:8] == b"$\x01\x00\x34\x81\xc9\x00\x07"


async def test_redirects_are_followed_but_not_for_ever() -> None:
    async def camera(caller: Caller) -> None:
        await caller.play("RTP/AVP/TCP;interleaved=0-1")
        for datagram in datagrams():
            caller.writer.write(Interleaved(0, datagram).serialize())
        await stay(caller)

    async with serving(camera) as there:

        async def pointer(caller: Caller) -> None:
            caller.answer(await caller.request(), f"Location: {there}", status="302 Moved")
            await stay(caller)

        async with serving(pointer) as here:
            watched = Watched(here)
            await watched.until(lambda: watched.pictures == len(PICTURES))
            await watched.stop()
            assert watched.events[0] == Opened(there, 32)

    async def traitor(caller: Caller) -> None:
        caller.answer(await caller.request(), "Location: rtsp://192.0.2.8/main", status="302 Moved")
        await stay(caller)

    async with serving(traitor) as url:
        failure = await Watched(url).failure()
    assert failure.code == "redirected"
    assert "another host, rtsp://192.0.2.8/main" in str(failure)

    calls = 0

    async def circle(caller: Caller) -> None:
        nonlocal calls
        calls += 1
        caller.answer(await caller.request(), "Location: /again", status="301 Moved")
        await stay(caller)

    async with serving(circle) as url:
        assert (await Watched(url).failure()).code == "redirected"
    assert calls == 5


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "not_rtsp"),
        (b"\x16\x03\x01\x00\xa5", "not_rtsp"),
        (b"", "connection_lost"),
        (b"RTSP/1.0 200 OK\r\nCSe", "connection_lost"),
    ],
)
async def test_who_is_no_camera_is_named(said: bytes, code: str) -> None:
    async def stranger(caller: Caller) -> None:
        caller.writer.write(said)
        await caller.writer.drain()
        await caller.request()

    async with serving(stranger) as url:
        error = await Watched(url).failure()
    assert error.code == code
    assert url in str(error)


async def test_a_port_without_a_server_and_a_name_without_a_host_are_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"rtsp://u:geheim@127.0.0.1:{taken.getsockname()[1]}/main"
        error = await Watched(url).failure()
    assert error.code == "unreachable"
    assert str(error).endswith("/main cannot be reached: Connection refused")
    assert "geheim" not in str(error)
    assert (await Watched(f"rtsp://{'a' * 64}.invalid/main").failure()).code == "unreachable"


async def test_a_server_that_never_answers_is_given_up_after_ten_seconds() -> None:
    called = asyncio.Event()
    clock = FakeClock()

    async def mute(caller: Caller) -> None:
        await caller.request()
        called.set()
        await stay(caller)

    async with serving(mute) as url:
        watched = Watched(url, "tcp", clock)
        await asyncio.wait_for(called.wait(), DEADLINE_S)

        def advanced() -> bool:
            clock.advance(NS_PER_S // 4)
            return watched.task.done()

        began_ns = clock.now_ns()
        async with asyncio.timeout(DEADLINE_S):
            while not advanced():
                await asyncio.sleep(0)
        assert (await watched.failure()).code == "no_answer"
        assert 10 * NS_PER_S <= clock.now_ns() - began_ns <= 12 * NS_PER_S


async def test_a_wrong_password_is_tried_once_and_never_again() -> None:
    asked: list[str] = []

    async def camera(caller: Caller) -> None:
        while True:
            asked.append(await caller.request())
            challenge = 'WWW-Authenticate: Digest realm="c", nonce="n"'
            caller.answer(asked[-1], challenge, status="401 Unauthorized")

    async with serving(camera) as url:
        error = await Watched(url.replace("rtsp://", "rtsp://u:geheim@")).failure()
    assert isinstance(error, ConfigError)
    assert error.code == "auth_refused"
    assert ["Authorization" in head for head in asked] == [False, True]


async def test_a_flood_stalls_nobody_and_ends_with_the_source() -> None:
    async def flood(caller: Caller) -> None:
        await caller.play("RTP/AVP/TCP;interleaved=0-1")
        for run in itertools.count():
            for datagram in datagrams(run):
                caller.writer.write(Interleaved(0, datagram).serialize())
            await caller.writer.drain()

    async with serving(flood) as url:
        watched = Watched(url)
        await watched.until(lambda: watched.pictures >= 50)
        await asyncio.wait_for(watched.stop(), 5)


def test_the_ports_are_neighbours_and_given_back() -> None:
    pairs = [UdpPair("127.0.0.1", "127.0.0.1") for _ in range(20)]
    assert len({pair.ports for pair in pairs}) == 20
    assert all(rtp % 2 == 0 and rtcp == rtp + 1 for rtp, rtcp in (pair.ports for pair in pairs))
    for pair in pairs:
        pair.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", pairs[0].ports[0]))


def test_addresses_of_cameras_name_sources() -> None:
    clock = FakeClock()
    url = "rtsp://u:p@192.0.2.7/main"
    assert open_source(FeedSource("f", url), clock) == RtspSource(RtspUrl.parse(url), "auto", clock)
    for wrong in (FeedSource("f", url, transport="sctp"), FeedSource("f", "rtsp://:geheim@/")):
        with pytest.raises(ConfigError) as raised:
            open_source(wrong, clock)
        assert raised.value.code == "unsupported_url"
        assert "geheim" not in str(raised.value)
