"""What a viewer says about the stream it receives: RTCP read into messages (RFC 3550, 4585, 5104).

Our own sender reports are flow.codec.rtp.SenderReport.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import TypeAlias

from flow.clock import NS_PER_S
from flow.codec.rtp import NTP_EPOCH_S, VERSION
from flow.errors import MalformedError


class PacketType(IntEnum):
    """RTCP packet types (RFC 3550 12.1, RFC 4585 6.1), as far as a viewer's matter here."""

    SENDER_REPORT = 200
    RECEIVER_REPORT = 201
    APP = 204
    TRANSPORT_FEEDBACK = 205
    PAYLOAD_FEEDBACK = 206


_GENERIC_NACK = 1  # RFC 4585 6.2.1
_PLI = 1  # RFC 4585 6.3.1
_FIR = 4  # RFC 5104 4.3.1
_APPLICATION_LAYER = 15  # RFC 4585 6.4

MAX_COMPOUND_BYTES = 2048
"""More than any path carries in one datagram; over TCP a frame could have 64 KB."""

MAX_NACKED = 1000
"""Packets asked for in one compound; the rest is left out. libwebrtc never waits for more than 1000, and a
hostile viewer could name 8,000 in one datagram."""

_REPORT_BLOCK = struct.Struct("!IB3sIIII")
_TWO_SSRCS = struct.Struct("!II")
_REMB_HEAD = struct.Struct("!4sBBH")


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """One report block (RFC 3550 6.4.1) about our stream `ssrc`.

    `fraction_lost` is 0 to 1 since the report before, `cumulative_lost` may be negative (duplicates);
    `highest_sequence` counts its cycles in the upper 16 bits; `lsr` and `dlsr` are in 1/65536 s, 0 if no
    sender report has reached the viewer.
    """

    ssrc: int
    fraction_lost: float
    cumulative_lost: int
    highest_sequence: int
    jitter_90k: int
    lsr: int
    dlsr: int


@dataclass(frozen=True, slots=True)
class Nack:
    """Generic NACK (RFC 4585 6.2.1): these 16-bit RTP sequence numbers are missing, at most MAX_NACKED."""

    media_ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """Picture loss indication (RFC 4585 6.3.1): the viewer cannot decode until it gets a keyframe."""

    media_ssrc: int


@dataclass(frozen=True, slots=True)
class FullIntra:
    """Full intra request (RFC 5104 4.3.1); the same `command` (0 to 255) again is the same request."""

    media_ssrc: int
    command: int


@dataclass(frozen=True, slots=True)
class Remb:
    """Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 2.2) of all `ssrcs` together."""

    bitrate_bps: int
    ssrcs: tuple[int, ...]


Message: TypeAlias = ReceiverReport | Nack | PictureLoss | FullIntra | Remb


def compact_ntp(unix_ns: int) -> int:
    """The middle 32 bits of the NTP time, in 1/65536 s, as LSR and LRR have it (RFC 3550 4, 6.4.1)."""
    return ((unix_ns + NTP_EPOCH_S * NS_PER_S) << 16) // NS_PER_S & 0xFFFF_FFFF


def parse(compound: bytes) -> list[Message]:
    """All messages of a compound or reduced-size RTCP packet (RFC 3550 6.1, RFC 5506), in their order.

    Types and blocks that nobody here asks for are skipped. Raises MalformedError, and then nothing of the
    compound counts.
    """
    if len(compound) > MAX_COMPOUND_BYTES:
        raise MalformedError(f"RTCP of {len(compound)} bytes; {MAX_COMPOUND_BYTES} are enough for any viewer")
    messages: list[Message] = []
    may_ask = MAX_NACKED
    for packet_type, count, body in _packets(compound):
        match packet_type:
            case PacketType.SENDER_REPORT | PacketType.RECEIVER_REPORT:
                messages += _report_blocks(packet_type, count, body)
            case PacketType.TRANSPORT_FEEDBACK if count == _GENERIC_NACK:
                nack = _nack(body, may_ask)
                may_ask -= len(nack.sequences)
                messages.append(nack)
            case PacketType.PAYLOAD_FEEDBACK:
                messages += _payload_feedback(count, body)
    return messages


