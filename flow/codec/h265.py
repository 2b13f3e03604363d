"""H.265 over RTP, RFC 7798 without decoding order numbers (sprop-max-don-diff 0)."""

from __future__ import annotations

from flow.errors import MalformedError

from .annexb import split_nal_units
from .nal import H265
from .payload_format import MAX_PAYLOAD, Picture, PictureDepacketizer, aggregated, fragments, runs_of_small

__all__ = ["Depacketizer", "Picture", "is_keyframe", "packetize"]

is_keyframe = H265.is_keyframe
"""Whether decoding can begin at the picture of these NAL units: IDR, CRA, BLA or a recovery point SEI."""

_AP = 48
_FU = 49
_TYPE_BITS = 0x7E  # of the first header byte


def packetize(data: bytes, max_payload: int = MAX_PAYLOAD) -> list[bytes]:
    """The RTP payloads of one Annex B access unit; the caller sets the marker on the last.

    Single NAL unit packets, aggregation packets for neighbouring small parameter sets and SEI, fragmentation
    units in equal parts.
    """
    payloads: list[bytes] = []
    for run in runs_of_small(split_nal_units(data), H265, max_payload - 2):
        if len(run) > 1:
            payloads.append(_ap(run))
        elif len(run[0]) <= max_payload:
            payloads += run
        else:
            payloads += _fu(run[0], max_payload)
    return payloads


def _ap(nals: list[bytes]) -> bytes:
    """RFC 7798 4.4.2: F is the or, LayerId and TID the lowest of what is inside."""
    headers = [int.from_bytes(nal[:2], "big") for nal in nals]
    forbidden = max(header & 0x8000 for header in headers)
    layer = min(header & 0x01F8 for header in headers)
    temporal = min(header & 0x0007 for header in headers)
    parts = [(forbidden | _AP << 9 | layer | temporal).to_bytes(2, "big")]
    parts += [len(nal).to_bytes(2, "big") + nal for nal in nals]
    return b"".join(parts)


def _fu(nal: bytes, max_payload: int) -> list[bytes]:
    """RFC 7798 4.4.3: the NAL unit's type moves from its header into the FU header."""
    header = bytes((nal[0] & ~_TYPE_BITS | _FU << 1, nal[1], H265.type_of(nal)))
    return fragments(nal, 2, header, max_payload)


class Depacketizer(PictureDepacketizer):
    """RFC 7798 single NAL unit, aggregation and fragmentation packets, without DONL."""

    def __init__(self) -> None:
        super().__init__(H265)

    def _unpack(self, payload: bytes) -> None:
        kind = H265.type_of(payload)
        if len(payload) > 2 and kind < _AP:
            self._take(payload)
        elif kind == _AP:
            for nal in aggregated(payload, 2, "RFC 7798 4.4.2"):
                self._take(nal)
        elif kind == _FU and len(payload) > 3:
            header = bytes((payload[0] & ~_TYPE_BITS | (payload[2] & 0x3F) << 1, payload[1]))
            self._take_fragment(header, payload, 3)
        else:
            raise MalformedError(f"RTP payload of type {kind} and {len(payload)} bytes (RFC 7798 4.4)")
