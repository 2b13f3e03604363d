"""The stream all relays are fed: 30 s of 720p30 H.264 at 4 Mbit/s, encoded once and kept in build/bench/.

Constrained baseline by libx264 as an encoder under a drone is run: zerolatency, one slice a picture, no
B-frames, groups of equal length, parameter sets before every keyframe. The ground turns and drifts below the
camera, and a little sensor noise keeps every picture worth its bits. Each picture carries the strip of
simulator/strip.py with its time since the clip's start: the feeder says when that start was.

    python -m tests.bench.clip        makes the usual one
"""

from __future__ import annotations

import math
import struct
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from simulator import strip
from tests.bench.peers import BUILD

Plane: TypeAlias = NDArray[np.uint8]

WIDTH, HEIGHT, FPS = 1280, 720, 30
BITRATE_BPS = 4_000_000
SECONDS = 30
PICTURES = SECONDS * FPS
GROUP_S = 2

_VERSION = 1  # of what is drawn and how it is encoded: another one is another file
_GROUND = 2048
_LENGTH = struct.Struct("!I")


def access_units(group_s: int = GROUP_S, seconds: int = SECONDS) -> list[bytes]:
    """The clip's pictures as Annex B access units, a keyframe every `group_s` seconds (a divisor of its
    length). A shorter one is the beginning of the usual one."""
    if seconds % group_s:
        raise ValueError(f"groups of {group_s} s do not fill a clip of {seconds} s")
    length = "" if seconds == SECONDS else f"-of-{seconds}s"
    name = f"clip-{HEIGHT}p{FPS}-{BITRATE_BPS // 1000}k-{group_s}s{length}-v{_VERSION}.bin"
    return kept(BUILD / name, lambda: _encoded(group_s * FPS, seconds * FPS))


def kept(file: Path, make: Callable[[], Iterator[bytes]]) -> list[bytes]:
    """The access units of a file, which is made once."""
    if not file.exists():
        _write(file, make())
    return list(_read(file.read_bytes()))


def _write(file: Path, units: Iterator[bytes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    data = b"".join(_LENGTH.pack(len(unit)) + unit for unit in units)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=file.stem, delete=False) as partial:
        partial.write(data)
    Path(partial.name).replace(file)  # never half a clip, whoever else makes it at the same time


def _read(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size + length
        yield data[at - length : at]


def _encoded(group: int, count: int) -> Iterator[bytes]:
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FPS), Fraction(FPS)
    codec.bit_rate, codec.thread_count = BITRATE_BPS, 1
    codec.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "forced-idr": "1",
        "maxrate": str(BITRATE_BPS),
        "bufsize": str(BITRATE_BPS // 2),
        "x264-params": "sliced-threads=0:slices=1:keyint=infinite:scenecut=0:repeat-headers=1",
    }
    for number, picture in enumerate(_drawn(count)):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.time_base, frame.pts = Fraction(1, FPS), number
        if number % group == 0:
            frame.pict_type = PictureType.I
        yield b"".join(bytes(packet) for packet in codec.encode(frame))


def _drawn(count: int) -> Iterator[Plane]:
    """The clip's first pictures as yuv420p, (height * 3 / 2) x width."""
    chance = np.random.default_rng(4)
    luma = _ground(chance, octaves=7)
    chroma = [_ground(chance, octaves=3) // 3 + np.uint8(85) for _ in range(2)]
    noise = [chance.normal(0, 2.5, (HEIGHT, WIDTH)).astype(np.int8) for _ in range(7)]
    for number in range(count):
        view = _view(number)
        above = cv2.warpAffine(
            luma, view, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
        above = np.clip(above.astype(np.int16) + noise[number % len(noise)], 16, 235).astype(np.uint8)
        strip.draw(above, round(number * 1000 / FPS), number)
        colours = [_half(plane, view) for plane in chroma]
        yield np.concatenate([above.reshape(-1), *(c.reshape(-1) for c in colours)]).reshape(-1, WIDTH)


def _view(number: int) -> NDArray[np.float64]:
    """From the ground to picture `number`: a slow turn and drift, with the sway of an aircraft in wind."""
    at_s = number / FPS
    turn_deg = 6 * at_s + 1.5 * math.sin(2.1 * at_s)
    matrix = cv2.getRotationMatrix2D((_GROUND / 2, _GROUND / 2), turn_deg, 1.2 + 0.2 * math.sin(0.7 * at_s))
    drift = (WIDTH / 2 - _GROUND / 2 - 40 * at_s, HEIGHT / 2 - _GROUND / 2 + 9 * math.sin(3.3 * at_s))
    return np.asarray(matrix + np.array([[0, 0, drift[0]], [0, 0, drift[1]]]), dtype=np.float64)


def _half(plane: Plane, view: NDArray[np.float64]) -> Plane:
    """A colour plane at half the size of the picture."""
    size = (WIDTH // 2, HEIGHT // 2)
    seen = cv2.warpAffine(plane, view / 2, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(seen, dtype=np.uint8)


def _ground(chance: np.random.Generator, octaves: int) -> Plane:
    """A square of noise from coarse to fine: fields, woods and gravel, as far as an encoder can tell."""
    ground = np.full((_GROUND, _GROUND), 128, dtype=np.float32)
    for octave in range(octaves):
        cells = chance.normal(0, 34 / 1.45**octave, (8 << octave, 8 << octave)).astype(np.float32)
        ground += cv2.resize(cells, (_GROUND, _GROUND), interpolation=cv2.INTER_CUBIC)
    return np.clip(ground, 16, 235).astype(np.uint8)


if __name__ == "__main__":
    access_units()
