"""Parameter sets of cameras and encoders as bytes; what they mean is in the comments."""

from __future__ import annotations

import pytest

from flow.codec.bits import BitReader
from flow.codec.nal import remove_emulation_prevention
from flow.codec.parameter_sets import config_of, parse_h264_sps, parse_h265_sps, slice_type
from flow.errors import MalformedError
from flow.units import Codec, CodecConfig


def bits(text: str) -> bytes:
    """Bytes of a string of zeros and ones, padded with rbsp_trailing_bits."""
    text = text.replace(" ", "") + "1"
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def ue(value: int) -> str:
    return f"{value + 1:b}".zfill(2 * (value + 1).bit_length() - 1)


def h264_sps(profile: int = 77, constraints: int = 0, order: str = "1 1", rest: str = "1 1 0 0") -> bytes:
    """640x480; `order` from pic_order_cnt_type on, `rest` from frame_mbs_only_flag to the VUI flag."""
    head = bytes((0x67, profile, constraints, 31))
    return head + bits(ue(0) + ue(0) + order + ue(1) + "0" + ue(39) + ue(29) + rest)


NO_LIMITS = ue(2) + ue(1) + ue(10) + ue(10)


def test_exp_golomb() -> None:
    """H.264 table 9-2 and 9-3."""
    reader = BitReader(bits("1 010 011 00100 00101"))
    assert [reader.ue() for _ in range(5)] == [0, 1, 2, 3, 4]
    reader = BitReader(bits("1 010 011 00100 00101"))
    assert [reader.se() for _ in range(5)] == [0, 1, -1, 2, -2]
    with pytest.raises(MalformedError, match="32 bits"):
        BitReader(bytes(8)).ue()
    assert BitReader(bits("0" * 31 + "1" + "1" * 31)).ue() == 2**32 - 2


def test_emulation_prevention() -> None:
    """H.264 7.4.1."""
    assert remove_emulation_prevention(bytes.fromhex("000003000003010000030003")) == bytes.fromhex(
        "000000000100000003"
    )


def test_main_profile_without_vui() -> None:
    assert parse_h264_sps(h264_sps()) == CodecConfig(
        Codec.H264, 640, 480, 77, 0, 31, "4:2:0", 8, interlaced=False, reorders=False
    )


@pytest.mark.parametrize(("reordered", "expected"), [(0, False), (2, True)])
def test_reordering_as_the_vui_says(reordered: int, expected: bool) -> None:
    rest = "1 1 0 1" + "0 0 0 0 0 0 0 0" + "1 1" + NO_LIMITS + ue(reordered) + ue(4)
    assert parse_h264_sps(h264_sps(rest=rest)).reorders is expected
    # Baseline and picture order count type 2 cannot reorder, whatever the VUI allows.
    assert not parse_h264_sps(h264_sps(profile=66, rest=rest)).reorders
    assert not parse_h264_sps(h264_sps(order=ue(2), rest=rest)).reorders


def test_a_vui_with_everything_in_it() -> None:
    hrd = ue(1) + "0000 0000" + (ue(5) + ue(6) + "0") * 2 + "0" * 20
    vui = "1 11111111" + "0" * 32 + "1 1" + "1 101 0 1" + "0" * 24 + "1" + ue(1) + ue(1) + "1" + "0" * 65
    vui += "1" + hrd + "1" + hrd + "0" + "1" + "1 1" + NO_LIMITS + ue(1) + ue(1)
    assert parse_h264_sps(h264_sps(rest="1 1 0 1" + vui)).reorders


def test_a_vui_that_is_cut_off_is_forgiven() -> None:
    assert not parse_h264_sps(h264_sps(rest="1 1 0 1 1 11111111")).reorders


def test_field_coding_and_cropping() -> None:
    """7-20: crop units are two chroma rows of a field; 15 map units of fields are 30 rows of macroblocks."""
    crop = "1" + ue(1) + ue(2) + ue(0) + ue(2)
    sps = parse_h264_sps(h264_sps(rest="0 1 1" + crop + "0"))
    assert (sps.width_px, sps.height_px, sps.interlaced) == (640 - 6, 2 * (480 - 4), True)


def test_picture_order_count_type_1() -> None:
    order = ue(1) + "0" + "010" + "011" + ue(2) + "1 1"
    assert parse_h264_sps(h264_sps(order=order)).width_px == 640


