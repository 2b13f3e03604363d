"""A share by TCP: ground stations connect and read along."""

from __future__ import annotations

import asyncio
import socket

from flow.clock import NS_PER_S, Clock
from telemetry.gate import Gate, bind_error, keep_alive, shown

from .client import CLIENTS_MOST, Client, of_a_port
from .ledger import Ledger

WAITING_MOST_BYTES = 32 * 1024
"""What may wait for one station, in our memory and again in the kernel's. Then it loses whole messages."""
STUCK_NS = 30 * NS_PER_S
"""Who has read nothing of that for so long gives its place to another."""
UNACKNOWLEDGED_MS = 15_000
LISTENS_ONLY_NS = 2 * NS_PER_S
"""Who says nothing at all for so long only reads along. An aircraft speaks at once, and is told nothing."""


class _Connection(asyncio.Protocol):
    def __init__(self, share: TcpShare) -> None:
        self._share = share
        self.client = Client("", 0)
        self._behind_ns: int | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        self._transport = transport
        self.client = Client(shown("tcp", peer), self._share.clock.now_ns())
        transport.set_write_buffer_limits(high=WAITING_MOST_BYTES)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, WAITING_MOST_BYTES
        )  # or the kernel keeps minutes
        watch(sock)
        if not self._share.admit(self, peer):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        share = self._share
        now_ns = share.clock.now_ns()
        self.client.hear(data, share.ledger, share.shared, now_ns, share.heard, datagram=False)
        if self._transport and self.client.aircraft:
            self._transport.abort()
        elif self._transport and not self.client.may_say(now_ns):
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._share.connections.discard(self)

    def send(self, message: bytes) -> bool:
        """Write the whole of it, or nothing where too much waits already."""
        if self._transport is None or self._transport.is_closing() or not self.client.known:
            return True
        if self._transport.get_write_buffer_size() + len(message) > WAITING_MOST_BYTES:
            return False
        self._transport.write(message)
        return True

    def poll(self, now_ns: int) -> None:
        """Read on where enough was read in the last second; let go of who does not read."""
        if self._transport is None or self._transport.is_closing():
            return
        if self.client.may_say(now_ns):
            self._transport.resume_reading()
        self.client.known |= not self.client.spoken and now_ns - self.client.heard_ns >= LISTENS_ONLY_NS
        if not self.client.known and self.client.spoken and now_ns - self.client.heard_ns > STUCK_NS:
            self._transport.abort()  # it speaks, and is no ground station
        elif not self._transport.get_write_buffer_size():
            self._behind_ns = None
        elif self._behind_ns is None:
            self._behind_ns = now_ns
        elif now_ns - self._behind_ns > STUCK_NS:
            self._transport.abort()

    def end(self) -> None:
        if self._transport:
            self._transport.abort()


class TcpShare:
    """A port of our own that ground stations connect to."""

    def __init__(self, ledger: Ledger, gate: Gate, clock: Clock) -> None:
        self.ledger, self.clock, self._gate = ledger, clock, gate
        self.shared: frozenset[int] = frozenset()
        self.connections: set[_Connection] = set()
        self.address = ""
        self.aircraft = ""  # the last one that was turned away
        self.heard = of_a_port()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Raises ConfigError, PortInUseError."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Connection(self), host, port)
        except OSError as error:
            raise bind_error("tcpin", host, port, error) from None
        self.address = shown("tcpin", self._server.sockets[0].getsockname())

    @property
    def stations(self) -> list[str]:
        return sorted(each.client.name for each in self.connections if each.client.known)

    def admit(self, connection: _Connection, peer: tuple[object, ...]) -> bool:
        if len(self.connections) >= CLIENTS_MOST or not self._gate.admits(peer):
            return False
        self.connections.add(connection)
        return True

    def send(self, message: bytes) -> None:
        for connection in self.connections:
            self.ledger.lost += not connection.send(message)

    def poll(self, shared: frozenset[int], now_ns: int) -> None:
        self.shared = shared
        for connection in list(self.connections):
            if connection.client.aircraft:
                self.aircraft = connection.client.name
            connection.poll(now_ns)

    async def aclose(self) -> None:
        if self._server:
            self._server.close()
        for connection in list(self.connections):
            connection.end()


def watch(sock: socket.socket) -> None:
    """A station that is gone without a word is noticed: by what it does not acknowledge."""
    keep_alive(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
