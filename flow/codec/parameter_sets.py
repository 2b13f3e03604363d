"""Sequence parameter sets: what a stream says about itself before its first picture is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flow.errors import MalformedError
from flow.units import Codec, CodecConfig

from .bits import BitReader
from .nal import H264, RULES, remove_emulation_prevention

_CHROMA = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")
_CHROMA_WIDTH = (1, 2, 2, 1)  # SubWidthC and SubHeightC, H.264 table 6-1
_CHROMA_HEIGHT = (1, 2, 1, 1)

_SIZE_LIMIT_PX = 16_384
_RBSP_LIMIT = 2048  # a larger SPS than any syntax allows; keeps garbage cheap

_H264_SPS, _H265_SPS = 7, 33
_BASELINE = 66
_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})  # 7.3.2.1.1
_INTRA_ONLY = frozenset({44, 86, 100, 110, 122, 244})  # with constraint_set3_flag, E.2.1
_SLICE_TYPES = "PBIPI"  # P, B, I, SP, SI: table 7-6, modulo 5


def config_of(codec: Codec, nals: Iterable[bytes]) -> CodecConfig | None:
    """What the first sequence parameter set among `nals` says; None if there is none.

    Raises MalformedError if it cannot be read.
    """
    for nal in nals:
        kind = RULES[codec].type_of(nal) if nal else None
        if codec is Codec.H264 and kind == _H264_SPS:
            return parse_h264_sps(nal)
        if codec is Codec.H265 and kind == _H265_SPS:
            return parse_h265_sps(nal)
    return None


def slice_type(nal: bytes) -> str:
    """ "I", "P" or "B" of an H.264 slice (7.3.3), SP and SI counted as P and I.

    A stream whose SPS is silent about reordering (`CodecConfig.reorders`) gives itself away by a B slice.
    Raises MalformedError if `nal` is no slice or cut off.
    """
    if not nal or H264.type_of(nal) not in H264.slices:
        raise MalformedError("not a slice (H.264 table 7-1)")
    bits = BitReader(remove_emulation_prevention(nal[1:16]))
    bits.ue()  # first_mb_in_slice
    kind = bits.ue()
    if kind > 9:
        raise MalformedError(f"slice_type {kind} is above 9 (H.264 table 7-6)")
    return _SLICE_TYPES[kind % 5]


def parse_h264_sps(nal: bytes) -> CodecConfig:
    """Read an H.264 sequence parameter set NAL unit (7.3.2.1.1). Raises MalformedError.

    `reorders` is what the VUI says (max_num_reorder_frames), else False for streams that cannot (Baseline,
    picture order count type 2, intra-only profiles) and also for those that do not say: their B slices show.
    """
    bits = BitReader(remove_emulation_prevention(nal[:_RBSP_LIMIT]))
    sps = _h264_head(bits)
    if not sps.frame_mbs_only:
        bits.skip(1)  # mb_adaptive_frame_field_flag
    bits.skip(1)  # direct_8x8_inference_flag
    frames_or_fields = 1 if sps.frame_mbs_only else 2
    crop_x_px, crop_y_px = _cropped(bits, 0 if sps.separate_planes else sps.chroma)
    reorders_if_told = _h264_reorders(bits) if bits.flag() else None
    intra_only = sps.profile in _INTRA_ONLY and sps.constraints & 0x10 != 0
    cannot = sps.profile == _BASELINE or sps.order_count_type == 2 or intra_only
    return _config(
        Codec.H264,
        size_px=(16 * sps.width_mbs - crop_x_px, frames_or_fields * (16 * sps.height_map_units - crop_y_px)),
        profile=(sps.profile, sps.constraints, sps.level),
        chroma=sps.chroma,
        bit_depth=sps.bit_depth,
        interlaced=not sps.frame_mbs_only,
        reorders=bool(reorders_if_told) and not cannot,
    )


@dataclass(frozen=True, slots=True)
class FieldSyntax:
    """How the slice headers of a stream with fields are read: `fields.field_of`."""

    frame_num_bits: int
    separate_planes: bool


def parse_field_syntax(sps: bytes) -> FieldSyntax | None:
    """What an H.264 SPS says of its slice headers; None where frame_mbs_only_flag allows no field.

    Raises MalformedError.
    """
    head = _h264_head(BitReader(remove_emulation_prevention(sps[:_RBSP_LIMIT])))
    return None if head.frame_mbs_only else FieldSyntax(head.frame_num_bits, head.separate_planes)


@dataclass(frozen=True, slots=True)
class _H264Head:
    """An H.264 SPS up to frame_mbs_only_flag (7.3.2.1.1)."""

    profile: int
    constraints: int
    level: int
    chroma: int
    separate_planes: bool
    bit_depth: int
    frame_num_bits: int
    order_count_type: int
    width_mbs: int
    height_map_units: int
    frame_mbs_only: bool


def _h264_head(bits: BitReader) -> _H264Head:
    bits.skip(8)
    profile, constraints, level = bits.u(8), bits.u(8), bits.u(8)
    bits.ue()  # seq_parameter_set_id
    chroma, separate_planes, bit_depth = 1, False, 8
    if profile in _WITH_CHROMA:
        chroma, separate_planes, bit_depth = _h264_chroma(bits)
    frame_num_bits = 4 + _at_most(bits.ue(), 12, "log2_max_frame_num_minus4")
    order_count_type = _h264_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.skip(1)  # gaps_in_frame_num_value_allowed_flag
    return _H264Head(
        profile=profile,
        constraints=constraints,
        level=level,
        chroma=chroma,
        separate_planes=separate_planes,
        bit_depth=bit_depth,
        frame_num_bits=frame_num_bits,
        order_count_type=order_count_type,
        width_mbs=bits.ue() + 1,
        height_map_units=bits.ue() + 1,
        frame_mbs_only=bits.flag(),
    )


def _config(
    codec: Codec,
    *,
    size_px: tuple[int, int],
    profile: tuple[int, int, int],
    chroma: int,
    bit_depth: int,
    interlaced: bool,
    reorders: bool,
) -> CodecConfig:
    width_px, height_px = size_px
    if not (0 < width_px <= _SIZE_LIMIT_PX and 0 < height_px <= _SIZE_LIMIT_PX):
        raise MalformedError(f"{codec} SPS with a picture of {width_px}x{height_px}")
    if bit_depth > 16:
        raise MalformedError(f"{codec} SPS with {bit_depth} bits a sample")
    return CodecConfig(codec, width_px, height_px, *profile, _CHROMA[chroma], bit_depth, interlaced, reorders)


def _chroma_format(bits: BitReader) -> tuple[int, bool]:
    """chroma_format_idc and separate_colour_plane_flag."""
    chroma = bits.ue()
    if chroma > 3:
        raise MalformedError(f"chroma_format_idc {chroma} is above 3 (H.264 7.4.2.1.1, H.265 7.4.3.2.1)")
    return chroma, chroma == 3 and bits.flag()


def _cropped(bits: BitReader, chroma: int) -> tuple[int, int]:
    """What the cropping or conformance window takes off width and height, in luma samples of a field."""
    if not bits.flag():
        return 0, 0
    left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
    return (left + right) * _CHROMA_WIDTH[chroma], (top + bottom) * _CHROMA_HEIGHT[chroma]


def _bit_depth(bits: BitReader) -> int:
    return 8 + max(bits.ue(), bits.ue())


def _h264_chroma(bits: BitReader) -> tuple[int, bool, int]:
    chroma, separate_planes = _chroma_format(bits)
    bit_depth = _bit_depth(bits)
    bits.skip(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():  # seq_scaling_matrix_present_flag
        for index in range(12 if chroma == 3 else 8):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma, separate_planes, bit_depth


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    """H.264 7.3.2.1.1.1: the list ends early where the next scale becomes 0."""
    scale = 8
    for _ in range(size):
        scale = (scale + bits.se()) % 256
        if scale == 0:
            return


def _h264_picture_order(bits: BitReader) -> int:
    """Pass over the picture order count syntax; return pic_order_cnt_type."""
    kind = bits.ue()
    if kind == 0:
        bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.skip(1)
        bits.se()
        bits.se()
        for _ in range(_at_most(bits.ue(), 255, "num_ref_frames_in_pic_order_cnt_cycle")):
            bits.se()
    return kind


def _at_most(value: int, limit: int, name: str) -> int:
    if value > limit:
        raise MalformedError(f"{name} {value} is above {limit}")
    return value


def _h264_reorders(bits: BitReader) -> bool | None:
    """max_num_reorder_frames > 0 (E.1.1), None if the VUI has no bitstream_restriction.

    A VUI that is cut off says nothing: cameras write such, and their pictures are good.
    """
    try:
        _skip_vui_to_restriction(bits)
        if not bits.flag():
            return None
        bits.skip(1)
        for _ in range(4):
            bits.ue()
        return bits.ue() > 0
    except MalformedError:
        return None


def _skip_vui_to_restriction(bits: BitReader) -> None:
    if bits.flag() and bits.u(8) == 255:  # aspect_ratio_idc Extended_SAR
        bits.skip(32)
    if bits.flag():
        bits.skip(1)  # overscan_appropriate_flag
    if bits.flag():  # video_signal_type_present_flag
        bits.skip(4)
        if bits.flag():
            bits.skip(24)
    if bits.flag():  # chroma_loc_info_present_flag
        bits.ue()
        bits.ue()
    if bits.flag():  # timing_info_present_flag
        bits.skip(65)
    has_nal_hrd = bits.flag()
    if has_nal_hrd:
        _skip_hrd(bits)
    has_vcl_hrd = bits.flag()
    if has_vcl_hrd:
        _skip_hrd(bits)
    if has_nal_hrd or has_vcl_hrd:
        bits.skip(1)  # low_delay_hrd_flag
    bits.skip(1)  # pic_struct_present_flag


def _skip_hrd(bits: BitReader) -> None:
    """E.1.2."""
    count = _at_most(bits.ue(), 31, "cpb_cnt_minus1") + 1
    bits.skip(8)
    for _ in range(count):
        bits.ue()
        bits.ue()
        bits.skip(1)
    bits.skip(20)


def parse_h265_sps(nal: bytes) -> CodecConfig:
    """Read an H.265 sequence parameter set NAL unit (7.3.2.2.1). Raises MalformedError.

    `interlaced` is general_interlaced_source_flag alone: H.265 codes each field as a picture of its own.
    """
    bits = BitReader(remove_emulation_prevention(nal[:_RBSP_LIMIT]))
    bits.skip(7)
    if bits.u(6) != 0:  # nuh_layer_id
        raise MalformedError("SPS of an enhancement layer (H.265 F.7.3.2.2)")
    bits.skip(3 + 4)  # nuh_temporal_id_plus1, sps_video_parameter_set_id
    sub_layers = bits.u(3)
    bits.skip(1)  # sps_temporal_id_nesting_flag
    profile, level, interlaced = _h265_profile_tier_level(bits, sub_layers)
    bits.ue()  # sps_seq_parameter_set_id
    chroma, separate_planes = _chroma_format(bits)
    width_px, height_px = bits.ue(), bits.ue()
    crop_x_px, crop_y_px = _cropped(bits, 0 if separate_planes else chroma)
    bit_depth = _bit_depth(bits)
    bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    return _config(
        Codec.H265,
        size_px=(width_px - crop_x_px, height_px - crop_y_px),
        profile=(profile, 0, level),
        chroma=chroma,
        bit_depth=bit_depth,
        interlaced=interlaced,
        reorders=_h265_reorders(bits, sub_layers),
    )


def _h265_profile_tier_level(bits: BitReader, sub_layers: int) -> tuple[int, int, bool]:
    """7.3.3: general_profile_idc, general_level_idc, and whether the source is interlaced."""
    bits.skip(3)  # general_profile_space, general_tier_flag
    profile = bits.u(5)
    bits.skip(32)
    progressive, interlaced = bits.flag(), bits.flag()
    bits.skip(46)
    level = bits.u(8)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        bits.skip(88 * has_profile + 8 * has_level)
    return profile, level, interlaced and not progressive


def _h265_reorders(bits: BitReader, sub_layers: int) -> bool:
    """sps_max_num_reorder_pics of the highest sub-layer, which is the last in either form (7.4.3.2.1)."""
    reordered = 0
    for _ in range(sub_layers + 1 if bits.flag() else 1):
        bits.ue()
        reordered = bits.ue()
        bits.ue()
    return reordered > 0
