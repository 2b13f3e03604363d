from __future__ import annotations

from collections.abc import Iterable

import pytest

from flow.clock import NS_PER_S
from flow.codec.annexb import join_nal_units, split_nal_units
from flow.codec.nal import RULES
from flow.codec.parameter_sets import parse_h264_sps, slice_type
from flow.errors import MalformedError
from flow.units import Codec
from ingest.protocol.assembly import Assembler, is_b_slice, set_id
from ingest.protocol.events import SourcePicture

from .material import WITH_B_FRAMES, Coded, coded, decoded

H264, H265 = Codec.H264, Codec.H265
DELIMITER = bytes((9, 0xF0))


def picture(data: bytes, index: int = 0, *, codec: Codec = H264, damaged: bool = False) -> SourcePicture:
    return SourcePicture(codec, data, 3000 * index, None, index * NS_PER_S // 30, damaged)


def assemble(
    pictures: Iterable[Coded], assembler: Assembler, codec: Codec = H264
) -> list[tuple[bytes, bool]]:
    return [
        (unit.data, unit.keyframe)
        for index, each in enumerate(pictures)
        for unit in assembler.push(picture(each.data, index, codec=codec))
    ]


def types(data: bytes, codec: Codec = H264) -> list[int]:
    return [RULES[codec].type_of(nal) for nal in split_nal_units(data)]


def without(data: bytes, *unwanted: int, codec: Codec = H264) -> bytes:
    return join_nal_units(nal for nal in split_nal_units(data) if RULES[codec].type_of(nal) not in unwanted)


def with_damage(pictures: tuple[Coded, ...], *damaged: int) -> tuple[list[int], Assembler]:
    """Which pictures are handed out where some are damaged."""
    assembler = Assembler()
    passed = [
        index
        for index, each in enumerate(pictures)
        if assembler.push(picture(each.data, index, damaged=index in damaged))
    ]
    return passed, assembler


def test_parameter_sets_sent_once_stand_before_every_keyframe() -> None:
    pictures = coded(40)
    sent = [pictures[0], *(Coded(each.pts, each.dts, without(each.data, 7, 8)) for each in pictures[1:])]
    units = assemble(sent, Assembler())
    assert [keyframe for _, keyframe in units] == [index % 10 == 0 for index in range(40)]
    for data, keyframe in units:
        assert types(data)[:2] == [7, 8] if keyframe else not {7, 8} & set(types(data))
    assert decoded(b"".join(data for data, _ in units[20:])) == 20


def test_parameter_sets_from_beside_the_stream_are_put_in() -> None:
    pictures = [Coded(each.pts, each.dts, without(each.data, 7, 8)) for each in coded(20)]
    assembler = Assembler()
    assert assembler.waits_for == "keyframe"
    assert assemble(pictures, assembler) == []
    assert assembler.waits_for == "parameter sets (SPS, PPS) in the stream"
    assembler.keep_parameter_sets(H264, coded(20)[0].data)
    units = assemble(pictures, assembler)
    assert decoded(b"".join(data for data, _ in units)) == 20


def test_parameter_sets_sent_ahead_on_their_own_count() -> None:
    key, *rest = coded(10)
    sets = Coded(0, 0, without(key.data, 5, 6))
    units = assemble([sets, Coded(0, 0, without(key.data, 7, 8)), *rest], Assembler())
    assert len(units) == 10
    assert decoded(b"".join(data for data, _ in units)) == 10


def test_an_access_unit_delimiter_stays_first_and_filler_is_left_out() -> None:
    key = coded(1)[0].data
    data = join_nal_units([DELIMITER, *split_nal_units(key), bytes((12, 0xFF, 0xFF, 0x80))])
    (unit,) = Assembler().push(picture(without(data, 99)))
    assert types(unit.data)[:3] == [9, 7, 8]
    assert 12 not in types(unit.data)


def test_nothing_comes_before_the_first_keyframe() -> None:
    assembler = Assembler()
    units = assemble(coded(40)[3:], assembler)
    assert units[0][1]
    assert len(units) == 30
    assert not assembler.waiting


def test_a_change_of_resolution_changes_the_configuration_at_its_keyframe() -> None:
    assembler = Assembler()
    assemble(coded(10), assembler)
    assert assembler.config is not None
    assert (assembler.config.width_px, assembler.config.height_px) == (320, 240)
    units = assemble(coded(10, size=(640, 368)), assembler)
    assert (assembler.config.width_px, assembler.config.height_px) == (640, 368)
    assert types(units[0][0]).count(7) == types(units[0][0]).count(8) == 1


def test_picture_parameter_sets_of_another_sps_are_forgotten() -> None:
    key, other = coded(1)[0].data, coded(1, size=(640, 368))[0].data
    second_pps = bytes((0x68, 0b01010000))  # of id 1
    assembler = Assembler()
    assembler.push(
        picture(join_nal_units([*split_nal_units(key)[:2], second_pps, *split_nal_units(key)[2:]]))
    )
    (again,), (changed,) = assembler.push(picture(key)), assembler.push(picture(other))
    assert types(again.data).count(8) == 2
    assert types(changed.data).count(8) == 1


def test_h265_is_carried_and_named() -> None:
    assembler = Assembler()
    units = assemble(coded(20, codec="libx265"), assembler, H265)
    assert types(units[0][0], H265)[:3] == [32, 33, 34]
    assert "codec_h265" in assembler.notes
    assert decoded(b"".join(data for data, _ in units), "hevc") == 20


def test_b_frames_are_found_and_named_and_other_streams_are_not() -> None:
    plain, reordered = Assembler(), Assembler()
    assemble(coded(20), plain)
    assemble(coded(20, options=WITH_B_FRAMES), reordered)
    assert (plain.notes, reordered.notes) == ((), ("b_frames",))
    assert plain.config is not None
    assert plain.config.plays_in_browsers
    assert reordered.config is not None
    assert reordered.config.reorders


def test_an_sps_that_only_allows_reordering_does_not_count_as_b_frames() -> None:
    key = coded(1, options=WITH_B_FRAMES)[0].data
    assert any(nal[0] & 31 == 7 and parse_h264_sps(nal).reorders for nal in split_nal_units(key))
    assembler = Assembler()
    assert assembler.push(picture(key))
    assert assembler.notes == ()


def test_chroma_and_interlacing_are_named() -> None:
    assembler = Assembler()
    assemble(
        coded(5, options=(("preset", "ultrafast"), ("x264-params", "interlaced=1:bframes=0"))), assembler
    )
    assert assembler.notes == ("interlaced",)


def test_a_damaged_picture_is_thrown_away_and_the_stream_goes_on() -> None:
    passed, assembler = with_damage(coded(90, group=60), 5)
    assert passed == [index for index in range(90) if index != 5]
    assert assembler.damaged == 1


def test_after_a_damaged_keyframe_nothing_is_shown_until_the_next() -> None:
    passed, assembler = with_damage(coded(60, group=20), 20)
    assert passed == [*range(20), *range(40, 60)]
    assert assembler.damaged == 1


def test_where_keyframes_are_close_the_rest_of_a_damaged_group_is_held_back() -> None:
    passed, _ = with_damage(coded(60, group=15), 20)
    assert passed == [*range(20), *range(30, 60)]


def test_a_damaged_picture_nobody_refers_to_costs_only_itself() -> None:
    pictures = coded(45, group=15, options=WITH_B_FRAMES)
    unreferred = next(
        index
        for index, each in enumerate(pictures)
        if index > 18 and all(nal[0] & 0x60 == 0 for nal in split_nal_units(each.data) if nal[0] & 31 == 1)
    )
    passed, _ = with_damage(pictures, unreferred)
    assert passed == [index for index in range(45) if index != unreferred]


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x00\x01", b"\x00\x00\x01\x07", b"\x00\x00\x01\x67\x42\x00", b"junk"]
)
def test_empty_and_cut_off_data_is_no_picture(data: bytes) -> None:
    assert Assembler().push(picture(data)) == []