def _packets(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(packet type, count or format, body without padding) of each packet of a compound."""
    start = 0
    while start < len(compound):
        if start + 4 > len(compound):
            raise MalformedError("RTCP header is cut off (RFC 3550 6.1)")
        first, packet_type, words = struct.unpack_from("!BBH", compound, start)
        end = start + 4 + 4 * words
        if first >> 6 != VERSION or end > len(compound):
            raise MalformedError("RTCP version is not 2, or its length exceeds the datagram (RFC 3550 6.4.1)")
        body = compound[start + 4 : end]
        yield packet_type, first & 0x1F, _unpadded(body) if first & 0x20 else body
        start = end


def _unpadded(body: bytes) -> bytes:
    padding = body[-1] if body else 0
    if not 0 < padding <= len(body):
        raise MalformedError(f"RTCP padding of {padding} bytes in {len(body)} (RFC 3550 6.4.1)")
    return body[:-padding]


def _report_blocks(packet_type: int, count: int, body: bytes) -> Iterator[ReceiverReport]:
    start = 24 if packet_type == PacketType.SENDER_REPORT else 4  # who also sends reports there
    if len(body) < start + count * _REPORT_BLOCK.size:
        raise MalformedError(f"RTCP report with less than its {count} blocks (RFC 3550 6.4)")
    for block in range(count):
        ssrc, fraction, lost, *rest = _REPORT_BLOCK.unpack_from(body, start + block * _REPORT_BLOCK.size)
        yield ReceiverReport(ssrc, fraction / 256, int.from_bytes(lost, "big", signed=True), *rest)


def _feedback(body: bytes) -> tuple[int, bytes]:
    """Media SSRC and feedback control information of RFC 4585 6.1."""
    if len(body) < _TWO_SSRCS.size:
        raise MalformedError("RTCP feedback without its two SSRCs (RFC 4585 6.1)")
    return _TWO_SSRCS.unpack_from(body)[1], body[_TWO_SSRCS.size :]


def _nack(body: bytes, limit: int) -> Nack:
    media_ssrc, fields = _feedback(body)
    if len(fields) % 4:
        raise MalformedError("RTCP NACK is cut off inside a field (RFC 4585 6.2.1)")
    return Nack(media_ssrc, tuple(islice(_missing(fields), limit)))


def _missing(fields: bytes) -> Iterator[int]:
    """PID, and the 16 packets after it that the bits of BLP stand for, least significant first."""
    for pid, following in struct.iter_unpack("!HH", fields):
        yield pid
        for distance in range(1, following.bit_length() + 1):
            if following >> distance - 1 & 1:
                yield pid + distance & 0xFFFF


def _payload_feedback(kind: int, body: bytes) -> Iterator[Message]:
    media_ssrc, information = _feedback(body)
    if kind == _PLI:
        yield PictureLoss(media_ssrc)
    elif kind == _FIR:
        if len(information) % 8:
            raise MalformedError("RTCP FIR is cut off inside an entry (RFC 5104 4.3.1.1)")
        # The SSRC of the packet is not used; each entry names its own.
        for ssrc, command in struct.iter_unpack("!IB3x", information):
            yield FullIntra(ssrc, command)
    elif kind == _APPLICATION_LAYER and information[:4] == b"REMB":
        yield _remb(information)


def _remb(information: bytes) -> Remb:
    if len(information) < _REMB_HEAD.size:
        raise MalformedError("RTCP REMB is cut off (draft-alvestrand-rmcat-remb-03 2.2)")
    _, count, high, low = _REMB_HEAD.unpack_from(information)
    if len(information) < _REMB_HEAD.size + 4 * count:
        raise MalformedError(
            f"RTCP REMB with less than its {count} SSRCs (draft-alvestrand-rmcat-remb-03 2.2)"
        )
    mantissa = (high & 0x03) << 16 | low
    return Remb(mantissa << (high >> 2), struct.unpack_from(f"!{count}I", information, _REMB_HEAD.size))
