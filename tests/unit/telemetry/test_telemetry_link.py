"""Links over loopback, with the real memory bus and a clock moved by hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from flow.codec.tlog import write_record
from flow.flights import Armed
from flow.memory_bus import MemoryBus
from flow.samples import LinkState, LinkStatus, RawTelemetry, StatusText, TelemetrySample
from telemetry.link import Telemetry
from telemetry.settings import AircraftLink, TelemetrySettings
from telemetry.sources import SLICE_BYTES, run_source
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS, FakeClock

MS = 1_000_000
S = 1000 * MS
LOCAL = "udpin:127.0.0.1:0"


class Running:
    """A running telemetry room and what it has published."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.bus, self.clock = MemoryBus(), clock or FakeClock()
        self.raw = self.bus.lossless(RawTelemetry)
        self.events = self.bus.events(Armed, StatusText)

    def state(self, aircraft_id: str = "fritz") -> LinkState:
        state = self.bus.peek(LinkState, aircraft_id)
        assert state is not None
        return state

    def states(self, aircraft_id: str = "fritz") -> bool:
        """Whether there is a state yet."""
        return self.bus.peek(LinkState, aircraft_id) is not None

    def sample(self, aircraft_id: str = "fritz") -> TelemetrySample | None:
        return self.bus.peek(TelemetrySample, aircraft_id)

    async def until(self, what: Callable[[], object], step_ns: int = 5 * MS) -> None:
        """Let the loop and the clock run until `what` is true; the deadline is for a test that hangs."""
        async with asyncio.timeout(10):
            while not what():
                self.clock.advance(step_ns)
                await asyncio.sleep(0.001)

    async def opened(self, aircraft_id: str = "fritz") -> tuple[str, int]:
        """Host and port the link really uses."""
        await self.until(lambda: self.bus.peek(LinkState, aircraft_id) and self.state(aircraft_id).address)
        _, host, port = self.state(aircraft_id).address.split(":")
        return host, int(port)


@contextlib.asynccontextmanager
async def running(*links: AircraftLink, clock: FakeClock | None = None) -> AsyncIterator[Running]:
    run = Running(clock)
    task = asyncio.ensure_future(Telemetry(run.bus, run.clock, TelemetrySettings(links)).run())
    try:
        yield run
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await run.bus.aclose()


def udp_socket() -> socket.socket:
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.setblocking(False)
    return peer


async def test_udp_from_datagram_to_bus() -> None:
    drone = FakeAircraft()
    async with running(AircraftLink("fritz", LOCAL, 1)) as run:
        where = await run.opened()
        assert (run.state().status, run.state().reason) == (LinkStatus.CONNECTING, "no_messages")
        sent = [drone.heartbeat(armed=True), drone.attitude(1000), drone.position(1000), drone.text("Hallo")]
        with udp_socket() as peer:
            for message in sent:
                peer.sendto(message, where)
            await run.until(run.sample)
            sample = run.sample()
            assert sample is not None
            assert (sample.lat_deg, sample.mode, sample.armed) == (49.4, "STABILIZE", True)
            assert [item.data for item in run.raw.drain()] == sent
            assert [type(event) for event in run.events.drain()] == [Armed, StatusText]
            assert (run.state().status, run.state().reason) == (LinkStatus.LIVE, "")
            with pytest.raises(BlockingIOError):
                peer.recv(1)  # nothing has come back


async def test_live_silent_live_again() -> None:
    drone = FakeAircraft()
    async with running(AircraftLink("fritz", LOCAL, 1)) as run:
        where = await run.opened()
        with udp_socket() as peer:
            peer.sendto(drone.heartbeat(), where)
            await run.until(lambda: run.state().status is LinkStatus.LIVE)
            live_ns = run.clock.now_ns()
            await run.until(lambda: run.state().status is LinkStatus.SILENT, 50 * MS)
            assert 3 * S <= run.clock.now_ns() - live_ns < 4 * S
            assert (run.state().reason, run.state().messages) == ("no_messages", 1)
            assert "system id 1" in run.state().detail
            since_ns = run.state().since_ns
            await run.until(lambda: run.clock.now_ns() > since_ns + 5 * S, 100 * MS)
            assert run.state().since_ns == since_ns
            peer.sendto(drone.heartbeat(), where)
            await run.until(lambda: run.state().status is LinkStatus.LIVE)