def test_a_keyframe_whose_parameter_sets_cannot_be_read_is_none() -> None:
    key = coded(1)[0].data
    broken = [nal[:3] if nal[0] & 31 == 7 else nal for nal in split_nal_units(key)]
    assert Assembler().push(picture(join_nal_units(broken))) == []


def exp_golomb(number: int) -> str:
    bits = f"{number + 1:b}"
    return "0" * (len(bits) - 1) + bits


def parameter_set(header: bytes, number: int) -> bytes:
    """Parameter set with this id and nothing that matters behind it."""
    bits = exp_golomb(number) + "1"
    bits += "0" * (-len(bits) % 8)
    return header + int(bits, 2).to_bytes(len(bits) // 8, "big")


def test_a_flood_of_parameter_sets_does_not_grow_the_keyframes() -> None:
    key = coded(1)[0].data
    assembler = Assembler()
    assembler.push(picture(key))
    flood = [parameter_set(b"\x68", number) + bytes(3900) + b"\x80" for number in range(5000)]
    assembler.push(picture(join_nal_units(flood)))
    (unit,) = assembler.push(picture(key))
    found = types(unit.data)
    assert len(found) <= 64 + 3
    assert 7 in found
    assembler.push(
        picture(join_nal_units(parameter_set(b"\x6f\x42\x00\x1e", number) for number in range(40)))
    )
    assert len(assembler._sets) <= 64
    assert (7, 0) in assembler._sets


@pytest.mark.parametrize(
    ("codec", "header", "highest"),
    [
        (H264, b"\x67\x42\x00\x1e", 31),
        (H264, b"\x6d", 31),
        (H264, b"\x6f\x42\x00\x1e", 31),
        (H264, b"\x68", 255),
        (H265, b"\x44\x01", 63),
    ],
)
def test_ids_beyond_the_standard_are_refused(codec: Codec, header: bytes, highest: int) -> None:
    assert set_id(codec, parameter_set(header, highest)) == highest
    with pytest.raises(MalformedError, match=f"the id {highest + 1} "):
        set_id(codec, parameter_set(header, highest + 1))


def test_ids_of_parameter_sets() -> None:
    assert set_id(H264, bytes((0x67, 66, 0, 30, 0b10100000))) == 0
    assert set_id(H264, bytes((0x67, 66, 0, 30, 0b01000000))) == 1
    assert set_id(H264, bytes((0x68, 0b00100000))) == 3
    assert set_id(H265, bytes((0x40, 1, 0x2C))) == 2
    assert set_id(H265, bytes((0x44, 1, 0b01100000))) == 2


@pytest.mark.parametrize("first", range(0x80, 0x100))
def test_b_slices_are_known_by_their_first_byte(first: int) -> None:
    nal = bytes((0x41, first, 0x55))
    try:
        expected = slice_type(nal) == "B"
    except MalformedError:
        expected = False
    assert is_b_slice(nal) is expected
