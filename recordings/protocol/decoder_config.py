"""What an MP4 says of its video beforehand (ISO/IEC 14496-15): sample entry and codecs string."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.codec.nal import RULES, remove_emulation_prevention
from flow.codec.parameter_sets import config_of
from flow.errors import MalformedError
from flow.units import Codec, CodecConfig

from .fmp4 import Track, box, visual_sample_entry

_SPS = {Codec.H264: 7, Codec.H265: 33}
_PPS = 8
_H265_SETS = (32, 33, 34)
_WITHOUT_CHROMA = frozenset({66, 77, 88})  # the profiles whose avcC ends with its parameter sets, 5.3.3.1.2
_CHROMA = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")
_SPS_MOST, _SETS_MOST = 31, 255  # as many as an avcC can count


@dataclass(frozen=True, slots=True)
class VideoDescription:
    """How the video of a segment is announced."""

    codec: Codec
    mime: str  # video/mp4; codecs="avc1.42c01f"
    track: Track


def sequence_sets(codec: Codec, nals: Sequence[bytes]) -> tuple[bytes, ...]:
    """The sequence parameter sets of a picture: where they change, size or profile may."""
    return _of_type(codec, nals, _SPS[codec])


def description_of(codec: Codec, nals: Sequence[bytes]) -> VideoDescription:
    """Of the keyframe that a segment begins with. Raises MalformedError without parameter sets.

    avc1 and hvc1, though parameter sets stay in the samples, too: docs/decisions/0026.
    """
    config = config_of(codec, nals)
    if config is None:
        raise MalformedError(f"a {codec} segment that begins without sequence parameter set")
    if codec is Codec.H264:
        kind, record, name = b"avc1", _avcc(config, nals), f"avc1.{config.profile_level_id}"
    else:
        general = _general_profile(sequence_sets(codec, nals)[0])
        kind, record, name = b"hvc1", _hvcc(config, general, nals), _hevc_name(general)
    entry = visual_sample_entry(kind, config.width_px, config.height_px, record)
    return VideoDescription(
        codec, f'video/mp4; codecs="{name}"', Track(config.width_px, config.height_px, entry)
    )


def _of_type(codec: Codec, nals: Sequence[bytes], kind: int) -> tuple[bytes, ...]:
    rules = RULES[codec]
    return tuple(dict.fromkeys(nal for nal in nals if rules.type_of(nal) == kind))


def _avcc(config: CodecConfig, nals: Sequence[bytes]) -> bytes:
    """AVCDecoderConfigurationRecord, 5.3.3.1."""
    sps = _of_type(Codec.H264, nals, _SPS[Codec.H264])[:_SPS_MOST]
    pps = _of_type(Codec.H264, nals, _PPS)[:_SETS_MOST]
    if not pps:
        raise MalformedError("an h264 segment that begins without picture parameter set")
    lengths_of_4 = 0xFF
    parts = [bytes((1, config.profile, config.constraints, config.level, lengths_of_4, 0xE0 | len(sps)))]
    parts += [_counted(nal) for nal in sps]
    parts += [bytes((len(pps),)), *(_counted(nal) for nal in pps)]
    if config.profile not in _WITHOUT_CHROMA:
        depth = 0xF8 | (config.bit_depth - 8)
        parts.append(bytes((0xFC | _CHROMA.index(config.chroma), depth, depth, 0)))
    return box(b"avcC", *parts)


def _hvcc(config: CodecConfig, general: bytes, nals: Sequence[bytes]) -> bytes:
    """HEVCDecoderConfigurationRecord, 8.3.3.1: unknown are segmentation, parallelism and picture rate."""
    sets = [(kind, _of_type(Codec.H265, nals, kind)[:_SETS_MOST]) for kind in _H265_SETS]
    if not all(found for _, found in sets):
        raise MalformedError("an h265 segment that begins without VPS, SPS or PPS")
    layers = sets[1][1][0][2] >> 1 & 7  # sps_max_sub_layers_minus1
    nested = sets[1][1][0][2] & 1
    depth = 0xF8 | (config.bit_depth - 8)
    head = bytes((0xF0, 0, 0xFC, 0xFC | _CHROMA.index(config.chroma), depth, depth, 0, 0))
    parts = [b"\1", general, head, bytes(((layers + 1) << 3 | nested << 2 | 3, len(sets)))]
    for kind, found in sets:  # array_completeness 0: there are more in the samples
        parts += [bytes((kind,)), len(found).to_bytes(2, "big"), *(_counted(nal) for nal in found)]
    return box(b"hvcC", *parts)


def _counted(nal: bytes) -> bytes:
    if len(nal) > 0xFFFF:
        raise MalformedError(f"a parameter set of {len(nal)} bytes (ISO/IEC 14496-15 5.3.3.1)")
    return len(nal).to_bytes(2, "big") + nal


def _general_profile(sps: bytes) -> bytes:
    """The twelve bytes from general_profile_space to general_level_idc (H.265 7.3.2.2.1, 7.3.3)."""
    return remove_emulation_prevention(sps[:64])[3:15]


def _hevc_name(general: bytes) -> str:
    """14496-15 E.3, hvc1.1.6.L93.B0: profile, compatibility (bits reversed), tier and level, constraints."""
    space = ("", "A", "B", "C")[general[0] >> 6]
    tier = "H" if general[0] & 0x20 else "L"
    compatible = int(f"{int.from_bytes(general[1:5], 'big'):032b}"[::-1], 2)
    constraints = "".join(f".{byte:X}" for byte in general[5:11].rstrip(b"\0"))
    return f"hvc1.{space}{general[0] & 0x1F}.{compatible:X}.{tier}{general[11]}{constraints}"
