"""Where MAVLink bytes come from. Nothing here ever writes to a link: no source holds anything to send with.

`udpin:HOST:PORT` listens, `tcp:HOST:PORT` connects, `tcpin:HOST:PORT` accepts connections,
`serial:DEVICE:BAUD` reads a serial port, `tlog:PATH` plays a recorded log at its own pace. Port 0 lets the
kernel choose. There is no `udpout`: it would have to send.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from flow.clock import NS_PER_S, Clock
from flow.codec.tlog import TlogSplitter, is_tlog
from flow.errors import ConfigError, SourceError
from flow.lookup import connected

from .datagrams import DatagramReader
from .gate import Gate, bind_error, host_port, keep_alive, shown
from .serial_port import port_and_baud, read_port

CONNECT_S = 10.0
CONNECTIONS_MOST = 16
IDLE_NS = 5 * NS_PER_S
"""A connection silent for so long makes way where all are taken: an aircraft says something every second."""
LONGEST_PAUSE_NS = 10 * NS_PER_S
"""A longer gap in a log is a clock that was set, or a pause nobody wants to sit through."""
HEAD_BYTES = 64 * 1024
READ_BYTES = 8 * 1024
"""Of a connection in one turn of the event loop, 200 messages: what an outage held back comes all at once."""
SLICE_BYTES = 8 * 1024
"""Scanned for records in one turn of the event loop: 1 ms of junk."""
FORMS = "udpin:HOST:PORT, tcp:HOST:PORT, tcpin:HOST:PORT, serial:DEVICE:BAUD or tlog:PATH"


class Sink(Protocol):
    """Where a source delivers to."""

    def opened(self, address: str) -> None:
        """The source is ready; `address` is where it really listens or reads."""

    def receive(self, data: bytes, sender: str, *, datagram: bool = False, age_ns: int = 0) -> None:
        """Bytes that `sender` sent, and how long ago they came in."""

    def refused(self, sender: str) -> None:
        """`sender` may not speak here; what it sent was dropped."""

    def ended(self, sender: str) -> None:
        """A connection is over."""


async def run_source(url: str, allow_from: tuple[str, ...], clock: Clock, sink: Sink) -> None:
    """Deliver what comes from `url` until cancelled; returns only when a file has ended.

    Raises ConfigError, PortInUseError or SourceError with one line that says what and where.
    """
    kind, _, rest = url.partition(":")
    if kind == "tlog" and rest:
        await _play_tlog(Path(rest), clock, sink)
        return
    if kind == "serial":
        await _read_serial(*port_and_baud(url, rest), sink)
        return
    if kind not in ("udpin", "tcp", "tcpin"):
        raise ConfigError(f"telemetry '{url}' is not understood; use {FORMS}", code="unsupported_url")
    host, port = host_port(url, rest, FORMS)
    if kind == "udpin":
        await _listen_udp(host, port, Gate(url, host, allow_from), sink)
    elif kind == "tcp":
        await _connect_tcp(host, port, clock, sink)
    else:
        await _accept_tcp(host, port, Gate(url, host, allow_from), clock, sink)


# --- UDP ----------------------------------------------------------------------------------------------------


async def _listen_udp(host: str, port: int, gate: Gate, sink: Sink) -> None:
    def take(data: bytes, address: tuple[Any, ...], age_ns: int) -> None:
        sender = shown("udp", address)
        if gate.admits(address):
            sink.receive(data, sender, datagram=True, age_ns=age_ns)
        else:
            sink.refused(sender)

    with await _bound_udp(host, port) as sock:
        reader = DatagramReader(sock, take)
        reader.start()
        try:
            sink.opened(shown("udpin", sock.getsockname()))
            await asyncio.get_running_loop().create_future()
        finally:
            reader.stop()


async def _bound_udp(host: str, port: int) -> socket.socket:
    """A socket on that address. Raises ConfigError, PortInUseError."""
    sock: socket.socket | None = None
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        sock = socket.socket(family, kind, protocol)
        sock.bind(address)
    except OSError as error:
        if sock is not None:
            sock.close()
        raise bind_error("udpin", host, port, error) from None
    return sock


# --- TCP ----------------------------------------------------------------------------------------------------


class _Connection(asyncio.BufferedProtocol):
    """Reads one connection, little by little; `over` is done when it ends."""

    def __init__(self, clock: Clock, sink: Sink, others: _Connections | None = None) -> None:
        self._clock, self._sink, self._others = clock, sink, others
        self._sender = ""
        self._buffer = bytearray(READ_BYTES)
        self._transport: asyncio.BaseTransport | None = None
        self.heard_ns = clock.now_ns()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self._transport, self._sender = transport, shown("tcp", peer)
        keep_alive(transport.get_extra_info("socket"))
        if self._others is not None and not self._others.admit(self, peer, self._clock.now_ns()):
            self._sink.refused(self._sender)
            transport.close()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._transport and not self._transport.is_closing():
            self.heard_ns = self._clock.now_ns()
            self._sink.receive(bytes(self._buffer[:nbytes]), self._sender)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._others is not None:
            self._others.remove(self)
        self._sink.ended(self._sender)
        if not self.over.done():
            self.over.set_result(None)

    def close(self) -> None:
        if self._transport:
            self._transport.close()


class _Connections:
    """Those that a port has accepted: not too many, and none that has fallen silent in a newcomer's way."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._open: set[_Connection] = set()

    def admit(self, newcomer: _Connection, peer: tuple[Any, ...], now_ns: int) -> bool:
        if not self._gate.admits(peer):
            return False
        if len(self._open) >= CONNECTIONS_MOST:
            quietest = min(self._open, key=lambda each: each.heard_ns)
            if now_ns - quietest.heard_ns <= IDLE_NS:
                return False
            self._open.discard(quietest)
            quietest.close()
        self._open.add(newcomer)
        return True

    def remove(self, connection: _Connection) -> None:
        self._open.discard(connection)

    def close(self) -> None:
        for connection in list(self._open):
            connection.close()


