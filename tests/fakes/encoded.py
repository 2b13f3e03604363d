"""Real H.264 made at test time with libx264, as a drone encoder would send it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np

from flow.units import AccessUnit, Codec, Rendition, UtcOrigin

from .clock import START_NS

FPS = 30


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded picture, Annex B, parameter sets inside keyframes."""

    data: bytes
    keyframe: bool


@cache
def h264_pictures(
    count: int = 60, width: int = 320, height: int = 240, group: int = 30
) -> tuple[Picture, ...]:
    """A grey ramp that moves, no B-frames, an IDR every `group` pictures."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={group}:scenecut=0",
    }
    encoder.profile = "Baseline"
    pictures = []
    for number in range(count):
        ramp = (np.arange(width, dtype=np.uint16)[None, :, None] + 4 * number) % 256
        image = np.broadcast_to(ramp, (height, width, 3)).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = number
        pictures += [Picture(bytes(p), p.is_keyframe) for p in encoder.encode(frame)]
    return tuple(pictures)


def as_units(pictures: tuple[Picture, ...], feed_id: str, start_ns: int = START_NS) -> list[AccessUnit]:
    """The pictures as access units of one feed, 30 a second from `start_ns`."""
    start_90k = start_ns * 9 // 100_000
    return [
        AccessUnit(
            feed_id=feed_id,
            rendition=Rendition.SOURCE,
            codec=Codec.H264,
            epoch=1,
            seq=n,
            dts_90k=start_90k + n * 3000,
            pts_90k=start_90k + n * 3000,
            utc_ns=start_ns + n * 1_000_000_000 // FPS,
            utc_origin=UtcOrigin.ARRIVAL,
            keyframe=p.keyframe,
            data=p.data,
        )
        for n, p in enumerate(pictures)
    ]
