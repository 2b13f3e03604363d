"""RTP and the part of RTCP that carries capture times (RFC 3550), told apart as in RFC 5761."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from flow.errors import MalformedError

VERSION = 2
HEADER_SIZE = 12
SENDER_REPORT = 200
SOURCE_DESCRIPTION = 202

NTP_EPOCH_S = 2_208_988_800
"""Seconds from the NTP era 0 (1900) to the Unix epoch (RFC 5905 figure 4)."""

_HEADER = struct.Struct("!BBHII")
_SENDER_INFO = struct.Struct("!IIIIII")


class RtpPacket(NamedTuple):
    """One RTP packet; `timestamp` counts 90 kHz ticks for video. CSRCs and extensions are not kept.

    A tuple: of every feed there are hundreds a second, and a frozen dataclass is slow to make.
    """

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    def serialize(self) -> bytes:
        """The packet as a datagram, without padding, CSRCs or extension (RFC 3550 5.1)."""
        second = self.payload_type | (0x80 if self.marker else 0)
        header = _HEADER.pack(VERSION << 6, second, self.sequence, self.timestamp, self.ssrc)
        return header + self.payload


def parse_rtp(datagram: bytes) -> RtpPacket:
    """Read an RTP packet; padding, CSRCs and header extension are removed (RFC 3550 5.1, 5.3.1).

    Raises MalformedError where a length points outside the datagram or the version is not 2.
    """
    if len(datagram) < HEADER_SIZE:
        raise MalformedError(f"RTP packet of {len(datagram)} bytes is shorter than its header (RFC 3550 5.1)")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first >> 6 != VERSION:
        raise MalformedError(f"RTP version {first >> 6} is not 2 (RFC 3550 5.1)")
    start = HEADER_SIZE + 4 * (first & 0x0F)
    if first & 0x10:
        start = _after_extension(datagram, start)
    end = len(datagram)
    if first & 0x20:
        end -= _padding(datagram)
    if start > end:
        raise MalformedError("RTP CSRCs, extension or padding exceed the packet (RFC 3550 5.1)")
    return RtpPacket(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, bytes(datagram[start:end]))


def _after_extension(datagram: bytes, start: int) -> int:
    if start + 4 > len(datagram):
        raise MalformedError("RTP header extension is cut off (RFC 3550 5.3.1)")
    words: int = struct.unpack_from("!H", datagram, start + 2)[0]
    return start + 4 + 4 * words


def _padding(datagram: bytes) -> int:
    count = datagram[-1]
    if count == 0:
        raise MalformedError("RTP padding of zero bytes does not count itself (RFC 3550 5.1)")
    return count


def is_rtcp(datagram: bytes) -> bool:
    """Whether a datagram on a port that carries both is RTCP: packet types 192 to 223 (RFC 5761 4)."""
    return len(datagram) >= 8 and datagram[0] >> 6 == VERSION and 192 <= datagram[1] <= 223


@dataclass(frozen=True, slots=True)
class SenderReport:
    """The sender info of an RTCP sender report (RFC 3550 6.4.1): `rtp_timestamp` was captured at `ntp_ns`.

    `ntp_ns` is nanoseconds since the Unix epoch; 0 if the sender says that it has no clock.
    """

    ssrc: int
    ntp_ns: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int

    def serialize(self, cname: str = "lagebild") -> bytes:
        """A compound packet of this report and the CNAME that RFC 3550 6.1 asks for."""
        seconds, fraction = _ntp_from_unix(self.ntp_ns)
        info = _SENDER_INFO.pack(
            self.ssrc,
            seconds,
            fraction,
            self.rtp_timestamp,
            self.packet_count & 0xFFFF_FFFF,
            self.octet_count & 0xFFFF_FFFF,
        )
        item = bytes((1, len(cname))) + cname.encode("ascii")
        chunk = struct.pack("!I", self.ssrc) + item
        chunk += bytes(4 - len(chunk) % 4)  # RFC 3550 6.5: at least one null octet ends the items
        return _rtcp(0, SENDER_REPORT, info) + _rtcp(1, SOURCE_DESCRIPTION, chunk)


def _rtcp(count: int, packet_type: int, body: bytes) -> bytes:
    return struct.pack("!BBH", VERSION << 6 | count, packet_type, len(body) // 4) + body


def parse_sender_reports(datagram: bytes) -> list[SenderReport]:
    """All sender reports of a compound RTCP packet, other types skipped (RFC 3550 6.1, 6.4.1).

    Raises MalformedError where a length points outside the datagram.
    """
    reports: list[SenderReport] = []
    start = 0
    while start < len(datagram):
        if start + 4 > len(datagram):
            raise MalformedError("RTCP header is cut off (RFC 3550 6.1)")
        first, packet_type, words = struct.unpack_from("!BBH", datagram, start)
        end = start + 4 + 4 * words
        if first >> 6 != VERSION or end > len(datagram):
            raise MalformedError("RTCP version is not 2, or its length exceeds the datagram (RFC 3550 6.4.1)")
        if packet_type == SENDER_REPORT:
            reports.append(_sender_report(datagram[start + 4 : end]))
        start = end
    return reports


def _sender_report(body: bytes) -> SenderReport:
    if len(body) < _SENDER_INFO.size:
        raise MalformedError("RTCP sender report without its sender info (RFC 3550 6.4.1)")
    ssrc, seconds, fraction, rtp_timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
    return SenderReport(ssrc, _unix_from_ntp(seconds, fraction), rtp_timestamp, packets, octets)


def _ntp_from_unix(unix_ns: int) -> tuple[int, int]:
    if unix_ns == 0:
        return 0, 0
    seconds, rest_ns = divmod(unix_ns, 1_000_000_000)
    return (seconds + NTP_EPOCH_S) & 0xFFFF_FFFF, (rest_ns << 32) // 1_000_000_000


def _unix_from_ntp(seconds: int, fraction: int) -> int:
    if seconds == 0 and fraction == 0:
        return 0
    if seconds < 0x8000_0000:
        seconds += 1 << 32  # RFC 4330 3: without its top bit the time is of era 1, from 2036 on
    # Rounded up, so that a time survives being written (which rounds down) and read.
    return (seconds - NTP_EPOCH_S) * 1_000_000_000 + (fraction * 1_000_000_000 + 0xFFFF_FFFF >> 32)


class Unwrapper:
    """Extends a counter that wraps after `bits` bits: each value is taken as the nearest to the one before.

    The first value stands for itself; steps back (reordering) give smaller numbers, also below zero.
    """

    def __init__(self, bits: int) -> None:
        self._modulus = 1 << bits
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """The extended counter of `value`, less than half the range from the last one."""
        if self._last is None:
            self._last = value
        else:
            self._last += signed_distance(self._last, value, self._modulus)
        return self._last


def signed_distance(start: int, end: int, modulus: int) -> int:
    """The shortest way from `start` to `end` on a counter of `modulus` values, negative if backwards."""
    half = modulus >> 1
    return (end - start + half) % modulus - half
