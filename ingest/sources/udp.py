"""UDP ports of our own, read at every turn of the loop: until empty, or for as long as others can wait."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Protocol, Self, TypeAlias

from flow.clock import NS_PER_S, Clock
from flow.errors import ConfigError, PortInUseError
from ingest.protocol.events import Opened, SourceEvent, Unusable

from . import Publish

_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024  # a keyframe's burst; the kernel caps it at net.core.rmem_max
_DATAGRAM_BYTES = 65_536
_BATCH = 32  # 20 µs each, and all the others wait for as long
_SENDERS_KEPT = 64  # one sends, as a rule; a flood of invented addresses is judged one by one

_SO_MEMINFO = 55  # linux/sock_diag.h: nine numbers of a socket, the last of which counts what it dropped
_MEMINFO = struct.Struct("=9I")
_TELL_EVERY_NS = NS_PER_S

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class DatagramStream(Protocol):
    """The pure part of a source that listens: datagrams in, events out."""

    SCHEME: ClassVar[str]
    TIMESTAMP_BITS: ClassVar[int]

    def handle(self, datagram: bytes, sender: str, now_ns: int) -> list[SourceEvent]: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen, and to whom: `allow_from` names addresses or networks; () is everybody on loopback."""

    host: str
    port: int
    allow_from: tuple[str, ...] = ()

    def __str__(self) -> str:
        return _printed(self.host, self.port)


class Sender(NamedTuple):
    """Who sent a datagram, "address:port", and whether allow_from lets it in."""

    name: str
    allowed: bool


Batch: TypeAlias = list[tuple[bytes, Sender]]
"""Datagrams in the order of their arrival."""


async def listen(endpoint: Endpoint, stream: DatagramStream, clock: Clock, publish: Publish) -> None:
    """Publish what `stream` makes of the datagrams that reach `endpoint`, until cancelled."""

    def take(batch: Batch) -> None:
        now_ns = clock.now_ns()
        if len(batch) == _BATCH:  # what overflowed left a full buffer
            overrun.look(now_ns)
        for datagram, sender in batch:
            if not sender.allowed:
                publish(Unusable("forbidden_sender", f"{sender.name} is not in allow_from"))
                continue
            for event in stream.handle(datagram, sender.name, now_ns):
                publish(event)

    with UdpPort(endpoint) as port:
        overrun = _Overrun(port, publish)
        publish(Opened(f"{stream.SCHEME}://{port.address}", stream.TIMESTAMP_BITS))
        await port.serve(take)


class _Overrun:
    """Tells what came faster than it could be read, once a second at most."""

    def __init__(self, port: UdpPort, publish: Publish) -> None:
        self._port, self._publish = port, publish
        self._told, self._due_ns = 0, 0

    def look(self, now_ns: int) -> None:
        if now_ns < self._due_ns or (dropped := self._port.dropped) in (0, self._told):
            return
        self._told, self._due_ns = dropped, now_ns + _TELL_EVERY_NS
        lost = f"{dropped} datagrams at {self._port.address} came faster than they can be read, and were lost"
        self._publish(Unusable("overrun", lost))


class UdpPort:
    """A bound socket; a context manager. Raises ConfigError or PortInUseError where it may not be bound.

    A port that is open to the network must name its senders.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        address = _address(endpoint)
        self._allowed = tuple(_network(entry, endpoint) for entry in endpoint.allow_from)
        if not address.is_loopback and not self._allowed:
            problem = "is open to the network: name the senders in allow_from, or use 127.0.0.1"
            raise ConfigError(f"{endpoint} {problem}", code="address_refused")
        self._socket = _bound(address, endpoint)
        self.port: int = self._socket.getsockname()[1]
        self.address = _printed(endpoint.host, self.port)
        """Where it listens, with the real port."""
        self._sender = lru_cache(_SENDERS_KEPT)(self._judged)

    @property
    def dropped(self) -> int:
        """How many datagrams the kernel has thrown away because nobody read fast enough; 0 where it does not
        tell (SO_MEMINFO came with Linux 4.12; sandboxes like gVisor's may lack it)."""
        if sys.platform != "linux":
            return 0
        with contextlib.suppress(OSError, struct.error):
            told = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
            numbers: tuple[int, ...] = _MEMINFO.unpack(told)
            return numbers[-1]
        return 0

    async def serve(self, take: Callable[[Batch], None]) -> None:
        """Hand `take` what arrives, a small batch at every turn of the loop, until cancelled or it raises.

        The callback stays with the loop: a task that waits for each datagram costs two turns more.
        """
        loop = asyncio.get_running_loop()
        failed: asyncio.Future[None] = loop.create_future()

        def readable() -> None:
            try:
                take(self._arrived())
            except Exception as error:
                loop.remove_reader(self._socket)
                if not failed.done():
                    failed.set_exception(error)

        loop.add_reader(self._socket, readable)
        try:
            await failed
        finally:
            loop.remove_reader(self._socket)

    def send(self, datagram: bytes, host: str, port: int) -> None:
        """Send from this port. What does not go now is lost, as it may be anywhere on its way."""
        with contextlib.suppress(OSError):
            self._socket.sendto(datagram, _socket_address(host, port))

    def close(self) -> None:
        self._socket.close()

    def _arrived(self) -> Batch:
        batch: Batch = []
        receive, sender = self._socket.recvfrom, self._sender
        try:
            while len(batch) < _BATCH:
                datagram, address = receive(_DATAGRAM_BYTES)
                batch.append((datagram, sender(address)))
        except BlockingIOError:
            return batch
        return batch

    def _judged(self, address: tuple[Any, ...]) -> Sender:
        """`address` is the socket's: (host, port), and for IPv6 two numbers more."""
        host, port = address[:2]
        return Sender(_printed(host, port), self._allows(host))

    def _allows(self, sender: str) -> bool:
        if not self._allowed:
            return True
        address = ipaddress.ip_address(sender.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped  # an IPv4 sender, seen from a port bound to :: (RFC 4291 2.5.5.2)
        return any(address in network for network in self._allowed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def host_of(address: tuple[Any, ...]) -> str:
    """The host of a socket's address; where that means something on one link only (fe80::), with the number
    of the interface behind a % (RFC 4007 11)."""
    host, scope = address[0].partition("%")[0], address[3] if len(address) > 3 else 0
    return f"{host}%{scope}" if scope else host


def _socket_address(host: str, port: int) -> tuple[Any, ...]:
    """As sockets take it: Python leaves the interface out of a host's text. Raises OSError."""
    bare, _, scope = host.partition("%")
    if not scope:
        return host, port
    return bare, port, 0, int(scope) if scope.isdecimal() else socket.if_nametoindex(scope)


def _printed(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _address(endpoint: Endpoint) -> Address:
    host = "127.0.0.1" if endpoint.host == "localhost" else endpoint.host
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        message = f"{endpoint}: '{host}' is no address of this machine; use one like 127.0.0.1"
        raise ConfigError(message, code="address_refused") from None


def _network(entry: str, endpoint: Endpoint) -> Network:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        message = f"{endpoint}: allow_from names '{entry}', which is no address or network"
        raise ConfigError(message, code="address_refused") from None


def _bound(address: Address, endpoint: Endpoint) -> socket.socket:
    sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        sock.bind(_socket_address(str(address), endpoint.port))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(f"UDP {endpoint} is in use by another program") from None
        message = f"UDP {endpoint} cannot be opened: {error.strerror or error}"
        raise ConfigError(message, code="address_refused") from None
    return sock
