"""Who comes to the HTTP port: let in, turned away, or told that here TLS is spoken."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import TypeAlias

from aiohttp import hdrs, web

log = logging.getLogger("lagebild.web")

HELLO_WITHIN_S = 10.0
"""For the first byte, and for the whole handshake of TLS."""

GOODBYE_WITHIN_S = 1.0
_AT_ONCE = 100
_PAUSE_S = 1.0
_HANDSHAKE = b"\x16"  # RFC 8446 5.1: a ClientHello's record; no HTTP request begins so
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_NO_DESCRIPTORS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

Leave: TypeAlias = Callable[[], None]
Connect: TypeAlias = Callable[[Leave], asyncio.Protocol]
"""Makes the protocol of one connection, which calls what it is given when that has ended."""


class Arrivals:
    """Accepts on `sockets` until closed.

    `enter` says who is let in. With `context` TLS is spoken; who speaks plainly then gets `plain`, which can
    tell him so and nothing else.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        enter: Callable[[str], Leave | None],
        connect: Connect,
        *,
        plain: Connect,
        context: Callable[[], ssl.SSLContext] | None,
    ) -> None:
        self.sockets = tuple(sockets)
        self._enter, self._connect, self._context, self._plain = enter, connect, context, plain
        self._loop = asyncio.get_running_loop()
        self._greeting: set[asyncio.Task[None]] = set()
        self._closed = False
        for each in self.sockets:
            self._loop.add_reader(each, self._accept, each)

    def close(self) -> None:
        """Nobody comes in any more; who is in stays."""
        if not self._closed:
            self._closed = True
            for each in self.sockets:
                self._loop.remove_reader(each)
                each.close()
            for task in self._greeting:
                task.cancel()

    async def aclose(self) -> None:
        self.close()
        await asyncio.gather(*self._greeting, return_exceptions=True)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as error:
                if error.errno not in _NO_DESCRIPTORS:
                    raise
                self._pause(listening)
                return
            leave = self._enter(str(peer[0]))
            if leave is None:
                connection.close()
                continue
            connection.setblocking(False)
            task = self._loop.create_task(self._greet(connection, leave))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    def _pause(self, listening: socket.socket) -> None:
        log.error("out of file descriptors or memory: no connection is accepted for a second")
        self._loop.remove_reader(listening)
        self._loop.call_later(_PAUSE_S, self._go_on, listening)

    def _go_on(self, listening: socket.socket) -> None:
        if not self._closed:
            self._loop.add_reader(listening, self._accept, listening)

    async def _greet(self, connection: socket.socket, leave: Leave) -> None:
        """From then on the connection's protocol answers for it."""
        try:
            begins_tls = self._context is not None and await self._begins_tls(connection)
        except BaseException as error:
            connection.close()
            leave()
            if not isinstance(error, (OSError, TimeoutError)):
                raise
            return
        try:
            await self._hand_over(connection, leave, begins_tls)
        except (OSError, TimeoutError):  # he is gone, or speaks no TLS that we do; asyncio has closed it
            leave()
        except BaseException:
            leave()
            raise

    async def _hand_over(self, connection: socket.socket, leave: Leave, begins_tls: bool) -> None:
        connect = self._connect
        if begins_tls and self._context is not None:
            await self._loop.connect_accepted_socket(
                lambda: connect(leave),
                connection,
                ssl=self._context(),
                ssl_handshake_timeout=HELLO_WITHIN_S,
                ssl_shutdown_timeout=GOODBYE_WITHIN_S,
            )
            return
        if self._context is not None:
            connect = self._plain
        await self._loop.connect_accepted_socket(lambda: connect(leave), connection)

    async def _begins_tls(self, connection: socket.socket) -> bool:
        """What his first byte says; it stays where it is. Raises TimeoutError, ConnectionError."""
        async with asyncio.timeout(HELLO_WITHIN_S):
            while True:
                with contextlib.suppress(BlockingIOError):
                    first = connection.recv(1, socket.MSG_PEEK)
                    if not first:
                        raise ConnectionResetError
                    return first == _HANDSHAKE
                await self._readable(connection)

    async def _readable(self, connection: socket.socket) -> None:
        readable = asyncio.Event()
        self._loop.add_reader(connection, readable.set)
        try:
            await readable.wait()
        finally:
            self._loop.remove_reader(connection)


async def tell_of_tls(request: web.BaseRequest) -> web.StreamResponse:
    """The answer to a plain request where TLS is spoken: a page goes there by itself, programs are told."""
    host, target = request.headers.get(hdrs.HOST, ""), request.path_qs
    is_page = request.method in ("GET", "HEAD") and "Upgrade" not in request.headers
    answer: web.Response
    if is_page and _HOST.fullmatch(host) and target.startswith("/") and not target.startswith("//"):
        answer = web.Response(status=308, headers={hdrs.LOCATION: f"https://{host}{target}"})
    else:
        answer = web.Response(
            status=400, text="this port speaks HTTPS alone: begin the address with https://\n"
        )
    answer.force_close()
    return answer
