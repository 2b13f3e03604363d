"""CoT to real servers: datagrams, a stream, TLS; each destination by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from flow.clock import NS_PER_S, SystemClock
from flow.doors import CameraLook, GroundPoint
from flow.errors import NotFoundError
from flow.flights import Ellipse, Feed, Marker
from flow.markers import MARKERS_MOST
from flow.memory_bus import MemoryBus
from flow.samples import Group, OutputState, Place, TelemetrySample
from telemetry.protocol.cot import Event
from telemetry.settings import CotOut, TelemetrySettings, TsOut
from telemetry.share import cot_out
from telemetry.share.cot_out import CotSender, Destination
from tests.fakes.certificates import Authority
from tests.fakes.clock import FakeClock

CAMERAS = (Feed("tag", "fritz", "Tag"), Feed("waerme", "fritz", "Wärme"))


class TakServer:
    """Takes connections, says something itself as TAK servers do, and reads events one by one."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls, self.port = tls, 0
        self._connections: list[asyncio.StreamWriter] = []
        self._events: asyncio.Queue[ET.Element] = asyncio.Queue()
        self.people: list[object] = []

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[TakServer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await asyncio.sleep(0.01)

    def hang_up(self) -> None:
        for writer in self._connections:
            writer.transport.abort()
        self._connections.clear()

    async def event(self) -> ET.Element:
        async with asyncio.timeout(10):
            return await self._events.get()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.append(writer)
        self.people.append(writer.get_extra_info("peercert"))
        writer.write(b"<event>of somebody else</event>" * 100)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                data = await reader.readuntil(b"</event>")
                self._events.put_nowait(ET.fromstring(data.strip()))


class Looks:
    """A TelemetryDoor that knows one camera."""

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        if feed_id != "tag":
            raise NotFoundError(feed_id)
        centre = GroundPoint(feed_id, utc_ns, Place(49.5, 7.7), 100.0, Ellipse(5, 5, 0), False)
        return CameraLook(feed_id, utc_ns, centre=centre)

    def ground(self, feed_id: str, x: float, y: float, utc_ns: int) -> GroundPoint:
        raise NotImplementedError


class House:
    """A running sender and its bus."""

    def __init__(self, cot: CotOut, ts_outs: tuple[TsOut, ...] = ()) -> None:
        self.bus, self.clock = MemoryBus(), SystemClock()
        settings = TelemetrySettings(
            (), cameras=CAMERAS, names=(("fritz", "Fritz"),), ts_outs=ts_outs, cot=cot
        )
        self.sender = CotSender(self.bus, self.clock, settings, Looks())

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[House]:
        running = asyncio.ensure_future(self.sender.run())
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.wait([running])
            await self.bus.aclose()
        assert running.cancelled()

    def fly(self) -> None:
        now_ns = self.clock.now_ns()
        known = {Group.POSITION: now_ns, Group.GIMBAL: now_ns}
        sample = TelemetrySample("fritz", now_ns, lat_deg=49.4, lon_deg=7.6, received_ns=known)
        self.bus.publish(sample)

    async def detail(self, number: int = 0) -> str:
        async with asyncio.timeout(10):
            while not self.sender.destinations[number].state.detail:
                await asyncio.sleep(0.01)
        return self.sender.destinations[number].state.detail


def fast(*to: str, **files: Path) -> CotOut:
    return CotOut(to, every_s=0.05, stale_s=5.0, **{name: str(path) for name, path in files.items()})


async def test_a_stream_to_a_server_that_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cot_out, "RETRY_FIRST_S", 0.05)
    async with TakServer().open() as tak, House(fast(f"tcp://127.0.0.1:{tak.port}")).open() as house:
        house.fly()
        assert (await tak.event()).get("type") == "a-f-A-M-H-Q"
        assert (await tak.event()).get("uid") == "LAGEBILD-fritz-tag-SPI"
        house.bus.publish(Marker("e", "fritz", 1, 49.4, 7.6, "Glutnest", "x", "m"))
        assert (await tak.event()).get("type") == "b-m-p-s-m"
        house.bus.publish(Marker("f", "fritz", 1, 49.4, 7.6, "Glutnest", "x", "m", removed=True))
        assert (await tak.event()).get("type") == "t-x-d-d"
        tak.hang_up()
        await house.detail()
        house.fly()
        assert (await tak.event()).get("uid") == "LAGEBILD-fritz"


