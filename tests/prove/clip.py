"""A clip whose every picture can be told from every other after decoding, made at test time.

A conforming decoder's output is exact (H.264 0.6), so a picture whose luma is none of the clip's was shown
damaged. The same numbers come out in every process: libx264 with one thread, noise with a seed.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np

from tests.fakes.encoded import FPS, Picture

WIDTH, HEIGHT = 640, 360
LENGTH = 150
GROUP = 60
KBIT_S = 1800


@dataclass(frozen=True, slots=True)
class Clip:
    """`numbers` gives the picture's place in the clip by the checksum of its decoded luma."""

    pictures: tuple[Picture, ...]
    numbers: dict[int, int]


@cache
def numbered_clip(width: int = WIDTH, height: int = HEIGHT, length: int = LENGTH, group: int = GROUP) -> Clip:
    """`length` pictures, 30 a second and about 1.8 Mbit/s: several packets each, keyframes of dozens."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    rate = f"vbv-maxrate={KBIT_S}:vbv-bufsize={KBIT_S // 4}:bitrate={KBIT_S}"
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={group}:scenecut=0:threads=1:sliced-threads=0:{rate}",
    }
    encoder.profile = "Baseline"
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.flags |= av.codec.context.Flags.low_delay
    dice = np.random.default_rng(1)
    pictures, luma = [], []
    for number in range(length):
        drawn = av.VideoFrame.from_ndarray(_drawn(dice, number, width, height), format="gray8")
        drawn.pts = number
        for packet in encoder.encode(drawn):
            pictures.append(Picture(bytes(packet), packet.is_keyframe))
            luma += [luma_checksum(decoded) for decoded in decoder.decode(av.Packet(bytes(packet)))]
    luma += [luma_checksum(decoded) for decoded in decoder.decode(None)]
    numbers = {checksum: number for number, checksum in enumerate(luma)}
    if not len(numbers) == len(pictures) == length:
        raise RuntimeError(f"{length} drawn, {len(pictures)} encoded, {len(numbers)} told apart")
    return Clip(tuple(pictures), numbers)


def luma_checksum(frame: av.VideoFrame) -> int:
    """CRC-32 of the luma samples, row by row without padding."""
    height = frame.height
    return zlib.crc32(np.ascontiguousarray(frame.to_ndarray(format="yuv420p")[:height]).tobytes())


def _drawn(dice: np.random.Generator, number: int, width: int, height: int) -> np.ndarray:
    """A ramp that moves under coarse noise that is new in every picture: no two alike, none cheap to code."""
    ramp = (np.arange(width)[None, :] + np.arange(height)[:, None] + 5 * number) % 256
    noise = dice.integers(-24, 25, size=(height // 8, width // 8)).repeat(8, axis=0).repeat(8, axis=1)
    drawn: np.ndarray = np.clip(ramp + noise, 0, 255).astype(np.uint8)
    return drawn
