"""relay/port.py and relay/paths.py on real sockets of this machine's loopback."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import logging
import os
import pathlib
import socket
import struct
from collections.abc import AsyncIterator, Callable

import pytest

from flow.errors import ConfigError, PortInUseError
from relay import paths, port
from relay.paths import WAITING_BYTES
from relay.port import Path, Port
from relay.protocol import stun
from relay.protocol.framing import Deframer, framed
from relay.protocol.layout import MAX_RUN_BYTES, MAX_SEGMENTS

CHECK = stun.serialize(stun.BINDING_REQUEST, bytes(12), [(stun.USERNAME, b"a:b")])
V4, V6 = ("127.0.0.1", "::1")


class Listener:
    """A port and what came in by it."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, Path]] = []
        self.closed: list[Path] = []

    async def open(self, *hosts: str, number: int = 0) -> Port:
        self.port = await Port.open(
            hosts, number, lambda datagram, path: self.received.append((datagram, path)), self.closed.append
        )
        return self.port

    async def path(self) -> Path:
        """The path of the only datagram that has come."""
        await until(lambda: bool(self.received))
        (_, path), *more = self.received
        assert not more
        return path


@contextlib.asynccontextmanager
async def listening(*hosts: str) -> AsyncIterator[Listener]:
    listener = Listener()
    await listener.open(*hosts)
    try:
        yield listener
    finally:
        await listener.port.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def udp(host: str, number: int, *, bound_to: str | None = None) -> socket.socket:
    """A connected socket: it hears only what comes from the very address it sends to."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)
    if bound_to:
        client.bind((bound_to, 0))
    client.settimeout(5)
    client.connect((host, number))
    return client


async def tcp(host: str, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(host, number)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def datagrams_from(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    deframer = Deframer()
    received: list[bytes] = []
    async with asyncio.timeout(10):
        while len(received) < count:
            data = await reader.read(65536)
            assert data
            received += deframer.push(data)
    return received


# UDP


@pytest.mark.parametrize("hosts", [(), (V4, V6)])
async def test_one_number_serves_udp_and_tcp_on_both_families(hosts: tuple[str, ...]) -> None:
    async with listening(*hosts) as listener:
        for host in (V4, V6):
            with udp(host, listener.port.port) as client:
                client.send(CHECK)
                path = await listener.path()
                assert path.kind == "udp"
                assert path.address == client.getsockname()[:2]
                assert path.send(b"answer")
                assert client.recv(100) == b"answer"
            listener.received.clear()
            reader, writer = await tcp(host, listener.port.port)
            writer.write(framed(CHECK))
            path = await listener.path()
            assert path.kind == "tcp"
            assert path.address == writer.get_extra_info("sockname")[:2]
            assert path.send(b"answer")
            assert await datagrams_from(reader, 1) == [b"answer"]
            await hang_up(writer)
            listener.received.clear()


@pytest.mark.parametrize("local", ["127.0.0.1", "127.0.0.2", "127.9.8.7"])
async def test_an_answer_leaves_a_wildcard_socket_by_the_address_it_was_sent_to(local: str) -> None:
    async with listening() as listener:
        with udp(local, listener.port.port) as client:  # hears nothing that comes from another address
            client.send(CHECK)
            path = await listener.path()
            assert path.send(b"one")
            assert path.send_run(memoryview(b"twotwothree"), 3)
            assert [client.recv(100) for _ in range(5)] == [b"one", b"two", b"two", b"thr", b"ee"]


async def test_paths_are_equal_if_both_addresses_are() -> None:
    async with listening() as listener:
        with udp("127.0.0.1", listener.port.port) as one, udp("127.0.0.1", listener.port.port) as other:
            for client in (one, one, other):
                client.send(CHECK)
            with udp("127.0.0.2", listener.port.port) as to_another_address:
                to_another_address.send(CHECK)
                await until(lambda: len(listener.received) == 4)
        first, again, elsewhere, to_another = [path for _, path in listener.received]
        assert first == again
        assert first != elsewhere
        assert len({first, again, elsewhere, to_another}) == 3


async def test_a_flood_of_senders_is_forgotten_and_paths_stay_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "MAX_UDP_PATHS", 10)
    async with listening(V4) as listener:
        with udp(V4, listener.port.port) as viewer, contextlib.ExitStack() as flood:
            viewer.send(CHECK)
            before = await listener.path()
            for _ in range(25):
                flood.enter_context(udp(V4, listener.port.port)).send(b"flood")
            viewer.send(CHECK)
            await until(lambda: len(listener.received) == 27)
            after = listener.received[-1][1]
            assert after == before
            assert hash(after) == hash(before)
            assert len({path for _, path in listener.received}) == 26
            (reader,) = listener.port._udp
            assert len(reader._paths) <= 10
            assert before.send(b"still a way")
            assert viewer.recv(100) == b"still a way"


@pytest.mark.parametrize("host", [V4, V6])
@pytest.mark.parametrize("wildcard", [True, False])
async def test_a_run_arrives_as_single_datagrams(host: str, wildcard: bool) -> None:
    async with listening(*(() if wildcard else (host,))) as listener:
        with udp(host, listener.port.port) as client:
            client.send(CHECK)
            path = await listener.path()
            for segment, size in [(1200, 1200), (1200, 700), (1000, 2500), (1066, MAX_SEGMENTS * 1066)]:
                run = bytes(range(256)) * 256
                run = run[:size]
                assert size <= MAX_RUN_BYTES
                assert path.send_run(memoryview(run), segment)
                expected = [run[at : at + segment] for at in range(0, size, segment)]
                assert [client.recv(2000) for _ in expected] == expected
            assert path.waiting_bytes == 0
            path.close()
        assert listener.port.counts == paths.Counts()


async def test_where_segmentation_is_refused_each_packet_is_sent_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # An option that the kernel really refuses stands in for a device without offload.
    monkeypatch.setattr(paths, "_UDP_SEGMENT", 0x7F)
    async with listening(V4) as listener:
        with udp(V4, listener.port.port) as client, udp(V4, listener.port.port) as other:
            for one in (client, other):
                one.send(CHECK)
                path = await listener.path()
                listener.received.clear()
                with caplog.at_level(logging.WARNING):
                    for _ in range(3):
                        assert path.send_run(memoryview(b"aaaabbbbcc"), 4)
                        assert [one.recv(100) for _ in range(3)] == [b"aaaa", b"bbbb", b"cc"]
        assert listener.port.counts == paths.Counts(unsegmented=2)
        assert [record.getMessage() for record in caplog.records] == [
            f"segmentation offload is refused towards udp 127.0.0.1:{client_port(caplog)} "
            "([Errno 22] Invalid argument): more CPU is needed"
        ]


def client_port(caplog: pytest.LogCaptureFixture) -> str:
    return caplog.records[0].getMessage().partition("127.0.0.1:")[2].partition(" ")[0]


@pytest.mark.parametrize(
    ("number", "counts"),
    [
        (errno.EAGAIN, paths.Counts(not_taken=2)),
        (errno.ENOBUFS, paths.Counts(not_taken=2)),
        (errno.EPERM, paths.Counts(unsendable=2)),
        (errno.ENETUNREACH, paths.Counts(unsendable=2)),
    ],
)
async def test_what_the_system_does_not_take_is_counted(number: int, counts: paths.Counts) -> None:
    async with listening(V4) as listener:
        with udp(V4, listener.port.port) as client:
            client.send(CHECK)
            path = await listener.path()
            assert isinstance(path, paths.UdpPath)

            def refuse(*_: object) -> int:  # loopback never does: what is sent there has arrived
                raise OSError(number, os.strerror(number))

            sendmsg = path._local.sendmsg
            path._local.sendmsg = refuse
            assert not path.send(b"x")
            assert not path.send_run(memoryview(b"aab"), 2)
            path._local.sendmsg = sendmsg
            assert path.send_run(memoryview(b"aab"), 2)
            assert [client.recv(100) for _ in range(2)] == [b"aa", b"b"]
        assert listener.port.counts == counts


async def test_a_datagram_longer_than_udp_allows_is_not_taken_and_is_counted() -> None:
    async with listening(V4) as listener:
        with udp(V4, listener.port.port) as client:
            client.send(CHECK)
            path = await listener.path()
            assert not path.send(bytes(70_000))  # EMSGSIZE
            assert listener.port.counts == paths.Counts(unsendable=1)


async def test_a_datagram_longer_than_any_of_a_viewer_is_dropped_and_counted() -> None:
    async with listening() as listener:
        with udp(V4, listener.port.port) as client:
            client.send(bytes(5000))
            client.send(CHECK)
            assert await listener.path()
            assert [datagram for datagram, _ in listener.received] == [CHECK]
            assert listener.port.counts == paths.Counts(oversized=1)


async def test_a_flood_lets_the_loop_turn() -> None:
    async with listening(V4) as listener:
        with udp(V4, listener.port.port) as client:
            for _ in range(200):
                client.send(b"flood")
        seen = []
        while len(listener.received) < 200:
            await asyncio.sleep(0)
            seen.append(len(listener.received))
        assert max(after - before for before, after in itertools.pairwise([0, *seen])) <= 64


async def test_whoever_answers_after_the_viewer_went_harms_nobody() -> None:
    async with listening(V4) as listener:
        gone = udp(V4, listener.port.port)
        gone.send(CHECK)
        path = await listener.path()
        gone.close()
        for _ in range(5):
            path.send(b"to nobody")  # the machine answers with ICMP port unreachable
        listener.received.clear()
        with udp(V4, listener.port.port) as client:
            client.send(CHECK)
            assert (await listener.path()).send(b"here")
            assert client.recv(100) == b"here"


# TCP


async def test_frames_go_both_ways_whatever_the_pieces() -> None:
    async with listening(V4) as listener:
        reader, writer = await tcp(V4, listener.port.port)
        sent = [CHECK, b"x", bytes(1500), b"y" * 2048]
        for byte in b"".join(map(framed, sent[:2])):
            writer.write(bytes((byte,)))
            await writer.drain()
        writer.write(b"".join(map(framed, sent[2:])))
        await until(lambda: len(listener.received) == 4)
        assert [datagram for datagram, _ in listener.received] == sent
        path = listener.received[0][1]
        assert all(other is path for _, other in listener.received)
        assert path.send_run(memoryview(b"aaaabbbbcc"), 4)
        assert await datagrams_from(reader, 3) == [b"aaaa", b"bbbb", b"cc"]
        await hang_up(writer)
        await until(lambda: listener.closed == [path])
        assert not path.send(b"too late")


async def test_a_run_is_the_senders_again_at_once() -> None:
    async with listening(V4) as listener:
        reader, writer = await tcp(V4, listener.port.port)
        writer.write(framed(CHECK))
        path = await listener.path()
        buffer = bytearray(60_000)
        for number in range(8):  # more than the kernel holds back: some wait in the process
            buffer[:] = bytes((number,)) * len(buffer)
            assert path.send_run(memoryview(buffer), 1000)
        buffer[:] = b"\xff" * len(buffer)
        received = await datagrams_from(reader, 480)
        assert received == [bytes((number,)) * 1000 for number in range(8) for _ in range(60)]
        await hang_up(writer)


async def test_a_reader_that_stands_still_is_bounded_and_can_be_cut_off() -> None:
    async with listening(V4) as listener:
        with socket.create_connection((V4, listener.port.port)) as client:
            client.sendall(framed(CHECK))
            path = await listener.path()
            run = memoryview(bytes(48_000))
            taken = 0
            while path.send_run(run, 1000):
                taken += 1
                assert taken < 1000
                assert path.waiting_bytes <= WAITING_BYTES
            assert path.waiting_bytes > WAITING_BYTES - 50_000
            assert listener.port.counts == paths.Counts(not_taken=1)
            path.close()
            await until(lambda: listener.closed == [path])
            assert path.waiting_bytes == 0
            assert not path.send(b"x")


@pytest.mark.parametrize(
    "junk",
    [
        framed(b"\x16\xfe\xfd" + bytes(60)),  # DTLS before any check
        b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n",
        b"\xff\xff",
        framed(CHECK) + b"\x08\x01",
    ],
)
async def test_a_connection_that_is_no_viewers_is_closed_and_counted(junk: bytes) -> None:
    async with listening(V4) as listener:
        reader, writer = await tcp(V4, listener.port.port)
        writer.write(junk)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                assert await reader.read() == b""
        assert [datagram for datagram, _ in listener.received] in ([], [CHECK])
        assert listener.port.counts == paths.Counts(tcp_malformed=1)
        assert len(listener.closed) == 1
        await hang_up(writer)


async def test_a_silent_connection_is_closed_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ANSWERED_WITHIN_S", 0.01)
    async with listening(V4) as listener:
        reader, writer = await tcp(V4, listener.port.port)
        writer.write(framed(CHECK)[:-1])  # most of a frame is none
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                assert await reader.read() == b""
        await until(lambda: len(listener.closed) == 1)
        assert listener.port.counts == paths.Counts(tcp_silent=1)
        assert not listener.received
        await hang_up(writer)


async def test_whoever_is_never_answered_is_closed_however_much_he_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paths, "ANSWERED_WITHIN_S", 0.05)
    async with listening(V4) as listener:
        _, writer = await tcp(V4, listener.port.port)
        while not listener.closed:
            writer.write(framed(CHECK))
            await asyncio.sleep(0.001)
        assert listener.received
        assert listener.port.counts == paths.Counts(tcp_silent=1)
        await hang_up(writer)


async def test_a_connection_that_falls_silent_is_closed_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ANSWERED_WITHIN_S", 0.1)
    monkeypatch.setattr(paths, "SILENT_S", 0.2)
    async with listening(V4) as listener:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        _, writer = await tcp(V4, listener.port.port)
        writer.write(framed(CHECK))
        (await listener.path()).send(b"answer")
        await until(lambda: len(listener.closed) == 1)
        assert loop.time() - began_s >= 0.2
        assert listener.port.counts == paths.Counts(tcp_silent=1)
        await hang_up(writer)


async def test_connections_are_bounded_for_each_address_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "MAX_CONNECTIONS", 5)
    monkeypatch.setattr(port, "MAX_CONNECTIONS_PER_ADDRESS", 3)
    async with listening(V4) as listener:

        async def connect(from_ip: str) -> bool:
            """Whether the connection stays: its check arrives."""
            reader, writer = await asyncio.open_connection(V4, listener.port.port, local_addr=(from_ip, 0))
            clients.append(writer)
            before = len(listener.received)
            with contextlib.suppress(ConnectionError):
                writer.write(framed(CHECK))
                async with asyncio.timeout(10):
                    closed = asyncio.ensure_future(reader.read())
                    await until(lambda: closed.done() or len(listener.received) > before)
                    closed.cancel()
                    await asyncio.gather(closed, return_exceptions=True)
            return len(listener.received) > before

        clients: list[asyncio.StreamWriter] = []
        assert [await connect("127.0.0.1") for _ in range(4)] == [True, True, True, False]
        assert [await connect("127.0.0.2") for _ in range(3)] == [True, True, False]
        assert listener.port.counts == paths.Counts(tcp_refused=2)
        await hang_up(clients[0])
        await until(lambda: len(listener.closed) == 1)
        assert await connect("127.0.0.1")
        for writer in clients:
            await hang_up(writer)
        await until(lambda: len(listener.closed) == 6)
        assert not listener.port._per_address


def test_an_ipv6_sender_is_known_by_its_network() -> None:
    assert port.origin_of("2001:db8:1:2:3:4:5:6") == port.origin_of("2001:db8:1:2::9")
    assert port.origin_of("2001:db8:1:2::") != port.origin_of("2001:db8:1:3::")
    assert port.origin_of("192.0.2.1") != port.origin_of("192.0.2.2")


async def test_a_connection_flooding_tiny_frames_shares_the_loop() -> None:
    async with listening(V4) as listener:
        _, writer = await tcp(V4, listener.port.port)
        writer.write(framed(CHECK) + framed(b"x") * 20_000)
        await until(lambda: len(listener.received) > 0)
        seen = [len(listener.received)]
        while len(listener.received) < 20_001:
            await asyncio.sleep(0)
            seen.append(len(listener.received))
        assert max(after - before for before, after in itertools.pairwise(seen)) <= 4096 // 3 + 1
        await hang_up(writer)


# Opening and closing


async def test_closing_ends_all_and_frees_the_number() -> None:
    listener = Listener()
    number = (await listener.open()).port
    _, writer = await tcp(V4, number)
    writer.write(framed(CHECK))
    path = await listener.path()
    await listener.port.close()
    assert listener.closed == [path]
    assert not path.send(b"x")
    await (await listener.open(number=number)).close()
    await hang_up(writer)


async def test_closing_waits_for_connections_that_came_after_others_had_gone() -> None:
    listener = Listener()
    number = (await listener.open(V4)).port
    for count in (1, 2):
        _, writer = await tcp(V4, number)
        writer.write(framed(CHECK))
        await until(lambda count=count: len(listener.received) == count)  # type: ignore[misc]
        if count == 1:
            await hang_up(writer)
            await until(lambda: len(listener.closed) == 1)
    await listener.port.close()
    assert listener.closed == [path for _, path in listener.received]
    await hang_up(writer)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
@pytest.mark.parametrize("hosts", [(), (V4,)])
async def test_a_number_in_use_is_named(kind: socket.SocketKind, hosts: tuple[str, ...]) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((V4, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        number = other.getsockname()[1]
        name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        with pytest.raises(PortInUseError, match=rf"relay: {name} [0-9.]+:{number} is in use"):
            await Listener().open(*hosts, number=number)
    await (await Listener().open(*hosts, number=number)).close()


async def test_two_relays_cannot_share_a_number() -> None:
    async with listening(V4) as listener:
        with pytest.raises(PortInUseError):
            await Listener().open(V4, number=listener.port.port)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("relay.example", "'relay.example' does not appear to be an IPv4 or IPv6 address"),
        ("192.0.2.250", "UDP 192.0.2.250:.* cannot be opened: Cannot assign requested address"),
        ("2001:db8::250", r"UDP \[2001:db8::250\]:.* cannot be opened: Cannot assign requested address"),
    ],
)
async def test_an_address_that_is_not_ours_is_a_mistake_of_the_configuration(host: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        await Listener().open(V4, host)


async def test_without_ipv6_there_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    class Without(socket.socket):
        def __init__(self, family: int = -1, *rest: object) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            real.__init__(self, family, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "socket", Without)
    async with listening() as listener:
        assert [udp.socket.family for udp in listener.port._udp] == [socket.AF_INET]


async def test_buffers_are_large_and_tcp_does_not_wait_for_more() -> None:
    async with listening(V4) as listener:
        (reader,) = listener.port._udp
        granted = reader.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        most = int(pathlib.Path("/proc/sys/net/core/wmem_max").read_text())
        assert granted == 2 * min(4 * 1024 * 1024, most)  # socket(7): the kernel doubles it
        _, writer = await tcp(V4, listener.port.port)
        writer.write(framed(CHECK))
        path = await listener.path()
        assert isinstance(path, paths.TcpPath)
        accepted = path._transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await hang_up(writer)


def test_the_reply_address_is_read_from_what_the_kernel_says() -> None:
    # struct in_pktinfo: device 7, our 127.0.0.2, sent to 127.0.0.3; the route chooses the device
    (level, kind, info), *_ = port._reply_from(struct.pack("=i4s4s", 7, b"\x7f\0\0\2", b"\x7f\0\0\3"))
    assert (level, kind, info) == (0, 8, bytes(4) + b"\x7f\0\0\2" + bytes(4))
    # struct in6_pktinfo: sent to 2001:db8::1, device 7
    ours = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    expected = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, ours + bytes(4))
    assert port._reply_from(ours + struct.pack("=i", 7)) == [expected]
    assert port._reply_from(b"") == []


async def test_without_tcp_nobody_is_accepted() -> None:
    port = await Port.open(["127.0.0.1"], 0, lambda datagram, path: None, lambda path: None, tcp=False)
    try:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port.port)
    finally:
        await port.close()
