"""Joins libsrt, which has threads of its own and no descriptors, with the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from .libsrt import Libsrt, Ready, SrtEpoll, SrtError, SrtSocket, load

log = logging.getLogger("lagebild.ingest")

_WAKE_MS = 50
_ROUNDS_MOST = 4
_BATCH = 32
"""Messages of one connection in a turn of the loop: 42 kB."""

_REST_STEP_S = 0.005
_REST_MARGIN_S = 0.02

Told: TypeAlias = Callable[[Ready], bool]
"""Handles what is ready; True where it is to be called again in the next turn, for there is more."""


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

    def forget(self, sock: SrtSocket) -> None:
        """Tell nothing of it any more."""
        if self._told.pop(sock.number, None):
            self._epoll.remove(sock.number)

    def close(self, sock: SrtSocket) -> None:
        """Forget a socket, and close it."""
        self.forget(sock)
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

    def _handle(self, ready: list[tuple[int, Ready]], rounds: int = 0) -> None:
        more: list[tuple[int, Ready]] = []
        try:
            for number, events in ready:
                told = self._told.get(number)  # None: closed by what was told before
                if told is not None and told(events):
                    more.append((number, events))
        finally:
            if more and rounds < _ROUNDS_MOST:
                self._loop.call_soon(self._handle, more, rounds + 1)
            else:  # whoever sends without end waits for the others' turn; what it has left is told again
                self._handled.set()


_waiters: dict[asyncio.AbstractEventLoop, SrtWaiter] = {}


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

    `parting` is called when the peer has hung up or is lost; what it said last may be still to come. `ended`
    is called once, with the reason, unless `close()` comes first: SrtError for the connection, or whatever
    `take` raised. The connection is closed then.
    """

    def __init__(
        self,
        waiter: SrtWaiter,
        sock: SrtSocket,
        take: Callable[[bytes], None],
        ended: Callable[[Exception], None],
        parting: Callable[[], None] = lambda: None,
    ) -> None:
        self._waiter, self._socket = waiter, sock
        self._take, self._ended, self._parting = take, ended, parting
        self._is_open = True
        self._rest: asyncio.TimerHandle | None = None

    def readable(self, events: Ready) -> bool:
        """See Told."""
        try:
            if not self._read():
                return True
        except SrtError:
            events |= Ready.ERR
        except Exception as error:
            self._end(error)
            return False
        if Ready.ERR in events and self._is_open:
            self._part()
        return False

    def close(self) -> None:
        """Hang up."""
        self._is_open = False
        if self._rest is not None:
            self._rest.cancel()
        self._waiter.close(self._socket)

    def _read(self) -> bool:
        """Take a turn's messages; False where there may be more. Raises SrtError where the peer is gone."""
        for _ in range(_BATCH):
            message = self._socket.receive() if self._is_open else None
            if message is None:
                return True
            self._take(message)
        return False

    def _part(self) -> None:
        """Wait for the peer's last words: libsrt holds them until they are due, a latency after they were
        sent, but tells nothing more of a connection that is over."""
        self._parting()
        self._waiter.forget(self._socket)
        loop = asyncio.get_running_loop()
        try:
            left_s = self._socket.latency_ms() / 1000 + _REST_MARGIN_S
        except SrtError:
            left_s = 0.0
        self._read_rest(loop, loop.time() + left_s)

    def _read_rest(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        try:
            self._read()
        except SrtError as error:  # said of a connection that is over whenever nothing is due
            if loop.time() >= until:
                self._end(error)
                return
        except Exception as error:
            self._end(error)
            return
        if self._is_open:
            self._rest = loop.call_later(_REST_STEP_S, self._read_rest, loop, until)

    def _end(self, error: Exception) -> None:
        self.close()
        self._ended(error)