def test_high_profile_with_scaling_lists() -> None:
    high = ue(2) + ue(2) + ue(1) + "0" + "1"
    # List 0: sixteen times delta 0. List 6: delta -8 makes the next scale 0, and the list ends.
    lists = "1" + "1" * 16 + "00000" + "1" + "000010001" + "0"
    head = bytes((0x67, 122, 0, 40))
    tail = ue(0) + "1 1" + ue(1) + "0" + ue(39) + ue(29) + "1 1 0 0"
    sps = parse_h264_sps(head + bits(ue(0) + high + lists + tail))
    assert (sps.chroma, sps.bit_depth, sps.width_px, sps.height_px) == ("4:2:2", 10, 640, 480)


@pytest.mark.parametrize("flaw", ["cut", "chroma", "size", "depth", "cycle"])
def test_impossible_parameter_sets_are_refused(flaw: str) -> None:
    high = bytes((0x67, 100, 0, 40))
    nal = {
        "cut": h264_sps()[:6],
        "chroma": high + bits(ue(0) + ue(4)),
        "size": h264_sps(rest="1 1 1" + ue(400) + ue(0) + ue(0) + ue(0) + "0"),
        "depth": high
        + bits(ue(0) + ue(1) + ue(20) + ue(0) + "0 0" + ue(0) + "1 1" + ue(1) + "0" + "1" * 6 + "00"),
        "cycle": h264_sps(order=ue(1) + "0 1 1" + ue(256)),
    }[flaw]
    with pytest.raises(MalformedError, match=r"H\.264|h264|num_ref_frames"):
        parse_h264_sps(nal)


def h265_sps(order: str, sub_layers: int = 0, interlaced: str = "10", layer: int = 0) -> bytes:
    """1920x1080 cropped from 1088, Main, level 4."""
    profile = "000 00001" + "0" * 32 + interlaced + "0" * 46 + f"{120:08b}"
    if sub_layers:
        profile += "11" * sub_layers + "00" * (8 - sub_layers) + ("0" * 88 + "0" * 8) * sub_layers
    window = "1" + ue(0) + ue(0) + ue(0) + ue(4)
    body = f"0000{sub_layers:03b}1" + profile + ue(0) + ue(1) + ue(1920) + ue(1088) + window + ue(0) + ue(0)
    return bytes((0x42, layer << 3 | 1)) + bits(body + ue(4) + order)


def test_h265_main() -> None:
    assert parse_h265_sps(h265_sps("1" + ue(4) + ue(0) + ue(0))) == CodecConfig(
        Codec.H265, 1920, 1080, 1, 0, 120, "4:2:0", 8, interlaced=False, reorders=False
    )


def test_h265_reordering_is_that_of_the_highest_sub_layer() -> None:
    without, with_two = ue(4) + ue(0) + ue(0), ue(4) + ue(2) + ue(0)
    assert parse_h265_sps(h265_sps("1" + without + with_two, sub_layers=1)).reorders
    assert not parse_h265_sps(h265_sps("1" + without + without, sub_layers=1)).reorders
    assert parse_h265_sps(h265_sps("0" + with_two, sub_layers=2)).reorders


def test_h265_interlaced_source() -> None:
    order = "1" + ue(4) + ue(0) + ue(0)
    assert parse_h265_sps(h265_sps(order, interlaced="01")).interlaced
    assert not parse_h265_sps(h265_sps(order, interlaced="00")).interlaced


def test_h265_enhancement_layers_are_refused() -> None:
    with pytest.raises(MalformedError, match="enhancement"):
        parse_h265_sps(h265_sps("1" + ue(4) + ue(0) + ue(0), layer=1))


def test_config_of_finds_the_sps() -> None:
    sps = h264_sps()
    assert config_of(Codec.H264, [b"", b"\x09\xf0", sps, b"\x68"]) == parse_h264_sps(sps)
    assert config_of(Codec.H264, [b"\x09\xf0", b"\x68"]) is None
    assert config_of(Codec.H265, [sps]) is None


@pytest.mark.parametrize(
    ("kind", "name"), [(0, "P"), (1, "B"), (2, "I"), (3, "P"), (4, "I"), (5, "P"), (6, "B"), (7, "I")]
)
def test_slice_types(kind: int, name: str) -> None:
    assert slice_type(b"\x41" + bits(ue(1200) + ue(kind))) == name


@pytest.mark.parametrize("nal", [b"", b"\x67\x88", b"\x41", b"\x41\x80", b"\x41" + bits(ue(0) + ue(10))])
def test_no_slice_type(nal: bytes) -> None:
    with pytest.raises(MalformedError):
        slice_type(nal)
