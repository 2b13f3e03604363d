"""A UDP socket that shows one RTP packet in 64 and counts all, exactly, without waking anybody for the rest.

A classic BPF filter drops RTP packets whose sequence number is no multiple of 64. The kernel counts each in
the socket's `drops` (one by one: segments of an offloaded send too) and writes that count on every packet
it does deliver (SO_RXQ_OVFL). So between two delivered packets both the sequence numbers and the count of
packets that came are known, and their difference is the loss.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from flow.codec.rtp import Unwrapper

EVERY = 64
SO_ATTACH_FILTER, SO_TIMESTAMPNS, SO_RXQ_OVFL = 26, 35, 40
ROOM_BYTES = 1 << 20
ANCILLARY_BYTES = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(4)
_UDP_HEADER = 8
_ALL, _NONE = 0xFFFF_FFFF, 0
_LOAD_BYTE, _LOAD_HALF, _AND, _RETURN = 0x30, 0x28, 0x54, 0x06
_IF_EQUAL, _IF_ABOVE, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x25, 0x35, 0x45

Program = list[tuple[int, int, int, int]]
"""(operation, jump if true, jump if false, operand), linux/filter.h."""


def program(*, markers: bool) -> Program:
    """Deliver STUN, DTLS, RTCP and every 64th RTP packet; with `markers` also each picture's last."""
    marker = 0x80 if markers else 0
    return [
        (_LOAD_BYTE, 0, 0, _UDP_HEADER),
        (_IF_AT_LEAST, 0, 8, 128),  # RFC 7983: below are STUN and DTLS
        (_LOAD_BYTE, 0, 0, _UDP_HEADER + 1),
        (_IF_AT_LEAST, 0, 1, 192),  # RFC 5761 4: 192 to 223 are RTCP
        (_IF_ABOVE, 0, 5, 223),
        (_IF_ANY_BIT, 4, 0, marker),
        (_LOAD_HALF, 0, 0, _UDP_HEADER + 2),
        (_AND, 0, 0, EVERY - 1),
        (_IF_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _NONE),
        (_RETURN, 0, 0, _ALL),
    ]


def attach(sock: socket.socket, instructions: Program) -> None:
    """Replace the socket's filter."""
    code = b"".join(struct.pack("=HBBI", *step) for step in instructions)
    kept = ctypes.create_string_buffer(code)
    sock.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(instructions), ctypes.addressof(kept))
    )


class Datagram(NamedTuple):
    """What one receive gave: `dropped` is the socket's count before it, `arrival_ns` by the wall clock."""

    data: bytes
    source: tuple[str, int]
    dropped: int
    arrival_ns: int


def open_socket(host: str) -> socket.socket:
    """A UDP socket on a free port of `host` that delivers samples only."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    attach(sock, program(markers=False))
    sock.bind((host, 0))
    return sock


def drain(sock: socket.socket) -> Iterator[Datagram]:
    """All that waits on the socket."""
    with contextlib.suppress(BlockingIOError):
        while True:
            try:
                data, ancillary, _, source = sock.recvmsg(2048, ANCILLARY_BYTES)
            except ConnectionRefusedError:
                continue  # the ICMP answer to something we sent earlier
            dropped = arrival_ns = 0
            for _, kind, value in ancillary:
                if kind == SO_RXQ_OVFL:
                    dropped = int.from_bytes(value, "little")
                elif kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("@qq", value)
                    arrival_ns = seconds * 1_000_000_000 + nanoseconds
            yield Datagram(data, source, dropped, arrival_ns)


@dataclass(slots=True)
class _Point:
    sequence: int
    dropped: int
    seen: int


class Tally:
    """Counts one viewer's packets from sample to sample. `mark()` begins anew at the next one."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._seen = 0
        self._first: _Point | None = None
        self._last: _Point | None = None
        self.mark()

    @property
    def newest(self) -> int:
        """The highest extended sequence number, or 0."""
        return self._last.sequence if self._last else 0

    @property
    def expected(self) -> int:
        return self._last.sequence - self._first.sequence if self._first and self._last else 0

    @property
    def received(self) -> int:
        """Different packets that came since the mark; never more than `expected`."""
        if self._first is None or self._last is None:
            return 0
        return self._last.dropped - self._first.dropped + self._last.seen - self._first.seen

    def mark(self) -> None:
        """Begin anew; the stream may be another one, too."""
        self._sequence = Unwrapper(16)
        self._recent.clear()
        self._first = self._last = None
        self.resent = 0

    def take(self, sequence: int, dropped: int) -> bool:
        """Count a delivered packet; False for one that had come before (sent again)."""
        if sequence in self._recent:
            self.resent += 1
            return False
        if len(self._recent) > 256:
            self._recent = {s for s in self._recent if (sequence - s) & 0xFFFF < 0x4000}
        self._recent.add(sequence)
        self._seen += 1
        extended = self._sequence.unwrap(sequence)
        if self._last is None or extended > self._last.sequence:
            self._last = _Point(extended, dropped, self._seen)
            self._first = self._first or self._last
        return True
