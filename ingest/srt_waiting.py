"""Joins libsrt, which has threads of its own and no descriptors, with the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias
from weakref import WeakKeyDictionary

from .libsrt import Error, Libsrt, Ready, SrtEpoll, SrtError, SrtSocket, load

log = logging.getLogger("lagebild.ingest")

_WAKE_MS = 50
_BATCH = 32
"""Messages of one connection in a turn of the loop: 42 kB."""

Told: TypeAlias = Callable[[Ready], None]


class SrtWaiter:
    """A thread that waits for SRT sockets. What is ready is handled in the loop, and the thread waits until
    it is: so nothing piles up between them, only in libsrt's own bounded buffers.

    It begins with its making and ends with `stop()`, and libsrt's use with it.
    """

    def __init__(self, library: Libsrt) -> None:
        self.library = library
        self.users = 0
        self._loop = asyncio.get_running_loop()
        self._told: dict[int, Told] = {}
        self._handled = threading.Event()
        self._stopping = False
        library.startup()
        self._epoll = SrtEpoll(library)
        self._thread = threading.Thread(target=self._wait, name="srt", daemon=True)
        self._thread.start()

    def add(self, sock: SrtSocket, events: Ready, told: Told) -> None:
        """Call `told` in the loop whenever one of the events is so. Raises SrtError."""
        self._told[sock.number] = told
        self._epoll.add(sock.number, events)

    def change(self, sock: SrtSocket, events: Ready, told: Told) -> None:
        """Raises SrtError."""
        self._told[sock.number] = told
        self._epoll.change(sock.number, events)

    def close(self, sock: SrtSocket) -> None:
        """Close a socket, and tell nothing of it any more."""
        if self._told.pop(sock.number, None):
            self._epoll.remove(sock.number)
        sock.close()

    async def stop(self) -> None:
        """All sockets are closed: end the thread."""
        self._stopping = True
        self._handled.set()
        await asyncio.to_thread(self._thread.join)

    def _wait(self) -> None:
        with contextlib.suppress(RuntimeError):  # of a loop that was closed under us
            while not self._stopping:
                if ready := self._epoll.wait(_WAKE_MS):
                    self._handled.clear()
                    self._loop.call_soon_threadsafe(self._handle, ready)
                    self._handled.wait()
        self._epoll.release()
        self.library.cleanup()

    def _handle(self, ready: list[tuple[int, Ready]]) -> None:
        try:
            for number, events in ready:
                if told := self._told.get(number):  # else closed by what was told before
                    told(events)
        finally:
            self._handled.set()


_waiters: WeakKeyDictionary[asyncio.AbstractEventLoop, SrtWaiter] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def waiting() -> AsyncIterator[SrtWaiter]:
    """The loop's waiter, begun by the first who needs one, ended by the last.

    One for all: libsrt wakes a single waiting thread, and the wrong one would find out 10 ms later. Raises
    ConfigError with code "srt_missing".
    """
    library = await asyncio.to_thread(load)
    loop = asyncio.get_running_loop()
    waiter = _waiters.get(loop) or SrtWaiter(library)
    _waiters[loop] = waiter
    waiter.users += 1
    try:
        yield waiter
    finally:
        waiter.users -= 1
        if not waiter.users:
            del _waiters[loop]
            await waiter.stop()


class SrtReceiver:
    """Reads a connection: every message goes to `take` in the turn in which it is read.

    `ended` is called once, with the reason, unless `close()` comes first: SrtError for the connection, or
    whatever `take` raised. The connection is closed then.
    """

    def __init__(
        self,
        waiter: SrtWaiter,
        sock: SrtSocket,
        take: Callable[[bytes], None],
        ended: Callable[[Exception], None],
    ) -> None:
        self._waiter, self._socket = waiter, sock
        self._take, self._ended = take, ended
        self._is_open = True

    def readable(self, events: Ready) -> None:
        """See SrtWaiter."""
        try:
            for _ in range(_BATCH):
                message = self._socket.receive()
                if message is None:
                    break
                self._take(message)
                if not self._is_open:
                    return
            else:
                return  # there may be more, for the next turn
            if Ready.ERR in events:
                raise SrtError(Error.ECONNLOST, 0, "the connection broke")
        except Exception as error:
            self.close()
            self._ended(error)

    def close(self) -> None:
        """Hang up."""
        self._is_open = False
        self._waiter.close(self._socket)
