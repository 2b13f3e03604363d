"""The payload of RTMP's video messages: FLV video tags (FLV 10.1, E.4.3) and Enhanced RTMP v2."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from flow.codec.annexb import AvcConfig, HevcConfig, avcc_beginning, avcc_to_annexb, join_nal_units
from flow.codec.rtp import Unwrapper
from flow.errors import MalformedError, SourceError
from flow.units import Codec
from ingest.protocol.events import Heard, ParameterSets, SourceEvent, SourcePicture, Unusable

TICKS_PER_MS = 90

_LEGACY = {7: Codec.H264, 12: Codec.H265}  # 12 was never in the specification, but in many a camera
_OTHER_LEGACY = {2: "Sorenson H.263", 3: "Screen Video", 4: "VP6", 5: "VP6 with alpha", 6: "Screen Video 2"}
_ENHANCED = {b"avc1": Codec.H264, b"hvc1": Codec.H265}
_OTHER_ENHANCED = {b"vp08": "VP8", b"vp09": "VP9", b"av01": "AV1", b"vvc1": "H.266"}
_CONFIGS: dict[Codec, type[AvcConfig] | type[HevcConfig]] = {Codec.H264: AvcConfig, Codec.H265: HevcConfig}

_COMMAND_FRAME = 5  # seeking, of players
_USUAL_LENGTH_SIZE = 4


class Packet(IntEnum):
    """VideoPacketType of Enhanced RTMP; the first three are FLV's AVCPacketType as well."""

    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    CODED_FRAMES_X = 3  # without a composition time
    METADATA = 4
    MPEG2TS_SEQUENCE_START = 5
    MULTITRACK = 6
    MOD_EX = 7


@dataclass(frozen=True, slots=True)
class VideoTag:
    """A parameter record (SEQUENCE_START) or a picture (CODED_FRAMES) of NAL units behind their lengths."""

    packet: Packet
    codec: Codec
    composition_ms: int
    data: bytes


class VideoTags:
    """One publisher's video messages, in order."""

    def __init__(self) -> None:
        self._clock = Unwrapper(32)
        self._length_size = _USUAL_LENGTH_SIZE

    def take(self, body: bytes, timestamp_ms: int, now_ns: int) -> list[SourceEvent]:
        """What a message means, whose timestamp wraps at 32 bits."""
        dts_ms = self._clock.unwrap(timestamp_ms)
        try:
            tag = parse_tag(body)
            if tag is None:
                return [Heard()]
            if tag.packet is Packet.SEQUENCE_START:
                config = _CONFIGS[tag.codec].parse(tag.data)
                self._length_size = config.length_size
                return [ParameterSets(tag.codec, join_nal_units(config.parameter_sets)), Heard()]
        except SourceError as error:
            return [Unusable(error.code, str(error))]
        except MalformedError as error:
            return [_unreadable(error)]
        return self._picture(tag, dts_ms, now_ns)

    def _picture(self, tag: VideoTag, dts_ms: int, now_ns: int) -> list[SourceEvent]:
        """One of which only the beginning can be read is damaged, and so is what refers to it."""
        dts, pts = dts_ms * TICKS_PER_MS, (dts_ms + tag.composition_ms) * TICKS_PER_MS
        try:
            data = avcc_to_annexb(tag.data, self._length_size)
        except MalformedError as error:
            whole = avcc_beginning(tag.data, self._length_size)
            damaged = SourcePicture(tag.codec, whole, pts, dts, now_ns, damaged=True)
            return [_unreadable(error), damaged] if whole else [_unreadable(error)]
        return [SourcePicture(tag.codec, data, pts, dts, now_ns)]


def parse_tag(body: bytes) -> VideoTag | None:
    """The tag, or None where there is nothing to show in it.

    Raises MalformedError, and SourceError for what cannot be shown.
    """
    if not body:
        return None
    if body[0] & 0x80:
        return _enhanced(body)
    frame_type, codec_id = body[0] >> 4, body[0] & 0x0F
    if frame_type == _COMMAND_FRAME:
        return None
    if codec_id not in _LEGACY:
        raise _unsupported(_OTHER_LEGACY.get(codec_id, f"FLV video codec {codec_id}"))
    if len(body) < 5:
        raise _cut_off()
    # AVCPacketType and composition time, which here stand before every kind of body.
    return _tag(body[1], _LEGACY[codec_id], _signed24(body, 2), body[5:])


def _enhanced(body: bytes) -> VideoTag | None:
    """Enhanced RTMP v2, "Enhanced Video"."""
    frame_type, packet, at = body[0] >> 4 & 7, body[0] & 0x0F, 1
    while packet == Packet.MOD_EX:
        packet, at = _after_modifier(body, at)
    if packet == Packet.METADATA or frame_type == _COMMAND_FRAME:
        return None
    if packet == Packet.MULTITRACK:
        raise SourceError("several video tracks in one stream; send one", code="multitrack")
    codec = _codec(body[at : at + 4])
    at += 4
    if packet != Packet.CODED_FRAMES:
        return _tag(packet, codec, 0, body[at:])
    if at + 3 > len(body):
        raise _cut_off()
    return _tag(packet, codec, _signed24(body, at), body[at + 3 :])


def _after_modifier(body: bytes, at: int) -> tuple[int, int]:
    """The packet type behind a ModEx prefix, and where what follows begins.

    The one modifier there is, nanoseconds to add to the timestamp, is finer than all that is done with it.
    """
    size = _byte(body, at) + 1
    at += 1
    if size == 256:
        size = (_byte(body, at) << 8 | _byte(body, at + 1)) + 1
        at += 2
    return _byte(body, at + size) & 0x0F, at + size + 1


def _codec(four_cc: bytes) -> Codec:
    if len(four_cc) < 4:
        raise _cut_off()
    if four_cc not in _ENHANCED:
        raise _unsupported(_OTHER_ENHANCED.get(four_cc, "a video codec unknown to us"))
    return _ENHANCED[four_cc]


def _tag(packet: int, codec: Codec, composition_ms: int, data: bytes) -> VideoTag | None:
    match packet:
        case Packet.SEQUENCE_START:
            return VideoTag(Packet.SEQUENCE_START, codec, 0, data)
        case Packet.CODED_FRAMES | Packet.CODED_FRAMES_X:
            return VideoTag(Packet.CODED_FRAMES, codec, composition_ms, data) if data else None
        case Packet.SEQUENCE_END:
            return None
    raise MalformedError(f"a video packet of type {packet} (Enhanced RTMP v2, VideoPacketType)")


def _signed24(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 3], "big", signed=True)


def _byte(body: bytes, at: int) -> int:
    if at >= len(body):
        raise _cut_off()
    return body[at]


def _unreadable(error: MalformedError) -> Unusable:
    return Unusable("not_video", f"a video message that cannot be read: {error}")


def _cut_off() -> MalformedError:
    return MalformedError("a video tag is cut off (FLV E.4.3.1)")


def _unsupported(name: str) -> SourceError:
    return SourceError(f"{name}; only H.264 and H.265 can be shown", code="unsupported_codec")