async def test_states_come_about_once_a_second() -> None:
    async with running(AircraftLink("fritz", LOCAL, 1)) as run:
        await run.opened()
        states = run.bus.latest(LinkState, "fritz")
        await states.__anext__()
        start_ns, count = run.clock.now_ns(), 0
        while run.clock.now_ns() < start_ns + 10 * S:
            run.clock.advance(50 * MS)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            count += len(states.drain())
        assert 9 <= count <= 11


async def test_two_aircraft_on_one_socket_and_a_stranger() -> None:
    links = AircraftLink("fritz", LOCAL, 1), AircraftLink("ottmar", LOCAL, 2)
    async with running(*links) as run:
        where = await run.opened()
        with udp_socket() as peer:
            for number in (1, 2, 77):
                drone = FakeAircraft(number)
                peer.sendto(drone.heartbeat() + drone.position(1000, 49 + number / 10), where)
            await run.until(lambda: run.sample("fritz") and run.sample("ottmar"))
            await run.until(lambda: run.state().unassigned_system_ids)
        assert run.state("fritz").address == run.state("ottmar").address
        assert [getattr(run.sample(name), "lat_deg", None) for name in ("fritz", "ottmar")] == [49.1, 49.2]
        assert run.state().unassigned_system_ids == (77,)


async def test_only_a_stranger_is_heard() -> None:
    async with running(AircraftLink("fritz", LOCAL, 1)) as run:
        where = await run.opened()
        with udp_socket() as peer:
            peer.sendto(FakeAircraft(5).heartbeat(), where)
            await run.until(lambda: run.state().unassigned_system_ids)
        assert (run.state().status, run.state().reason) == (LinkStatus.CONNECTING, "no_messages")
        assert "system id 1 is not heard, only 5" in run.state().detail


async def test_two_aircraft_with_one_system_id_are_named_by_address() -> None:
    one, two = FakeAircraft(), FakeAircraft()
    async with running(AircraftLink("fritz", LOCAL, 1)) as run:
        where = await run.opened()
        with udp_socket() as here, udp_socket() as there:
            for number in range(20):
                here.sendto(one.heartbeat() + one.position(5000 + 100 * number, 49.0), where)
                there.sendto(two.heartbeat() + two.position(90_000 + 100 * number, 50.0), where)
                run.clock.advance(100 * MS)
            await run.until(lambda: run.state().reason == "duplicate_system_id")
            ports = {str(peer.getsockname()[1]) for peer in (here, there)}
        assert run.state().status is LinkStatus.LIVE
        assert all(port in run.state().detail for port in ports)
        sample = run.sample()
        assert sample is not None
        assert sample.lat_deg == 49.0


async def test_a_port_in_use_is_named_and_taken_when_free() -> None:
    with udp_socket() as taken:
        port = taken.getsockname()[1]
        async with running(
            AircraftLink("fritz", f"udpin:127.0.0.1:{port}", 1), AircraftLink("ottmar", LOCAL)
        ) as run:
            await run.until(
                lambda: run.bus.peek(LinkState, "fritz") and run.state().status is LinkStatus.FAILED
            )
            assert run.state().reason == "port_in_use"
            assert f"127.0.0.1:{port}" in run.state().detail
            await run.opened("ottmar")
            taken.close()
            await run.until(lambda: run.state().status is LinkStatus.CONNECTING, 100 * MS)


