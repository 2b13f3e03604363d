"""What the NAL units of H.264 and H.265 have in common: a type, slices, parameter sets, and their order.

A NAL unit is handled as bytes from its header on, without start code or length.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flow.units import Codec

_RECOVERY_POINT = 6  # SEI payloadType, H.264 D.1.1 and H.265 D.2.1
_SEI_LIMIT = 64  # messages looked at in one SEI NAL unit


@dataclass(frozen=True, slots=True)
class NalRules:
    """The NAL unit types of one codec, by what they mean for cutting a stream into pictures."""

    codec: Codec
    header_size: int
    type_shift: int
    type_mask: int
    slices: frozenset[int]
    random_access: frozenset[int]
    parameter_sets: frozenset[int]
    sei: int
    opens_access_unit: frozenset[int]
    """Types that, after a slice, begin the next access unit."""

    def type_of(self, nal: bytes) -> int:
        """`nal_unit_type`; `nal` must not be empty."""
        return nal[0] >> self.type_shift & self.type_mask

    def is_slice(self, nal: bytes) -> bool:
        return self.type_of(nal) in self.slices

    def is_parameter_set(self, nal: bytes) -> bool:
        return self.type_of(nal) in self.parameter_sets

    def starts_picture(self, nal: bytes) -> bool:
        """Whether a slice is the first of its picture; `nal` may be cut off after its third byte.

        H.264 7.3.3: first_mb_in_slice, ue(v), is 0 exactly if its first bit is 1. H.265 7.3.6.1: the first
        bit is first_slice_segment_in_pic_flag.
        """
        return len(nal) > self.header_size and nal[self.header_size] >= 0x80

    def is_keyframe(self, nals: Iterable[bytes]) -> bool:
        """Whether decoding can begin at the picture of these NAL units: IDR, CRA, BLA or recovery point."""
        return any(
            self.type_of(nal) in self.random_access
            or (self.type_of(nal) == self.sei and _has_recovery_point(nal[self.header_size :]))
            for nal in nals
            if nal
        )


def _has_recovery_point(messages: bytes) -> bool:
    """H.264 7.3.2.3.1: payloadType and payloadSize are runs of 0xFF and a last byte."""
    messages = remove_emulation_prevention(messages)
    at = 0
    for _ in range(_SEI_LIMIT):
        if at + 2 >= len(messages):  # what is left is rbsp_trailing_bits
            return False
        payload_type, at = _sei_number(messages, at)
        size, at = _sei_number(messages, at)
        if payload_type == _RECOVERY_POINT:
            return True
        at += size
    return False


def _sei_number(messages: bytes, at: int) -> tuple[int, int]:
    end = at
    while end < len(messages) and messages[end] == 0xFF:
        end += 1
    last = messages[end] if end < len(messages) else 0
    return 255 * (end - at) + last, end + 1


def remove_emulation_prevention(nal: bytes) -> bytes:
    """The RBSP of a NAL unit: 0x000003 becomes 0x0000 (H.264 7.4.1, H.265 7.4.2)."""
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")


H264 = NalRules(
    codec=Codec.H264,
    header_size=1,
    type_shift=0,
    type_mask=0x1F,
    slices=frozenset({1, 2, 5}),  # table 7-1; 3 and 4 are the later partitions of the slice that 2 begins
    random_access=frozenset({5}),
    parameter_sets=frozenset({7, 8, 13, 15}),
    sei=6,
    opens_access_unit=frozenset({6, 7, 8, 9, 15, 16, 17, 18}),  # 7.4.1.2.3; 14 belongs to the slice after it
)

H265 = NalRules(
    codec=Codec.H265,
    header_size=2,
    type_shift=1,
    type_mask=0x3F,
    slices=frozenset((*range(10), *range(16, 22))),  # table 7-1
    random_access=frozenset(range(16, 22)),  # BLA, IDR, CRA
    parameter_sets=frozenset({32, 33, 34}),
    sei=39,
    opens_access_unit=frozenset({32, 33, 34, 35, 39, *range(41, 45), *range(48, 56)}),  # 7.4.2.4.4
)

RULES = {Codec.H264: H264, Codec.H265: H265}
