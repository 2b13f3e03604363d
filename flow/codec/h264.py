"""H.264 over RTP, RFC 6184 non-interleaved mode, and the H.264 NAL units that it is made of."""

from __future__ import annotations

from enum import IntEnum

from flow.errors import MalformedError

from .annexb import split_nal_units
from .nal import H264
from .payload_format import MAX_PAYLOAD, Picture, PictureDepacketizer, aggregated, fragments, runs_of_small

__all__ = ["Depacketizer", "NalType", "Picture", "is_keyframe", "packetize"]

is_keyframe = H264.is_keyframe
"""Whether decoding can begin at the picture of these NAL units: an IDR, or a recovery point SEI (D.2.8)."""

_STAP_A = 24
_FU_A = 28


class NalType(IntEnum):
    """nal_unit_type, H.264 table 7-1, as far as anybody here asks for one."""

    SLICE = 1
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    ACCESS_UNIT_DELIMITER = 9


def packetize(data: bytes, max_payload: int = MAX_PAYLOAD) -> list[bytes]:
    """The RTP payloads of one Annex B access unit; the caller sets the marker on the last.

    Single NAL unit packets, STAP-A for neighbouring small parameter sets and SEI, FU-A in equal parts.
    """
    payloads: list[bytes] = []
    for run in runs_of_small(split_nal_units(data), H264, max_payload - 1):
        if len(run) > 1:
            payloads.append(_stap_a(run))
        elif len(run[0]) <= max_payload:
            payloads += run
        else:
            payloads += _fu_a(run[0], max_payload)
    return payloads


def _stap_a(nals: list[bytes]) -> bytes:
    """RFC 6184 5.7.1: F is the or, NRI the highest of what is inside (5.3)."""
    forbidden = max(nal[0] & 0x80 for nal in nals)
    importance = max(nal[0] & 0x60 for nal in nals)
    parts = [bytes((forbidden | importance | _STAP_A,))]
    parts += [len(nal).to_bytes(2, "big") + nal for nal in nals]
    return b"".join(parts)


def _fu_a(nal: bytes, max_payload: int) -> list[bytes]:
    """RFC 6184 5.8: the NAL unit's header is not sent but told by FU indicator and FU header."""
    header = bytes((nal[0] & 0xE0 | _FU_A, nal[0] & 0x1F))
    return fragments(nal, 1, header, max_payload)


class Depacketizer(PictureDepacketizer):
    """RFC 6184 single NAL unit and non-interleaved mode (packetization-mode 0 and 1)."""

    def __init__(self) -> None:
        super().__init__(H264)

    def _unpack(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if 1 <= kind <= 23:
            self._take(payload)
        elif kind == _STAP_A:
            for nal in aggregated(payload, 1, "RFC 6184 5.7.1"):
                self._take(nal)
        elif kind == _FU_A and len(payload) > 2:
            header = bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))
            self._take_fragment(header, payload, 2)
        else:
            raise MalformedError(f"RTP payload of type {kind} is not for this mode (RFC 6184 5.2, 5.4)")
