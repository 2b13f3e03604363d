"""One page's WebSocket, as a broadcast writes to it (docs/decisions/0008-websocket-broadcast.md).

Frames are made once and written, whole, straight to each page's transport; aiohttp keeps the handshake, the
control frames and everything the page says. No task wakes for a message.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Protocol

from .access.reach import EVERYTHING, Within

GOING_AWAY = 1001  # RFC 6455 7.4.1
NO_LONGER = 4403  # 7.4.2, ours: whoever listens may do so no longer; pages blank the picture

WAITING_MOST_BYTES = 64 * 1024
"""What may wait in our memory for one page; the kernel's send buffer is beside it."""

CATCH_UP_WITHIN_S = 10.0

_TEXT = 0x81  # RFC 6455 5.2: the last and only fragment, opcode 1; 5.1: a server does not mask


def text_frame(text: bytes) -> bytes:
    """A WebSocket message of UTF-8 text as it goes over the wire (RFC 6455 5.2)."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", _TEXT, size) + text
    if size < 1 << 16:
        return struct.pack("!BBH", _TEXT, 126, size) + text
    return struct.pack("!BBQ", _TEXT, 127, size) + text


class Socket(Protocol):
    """What a subscriber must know of an aiohttp.web.WebSocketResponse."""

    @property
    def closed(self) -> bool:
        """A close frame has been sent."""
        ...


class Subscriber:
    """What one page is told. It joins as one that is behind: `present()`, in frames, comes first.

    A page that does not read as fast as it is told loses what follows, and gets the present once it has read
    what waits; it never slows the others.
    """

    _socket: Socket
    _transport: asyncio.WriteTransport
    _drained: Callable[[], Awaitable[None]]

    def __init__(self, address: str, present: Callable[[], bytes], within: Within = EVERYTHING) -> None:
        """`within`: what it reaches; those for whom that is equal are told the same."""
        self.address, self.within = address, within
        self.code = GOING_AWAY
        self.dropped = 0
        self._present = present
        self._own = b""
        self.behind = True
        self._closed = False
        self._wake = asyncio.Event()

    def attach(
        self, socket: Socket, transport: asyncio.WriteTransport, drained: Callable[[], Awaitable[None]]
    ) -> None:
        """The handshake is done: frames may go. `drained` waits as asyncio's flow control does."""
        self._socket, self._transport, self._drained = socket, transport, drained
        transport.set_write_buffer_limits(high=WAITING_MOST_BYTES)
        self._wake.set()

    def offer(self, frames: bytes) -> None:
        """Write whole frames, one or more, in one call; or leave them out."""
        if self.behind:
            self.dropped += 1
        # RFC 6455 5.5.1: no data follows a close frame, also while the page's own is awaited.
        elif self._socket.closed or self._transport.is_closing():
            self.behind = True
        elif self._transport.get_write_buffer_size() > WAITING_MOST_BYTES:
            self.behind = True
            self.dropped += 1
            self._wake.set()
        else:
            self._transport.write(frames)

    def tell(self, frame: bytes) -> None:
        """Offer what is for this page alone; the newest of that also belongs to the present."""
        self._own = frame
        self.offer(frame)

    def close(self, code: int = GOING_AWAY) -> None:
        """Nothing more is written; `attend` returns. `code` is what the page is told."""
        self.code = code
        self.behind = self._closed = True
        self._wake.set()

    async def attend(self) -> None:
        """Bring the page to the present whenever it is behind, until `close`.

        Raises TimeoutError where it does not read, ConnectionError where it is gone.
        """
        while await self._wake.wait() and not self._closed:
            self._wake.clear()
            async with asyncio.timeout(CATCH_UP_WITHIN_S):
                await self._drained()
            if not self._closed:
                self.behind = False
                self.offer(self._present() + self._own)
