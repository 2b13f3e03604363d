"""Slice headers of fields and frames, written by hand: x264 makes MBAFF, but no pictures of one field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.codec.annexb import split_nal_units
from flow.codec.fields import Field, are_pair, field_of
from flow.codec.parameter_sets import FieldSyntax, parse_field_syntax
from flow.errors import MalformedError
from tests.unit.ingest.material import coded

from .test_flow_parameter_sets import bits, h264_sps, ue

SYNTAX = FieldSyntax(frame_num_bits=4, separate_planes=False)
TOP = Field(frame_num=5, bottom=False, reference=True, idr=False)
BOTTOM = replace(TOP, bottom=True)


def slice_nal(text: str, header: int = 0x41) -> bytes:
    """A slice of picture parameter set 0 that begins a P picture; `text` from frame_num on."""
    return bytes((header,)) + bits(ue(0) + ue(5) + ue(0) + text) + bytes((0x55,)) * 8


def test_the_header_of_a_field() -> None:
    assert field_of(slice_nal("0101 1 0"), SYNTAX) == TOP
    assert field_of(slice_nal("0101 1 1"), SYNTAX) == BOTTOM
    assert field_of(slice_nal("0101 1 1", header=0x01), SYNTAX) == replace(BOTTOM, reference=False)
    assert field_of(slice_nal("0000 1 0", header=0x65), SYNTAX) == replace(TOP, frame_num=0, idr=True)


def test_the_header_of_a_frame_is_of_no_field() -> None:
    assert field_of(slice_nal("0101 0"), SYNTAX) is None


def test_the_width_of_frame_num_and_colour_planes_count() -> None:
    wide = FieldSyntax(frame_num_bits=16, separate_planes=False)
    assert field_of(slice_nal("0000000100000101 1 1"), wide) == replace(BOTTOM, frame_num=261)
    planes = FieldSyntax(frame_num_bits=4, separate_planes=True)
    assert field_of(slice_nal("10 0101 1 1"), planes) == BOTTOM


def test_emulation_prevention_inside_the_header_is_taken_out() -> None:
    nal = slice_nal("0000000000000001 1 1").replace(b"\x00\x00", b"\x00\x00\x03")
    assert field_of(nal, FieldSyntax(16, False)) == replace(BOTTOM, frame_num=1)


@pytest.mark.parametrize("nal", [b"", b"\x41", b"\x41\x00\x00\x00", b"\x67\x42\x00\x1e", b"\x06\x05"])
def test_what_is_no_slice_or_cut_off_is_refused(nal: bytes) -> None:
    with pytest.raises(MalformedError):
        field_of(nal, SYNTAX)


@pytest.mark.parametrize(
    ("first", "second", "pair"),
    [
        (TOP, BOTTOM, True),
        (BOTTOM, TOP, True),
        (TOP, TOP, False),
        (TOP, replace(BOTTOM, frame_num=6), False),
        (replace(TOP, idr=True), BOTTOM, True),
        (replace(TOP, idr=True), replace(BOTTOM, reference=False), True),
        (replace(TOP, idr=True), replace(BOTTOM, idr=True), False),
        (replace(TOP, reference=False), replace(BOTTOM, reference=False), True),
        (replace(TOP, reference=False), BOTTOM, False),
    ],
)
def test_which_two_fields_make_a_frame(first: Field, second: Field, pair: bool) -> None:
    assert are_pair(first, second) is pair


def test_what_an_sps_says_of_slice_headers() -> None:
    assert parse_field_syntax(h264_sps()) is None
    assert parse_field_syntax(h264_sps(rest="0 1 1 0 0")) == FieldSyntax(4, False)
    planes = bytes((0x67, 244, 0, 31)) + bits(
        ue(0)
        + ue(3)
        + "1"
        + ue(0)
        + ue(0)
        + "0 0"
        + ue(9)
        + "1 1"
        + ue(1)
        + "0"
        + ue(39)
        + ue(29)
        + "0 1 1 0 0"
    )
    assert parse_field_syntax(planes) == FieldSyntax(13, True)
    with pytest.raises(MalformedError, match="log2_max_frame_num"):
        parse_field_syntax(bytes((0x67, 77, 0, 31)) + bits(ue(0) + ue(13) + "1 1" + ue(1)))


def test_macroblock_adaptive_pictures_of_an_encoder_are_frames() -> None:
    options = (("preset", "ultrafast"), ("x264-params", "interlaced=1:bframes=0"))
    nals = [nal for each in coded(12, options=options) for nal in split_nal_units(each.data)]
    syntax = parse_field_syntax(next(nal for nal in nals if nal[0] & 31 == 7))
    assert syntax is not None
    slices = [nal for nal in nals if nal[0] & 31 in (1, 5)]
    assert len(slices) >= 12
    assert {field_of(nal, syntax) for nal in slices} == {None}