async def _connect_tcp(host: str, port: int, clock: Clock, sink: Sink) -> None:
    loop, where = asyncio.get_running_loop(), f"tcp:{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            sock = await connected(host, port)
        transport, connection = await loop.create_connection(lambda: _Connection(clock, sink), sock=sock)
    except (OSError, UnicodeError, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or str(error) or f"no answer within {CONNECT_S:.0f} s"
        raise SourceError(f"telemetry {where} cannot be reached: {reason}", code="connect_failed") from None
    try:
        sink.opened(where)
        await connection.over
    finally:
        transport.close()
    raise SourceError(f"telemetry {where} has closed the connection", code="connect_failed")


async def _accept_tcp(host: str, port: int, gate: Gate, clock: Clock, sink: Sink) -> None:
    loop = asyncio.get_running_loop()
    connections = _Connections(gate)
    try:
        server = await loop.create_server(lambda: _Connection(clock, sink, connections), host, port)
    except OSError as error:
        raise bind_error("tcpin", host, port, error) from None
    try:
        sink.opened(shown("tcpin", server.sockets[0].getsockname()))
        await loop.create_future()
    finally:
        server.close()
        connections.close()


# --- a serial port ------------------------------------------------------------------------------------------


async def _read_serial(path: Path, baud: int, sink: Sink) -> None:
    sender = f"serial:{path}:{baud}"
    try:
        await read_port(path, baud, lambda: sink.opened(sender), lambda data: sink.receive(data, sender))
    finally:
        sink.ended(sender)


# --- recorded logs ------------------------------------------------------------------------------------------


async def _play_tlog(path: Path, clock: Clock, sink: Sink) -> None:
    """Deliver the records of a .tlog as they were recorded: each as late after the first as its time says.

    Reads and scans little by little, so that junk in the file holds up no other link.
    """
    splitter = TlogSplitter()
    with await asyncio.to_thread(_open_tlog, path) as stream:
        sink.opened(f"tlog:{path}")
        due_ns, last_us = 0, None
        while data := await asyncio.to_thread(stream.read, SLICE_BYTES):
            for utc_us, message in splitter.push(data):
                if last_us is None:
                    due_ns = clock.now_ns()
                else:
                    due_ns += max(0, min((utc_us - last_us) * 1000, LONGEST_PAUSE_NS))
                last_us = utc_us
                await clock.sleep_until(due_ns)  # also where nothing is due later: others want to run
                sink.receive(message, str(path))


def _open_tlog(path: Path) -> BinaryIO:
    """Open the log at its first record. Raises SourceError unless it is a file that begins with records."""
    try:
        if path.exists() and not path.is_file():  # opening a FIFO waits for a writer, perhaps for ever
            raise SourceError(f"telemetry file {path} is no regular file", code="not_telemetry")
        stream = path.open("rb")
    except OSError as error:
        text = f"telemetry file {path} cannot be read: {error.strerror}"
        raise SourceError(text, code="not_found") from None
    if not is_tlog(stream.read(HEAD_BYTES)):
        stream.close()
        raise SourceError(f"telemetry file {path} does not begin as a .tlog", code="not_telemetry")
    stream.seek(0)
    return stream
