"""The share of an aircraft's MAVLink: who is told, who is not, and what it costs whom."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.clock import NS_PER_S, SystemClock
from flow.memory_bus import MemoryBus
from flow.samples import ForwardState, RawTelemetry
from telemetry.protocol.station import Said, Speech
from telemetry.settings import Sharing
from telemetry.share import client, forwarder, tcp, udp
from telemetry.share.forwarder import Forwarder
from telemetry.share.ledger import LINES_MOST, Ledger
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS, FakeClock

ARM = dialect.MAVLink_command_long_message(1, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0)
GCS = dialect.MAVLink_heartbeat_message(dialect.MAV_TYPE_GCS, 8, 0, 0, 0, 3)


@dataclass
class Share:
    """A running forwarder, the aircraft whose messages it passes on, and a ground station's voice."""

    bus: MemoryBus
    drone: FakeAircraft
    station: FakeAircraft

    def fly(self, message: bytes | None = None) -> bytes:
        data = message or self.drone.position(1000)
        self.bus.publish(RawTelemetry("fritz", "udp", 1, data))
        return data

    @property
    def state(self) -> ForwardState:
        return self.bus.peek(ForwardState, "fritz") or ForwardState("fritz")

    async def until(self, holds: Callable[[ForwardState], Any]) -> ForwardState:
        async with asyncio.timeout(5):
            while not holds(self.state):
                await asyncio.sleep(0.01)
        return self.state

    async def turns(self) -> None:
        """Wait until it has read what has come, and told of it."""
        for _ in range(2):
            told = self.state
            await self.until(lambda s, told=told: s is not told)  # type: ignore[misc]

    def port(self, number: int = 0) -> tuple[str, int]:
        host, port = self.state.addresses[number].split(":")[1:]
        return host, int(port)


@contextlib.asynccontextmanager
async def shared(
    *to: str, allow_from: tuple[str, ...] = (), links: tuple[str, ...] = ()
) -> AsyncIterator[Share]:
    bus = MemoryBus()
    share_of_it = Forwarder(bus, SystemClock(), Sharing("fritz", to, allow_from), links)
    running = asyncio.ensure_future(share_of_it.run())
    share = Share(bus, FakeAircraft(), FakeAircraft(255, 190))
    try:
        await share.until(lambda s: len(s.addresses) == len(to) or s.reason)
        yield share
    finally:
        running.cancel()
        await asyncio.wait([running])
        await bus.aclose()
    assert running.cancelled()


@pytest.fixture(autouse=True)
def _reports_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarder, "REPORT_NS", 0)
    monkeypatch.setattr(tcp, "LISTENS_ONLY_NS", 0)


@pytest.fixture
def sock() -> Any:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(5)
        yield found


async def heard(sock: socket.socket) -> bytes:
    return await asyncio.to_thread(sock.recv, 4096)


