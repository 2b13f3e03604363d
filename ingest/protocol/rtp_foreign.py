"""Video in RTP that is neither H.264 nor H.265, recognised without signalling, to say what it is."""

from __future__ import annotations

from .events import Unusable

_MPEG4_STARTS = frozenset({0xB0, 0xB3, 0xB5, 0xB6})
"""Start codes of a visual object sequence, group, visual object and picture (ISO/IEC 14496-2 table 6-3). As
NAL unit headers of Annex B bytes in RTP, where they do not belong, none of them is anything."""

_VP8_START = b"\x9d\x01\x2a"  # RFC 6386 9.1
_VP9_BARE = frozenset({0x08, 0x0C, 0x4C})
"""Descriptors of a picture's first packet without an id: as H.264 they would be a picture parameter set or
filler data with a nal_ref_idc that these must not have (7.4.1)."""


def foreign(payload: bytes, sender: str) -> Unusable | None:
    """What to say of an RTP payload that begins a picture of another codec; None where it does not.

    No payload of H.264 or H.265 that keeps to its format is taken for one of these.
    """
    only = "in RTP only H.264 and H.265 are read; set the sender to H.264"
    if payload[:3] == b"\x00\x00\x01" and payload[3:4] and payload[3] in _MPEG4_STARTS:
        return Unusable("rtp_mpeg4", f"MPEG-4 Part 2 from {sender}: {only}, or to MPEG-TS")
    if _begins_vp9(payload):
        return Unusable("rtp_vp9", f"VP9 from {sender}: {only}")
    if _begins_vp8_keyframe(payload):
        return Unusable("rtp_vp8", f"VP8 from {sender}: {only}")
    return None


def _begins_vp9(payload: bytes) -> bool:
    """RFC 9628 4.2: a descriptor with the bit for a picture's beginning, then a frame's marker, 0b10."""
    if len(payload) < 8:
        return False
    first, at = payload[0], 1
    if first not in _VP9_BARE:
        if first & 0x8B != 0x88 or first & 0x10:  # an id; no scalability structure, no flexible mode
            return False
        at += 2 if payload[1] & 0x80 else 1
        at += 2 if first & 0x20 else 0  # layers, and the number of the lowest one's picture
    return payload[at] & 0xC0 == 0x80


def _begins_vp8_keyframe(payload: bytes) -> bool:
    """RFC 7741 4.2: a descriptor with the bit for a partition's beginning, of the first partition."""
    if len(payload) < 12 or payload[0] & 0x5F != 0x10:
        return False
    at = 1
    if payload[0] & 0x80:
        more, at = payload[1], 2
        if more & 0x80:
            at += 2 if payload[2] & 0x80 else 1
        at += (1 if more & 0x40 else 0) + (1 if more & 0x30 else 0)
    return payload[at + 3 : at + 6] == _VP8_START
