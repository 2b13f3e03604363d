"""Where MAVLink bytes come from. Nothing here ever writes to a link: no source holds anything to send with.

`udpin:HOST:PORT` listens, `tcp:HOST:PORT` connects, `tcpin:HOST:PORT` accepts connections, `tlog:PATH`
plays a recorded log at its own pace. The names are pymavlink's. Port 0 lets the kernel choose.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from flow.clock import NS_PER_S, Clock
from flow.codec.tlog import TlogSplitter, is_tlog
from flow.errors import ConfigError, SourceError

from .gate import Gate, bind_error, host_port, keep_alive, shown

CONNECT_S = 10.0
CONNECTIONS_MOST = 16
LONGEST_PAUSE_NS = 10 * NS_PER_S
"""A longer gap in a log is a clock that was set, or a pause nobody wants to sit through."""
HEAD_BYTES = 64 * 1024
SLICE_BYTES = 8 * 1024
"""Scanned for records in one turn of the event loop: 1 ms of junk."""
FORMS = "udpin:HOST:PORT, tcp:HOST:PORT, tcpin:HOST:PORT or tlog:PATH"


class Sink(Protocol):
    """Where a source delivers to."""

    def opened(self, address: str) -> None:
        """The source is ready; `address` is where it really listens or reads."""

    def receive(self, data: bytes, sender: str, *, datagram: bool = False) -> None:
        """Bytes that `sender` sent."""

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
    if kind not in ("udpin", "tcp", "tcpin"):
        raise ConfigError(f"telemetry '{url}' is not understood; use {FORMS}", code="unsupported_url")
    host, port = host_port(url, rest, FORMS)
    if kind == "udpin":
        await _listen_udp(host, port, Gate(url, host, allow_from), sink)
    elif kind == "tcp":
        await _connect_tcp(host, port, sink)
    else:
        await _accept_tcp(host, port, Gate(url, host, allow_from), sink)


# --- UDP ----------------------------------------------------------------------------------------------------


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, gate: Gate, sink: Sink) -> None:
        self._gate, self._sink = gate, sink

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        sender = shown("udp", addr)
        if self._gate.admits(addr):
            self._sink.receive(data, sender, datagram=True)
        else:
            self._sink.refused(sender)


async def _listen_udp(host: str, port: int, gate: Gate, sink: Sink) -> None:
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(gate, sink), local_addr=(host, port)
        )
    except OSError as error:
        raise bind_error("udpin", host, port, error) from None
    try:
        sink.opened(shown("udpin", transport.get_extra_info("sockname")))
        await loop.create_future()
    finally:
        transport.close()


# --- TCP ----------------------------------------------------------------------------------------------------


class _Connection(asyncio.Protocol):
    """Reads one connection; `over` is done when it ends."""

    def __init__(self, sink: Sink, gate: Gate | None = None, others: set[_Connection] | None = None) -> None:
        self._sink, self._gate = sink, gate
        self._others = others if others is not None else set()
        self._sender = ""
        self.transport: asyncio.BaseTransport | None = None
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self.transport, self._sender = transport, shown("tcp", peer)
        keep_alive(transport.get_extra_info("socket"))
        self._others.add(self)
        if (self._gate and not self._gate.admits(peer)) or len(self._others) > CONNECTIONS_MOST:
            self._sink.refused(self._sender)
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self._sink.receive(data, self._sender)

    def connection_lost(self, exc: Exception | None) -> None:
        self._others.discard(self)
        self._sink.ended(self._sender)
        if not self.over.done():
            self.over.set_result(None)


async def _connect_tcp(host: str, port: int, sink: Sink) -> None:
    loop, where = asyncio.get_running_loop(), f"tcp:{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            transport, connection = await loop.create_connection(lambda: _Connection(sink), host, port)
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or str(error) or f"no answer within {CONNECT_S:.0f} s"
        raise SourceError(f"telemetry {where} cannot be reached: {reason}", code="connect_failed") from None
    try:
        sink.opened(where)
        await connection.over
    finally:
        transport.close()
    raise SourceError(f"telemetry {where} has closed the connection", code="connect_failed")


async def _accept_tcp(host: str, port: int, gate: Gate, sink: Sink) -> None:
    loop = asyncio.get_running_loop()
    connections: set[_Connection] = set()
    try:
        server = await loop.create_server(lambda: _Connection(sink, gate, connections), host, port)
    except OSError as error:
        raise bind_error("tcpin", host, port, error) from None
    try:
        sink.opened(shown("tcpin", server.sockets[0].getsockname()))
        await loop.create_future()
    finally:
        server.close()
        for connection in list(connections):
            if connection.transport:
                connection.transport.close()


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
