"""The RTCP of a viewer: receiver report (RFC 3550), NACK (RFC 4585), REMB (draft-alvestrand-rmcat-remb)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_RECEIVER_REPORT, _DESCRIPTION, _TRANSPORT_FEEDBACK, _PAYLOAD_FEEDBACK = 201, 202, 205, 206


ROUND_TRIP_NS = 20_000_000
"""A network's round trip, pretended in the reports: Janus keeps next to nothing for resending where it
reckons none, and would answer few NACKs."""


@dataclass(slots=True)
class Heard:
    """What a receiver report says of the one sender."""

    ssrc: int
    highest_sequence: int
    fraction_lost: float = 0.0
    sender_report: int = 0
    """The middle 32 bits of its last report's NTP time; 0 before the first."""
    sender_report_ns: int = 0


def report(own_ssrc: int, heard: Heard, bitrate_bps: int, now_ns: int) -> bytes:
    """Receiver report, CNAME and REMB in one compound packet."""
    held_ns = max(0, now_ns - heard.sender_report_ns - ROUND_TRIP_NS) if heard.sender_report else 0
    block = struct.pack(
        "!IIIIII",
        heard.ssrc,
        round(heard.fraction_lost * 256) << 24,
        heard.highest_sequence & 0xFFFF_FFFF,
        0,
        heard.sender_report,
        held_ns * 65_536 // 1_000_000_000 & 0xFFFF_FFFF,
    )
    reported = _packet(1, _RECEIVER_REPORT, struct.pack("!I", own_ssrc) + block)
    described = _packet(1, _DESCRIPTION, struct.pack("!IBB6s", own_ssrc, 1, 5, b"bench\0"))
    return reported + described + _remb(own_ssrc, heard.ssrc, bitrate_bps)


def nack(own_ssrc: int, media_ssrc: int, sequence: int) -> bytes:
    """Ask for one packet again (RFC 4585 6.2.1)."""
    return _packet(1, _TRANSPORT_FEEDBACK, struct.pack("!IIHH", own_ssrc, media_ssrc, sequence, 0))


def sender_report(compound: bytes) -> tuple[int, int] | None:
    """(SSRC, middle bits of the NTP time) of the sender report that a compound packet begins with."""
    if len(compound) < 28 or compound[1] != 200:
        return None
    ssrc, seconds, fraction = struct.unpack_from("!III", compound, 4)
    return ssrc, (seconds & 0xFFFF) << 16 | fraction >> 16


def _remb(own_ssrc: int, media_ssrc: int, bitrate_bps: int) -> bytes:
    exponent = max(0, bitrate_bps.bit_length() - 18)
    rate = 1 << 24 | exponent << 18 | bitrate_bps >> exponent
    body = struct.pack("!II4sII", own_ssrc, 0, b"REMB", rate, media_ssrc)
    return _packet(15, _PAYLOAD_FEEDBACK, body)


def _packet(count: int, kind: int, body: bytes) -> bytes:
    assert len(body) % 4 == 0
    return struct.pack("!BBH", 2 << 6 | count, kind, len(body) // 4) + body
