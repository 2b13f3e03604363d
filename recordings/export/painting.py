"""Drawing into decoded pictures where they are: on luma and chroma, so that what is not drawn on stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Plane = NDArray[Any]


class Planes(NamedTuple):
    """An 8-bit 4:2:0 picture, rows first; `u` and `v` have half the rows and columns of `y`."""

    y: Plane
    u: Plane
    v: Plane


def painted(frame: VideoFrame, draw: Callable[[Planes], None]) -> VideoFrame:
    """The picture with what `draw` does to it, as 8-bit 4:2:0; what is odd loses its last row."""
    width, height = (max(2, side // 2 * 2) for side in (frame.width, frame.height))
    plain = frame.reformat(width, height, "yuv420p")
    packed: NDArray[np.uint8] = np.ascontiguousarray(plain.to_ndarray(), np.uint8)
    draw(planes_of(packed, width, height))
    made = VideoFrame.from_ndarray(packed, format="yuv420p")
    made.colorspace, made.color_range = plain.colorspace, plain.color_range
    return made


def planes_of(packed: Plane, width: int, height: int) -> Planes:
    """Views of the planes that lie one after the other in `packed`."""
    flat = packed.reshape(-1)
    luma, chroma = width * height, width * height // 4
    half = height // 2, width // 2
    return Planes(
        flat[:luma].reshape(height, width),
        flat[luma : luma + chroma].reshape(half),
        flat[luma + chroma : luma + 2 * chroma].reshape(half),
    )