def is_silent(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return not sock.recv(4096)
    except BlockingIOError:
        return True
    finally:
        sock.settimeout(5)


async def test_a_ground_station_that_is_named_is_told_and_not_heard(sock: socket.socket) -> None:
    host, port = sock.getsockname()
    async with shared(f"udpout:{host}:{port}") as share:
        signed = FakeAircraft(key=bytes(32)).heartbeat()
        assert share.fly(signed) == await heard(sock)  # as it came, with its signature
        assert share.fly() == await heard(sock)
        share.fly()
        _, ours = await asyncio.to_thread(sock.recvfrom, 4096)
        sock.sendto(share.station.send(ARM), ours)
        state = await share.until(lambda s: s.commands)
        assert state.last_command == f"COMMAND_LONG COMPONENT_ARM_DISARM from udp:{host}:{port}"
        assert state.stations == (f"udp:{host}:{port}",)


async def test_who_says_something_is_told_from_then_on(sock: socket.socket) -> None:
    async with shared("udpin:127.0.0.1:0") as share:
        share.fly()
        sock.sendto(b"\x00garbage\xfd" * 50, share.port())  # says nothing
        sock.sendto(FakeAircraft(7).attitude(1), share.port())  # what ground stations do not say
        await share.turns()
        share.fly()
        await share.until(lambda s: s.messages == 2)
        assert is_silent(sock)
        sock.sendto(share.station.send(GCS), share.port())
        await share.until(lambda s: s.stations)
        assert share.fly() == await heard(sock)


async def test_a_silent_station_is_forgotten(sock: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "FORGOTTEN_NS", NS_PER_S // 5)
    async with shared("udpin:127.0.0.1:0") as share:
        sock.sendto(share.station.send(GCS), share.port())
        await share.until(lambda s: s.stations)
        await share.until(lambda s: not s.stations)
        before = share.state.messages
        share.fly()
        await share.until(lambda s: s.messages > before)
        assert is_silent(sock)


async def test_an_aircraft_is_told_nothing_whoever_named_it(sock: socket.socket) -> None:
    """An operator's mistake, or another aircraft that reports to our share's port."""
    host, port = sock.getsockname()
    async with shared("udpin:127.0.0.1:0", f"udpout:{host}:{port}") as share:
        sock.sendto(FakeAircraft(7).heartbeat(), share.port())
        share.fly()
        to_us = await asyncio.to_thread(sock.recvfrom, 4096)
        sock.sendto(FakeAircraft(7).heartbeat(), to_us[1])
        state = await share.until(lambda s: s.reason)
        assert (state.reason, state.stations) == ("share_to_aircraft", ())
        before = share.state.messages
        share.fly()
        await share.until(lambda s: s.messages > before)
        assert is_silent(sock)


async def test_a_component_of_the_shared_aircraft_is_no_station(sock: socket.socket) -> None:
    """Its gimbal's heartbeat looks like a ground station's, but for the system id."""
    async with shared("udpin:127.0.0.1:0") as share:
        share.fly()
        gimbal = dialect.MAVLink_heartbeat_message(dialect.MAV_TYPE_GIMBAL, 8, 0, 0, 0, 3)
        sock.sendto(FakeAircraft(1, 154).send(gimbal), share.port())
        state = await share.until(lambda s: s.reason)
        assert (state.reason, state.stations) == ("share_to_aircraft", ())


async def test_where_a_link_comes_from_nothing_is_sent() -> None:
    async with shared("udpout:192.0.2.1:5760", links=("tcp:192.0.2.1:5760", "tlog:/x")) as share:
        assert share.state.reason == "share_to_aircraft"


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("udpin:0.0.0.0:0", "address_refused"),
        ("tcpin:[::]:0", "address_refused"),
        ("serial:/dev/ttyUSB0", "unsupported_url"),
        ("tcpin:127.0.0.1", "unsupported_url"),
        ("udpout:no.such.host.invalid:1", "address_refused"),
    ],
)
async def test_what_cannot_be_opened_is_a_state(to: str, reason: str) -> None:
    async with shared(to) as share:
        assert share.state.reason == reason
        if reason == "address_refused" and "in:" in to:
            assert "forward_allow_from" in share.state.detail


async def test_a_port_that_is_taken_harms_no_other_one(sock: socket.socket) -> None:
    taken = f"udpin:127.0.0.1:{sock.getsockname()[1]}"
    async with shared(taken, "tcpin:127.0.0.1:0") as share:
        state = await share.until(lambda s: s.addresses)
        assert state.reason == "port_in_use"
        reader, writer = await asyncio.open_connection(*share.port())
        await share.until(lambda s: s.stations)
        data = share.fly()
        assert await reader.readexactly(len(data)) == data
        writer.close()


async def test_open_to_the_network_only_those_named_are_let_in() -> None:
    async with shared("tcpin:0.0.0.0:0", "udpin:0.0.0.0:0", allow_from=("192.0.2.0/24",)) as share:
        reader, writer = await asyncio.open_connection("127.0.0.1", share.port()[1])
        with contextlib.suppress(ConnectionError):
            assert await reader.read(100) == b""
        writer.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(share.station.send(GCS), ("127.0.0.1", share.port(1)[1]))
            await share.turns()
        assert share.state.stations == ()


