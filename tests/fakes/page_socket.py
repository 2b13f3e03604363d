"""A page at the other end of a real asyncio transport, which reads only when the test says so."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any, Self

from web.subscriber import Subscriber

KERNEL_BYTES = 16 * 1024  # small, so that the transport's own buffer soon has to hold what is not read


class PageSocket:
    """What an aiohttp WebSocket is to a subscriber, with the page's end of it in hand."""

    def __init__(self, subscriber: Subscriber, writer: asyncio.StreamWriter, far: socket.socket) -> None:
        self.subscriber = subscriber
        self.closed = False
        self._writer, self._far = writer, far
        self._data = b""
        subscriber.attach(self, writer.transport, writer.drain)
        self.attending = asyncio.ensure_future(subscriber.attend())

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, subscriber: Subscriber) -> AsyncIterator[Self]:
        near, far = socket.socketpair()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        far.setblocking(False)
        _, writer = await asyncio.open_connection(sock=near)
        page = cls(subscriber, writer, far)
        await asyncio.sleep(0)
        try:
            yield page
        finally:
            subscriber.close()
            await asyncio.wait([page.attending])
            writer.transport.abort()
            far.close()
            await asyncio.sleep(0)  # the transport closes its socket in the loop's next turn

    @property
    def waiting_bytes(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    def heard(self) -> list[dict[str, Any]]:
        """The messages that have come since the last call."""
        with contextlib.suppress(BlockingIOError):
            while received := self._far.recv(1 << 20):
                self._data += received
        messages: list[dict[str, Any]] = []
        while (whole := self._first_frame()) is not None:
            messages.append(json.loads(whole))
        return messages

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.heard()]

    async def until_drained(self) -> None:
        """Read, keeping it for `heard`, until nothing waits for this page any more."""
        async with asyncio.timeout(10):
            while self.waiting_bytes or self.subscriber.behind:
                with contextlib.suppress(BlockingIOError):
                    self._data += self._far.recv(1 << 20)
                await asyncio.sleep(0)

    def _first_frame(self) -> bytes | None:
        """Take one whole unmasked text frame of less than 64 KB, as all of ours are (RFC 6455 5.2)."""
        if len(self._data) < 4:
            return None
        first, length, size = struct.unpack_from("!BBH", self._data)
        start, size = (2, length) if length < 126 else (4, size)
        assert first == 0x81
        if len(self._data) < start + size:
            return None
        text, self._data = self._data[start : start + size], self._data[start + size :]
        return text
