"""Where CoT events go: UDP datagrams, a TCP stream, or TLS. A way opens, sends, and says when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from flow.errors import ConfigError, SourceError
from flow.lookup import connected, look_up
from telemetry.settings import CotOut

from .tcp import watch

CONNECT_S = 10.0
SEND_S = 10.0
MULTICAST_HOPS = 1
"""A multicast group is for the net we stand in; whoever routes it further does so there."""
XML_HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
FORMS = "udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"


class Way(Protocol):
    """A way that is open."""

    def check(self) -> None:
        """Raises ConnectionResetError where the other side has closed it."""
        ...

    async def send(self, event: bytes) -> None:
        """Raises OSError or TimeoutError where it does not go."""
        ...

    async def aclose(self) -> None: ...


class UdpWay:
    """One event is one datagram, and a whole XML document."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def check(self) -> None:
        """Nobody closes a datagram's way."""

    async def send(self, event: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # full: a newer one comes
            self._socket.send(XML_HEAD + event)

    async def aclose(self) -> None:
        self._socket.close()


class StreamWay:
    """Events one behind the other, as TAK servers read them; what the server says is read and dropped.

    `over` is called when it ends.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, over: Callable[[], None]
    ) -> None:
        self._writer = writer
        self._listening = asyncio.ensure_future(_drop(reader))
        self._listening.add_done_callback(lambda _: over())

    def check(self) -> None:
        if self._listening.done():
            raise ConnectionResetError("the server has closed the connection")

    async def send(self, event: bytes) -> None:
        self.check()
        self._writer.write(event + b"\n")
        async with asyncio.timeout(SEND_S):
            await self._writer.drain()

    async def aclose(self) -> None:
        self._listening.cancel()
        self._writer.transport.abort()
        await asyncio.wait([self._listening])


async def _drop(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(64 * 1024):
            pass


async def open_way(url: str, settings: CotOut, over: Callable[[], None]) -> Way:
    """Open it; `over` is called when the other side ends it.

    Raises ConfigError where the settings must change, SourceError where trying again may help.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in ("udp", "tcp", "tls") or not host or not port:
        raise ConfigError(f"cot.to: '{url}' is not understood; use {FORMS}", code="unsupported_url")
    context = await asyncio.to_thread(_context, settings) if parts.scheme == "tls" else None
    try:
        if parts.scheme == "udp":
            return await _open_udp(host, port)
        async with asyncio.timeout(CONNECT_S):
            streams = await _connected(host, port, context)
    except (OSError, TimeoutError) as error:
        raise SourceError(f"{url}: {_why(error)}", code="connect_failed") from None
    watch(streams[1].get_extra_info("socket"))
    return StreamWay(*streams, over)


async def _connected(
    host: str, port: int, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To an address that may be called, whatever the name says a moment later."""
    sock = await connected(host, port)
    try:
        return await asyncio.open_connection(
            sock=sock, ssl=context, server_hostname=host if context else None
        )
    except BaseException:
        sock.close()
        raise


async def _open_udp(host: str, port: int) -> UdpWay:
    family, address = (await look_up(host, port, socket.SOCK_DGRAM, sends_only=True))[0]
    with contextlib.ExitStack() as undo:
        sock = undo.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        sock.setblocking(False)
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, MULTICAST_HOPS)
        sock.connect(address)
        undo.pop_all()
    return UdpWay(sock)


def _context(settings: CotOut) -> ssl.SSLContext:
    """Checks the server's certificate and name; shows it ours where there is one."""
    try:
        context = ssl.create_default_context(cafile=settings.ca or None)
    except (OSError, ssl.SSLError) as error:
        text = f"cot.ca: {settings.ca} cannot be used: {_why(error)}"
        raise ConfigError(text, code="certificate_unusable") from None
    if settings.certificate:
        try:
            # Without a password the one at the terminal would be asked, and the service stand still.
            context.load_cert_chain(settings.certificate, settings.key or None, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            text = f"cot.certificate, cot.key: {settings.certificate} cannot be used: {_why(error)}"
            raise ConfigError(text, code="certificate_unusable") from None
    return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_S:.0f} s"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error)