async def test_a_station_that_does_not_read_loses_whole_messages_and_slows_nobody() -> None:
    async with shared("tcpin:127.0.0.1:0") as share:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        await asyncio.to_thread(deaf.connect, share.port())
        reader, writer = await asyncio.open_connection(*share.port())
        await share.until(lambda s: len(s.stations) == 2)
        sent: list[bytes] = []
        reading = asyncio.ensure_future(_read_all(reader))
        while not share.state.lost and len(sent) < 50_000:
            sent += [share.fly() for _ in range(500)]
            await asyncio.sleep(0.001)
        await share.until(lambda s: s.messages == len(sent))
        lost = share.state.lost
        assert 0 < lost < len(sent)
        await asyncio.sleep(0.2)
        writer.write_eof()
        reading.cancel()
        deaf.settimeout(0.5)
        got = await asyncio.to_thread(_drain, deaf)
        deaf.close()
        writer.close()
        whole = [got[at : at + len(sent[0])] for at in range(0, len(got), len(sent[0]))]
        assert set(whole) <= set(sent)  # never a half one


async def _read_all(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 20):
        pass


def _drain(sock: socket.socket) -> bytes:
    got = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        while data := sock.recv(1 << 20):
            got += data
    return got


async def test_who_reads_nothing_gives_up_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "STUCK_NS", NS_PER_S // 5)
    async with shared("tcpin:127.0.0.1:0") as share:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        await asyncio.to_thread(deaf.connect, share.port())
        await share.until(lambda s: s.stations)
        async with asyncio.timeout(10):
            while share.state.stations:
                for _ in range(2000):
                    share.fly()
                await asyncio.sleep(0.02)
        deaf.close()


async def test_what_the_bus_could_not_hold_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarder, "WAITING_MOST_BYTES", 2000)
    async with shared("tcpin:127.0.0.1:0") as share:
        for _ in range(100):  # in one turn of the loop
            share.fly()
        state = await share.until(lambda s: s.messages)
        assert 0 < state.messages < 100
        assert state.messages + state.lost == 100
        share.fly()
        await share.until(lambda s: s.messages == state.messages + 1)


async def test_one_too_many() -> None:
    async with shared("tcpin:127.0.0.1:0") as share:
        with contextlib.ExitStack() as stack:
            for _ in range(client.CLIENTS_MOST):
                stack.enter_context(socket.create_connection(share.port()))
            await share.until(lambda s: len(s.stations) == client.CLIENTS_MOST)
            extra = stack.enter_context(socket.create_connection(share.port()))
            extra.settimeout(5)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.to_thread(extra.recv, 1) == b""


async def test_an_aircraft_that_connects_is_turned_away() -> None:
    async with shared("tcpin:127.0.0.1:0") as share:
        reader, writer = await asyncio.open_connection(*share.port())
        writer.write(FakeAircraft(9).heartbeat())
        with contextlib.suppress(ConnectionError):
            while await reader.read(1000):
                pass
        await share.until(lambda s: not s.stations)
        writer.close()


async def test_an_aircraft_that_connects_is_not_told_before_it_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp, "LISTENS_ONLY_NS", 60 * NS_PER_S)
    async with shared("tcpin:127.0.0.1:0") as share:
        reader, writer = await asyncio.open_connection(*share.port())
        await share.turns()
        share.fly()
        writer.write(share.station.send(dialect.MAVLink_timesync_message(0, 1)))  # aircraft ask for it, too
        await share.until(lambda s: s.requests)
        share.fly()
        await share.until(lambda s: s.messages == 2)
        writer.write(FakeAircraft(9).heartbeat())
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


async def test_what_flies_with_another_aircraft_is_no_station(sock: socket.socket) -> None:
    gimbal = dialect.MAVLink_heartbeat_message(dialect.MAV_TYPE_GIMBAL, 8, 0, 0, 0, 3)
    async with shared("udpin:127.0.0.1:0") as share:
        sock.sendto(FakeAircraft(7, 154).send(gimbal), share.port())
        state = await share.until(lambda s: s.reason)
        assert (state.reason, state.stations) == ("share_to_aircraft", ())


async def test_an_aircraft_that_answers_from_another_port_is_recognised(sock: socket.socket) -> None:
    host, port = sock.getsockname()
    async with shared(f"udpout:{host}:{port}") as share:
        share.fly()
        _, ours = await asyncio.to_thread(sock.recvfrom, 4096)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(FakeAircraft(7).heartbeat(), ours)
        assert (await share.until(lambda s: s.reason)).reason == "share_to_aircraft"