async def test_silence_is_not_filled_with_the_last_position() -> None:
    async with TakServer().open() as tak, House(fast(f"tcp://127.0.0.1:{tak.port}")).open() as house:
        house.fly()
        await tak.event()
        await tak.event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await tak._events.get()


async def test_datagrams_one_event_each_and_to_a_group() -> None:
    """A whole XML document each; multicast as ATAK's default network has it, on loopback."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as group,
    ):
        one.bind(("127.0.0.1", 0))
        group.bind(("", 0))
        joined = _join(group)
        ports = one.getsockname()[1], group.getsockname()[1]
        to = (f"udp://127.0.0.1:{ports[0]}", f"udp://239.2.3.1:{ports[1]}")
        async with House(fast(*to)).open() as house:
            house.fly()
            for sock in (one, group) if joined else (one,):
                sock.settimeout(5)
                for kind in ("a-f-A-M-H-Q", "b-m-p-s-p-i"):
                    data = await asyncio.to_thread(sock.recv, 65536)
                    assert data.startswith(b"<?xml ")
                    assert ET.fromstring(data).get("type") == kind


def _join(group: socket.socket) -> bool:
    """Whether this machine has a way for multicast."""
    try:
        request = socket.inet_aton("239.2.3.1") + socket.inet_aton("0.0.0.0")
        group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    except OSError:
        return False
    return True


def server_context(authority: Authority, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(host))
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_tls_with_a_certificate_of_ours(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours, key = authority.issue("lagebild")
    files = {"ca": authority.certificate, "certificate": ours, "key": key}
    async with TakServer(server_context(authority, "localhost")).open() as tak:
        async with House(fast(f"tls://localhost:{tak.port}", **files)).open() as house:
            house.fly()
            assert (await tak.event()).get("uid") == "LAGEBILD-fritz"
            assert "lagebild" in str(tak.people)


@pytest.mark.parametrize(
    ("host", "ca", "said"),
    [
        ("tak.example", "ca", "Hostname mismatch"),
        ("localhost", "other", "certificate is not accepted"),
        ("localhost", "missing", "cot.ca"),
        ("localhost", "empty", "cot.ca"),
    ],
)
async def test_a_server_that_is_not_the_one_is_told_nothing(
    tmp_path: Path, host: str, ca: str, said: str
) -> None:
    authority = Authority(tmp_path)
    Authority(tmp_path, "other")
    (tmp_path / "empty.pem").write_text("")
    async with TakServer(server_context(authority, host)).open() as tak:
        cot = fast(f"tls://localhost:{tak.port}", ca=tmp_path / f"{ca}.pem")
        async with House(cot).open() as house:
            house.fly()
            assert said in await house.detail()
            assert tak._events.empty()


async def test_a_key_with_a_password_asks_nobody(tmp_path: Path) -> None:
    """OpenSSL would ask at the terminal, and the service stand still."""
    certificate, key = Authority(tmp_path).issue("lagebild", password=b"secret")
    async with House(fast("tls://127.0.0.1:9", certificate=certificate, key=key)).open() as house:
        assert "cot.certificate, cot.key" in await house.detail()


async def test_one_that_fails_is_logged_once_and_harms_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cot_out, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(cot_out, "RETRY_MOST_S", 0.01)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, but does not listen
        gone = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        async with TakServer().open() as tak:
            to = (gone, f"tcp://127.0.0.1:{tak.port}", "smtp://x:1", "tcp://127.0.0.1")
            with caplog.at_level(logging.WARNING):
                async with House(fast(*to)).open() as house:
                    house.fly()
                    await tak.event()
                    await asyncio.sleep(0.3)
                    states = [each.state for each in house.sender.destinations]
        assert [state.open for state in states] == [False, True, False, False]
        assert "refused" in states[0].detail
        said = [record.getMessage() for record in caplog.records]
        assert len([line for line in said if gone in line]) == 1


async def test_a_port_where_nobody_reads_is_logged_once_and_stays_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first datagram always goes; the second one meets what the first has brought back."""
    monkeypatch.setattr(cot_out, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(cot_out, "RETRY_MOST_S", 0.01)
    monkeypatch.setattr(cot_out, "REPORT_NS", 10_000_000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{nobody.getsockname()[1]}"
    with caplog.at_level(logging.INFO):
        async with House(fast(url)).open() as house:
            async with asyncio.timeout(10):
                while house.sender.destinations[0].state.sent < 8:
                    house.fly()
                    await asyncio.sleep(0.01)
            told = house.bus.peek(OutputState, "cot:0")
    assert told
    assert (told.to, "refused" in told.detail) == (url, True)
    said = [record.getMessage() for record in caplog.records if url in record.getMessage()]
    assert len([line for line in said if "tried again" in line]) == 1
    assert len([line for line in said if "open" in line]) == 1


def test_hundreds_of_markers_push_out_nobody_and_come_by_and_by() -> None:
    cot = CotOut(("tcp://x:1",))
    clock = FakeClock()
    sender = CotSender(MemoryBus(), clock, TelemetrySettings((), cot=cot))
    (destination,) = sender.destinations
    news = [Marker(f"e{n}", "fritz", 1, 49.4, 7.6, "x", "y", f"m{n}") for n in range(MARKERS_MOST)]
    for minute in range(2):
        told: list[str] = []
        destination.offer(Event("LAGEBILD-fritz", b""))
        for _ in range(12):
            events = sender._of_markers(news, clock.now_ns())
            news = []
            assert len(events) <= cot_out.MARKERS_A_TURN  # written in the same turn of the loop
            told += [event.uid for event in events]
            for event in events:
                destination.offer(event)
            clock.advance(NS_PER_S)
        assert len(told) == len(set(told)) == MARKERS_MOST
        assert len(destination._waiting) == MARKERS_MOST + 1
        assert destination.state.dropped == minute * (MARKERS_MOST + 1)  # only what is newer replaces it
        clock.advance(60 * NS_PER_S)
    late = Marker("late", "fritz", 1, 49.4, 7.6, "x", "y", "m7", removed=True)
    first, *_ = sender._of_markers([late], clock.now_ns())
    assert b"t-x-d-d" in first.xml


def test_what_waits_is_bounded_and_the_newest_wins() -> None:
    destination = Destination("tcp://x:1", CotOut(), SystemClock())
    for number in range(3):
        destination.offer(Event("LAGEBILD-fritz", b"%d" % number))
    assert list(destination._waiting.values()) == [b"2"]
    for number in range(10_000):
        destination.offer(Event(f"m{number}", b""))
    assert len(destination._waiting) == cot_out.WAITING_MOST
    assert destination.state.dropped == 2 + 1 + 10_000 - cot_out.WAITING_MOST


async def test_a_stream_others_can_receive_is_the_video_link() -> None:
    for to, told in (("udp://239.0.0.1:5004", True), ("udp://127.0.0.1:5004", False)):
        async with TakServer().open() as tak:
            cot = fast(f"tcp://127.0.0.1:{tak.port}")
            async with House(cot, (TsOut("waerme", to),)).open() as house:
                house.fly()
                event = ET.tostring(await tak.event()).decode()
                assert bool(re.search(r'__video [^>]*url="udp://239\.0\.0\.1:5004"', event)) is told
                assert ("Wärme" in event.encode().decode() or "W&#228;rme" in event) is told
