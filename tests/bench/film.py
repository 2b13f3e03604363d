"""What the pictures of the clip look like, small: the truth that displayed pictures are compared with.

python -m tests.bench.film        decodes the usual clip once and keeps the thumbnails in build/bench/
"""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from tests.bench import clip
from tests.bench.peers import BUILD

WIDTH, HEIGHT = 64, 36
FINE = 4
"""A cell is the mean of this many pixels squared of the picture at 256x144, so scalers hardly matter."""
NEAR = 20


class Film:
    """The clip as thumbnails, pictures x cells."""

    def __init__(self, group_s: int = clip.GROUP_S) -> None:
        file = BUILD / f"film-{group_s}s.npy"
        units = clip.access_units(group_s)
        if not file.exists():
            _write(file, units)
        self._thumbnails: NDArray[np.uint8] = np.load(file)

    def difference(self, number: int, cells: Sequence[int]) -> float:
        """Mean difference of a thumbnail from the picture of the clip that it resembles most, near `number`.

        While a viewer catches up, the video has often gone on between the strip and the thumbnail. Infinite
        where the clip has no such picture: the strip was damaged in a way that its checksum missed.
        """
        if number >= len(self._thumbnails):
            return math.inf
        numbers = np.arange(number - NEAR, number + NEAR + 1) % len(self._thumbnails)  # the clip is a loop
        near = self._thumbnails[numbers].astype(np.int16)
        return float(np.abs(near - np.asarray(cells, dtype=np.int16)).mean(axis=1).min())


def _write(file: Path, units: Sequence[bytes]) -> None:
    codec = av.CodecContext.create("h264", "r")
    assert isinstance(codec, VideoCodecContext)
    packets = [*(av.Packet(unit) for unit in units), None]
    frames = itertools.chain.from_iterable(codec.decode(packet) for packet in packets)
    thumbnails = np.stack([_thumbnail(frame) for frame in frames])
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=file.stem, delete=False) as partial:
        np.save(partial, thumbnails)
    Path(partial.name).replace(file)


def _thumbnail(frame: av.VideoFrame) -> NDArray[np.uint8]:
    rgb = frame.to_ndarray(width=FINE * WIDTH, height=FINE * HEIGHT, format="rgb24")
    cells = rgb.reshape(HEIGHT, FINE, WIDTH, FINE, 3).mean(axis=(1, 3, 4))
    return np.asarray(cells.round().reshape(-1), dtype=np.uint8)


if __name__ == "__main__":
    Film()
