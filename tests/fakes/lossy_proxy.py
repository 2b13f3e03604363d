"""A loopback UDP proxy that puts a bad network between one WebRTC client and the relay's port."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import re
import socket
import time
from types import TracebackType
from typing import Self

from flow.clock import NS_PER_S

from .lossy_link import PERFECT, Conditions, LossyLink

Address = tuple[str, int]

MOST_SOURCES = 8
"""A client sends from one socket per address of its host; more than this is no client of a test."""
_AT_ONCE = 64
_BUFFER_BYTES = 4 * 1024 * 1024
_UDP_CANDIDATE = re.compile(
    r"a=candidate:\S+ 1 udp (\d+) (\d+\.\d+\.\d+\.\d+) (\d+) typ host.*", re.IGNORECASE
)


class LossyProxy:
    """One client's way to the relay (`up`) and back (`down`), as an async context manager.

    `offer(sdp)` hides the client from the relay, `answer(sdp)` leads it through here. Like a NAT, it gives
    every address the client sends from a socket of its own towards the relay. What the links do can change at
    any time: `.down.conditions = …`.
    """

    def __init__(self, down: Conditions = PERFECT, up: Conditions = PERFECT, seed: int = 1) -> None:
        self.down = LossyLink(down, 2 * seed)
        self.up = LossyLink(up, 2 * seed + 1)
        self._relay: Address | None = None
        self._backs: dict[Address, socket.socket] = {}
        self._flying: list[tuple[int, int, socket.socket, bytes, Address]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._front = _udp_socket()
        self._loop.add_reader(self._front, self._read_front)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for side in (self._front, *self._backs.values()):
            self._loop.remove_reader(side)
            side.close()

    def offer(self, sdp: str) -> str:
        """The client's SDP offer without its candidates: a relay that checks them would find a way past."""
        hidden = ("a=candidate:", "a=end-of-candidates")  # the end without any would be the end of its checks
        kept = (line for line in sdp.splitlines() if not line.startswith(hidden))
        return "\r\n".join(kept) + "\r\n"

    def answer(self, sdp: str) -> str:
        """The relay's SDP answer with this proxy instead of its first IPv4 UDP candidate, and no other."""
        lines, kept = sdp.splitlines(), []
        self._relay = None
        for line in lines:
            found = _UDP_CANDIDATE.fullmatch(line)
            if found and self._relay is None:
                priority, host, port = found.groups()
                self._relay = (host, int(port))
                kept.append(
                    f"a=candidate:1 1 udp {priority} 127.0.0.1 {self._front.getsockname()[1]} typ host"
                )
            elif not line.startswith("a=candidate:"):
                kept.append(line)
        if self._relay is None:
            raise ValueError(f"the answer has no IPv4 UDP candidate:\n{sdp}")
        return "\r\n".join(kept) + "\r\n"

    def _read_front(self) -> None:
        for datagram, client in _received(self._front):
            if self._relay is not None and (back := self._back_of(client)) is not None:
                self._send(self.up, back, datagram, self._relay)
        self._deliver()

    def _read_back(self, back: socket.socket, client: Address) -> None:
        for datagram, _ in _received(back):
            self._send(self.down, self._front, datagram, client)
        self._deliver()

    def _back_of(self, client: Address) -> socket.socket | None:
        back = self._backs.get(client)
        if back is None and len(self._backs) < MOST_SOURCES:
            back = self._backs[client] = _udp_socket()
            self._loop.add_reader(back, self._read_back, back, client)
        return back

    def _send(self, link: LossyLink, out: socket.socket, datagram: bytes, to: Address) -> None:
        for at_ns, arrived in link.send(datagram, time.monotonic_ns()):
            heapq.heappush(self._flying, (at_ns, next(self._order), out, arrived, to))

    def _deliver(self) -> None:
        """Hand over what is due, and wake up again for the next."""
        while self._flying and self._flying[0][0] <= time.monotonic_ns():
            _, _, out, datagram, to = heapq.heappop(self._flying)
            try:
                out.sendto(datagram, to)
            except OSError:  # full, or nobody listens there any more (ICMP): the datagram is lost
                continue
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flying:
            wait_s = (self._flying[0][0] - time.monotonic_ns()) / NS_PER_S
            self._timer = self._loop.call_later(max(0.0, wait_s), self._deliver)


def _udp_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    for direction in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, direction, _BUFFER_BYTES)
    made.bind(("127.0.0.1", 0))
    return made


def _received(side: socket.socket) -> list[tuple[bytes, Address]]:
    """What is there now, at most _AT_ONCE datagrams."""
    datagrams = []
    for _ in range(_AT_ONCE):
        try:
            datagrams.append(side.recvfrom(65536))
        except BlockingIOError:
            break
        except ConnectionRefusedError:  # an ICMP answer to something sent earlier
            continue
    return datagrams