@pytest.mark.parametrize(
    ("url", "allow_from", "reason"),
    [
        ("udpin:0.0.0.0:0", (), "address_refused"),
        ("tcpin:0.0.0.0:0", (), "address_refused"),
        ("udpin:127.0.0.1:0", ("not a network",), "address_refused"),
        ("udpin:127.0.0.1", (), "unsupported_url"),
        ("udpin:127.0.0.1:99999", (), "unsupported_url"),
        ("serial:/dev/ttyUSB0", (), "unsupported_url"),
        ("udpout:127.0.0.1:14550", (), "unsupported_url"),  # nothing is ever sent
        ("tlog:/no/such/file.tlog", (), "not_found"),
        ("tlog:", (), "unsupported_url"),
    ],
)
async def test_a_bad_address_is_one_clear_line(url: str, allow_from: tuple[str, ...], reason: str) -> None:
    async with running(AircraftLink("fritz", url, 1, allow_from)) as run:
        await run.until(lambda: run.bus.peek(LinkState, "fritz") and run.state().status is LinkStatus.FAILED)
        assert run.state().reason == reason
        assert url.removeprefix("tlog:") in run.state().detail
        assert "\n" not in run.state().detail


async def test_senders_that_are_not_allowed_are_not_heard() -> None:
    async with running(AircraftLink("fritz", "udpin:0.0.0.0:0", 1, ("10.1.2.0/24",))) as run:
        _, port = await run.opened()
        with udp_socket() as peer:
            peer.sendto(FakeAircraft().heartbeat(), ("127.0.0.1", port))
            await run.until(lambda: run.state().reason == "forbidden_sender", 100 * MS)
            assert str(peer.getsockname()[1]) in run.state().detail
        assert run.state().messages == 0
    async with running(AircraftLink("fritz", "udpin:0.0.0.0:0", 1, ("127.0.0.0/8",))) as run:
        _, port = await run.opened()
        with udp_socket() as peer:
            peer.sendto(FakeAircraft().heartbeat(), ("127.0.0.1", port))
            await run.until(lambda: run.state().status is LinkStatus.LIVE)


@pytest.mark.parametrize(
    ("allowed", "heard"), [("127.0.0.0/8", True), ("::/0", True), ("10.1.2.0/24", False)]
)
async def test_an_ipv4_sender_is_known_by_its_address_on_an_ipv6_port(allowed: str, heard: bool) -> None:
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    async with running(AircraftLink("fritz", "udpin:[::]:0", 1, (allowed,))) as run:
        await run.until(lambda: run.bus.peek(LinkState, "fritz") and run.state().address)
        port = int(run.state().address.rpartition(":")[2])
        with udp_socket() as peer:
            peer.sendto(FakeAircraft().heartbeat(), ("127.0.0.1", port))
            await run.until(
                lambda: run.state().messages or run.state().reason == "forbidden_sender", 100 * MS
            )
        assert bool(run.state().messages) is heard


async def test_garbage_is_counted_and_harmless() -> None:
    drone = FakeAircraft()
    async with running(AircraftLink("fritz", LOCAL, 1)) as run:
        where = await run.opened()
        with udp_socket() as peer:
            for datagram in (b"", b"\xfe" * 700, b"GET / HTTP/1.1\r\n\r\n", drone.heartbeat()):
                peer.sendto(datagram, where)
            await run.until(lambda: run.state().status is LinkStatus.LIVE)
        await run.until(lambda: run.state().bad_bytes == 718, 100 * MS)


async def test_who_sends_no_mavlink_at_all_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "telemetry.link")
    async with running(AircraftLink("fritz", LOCAL, 1)) as run:
        where = await run.opened()
        with udp_socket() as one, udp_socket() as other:
            one.sendto(b"GET / HTTP/1.1\r\n\r\n", where)
            await run.until(lambda: run.state().bad_bytes == 18, 100 * MS)
            assert run.state().reason == "no_messages"
            for peer in (one, other, one):
                peer.sendto(b"GET / HTTP/1.1\r\n\r\n" * 20, where)
            await run.until(lambda: run.state().bad_bytes == 18 + 3 * 360, 100 * MS)
            assert run.state().reason == "not_mavlink"
            assert str(one.getsockname()[1]) in run.state().detail
            other.sendto(FakeAircraft().heartbeat(), where)
            await run.until(lambda: run.state().status is LinkStatus.LIVE)
    levels = [(record.levelname, record.message.split(": ")[1]) for record in caplog.records]
    assert levels == [
        ("INFO", "connecting"),
        ("INFO", "connecting"),
        ("WARNING", "connecting"),
        ("INFO", "live"),
    ]


