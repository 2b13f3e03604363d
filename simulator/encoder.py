"""x264 as the encoder under a drone runs it: no B-frames, no look-ahead, a keyframe every two seconds."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from flow.units import CLOCK_RATE_HZ

GROUP_MS = 2000


class Encoder:
    """Turns NV12 pictures into access units (Annex B), one for one and at once."""

    def __init__(self, width_px: int, height_px: int, fps: float, bitrate_bps: int) -> None:
        codec = av.CodecContext.create("libx264", "w")
        assert isinstance(codec, VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt = width_px, height_px, "nv12"
        codec.time_base = Fraction(1, CLOCK_RATE_HZ)
        codec.framerate = Fraction(fps).limit_denominator(1001)
        codec.bit_rate = bitrate_bps
        codec.thread_count = 1
        codec.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "profile": "baseline",  # what every WebRTC browser takes
            "forced-idr": "1",
            "maxrate": str(bitrate_bps),
            "bufsize": str(bitrate_bps // 2),  # half a second: a keyframe may be large, not endless
            # Groups are cut by time, see encode(); parameter sets stand before every one of them.
            "x264-params": "subme=0:keyint=infinite:scenecut=0:repeat-headers=1:"
            "colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv",
        }
        self._codec = codec
        self._group_start_ms: int | None = None

    def encode(self, nv12: NDArray[np.uint8], capture_ms: int) -> tuple[bytes, bool]:
        """One picture, (height * 3 / 2) x width, to one access unit, and whether it is a keyframe.

        Groups are cut by capture time, so they last two seconds even where frames had to be left out.
        """
        frame = av.VideoFrame.from_ndarray(nv12, format="nv12")
        frame.time_base = Fraction(1, CLOCK_RATE_HZ)
        frame.pts = capture_ms * (CLOCK_RATE_HZ // 1000)
        keyframe = self._group_start_ms is None or capture_ms - self._group_start_ms >= GROUP_MS
        if keyframe:
            self._group_start_ms = capture_ms
            frame.pict_type = PictureType.I
        return b"".join(bytes(packet) for packet in self._codec.encode(frame)), keyframe
