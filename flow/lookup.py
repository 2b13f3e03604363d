"""From names to addresses, and to a connection, without one bad name harming another.

libc's look-up blocks its thread for as long as the name's server keeps silent, 5 to 30 s, and cannot be
called off. The event loop's own executor has a handful of threads, which much else needs as well: a few
sources whose names cannot be resolved would hold them all.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeAlias

from .reachable import RefusedAddressError, check_reachable

LOOK_UPS_MOST = 64
"""At once: one for each name, so not more than sources that are called, unless cameras redirect them."""

_ADDRESSES_MOST = 8
_NEXT_AFTER_S = 0.25  # RFC 8305 5

SocketAddress: TypeAlias = tuple[Any, ...]
"""As sockets take it: (host, port), and for IPv6 the flow and the number of the scope."""


class Found(NamedTuple):
    """One address of a name."""

    family: int
    address: SocketAddress


_Question: TypeAlias = tuple[str, int, int]

_running: dict[_Question, Future[list[Found]]] = {}
_running_lock = threading.Lock()


async def look_up(host: str, port: int, kind: socket.SocketKind, *, sends_only: bool = False) -> list[Found]:
    """All addresses of `host` that may be called (reachable.py), the best first. To be used as they are: a
    name that is looked up again may lead elsewhere. Raises OSError, or UnicodeError for what can be no name.
    """
    return _allowed(host, await addresses_of(host, port, kind), sends_only)


async def addresses_of(host: str, port: int, kind: socket.SocketKind) -> list[Found]:
    """All addresses of `host`, also where nobody is to be called: to listen at. Raises OSError, UnicodeError.

    Whoever asks for a name that is being looked up already waits for the same answer.
    """
    try:
        return _asked(host, port, kind, socket.AI_NUMERICHOST)  # an address: libc asks nobody
    except socket.gaierror:
        return await asyncio.wrap_future(_look_up((host, port, kind)))


def _allowed(host: str, found: Sequence[Found], sends_only: bool) -> list[Found]:
    """Raises RefusedAddressError where that leaves none."""
    allowed, refused = [], OSError(errno.EADDRNOTAVAIL, "no address")
    for each in found:
        try:
            check_reachable(host, str(each.address[0]), sends_only=sends_only)
        except RefusedAddressError as error:
            refused = error
        else:
            allowed.append(each)
    if not allowed:
        raise refused
    return allowed


def _look_up(question: _Question) -> Future[list[Found]]:
    with _running_lock:
        running = _running.get(question)
        if running is not None:
            return running
        if len(_running) >= LOOK_UPS_MOST:
            raise OSError(errno.EAGAIN, "too many names are being looked up")
        running = Future()
        running.set_running_or_notify_cancel()  # nobody who waits can call it off for the others
        # A daemon, and not waited for: the service's end would last as long as the look-up.
        threading.Thread(target=_answer, args=(question, running), name="look-up", daemon=True).start()
        _running[question] = running
    return running


def _answer(question: _Question, running: Future[list[Found]]) -> None:
    try:
        found = _asked(*question)
    except Exception as error:
        _forget(question)
        running.set_exception(error)
    else:
        _forget(question)
        running.set_result(found)


def _forget(question: _Question) -> None:
    with _running_lock:
        del _running[question]


def _asked(host: str, port: int, kind: int, flags: int = 0) -> list[Found]:
    known = socket.getaddrinfo(host, port, type=kind, flags=flags)
    return [Found(family, address) for family, _, _, _, address in known]


async def connected(host: str, port: int) -> socket.socket:
    """A TCP connection to the first of the addresses that answers: each is tried a little after the one
    before it, or once that has failed. Raises OSError, UnicodeError."""
    found = _alternating(await look_up(host, port, socket.SOCK_STREAM))[:_ADDRESSES_MOST]
    tries: list[asyncio.Task[socket.socket]] = []
    try:
        for each in found:
            tries.append(asyncio.ensure_future(_connected(each)))
            last = len(tries) == len(found)
            if (won := await _winner(tries, None if last else _NEXT_AFTER_S)) is not None:
                tries.remove(won)
                return won.result()
        raise tries[0].exception() or OSError(errno.EHOSTUNREACH, "no address")  # the best one's failure
    finally:
        for attempt in tries:
            attempt.cancel()
            attempt.add_done_callback(_close)  # to wait here could lose the winner, if we are cancelled


def _close(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


async def _connected(found: Found) -> socket.socket:
    sock = socket.socket(found.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, found.address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _winner(
    tries: Sequence[asyncio.Task[socket.socket]], within_s: float | None
) -> asyncio.Task[socket.socket] | None:
    """The first to succeed; None once none of those that were begun is left, or the time has passed."""
    loop = asyncio.get_running_loop()
    end = None if within_s is None else loop.time() + within_s
    while True:
        for attempt in tries:
            if attempt.done() and attempt.exception() is None:
                return attempt
        pending = [attempt for attempt in tries if not attempt.done()]
        left_s = None if end is None else end - loop.time()
        if not pending or (left_s is not None and left_s <= 0):
            return None
        await asyncio.wait(pending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)


def _alternating(found: Sequence[Found]) -> list[Found]:
    """By turns of each family, as RFC 8305 4 has it: often one of them leads nowhere at all."""
    seen: Counter[int] = Counter()
    turns: list[tuple[int, Found]] = []
    for each in found:
        turns.append((seen[each.family], each))
        seen[each.family] += 1
    return [each for _, each in sorted(turns, key=lambda turn: turn[0])]