class Vehicle:
    """A TCP server as an aircraft's: sends, and remembers what it was sent."""

    def __init__(self) -> None:
        self.received = b""
        self.writers: list[asyncio.StreamWriter] = []

    def has_been_called(self, times: int) -> bool:
        return len(self.writers) == times

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.received += await reader.read()
        writer.close()


async def test_tcp_connects_reconnects_and_never_sends() -> None:
    vehicle, drone = Vehicle(), FakeAircraft()
    server = await asyncio.start_server(vehicle.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, running(AircraftLink("fritz", f"tcp:127.0.0.1:{port}", 1)) as run:
        for connection in (1, 2):
            await run.until(partial(vehicle.has_been_called, connection), 50 * MS)
            vehicle.writers[-1].write(drone.heartbeat()[:9])
            await run.until(lambda: run.state().address)
            vehicle.writers[-1].write(drone.heartbeat())
            await run.until(lambda: run.state().status is LinkStatus.LIVE)
            vehicle.writers[-1].close()
            await run.until(lambda: run.state().status is LinkStatus.FAILED)
            assert run.state().reason == "connect_failed"
    assert vehicle.received == b""


class Hangup:
    """A TCP server that says what `greeting` gives and closes; it knows when it was called."""

    def __init__(self, clock: FakeClock, greeting: Callable[[], bytes] = bytes) -> None:
        self.clock, self.greeting = clock, greeting
        self.called_ns: list[int] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.called_ns.append(self.clock.now_ns())
        writer.write(self.greeting())
        writer.close()


async def test_who_accepts_and_hangs_up_is_called_less_and_less_often(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "telemetry.link")
    clock = FakeClock()
    peer = Hangup(clock)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, running(AircraftLink("fritz", f"tcp:127.0.0.1:{port}", 1), clock=clock) as run:
        await run.until(lambda: len(peer.called_ns) == 7, 20 * MS)
    pauses = [after - before for before, after in itertools.pairwise(peer.called_ns)]
    assert pauses[-1] > 7 * S  # of 0.5, 1, 2, 4, 8, 10 s, each off by a fifth at most
    assert sum(pauses) > 20 * S
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == len(set(lines)) <= 3  # opening, open, closed


async def test_a_link_that_was_heard_is_called_again_soon() -> None:
    clock = FakeClock()
    peer = Hangup(clock, FakeAircraft().heartbeat)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, running(AircraftLink("fritz", f"tcp:127.0.0.1:{port}", 1), clock=clock) as run:
        await run.until(lambda: len(peer.called_ns) == 7)
    assert peer.called_ns[-1] - peer.called_ns[0] < 10 * S  # six pauses of half a second, not 25 s of them


async def test_tcp_without_a_server_says_so_and_tries_less_and_less_often() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with running(AircraftLink("fritz", f"tcp:127.0.0.1:{port}", 1)) as run:
            await run.until(
                lambda: run.bus.peek(LinkState, "fritz") and run.state().status is LinkStatus.FAILED
            )
            assert run.state().reason == "connect_failed"
            assert f"127.0.0.1:{port}" in run.state().detail
            unused.listen()
            unused.setblocking(False)
            await run.until(lambda: run.state().status is LinkStatus.CONNECTING, 100 * MS)


async def test_tcpin_accepts_several_and_never_sends() -> None:
    async with running(
        AircraftLink("fritz", "tcpin:127.0.0.1:0", 1), AircraftLink("ottmar", "tcpin:127.0.0.1:0", 2)
    ) as run:
        host, port = await run.opened()
        connections = []
        for number in (1, 2):
            connections.append(await asyncio.open_connection(host, port))
            connections[-1][1].write(FakeAircraft(number).heartbeat())
        await run.until(lambda: run.state("fritz").messages and run.state("ottmar").messages, 50 * MS)
    for reader, writer in connections:
        assert await reader.read() == b""  # closed when the room closed, nothing sent before
        writer.close()


def log_of(messages: list[bytes], step_us: int, path: Path) -> Path:
    start_us = 1_700_000_000_000_000
    path.write_bytes(
        b"".join(write_record(start_us + step_us * n, message) for n, message in enumerate(messages))
    )
    return path


async def test_a_log_is_played_at_its_own_pace(tmp_path: Path) -> None:
    drone = FakeAircraft(3)
    messages = [drone.heartbeat(), *(drone.attitude(1000 + 100 * number) for number in range(49))]
    path = log_of(messages, 100_000, tmp_path / "flug.tlog")
    async with running(AircraftLink("fritz", f"tlog:{path}")) as run:
        await run.until(lambda: run.bus.peek(LinkState, "fritz") and run.state().reason == "file_ended")
        raw = run.raw.drain()
        assert [item.data for item in raw] == messages
        assert 4.88 * S <= raw[-1].utc_ns - raw[0].utc_ns < 5.1 * S  # the clock moves 5 ms at a time
        assert raw[0].utc_ns - START_NS < S
        assert (run.state().status, run.state().lost) == (LinkStatus.SILENT, 0)


async def test_a_log_whose_clock_jumps_is_played_to_its_end(tmp_path: Path) -> None:
    drone = FakeAircraft()
    records = [(1_000_000_000, 0), (1_700_000_000, 1), (1_699_990_000, 2), (1_699_990_001, 3)]
    path = tmp_path / "sprung.tlog"
    path.write_bytes(
        b"".join(write_record(second * 1_000_000, drone.attitude(boot)) for second, boot in records)
    )
    async with running(AircraftLink("fritz", f"tlog:{path}", 1)) as run:
        await run.until(
            lambda: run.bus.peek(LinkState, "fritz") and run.state().reason == "file_ended", 50 * MS
        )
        assert len(run.raw.drain()) == 4
        assert run.clock.now_ns() - START_NS < 13 * S


async def test_a_file_that_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "brief.txt"
    path.write_bytes(b"Sehr geehrte Damen und Herren" * 50)
    async with running(AircraftLink("fritz", f"tlog:{path}", 1)) as run:
        await run.until(lambda: run.bus.peek(LinkState, "fritz") and run.state().status is LinkStatus.FAILED)
        assert run.state().reason == "not_telemetry"
        assert str(path) in run.state().detail


def make_directory(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 28)


def make_raw_stream(path: Path) -> None:
    drone = FakeAircraft()
    path.write_bytes(b"".join(drone.attitude(1000 + 100 * number) for number in range(3000)))


@pytest.mark.parametrize("make", [make_directory, make_fifo, make_endless, make_raw_stream])
async def test_what_cannot_be_a_log_is_refused_at_once(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "flug.tlog"
    make(path)
    links = AircraftLink("fritz", f"tlog:{path}", 1), AircraftLink("ottmar", LOCAL, 2)
    async with running(*links) as run:
        await run.opened("ottmar")
        await run.until(lambda: run.state().status is LinkStatus.FAILED)
        assert run.state().reason == "not_telemetry"
        assert str(path) in run.state().detail


class Received:
    """A sink that notes how often the loop had turned when each message came."""

    def __init__(self) -> None:
        self.turns = 0
        self.at: list[int] = []

    def opened(self, address: str) -> None: ...

    def receive(self, data: bytes, sender: str, *, datagram: bool = False, age_ns: int = 0) -> None:
        self.at.append(self.turns)

    def refused(self, sender: str) -> None: ...

    def ended(self, sender: str) -> None: ...

    async def count(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


async def test_others_run_while_junk_in_a_log_is_passed_over(tmp_path: Path) -> None:
    drone, slices = FakeAircraft(), 50
    path = log_of([drone.attitude(1000), drone.attitude(1100)], 100, tmp_path / "flug.tlog")
    log = path.read_bytes()
    path.write_bytes(log + b"junk" * (slices * SLICE_BYTES // 4) + log)
    sink = Received()
    counting = asyncio.ensure_future(sink.count())
    clock = FakeClock()
    playing = asyncio.ensure_future(run_source(f"tlog:{path}", (), clock, sink))
    async with asyncio.timeout(10):
        while not playing.done():
            clock.advance(S)
            await asyncio.sleep(0)
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    assert len(sink.at) == 4
    assert sink.at[2] - sink.at[1] >= slices
