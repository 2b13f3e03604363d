"""What a receiver tells a sender of RTP: receiver reports (RFC 3550 6.4.2); without them cameras hang up."""

from __future__ import annotations

import struct

from flow.clock import NS_PER_S
from flow.units import CLOCK_RATE_HZ

from .rtp import HEADER_SIZE, SENDER_REPORT, SOURCE_DESCRIPTION, VERSION, is_rtcp, signed_distance

_RECEIVER_REPORT = 201
_CNAME = b"lagebild"
_SEQUENCES = 1 << 16
_LOST_MOST = 0x7F_FFFF  # 24 bits, signed
_BLOCK = struct.Struct("!IIIIII")


class Reception:
    """Counts the packets of one RTP stream as RFC 3550 A.3 and A.8 do; `ssrc` is ours."""

    def __init__(self, ssrc: int) -> None:
        self._ssrc = ssrc
        self._source: int | None = None
        self._base = 0  # the first sequence number
        self._highest = 0  # extended by the wraps seen
        self._received = 0
        self._told = (0, 0)  # expected and received at the last report
        self._transit = 0
        self._jitter = 0.0  # ticks
        self._sender_report: tuple[int, int] | None = None  # LSR and when it came

    def take(self, datagram: bytes, now_ns: int) -> None:
        """Count an RTP packet; note when a sender report came."""
        if len(datagram) < HEADER_SIZE:
            return
        if is_rtcp(datagram):
            if datagram[1] == SENDER_REPORT and len(datagram) >= 16:  # RFC 3550 6.1: it comes first
                self._sender_report = int.from_bytes(datagram[10:14], "big"), now_ns
            return
        sequence = int.from_bytes(datagram[2:4], "big")
        source = int.from_bytes(datagram[8:12], "big")
        arrival = now_ns * CLOCK_RATE_HZ // NS_PER_S
        transit = arrival - int.from_bytes(datagram[4:8], "big")
        if source != self._source:
            self._begin(source, sequence, transit)
        self._received += 1
        self._highest += max(0, signed_distance(self._highest % _SEQUENCES, sequence, _SEQUENCES))
        step = abs(signed_distance(self._transit & 0xFFFF_FFFF, transit & 0xFFFF_FFFF, 1 << 32))
        self._jitter += (step - self._jitter) / 16
        self._transit = transit

    def _begin(self, source: int, sequence: int, transit: int) -> None:
        self._source, self._base, self._highest, self._transit = source, sequence, sequence, transit
        self._received, self._told, self._jitter, self._sender_report = 0, (0, 0), 0.0, None

    def report(self, now_ns: int) -> bytes:
        """A compound packet (RFC 3550 6.1): the report, and the CNAME that belongs to every one."""
        blocks = b"" if self._source is None else self._block(self._source, now_ns)
        count = len(blocks) // _BLOCK.size
        report = _packet(count, _RECEIVER_REPORT, struct.pack("!I", self._ssrc) + blocks)
        item = bytes((1, len(_CNAME))) + _CNAME
        chunk = struct.pack("!I", self._ssrc) + item + bytes(4 - len(item) % 4)
        return report + _packet(1, SOURCE_DESCRIPTION, chunk)

    def _block(self, source: int, now_ns: int) -> bytes:
        expected = self._highest - self._base + 1
        (told_expected, told_received), self._told = self._told, (expected, self._received)
        interval = expected - told_expected
        missing = interval - (self._received - told_received)
        fraction = min(255, (missing << 8) // interval) if interval > 0 and missing > 0 else 0
        lost = max(-_LOST_MOST - 1, min(_LOST_MOST, expected - self._received)) & 0xFF_FFFF
        last, delay = 0, 0
        if self._sender_report is not None:
            last, came_ns = self._sender_report
            delay = min((now_ns - came_ns) * 65_536 // NS_PER_S, 0xFFFF_FFFF)
        highest, jitter = self._highest & 0xFFFF_FFFF, min(int(self._jitter), 0xFFFF_FFFF)
        return _BLOCK.pack(source, fraction << 24 | lost, highest, jitter, last, delay)


def _packet(count: int, packet_type: int, body: bytes) -> bytes:
    return struct.pack("!BBH", VERSION << 6 | count, packet_type, len(body) // 4) + body


def opening_packets(ssrc: int) -> tuple[bytes, bytes]:
    """An RTP packet without payload and an RTCP one without a report: they open the way through a router.

    What a camera sends to our ports passes a router between only after something went the other way.
    """
    rtp = struct.pack("!BBHII", VERSION << 6, 127, 0, 0, ssrc)
    return rtp, _packet(0, _RECEIVER_REPORT, struct.pack("!I", ssrc))
