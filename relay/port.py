"""The one port for all viewers: UDP and TCP under one number, on IPv4 and IPv6."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from flow.errors import ConfigError, PortInUseError

from .paths import READ_BYTES, Ancillary, Counts, LocalEnd, Path, TcpPath, UdpPath, printed

__all__ = ["Path", "Port"]

log = logging.getLogger("lagebild.relay")

MAX_UDP_PATHS = 4096
MAX_CONNECTIONS = 512
MAX_CONNECTIONS_PER_ADDRESS = 64
"""Many viewers of one command vehicle come from one address; each tries one connection per candidate."""

_BATCH = 64
"""Datagrams a wake-up, so that a flood cannot stop the sending."""

_DATAGRAM_BYTES = 2048
_SOCKET_BUFFER_BYTES = 4 * 1024 * 1024  # a keyframe for every viewer; the kernel caps it at net.core.wmem_max
_ANCILLARY_BYTES = 64
_ATTEMPTS = 16
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33  # asm-generic/socket.h; not among Python's names
_IP_PKTINFO = 8  # linux/in.h; not among Python's names before 3.14

Receive: TypeAlias = Callable[[bytes, Path], None]
Kinds: TypeAlias = tuple[socket.SocketKind, ...]
IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class UdpSocket:
    """Reads one bound UDP socket and finds the path of each datagram."""

    def __init__(self, sock: socket.socket, receive: Receive, counts: Counts) -> None:
        self.socket = sock
        self._receive = receive
        self._counts = counts
        self._paths: dict[tuple[Any, bytes], UdpPath] = {}
        self._ends: dict[bytes, LocalEnd] = {}

    def read(self) -> None:
        """Hand on what has arrived, at most _BATCH datagrams."""
        for _ in range(_BATCH):
            try:
                datagram, ancillary, flags, remote = self.socket.recvmsg(_DATAGRAM_BYTES, _ANCILLARY_BYTES)
            except OSError:  # nothing more, or an error that an ICMP message of somebody else left here
                return
            if flags & socket.MSG_TRUNC:
                self._counts.oversized += 1
                continue
            local = ancillary[0][2] if ancillary else b""
            path = self._paths.get((remote, local)) or self._new_path(remote, local)
            self._receive(datagram, path)

    def _new_path(self, remote: Any, local: bytes) -> UdpPath:
        if len(self._paths) >= MAX_UDP_PATHS:
            self._paths.clear()  # paths are equal by address, so those in use are simply made again
            self._ends.clear()
        end = self._ends.get(local)
        if end is None:
            end = self._ends[local] = LocalEnd(self.socket, _reply_from(local))
        path = self._paths[remote, local] = UdpPath(end, remote, self._counts)
        return path


def _reply_from(packet_info: bytes) -> Ancillary:
    """Ancillary data for answers to a datagram that came with `packet_info`; the route chooses the device."""
    if len(packet_info) == 12:  # struct in_pktinfo: device, our address, the address it was sent to
        return [(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("=i4s4s", 0, packet_info[4:8], bytes(4)))]
    if len(packet_info) == 20:  # struct in6_pktinfo: the address it was sent to, device
        info = struct.pack("=16si", packet_info[:16], 0)
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)]
    return []


class Port:
    """Everything that viewers send arrives here; see `open`. `counts` says what was refused."""

    def __init__(self, receive: Receive, path_closed: Callable[[Path], None]) -> None:
        self.counts = Counts()
        self.port = 0
        self._receive = receive
        self._path_closed = path_closed
        self._udp: list[UdpSocket] = []
        self._servers: list[asyncio.Server] = []
        self._connections: set[TcpPath] = set()
        self._per_address: Counter[str] = Counter()
        self._closing = False
        self._empty = asyncio.Event()
        self._buffer = memoryview(bytearray(READ_BYTES))

    @classmethod
    async def open(
        cls,
        hosts: Sequence[str],
        port: int,
        receive: Receive,
        path_closed: Callable[[Path], None],
        *,
        tcp: bool = True,
    ) -> Port:
        """Listen on `hosts` (IP addresses; none means all of IPv4 and IPv6); port 0 lets the kernel choose.

        `receive` gets every datagram and the path to answer by, `path_closed` each TCP path that ended.
        Raises PortInUseError, or ConfigError for an address that is not of this machine.
        """
        opened = cls(receive, path_closed)
        kinds = (socket.SOCK_DGRAM, socket.SOCK_STREAM) if tcp else (socket.SOCK_DGRAM,)
        sockets = _bound(_addresses(hosts), kinds, port)
        opened.port = sockets[0].getsockname()[1]
        try:
            await opened._listen(sockets)
        except BaseException:
            await opened.close()
            for sock in sockets:
                sock.close()
            raise
        return opened

    async def _listen(self, sockets: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        for sock in sockets:
            if sock.type == socket.SOCK_DGRAM:
                udp = UdpSocket(sock, self._receive, self.counts)
                self._udp.append(udp)
                loop.add_reader(sock, udp.read)
            else:
                server = await loop.create_server(
                    self._connection, sock=sock, backlog=_BATCH, start_serving=False
                )
                self._servers.append(server)
                await server.start_serving()

    async def close(self) -> None:
        """Close all; `path_closed` is called for every TCP path before this returns."""
        self._closing = True
        for udp in self._udp:
            asyncio.get_running_loop().remove_reader(udp.socket)
            udp.socket.close()
        for server in self._servers:
            server.close()
        for path in self._connections:
            path.abort()
        if self._connections:
            await self._empty.wait()
        for server in self._servers:
            await server.wait_closed()

    def _connection(self) -> TcpPath:
        return TcpPath(self._receive, self, self._buffer)

    def admit(self, path: TcpPath) -> bool:
        """Whether one more connection is within the limits."""
        origin = origin_of(path.address[0])
        within = len(self._connections) < MAX_CONNECTIONS
        if self._closing or not within or self._per_address[origin] >= MAX_CONNECTIONS_PER_ADDRESS:
            self.counts.tcp_refused += 1
            return False
        self._connections.add(path)
        self._empty.clear()
        self._per_address[origin] += 1
        return True

    def gone(self, path: TcpPath) -> None:
        """The connection ended, admitted or not."""
        if path not in self._connections:
            return
        self._connections.remove(path)
        origin = origin_of(path.address[0])
        self._per_address[origin] -= 1
        if not self._per_address[origin]:
            del self._per_address[origin]
        if not self._connections:
            self._empty.set()
        self._path_closed(path)


def origin_of(ip: str) -> str:
    """Whom an address belongs to: of IPv6, everybody has a /64. What is no address stays as it is."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    return ip if address.version == 4 else address.exploded[:19]


