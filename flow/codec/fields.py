"""The fields of interlaced H.264: which slices are of one, and which two fields make a frame."""

from __future__ import annotations

from dataclasses import dataclass

from flow.errors import MalformedError

from .bits import BitReader
from .nal import H264, remove_emulation_prevention
from .parameter_sets import FieldSyntax

_HEADER_BYTES = 32  # what is read of a slice header is shorter


@dataclass(frozen=True, slots=True)
class Field:
    """What the header of a slice says of the field it is of."""

    frame_num: int
    bottom: bool
    reference: bool
    idr: bool


def field_of(nal: bytes, syntax: FieldSyntax) -> Field | None:
    """The field that a slice NAL unit is of (7.3.3); None for a slice of a whole frame, MBAFF included.

    Raises MalformedError if `nal` is no slice or cut off.
    """
    if not nal or not H264.is_slice(nal):
        raise MalformedError("not a slice (H.264 table 7-1)")
    bits = BitReader(remove_emulation_prevention(nal[1:_HEADER_BYTES]))
    for _ in range(3):
        bits.ue()  # first_mb_in_slice, slice_type, pic_parameter_set_id
    if syntax.separate_planes:
        bits.skip(2)  # colour_plane_id
    frame_num = bits.u(syntax.frame_num_bits)
    if not bits.flag():  # field_pic_flag
        return None
    reference = nal[0] & 0x60 != 0
    return Field(frame_num, bits.flag(), reference, idr=H264.type_of(nal) in H264.random_access)


def are_pair(first: Field, second: Field) -> bool:
    """Whether `second`, the picture directly after `first`, completes its frame (H.264 3.29 and 3.30).

    They have opposite parity and one frame_num; an IDR picture is never the second, and a field that others
    refer to never the second of one that nobody does. The other way round the standard knows no such pair,
    but encoders make it.
    """
    return (
        first.bottom != second.bottom
        and first.frame_num == second.frame_num
        and not second.idr
        and (first.reference or not second.reference)
    )
