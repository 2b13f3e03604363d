"""Decoding recorded pictures and encoding them again, by libav; for a process of its own: it takes long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from flow.errors import LagebildError
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec

_DECODERS = {Codec.H264: "h264", Codec.H265: "hevc"}
_ENCODERS = {Codec.H264: "libx264", Codec.H265: "libx265"}
_OPTIONS = {
    # H.265 is for edges only, of some pictures: quick, and not small.
    # No B-frames, so that pictures are decoded as they are shown; groups refer to nothing before them.
    Codec.H264: {"preset": "veryfast", "crf": "19", "x264-params": "bframes=0:open-gop=0"},
    Codec.H265: {
        "preset": "ultrafast",
        "crf": "19",
        "x265-params": "bframes=0:open-gop=0:repeat-headers=1:log-level=error",
    },
}
_TICK = Fraction(1, CLOCK_RATE_HZ)
_RATE_HZ = 30
_GROUP = 2 * _RATE_HZ
_DECODED_MOST_PX = 8192 * 4352  # 8K, however shaped
_HELD_MOST = 64  # pictures that a decoder may hold back; older ones never come


class Decoded(NamedTuple):
    """A picture as it is seen, and the access unit it came of."""

    frame: VideoFrame
    unit: AccessUnit


def decoded(units: Iterable[AccessUnit]) -> Iterator[Decoded]:
    """In the order of showing. What cannot be decoded is left out."""
    run: _Run | None = None
    for unit in units:
        if run is None or not run.takes(unit):
            yield from run.decode(None) if run else ()
            run = _Run(unit)
        yield from run.decode(unit)
    yield from run.decode(None) if run else ()


class _Run:
    """A decoder, for pictures that follow each other."""

    def __init__(self, first: AccessUnit) -> None:
        context = av.CodecContext.create(_DECODERS[first.codec], "r")
        assert isinstance(context, VideoCodecContext)
        context.thread_count = 1  # more of them may hang when they are freed
        context.flags |= Flags.output_corrupt  # what was lost on the way is missing in it, but it is there
        context.options = {"max_pixels": str(_DECODED_MOST_PX)}
        self._context = context
        self._origin = first.codec, first.epoch
        self._held: dict[int, AccessUnit] = {}

    def takes(self, unit: AccessUnit) -> bool:
        return (unit.codec, unit.epoch) == self._origin

    def decode(self, unit: AccessUnit | None) -> list[Decoded]:
        """What is ready with it; with None the last."""
        packet = None
        if unit is not None:
            packet = av.Packet(unit.data)
            packet.pts, packet.dts = unit.pts_90k, unit.dts_90k
            self._held[unit.pts_90k] = unit
            if len(self._held) > _HELD_MOST:
                del self._held[next(iter(self._held))]
        try:
            frames = self._context.decode(packet)
        except (av.FFmpegError, ValueError):
            return []
        told = ((frame, self._held.pop(frame.pts, None)) for frame in frames if frame.pts is not None)
        return [Decoded(frame, unit) for frame, unit in told if unit is not None]


class Encoded(NamedTuple):
    """A picture encoded again, Annex B, parameter sets in keyframes."""

    data: bytes
    pts_90k: int
    keyframe: bool


class Encoder:
    """Encodes pictures as large as they come, in the order of showing. Not as small as can be: a clip
    should be made sooner than it is watched."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._context: VideoCodecContext | None = None
        self._key: tuple[object, ...] = ()
        self._origin = 0  # encoders calculate with times: they must not count from 1970

    def encode(self, frame: VideoFrame, pts_90k: int) -> list[Encoded]:
        """What is ready. Raises LagebildError where libav refuses."""
        try:
            shaped = _shaped(frame, self._codec)
            key = shaped.width, shaped.height, shaped.format.name
            ended = self._flush() if key != self._key else []
            if self._context is None:
                self._context, self._key, self._origin = self._opened(shaped), key, pts_90k
            shaped.pts, shaped.time_base = pts_90k - self._origin, _TICK
            shaped.pict_type = PictureType.NONE  # it remembers how it was encoded
            return ended + self._told(self._context.encode(shaped))
        except (av.FFmpegError, ValueError) as error:
            raise _refused(error) from None

    def flush(self) -> list[Encoded]:
        """What is left; the next picture is a keyframe. Raises LagebildError."""
        try:
            return self._flush()
        except av.FFmpegError as error:
            raise _refused(error) from None

    def _flush(self) -> list[Encoded]:
        context, self._context = self._context, None
        return self._told(context.encode(None)) if context else []

    def _told(self, packets: Iterable[av.Packet[av.VideoStream]]) -> list[Encoded]:
        return [
            Encoded(bytes(packet), packet.pts + self._origin, packet.is_keyframe)
            for packet in packets
            if packet.pts is not None
        ]

    def _opened(self, frame: VideoFrame) -> VideoCodecContext:
        context = av.CodecContext.create(_ENCODERS[self._codec], "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
        context.time_base, context.framerate = _TICK, Fraction(_RATE_HZ)
        context.colorspace, context.color_range = frame.colorspace, frame.color_range
        context.gop_size, context.max_b_frames = _GROUP, 0
        context.options = _OPTIONS[self._codec]
        context.thread_count = 0  # as many as there are: whoever exports waits for it
        context.open()
        return context


def _shaped(frame: VideoFrame, codec: Codec) -> VideoFrame:
    """As it is, where the encoder takes that; else 8-bit 4:2:0, which has no odd sides."""
    taken = {each.name for each in av.Codec(_ENCODERS[codec], "w").video_formats or ()}
    if frame.format.name in taken and frame.format.name != "gray":
        return frame
    width, height = (max(2, side // 2 * 2) for side in (frame.width, frame.height))
    return frame.reformat(width, height, "yuv420p")


def _refused(error: Exception) -> LagebildError:
    return LagebildError(f"pictures cannot be encoded again: {error}", code="encoder_failed")
