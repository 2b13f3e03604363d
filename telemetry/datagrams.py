"""UDP as it comes, without waking for every datagram: each has the kernel's own arrival time, so it may wait.

An event loop that is woken for every message of a 500 Hz stream spends more on waking than on the message.
Woken twice in a row, this reader rests a few milliseconds and then takes all that has come, less than the
sample of an instant waits for its parts anyway (protocol/fleet.py SETTLE_NS).
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, TypeAlias

LONGEST = 16 * 1024  # ten times what a bridge packs into one; the rest of a longer one is left out
AT_ONCE, AT_ONCE_BYTES = 64, 8 * 1024  # datagrams in one turn of the loop: others want to run
REST_S = 0.003
BUFFER_BYTES = 1 << 20  # as far as the kernel grants it (net.core.rmem_max)
MOST_AGE_NS = 1_000_000_000
"""A wall clock that is being set makes nothing older than this."""

_SO_TIMESTAMPNS = 35  # socket(7), asm-generic/socket.h
_TIMESPEC = struct.Struct("@ll")
_CONTROL = socket.CMSG_SPACE(_TIMESPEC.size)

Take: TypeAlias = Callable[[bytes, Any, int], None]
"""Called with a datagram, its sender's socket address, and how many ns ago it arrived."""


class DatagramReader:
    """Reads a bound socket from `start` to `stop`, and owns neither it nor what it brings."""

    def __init__(self, sock: socket.socket, take: Take) -> None:
        self._socket, self._take = sock, take
        self._loop = asyncio.get_running_loop()
        self._rested_until_s = 0.0
        self._rest: asyncio.TimerHandle | None = None
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def start(self) -> None:
        self._rest = None
        self._loop.add_reader(self._socket, self._read)

    def stop(self) -> None:
        self._loop.remove_reader(self._socket)
        if self._rest is not None:
            self._rest.cancel()

    def _read(self) -> None:
        """Take what is there; rest, if it is little that comes often."""
        left_bytes = AT_ONCE_BYTES
        for _ in range(AT_ONCE):
            try:
                data, control, _, address = self._socket.recvmsg(LONGEST, _CONTROL)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                continue  # an ICMP error of some earlier packet: nothing of ours
            self._take(data, address, _age_ns(control))
            left_bytes -= len(data)
            if left_bytes <= 0:
                break
        now_s = self._loop.time()
        if now_s < self._rested_until_s:
            self._loop.remove_reader(self._socket)
            self._rest = self._loop.call_later(REST_S, self.start)
        self._rested_until_s = now_s + 2 * REST_S


def _age_ns(control: list[tuple[int, int, bytes]]) -> int:
    """How long ago the kernel received it, by the clock that the kernel stamped it with."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, ns = _TIMESPEC.unpack_from(data)
            age_ns: int = time.time_ns() - seconds * 1_000_000_000 - ns
            return max(0, min(MOST_AGE_NS, age_ns))
    return 0
