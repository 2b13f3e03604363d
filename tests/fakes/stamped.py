"""Real H.264 with the time of its making burned in, as the demo aircraft does (simulator/strip.py)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import numpy as np

from simulator import strip

from .encoded import FPS, Picture


def _now_ms(_: int) -> int:
    return round(time.time() * 1000)


def stamped_pictures(
    width: int = 640, height: int = 360, taken_ms: Callable[[int], int] = _now_ms
) -> Iterator[Picture]:
    """Grey, without end, a keyframe every second; each is captured (`taken_ms` of its number, from 0 on) and
    encoded when it is asked for."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={FPS}:scenecut=0",
    }
    encoder.profile = "Baseline"
    planes = np.full((height * 3 // 2, width), 128, dtype=np.uint8)
    for number in itertools.count():
        strip.draw(planes[:height], taken_ms(number), number % 65_536)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        yield from (Picture(bytes(p), p.is_keyframe) for p in encoder.encode(frame))
