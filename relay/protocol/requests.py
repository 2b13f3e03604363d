"""What a receiver asks of a sender, as RTCP: lost packets, a keyframe, a bit rate (RFC 4585, REMB)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from flow.codec.rtp import VERSION

from .rtcp import PacketType

_NACK, _PLI, _APPLICATION_LAYER = 1, 1, 15  # formats: RFC 4585 6.2.1, 6.3.1, 6.4
_FOLLOWING = 16  # packets after the first that a field can name


def nack(own_ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """Generic NACK (RFC 4585 6.2.1) of these 16-bit numbers, in rising order (modulo 2^16)."""
    fields: list[tuple[int, int]] = []
    for sequence in sequences:
        distance = (sequence - fields[-1][0]) % 0x10000 if fields else 0
        if fields and 1 <= distance <= _FOLLOWING:
            first, following = fields[-1]
            fields[-1] = first, following | 1 << distance - 1
        else:
            fields.append((sequence, 0))
    body = b"".join(struct.pack("!HH", *field) for field in fields)
    return _feedback(_NACK, PacketType.TRANSPORT_FEEDBACK, own_ssrc, media_ssrc, body)


def pli(own_ssrc: int, media_ssrc: int) -> bytes:
    """Picture loss indication (RFC 4585 6.3.1)."""
    return _feedback(_PLI, PacketType.PAYLOAD_FEEDBACK, own_ssrc, media_ssrc, b"")


def remb(own_ssrc: int, media_ssrc: int, bitrate_bps: int) -> bytes:
    """Receiver estimated maximum bitrate, rounded down (draft-alvestrand-rmcat-remb-03 2.2)."""
    exponent = max(0, bitrate_bps.bit_length() - 18)
    rate = 1 << 24 | exponent << 18 | bitrate_bps >> exponent
    body = struct.pack("!4sII", b"REMB", rate, media_ssrc)
    return _feedback(_APPLICATION_LAYER, PacketType.PAYLOAD_FEEDBACK, own_ssrc, 0, body)


def _feedback(kind: int, packet_type: PacketType, own_ssrc: int, media_ssrc: int, body: bytes) -> bytes:
    words = (8 + len(body)) // 4
    return struct.pack("!BBHII", VERSION << 6 | kind, packet_type, words, own_ssrc, media_ssrc) + body