def _addresses(hosts: Sequence[str]) -> list[IpAddress]:
    if not hosts:
        anywhere: list[IpAddress] = [ipaddress.IPv4Address("0.0.0.0")]
        return [*anywhere, ipaddress.IPv6Address("::")] if _has_ipv6() else anywhere
    try:
        return [ipaddress.ip_address(host) for host in dict.fromkeys(hosts)]
    except ValueError as error:
        raise ConfigError(f"relay: {error}; name addresses like 192.0.2.10") from None


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::", 0))
    except OSError as error:
        log.info("this machine has no IPv6 (%s): viewers are served over IPv4 only", error)
        return False
    return True


def _bound(addresses: list[IpAddress], kinds: Kinds, port: int) -> list[socket.socket]:
    """A socket of each kind for each address, all under one number."""
    for attempt in range(_ATTEMPTS):
        try:
            return _bound_once(addresses, kinds, port)
        except PortInUseError:
            if port or attempt == _ATTEMPTS - 1:  # a number chosen for the first may be taken for another
                raise
    raise AssertionError


def _bound_once(addresses: list[IpAddress], kinds: Kinds, port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            for kind in kinds:
                sockets.append(_bound_socket(address, kind, port))
                port = sockets[0].getsockname()[1]
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bound_socket(address: IpAddress, kind: socket.SocketKind, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, kind)
    try:
        sock.setblocking(False)
        if address.version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of before in TIME_WAIT
        else:
            _configure_udp(sock, address)
        sock.bind((str(address), port))
        if kind == socket.SOCK_STREAM:
            sock.listen(_BATCH)  # at once: with SO_REUSEADDR, only this shows that the number is taken
    except OSError as error:
        sock.close()
        name = f"{'TCP' if kind == socket.SOCK_STREAM else 'UDP'} {printed((str(address), port))}"
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"relay: {name} is in use by another program; webrtc.port names another"
            ) from None
        raise ConfigError(f"relay: {name} cannot be opened: {error.strerror}") from None
    return sock


def _configure_udp(sock: socket.socket, address: IpAddress) -> None:
    for forced, usual in ((_SO_SNDBUFFORCE, socket.SO_SNDBUF), (_SO_RCVBUFFORCE, socket.SO_RCVBUF)):
        try:
            sock.setsockopt(socket.SOL_SOCKET, forced, _SOCKET_BUFFER_BYTES)
        except PermissionError:  # only CAP_NET_ADMIN may exceed net.core.wmem_max and rmem_max
            sock.setsockopt(socket.SOL_SOCKET, usual, _SOCKET_BUFFER_BYTES)
    sending = (
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2
    )  # the kernel doubles what is asked for
    if sending < _SOCKET_BUFFER_BYTES:
        log.info(
            "the kernel gives the relay's socket %d KB to send from; where many watch, set net.core.wmem_max "
            "to %d, or a keyframe leaves more slowly",
            sending // 1024,
            _SOCKET_BUFFER_BYTES,
        )
    if not address.is_unspecified:
        return
    if address.version == 4:
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
