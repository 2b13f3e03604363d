"""Video made at test time: libx264 and libx265 through PyAV, a picture that moves."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame


@dataclass(frozen=True)
class Coded:
    """One encoded picture as Annex B; times in pictures, not ticks."""

    pts: int
    dts: int
    data: bytes


LIVE = (("preset", "ultrafast"), ("tune", "zerolatency"))
WITH_B_FRAMES = (("preset", "veryfast"), ("bf", "2"), ("x264-params", "b-adapt=0:scenecut=0"))


@cache
def coded(
    count: int,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (320, 240),
    group: int = 10,
    options: tuple[tuple[str, str], ...] = LIVE,
) -> tuple[Coded, ...]:
    """`count` pictures in decoding order, a keyframe every `group`."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, 30)
    context.framerate = Fraction(30)
    context.gop_size = group
    context.options = {"x265-params": "log-level=none"} | dict(options)
    packets = []
    for index in range(count):
        frame = VideoFrame.from_ndarray(_picture(size, index), format="gray8").reformat(format="yuv420p")
        frame.pts = index
        packets += context.encode(frame)
    packets += context.encode(None)
    return tuple(Coded(packet.pts or 0, packet.dts or 0, bytes(packet)) for packet in packets)


def _picture(size: tuple[int, int], index: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    return ((x + 3 * index) ^ (y + index)).astype(np.uint8)


def decoded(data: bytes, codec: str = "h264") -> int:
    """How many pictures libav gets out of Annex B bytes."""
    with av.open(io.BytesIO(data), format=codec) as container:
        assert isinstance(container, InputContainer)
        return counted(container)


def counted(container: InputContainer) -> int:
    """How many pictures libav decodes out of an open container; only counted, so not deblocked."""
    container.streams.video[0].codec_context.options = {"skip_loop_filter": "all"}
    container.streams.video[0].thread_type = "AUTO"
    return sum(1 for _ in container.decode(video=0))


def written(
    path: Path, pictures: tuple[Coded, ...], *, codec: str = "h264", format: str | None = None
) -> Path:
    """A container file of encoded pictures at 30 fps."""
    raw = io.BytesIO(b"".join(picture.data for picture in pictures))
    with av.open(raw, format=codec) as source, av.open(path, "w", format=format) as target:
        assert isinstance(source, InputContainer)
        stream = target.add_stream_from_template(source.streams.video[0])
        for picture in pictures:
            packet = av.Packet(picture.data)
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts, packet.dts = picture.pts, picture.dts
            packet.is_keyframe = picture is pictures[0]
            target.mux(packet)
    return path
