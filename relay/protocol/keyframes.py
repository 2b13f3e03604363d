"""Keyframes of a publisher: recognising one as it begins, and asking for one."""

from __future__ import annotations

from flow.clock import NS_PER_S
from flow.codec.payload_format import aggregated
from flow.units import Codec

ASK_EVERY_NS = NS_PER_S
"""A keyframe is ten pictures' worth of bits; asked for more often they choke a narrow way."""

_H264 = frozenset({5, 7})  # IDR, SPS: H.264 table 7-1
_H265 = frozenset({*range(16, 22), 32, 33})  # IRAP pictures, VPS, SPS: H.265 table 7-1
_STAP_A, _FU_A = 24, 28  # RFC 6184 5.2
_AP, _FU = 48, 49  # RFC 7798 4.4
_START = 0x80  # of the FU header


def begins_keyframe(codec: Codec, payload: bytes) -> bool:
    """Whether an RTP payload is the beginning of a keyframe, or of the parameter sets before one.

    Raises MalformedError.
    """
    if codec is Codec.H264:
        return not _H264.isdisjoint(_beginning_h264(payload))
    return not _H265.isdisjoint(_beginning_h265(payload))


def _beginning_h264(payload: bytes) -> list[int]:
    """Types of the NAL units that begin in a payload (RFC 6184 5.4). Raises MalformedError."""
    kind = payload[0] & 0x1F if payload else 0
    if kind == _STAP_A:
        return [nal[0] & 0x1F for nal in aggregated(payload, 1, "RFC 6184 5.7.1")]
    if kind == _FU_A:
        return [payload[1] & 0x1F] if len(payload) > 1 and payload[1] & _START else []
    return [kind]


def _beginning_h265(payload: bytes) -> list[int]:
    """Types of the NAL units that begin in a payload (RFC 7798 4.4). Raises MalformedError."""
    kind = payload[0] >> 1 & 0x3F if payload else 0
    if kind == _AP:
        return [nal[0] >> 1 & 0x3F for nal in aggregated(payload, 2, "RFC 7798 4.4.2")]
    if kind == _FU:
        return [payload[2] & 0x3F] if len(payload) > 2 and payload[2] & _START else []
    return [kind]


class KeyframeWish:
    """Whether a keyframe is wanted: from the beginning, and again each time `wanted` is set."""

    def __init__(self) -> None:
        self.wanted = True
        self._asked_ns: int | None = None

    def due(self, now_ns: int) -> bool:
        """Whether to ask now; if so, it counts as asked."""
        if not self.wanted or (self._asked_ns is not None and now_ns - self._asked_ns < ASK_EVERY_NS):
            return False
        self._asked_ns = now_ns
        return True