def test_what_all_clients_say_in_a_turn_is_bounded() -> None:
    """Messages of 17 bytes: 64 KB of them would hold the pictures up for 40 ms."""
    ledger, port = Ledger("fritz", FakeClock(START_NS)), client.of_a_port()
    command = FakeAircraft(255, 190).send(dialect.MAVLink_set_mode_message(1, 0, 0))
    clients = [client.Client(f"tcp:{number}", START_NS) for number in range(client.CLIENTS_MOST)]
    for each in clients:
        each.hear(command * 4000, ledger, frozenset(), START_NS, port, datagram=False)
    assert 0 < ledger.commands <= client.HEARD_A_TURN_BYTES // len(command)
    clients[1].hear(command, ledger, frozenset(), START_NS + client.TURN_NS, port, datagram=False)
    assert (
        ledger.commands == client.HEARD_A_TURN_BYTES // len(command) + 1
    )  # one flood does not silence others


@pytest.mark.parametrize("seed", range(2))
async def test_hostile_stations_harm_nobody(seed: int) -> None:
    """Garbage, half messages, floods, half-open and cut connections, beside one that reads along."""
    rng = random.Random(seed)
    async with shared("tcpin:127.0.0.1:0", "udpin:127.0.0.1:0") as share:
        reader, writer = await asyncio.open_connection(*share.port())
        await share.until(lambda s: s.stations)
        sent = b""
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for turn in range(120):
                noise = _noise(rng, share.station)
                for _ in range(rng.choice((1, 1, 40))):
                    out.sendto(noise[:60_000], share.port(1))
                if turn % 6 == 0:
                    bad = stack.enter_context(socket.create_connection(share.port()))
                    bad.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        bad.sendall(noise * rng.choice((1, 30)))
                    rng.choice((bad.close, lambda s=bad: s.shutdown(socket.SHUT_WR), bool))()
                await asyncio.sleep(0)
                sent += share.fly()
        await share.until(lambda s: s.messages == 120)
        async with asyncio.timeout(5):
            assert await reader.readexactly(len(sent)) == sent  # whoever else was there
        writer.close()


def _noise(rng: random.Random, station: FakeAircraft) -> bytes:
    whole = station.send(ARM) + station.send(GCS)
    kinds = (
        rng.randbytes(rng.randrange(1, 3000)),
        whole,
        whole[: rng.randrange(1, len(whole))],
        b"\xfd" * rng.randrange(1, 3000),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xfd\xff\x01" + rng.randbytes(300),
    )
    return rng.choice(kinds)


async def test_a_flood_is_read_no_faster_than_a_ground_station_speaks() -> None:
    async with shared("tcpin:127.0.0.1:0") as share:
        _, writer = await asyncio.open_connection(*share.port())
        command = share.station.send(ARM)
        began = asyncio.get_running_loop().time()
        writer.write(command * 20_000)
        await share.until(lambda s: s.commands)
        await asyncio.sleep(0.3)
        seconds = 2 + int(asyncio.get_running_loop().time() - began)  # of the clock, begun ones too
        per_second = client.HEARD_MOST_BYTES // len(command) + 1
        assert 0 < share.state.commands <= seconds * per_second < 20_000
        writer.transport.abort()


def test_the_log_has_a_line_per_station_and_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock(START_NS)
    ledger, said = Ledger("fritz", clock), Said(Speech.COMMAND, "SET_MODE")
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            ledger.note("udp:a", said)
            ledger.note("udp:a", Said(Speech.REQUEST, "PARAM_REQUEST_LIST"))
        ledger.note("udp:b", said)
        clock.advance(10 * NS_PER_S)
        ledger.note("udp:a", said)
    assert [record.getMessage().count("99 more") for record in caplog.records] == [0, 0, 1]
    assert (ledger.commands, ledger.requests) == (102, 100)
    caplog.clear()
    for number in range(1000):  # one program, a port for each datagram
        ledger.note(f"udp:{number}", said)
    assert len(ledger._lines) <= 64
    assert len(caplog.records) <= LINES_MOST
