"""RTP over UDP (RFC 6184, RFC 7798), the packets of a picture in one go."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable

from flow.codec import h264, h265
from flow.codec.rtp import RtpPacket

from . import Target

PAYLOAD_TYPE = 96
_BUFFER_BYTES = 1 << 20


class Packetizer:
    """Makes the datagrams of one stream."""

    def __init__(self, codec: str) -> None:
        self._packetize = h265.packetize if codec == "h265" else h264.packetize
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)

    def packets(self, picture: bytes, pts_90k: int) -> list[bytes]:
        payloads = self._packetize(picture)
        first, self._sequence = self._sequence, self._sequence + len(payloads)
        last = len(payloads) - 1
        return [
            RtpPacket(
                PAYLOAD_TYPE, i == last, (first + i) & 0xFFFF, pts_90k & 0xFFFF_FFFF, self._ssrc, payload
            ).serialize()
            for i, payload in enumerate(payloads)
        ]


class RtpSender:
    """See Sender."""

    def __init__(self, target: Target) -> None:
        self._to = (target.host, target.port)
        self._stream = Packetizer(target.codec)
        self._socket = udp_socket()

    def connect(self) -> None:
        """There is nobody to ask."""

    def send(self, picture: bytes, pts_90k: int) -> int:
        return write_all(
            self._stream.packets(picture, pts_90k), lambda data: self._socket.sendto(data, self._to)
        )

    def close(self) -> None:
        """There is nobody to tell."""


def udp_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    return made


def write_all(datagrams: list[bytes], write: Callable[[bytes], object]) -> int:
    """Write them all; the monotonic clock before the last one."""
    *others, last = datagrams
    for datagram in others:
        write(datagram)
    at_ns = time.monotonic_ns()
    write(last)
    return at_ns
