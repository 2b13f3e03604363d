"""A picture in NV12, the layout x264 works in: nothing is converted between drawing and encoding."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

Plane = MatLike
Matrix = NDArray[np.float64]

CHROMA_TO_LUMA = np.array([[2.0, 0, 0], [0, 2.0, 0.5], [0, 0, 1]])
"""Where a chroma sample lies among luma: cosited in columns, between rows (H.264 figure E-1, type 0)."""

_BT709 = np.array(  # rows Y, Cb, Cr of BGR in 0..255, limited range (ITU-T H.264 table E-5, matrix 1)
    [
        [0.0722 * 219 / 255, 0.7152 * 219 / 255, 0.2126 * 219 / 255, 16],
        [0.5 * 224 / 255, -0.38543 * 224 / 255, -0.11457 * 224 / 255, 128],
        [-0.04585 * 224 / 255, -0.45415 * 224 / 255, 0.5 * 224 / 255, 128],
    ]
)


class Picture:
    """`nv12` is (height * 3 / 2) x width; `luma` and `chroma` (height/2 x width/2 x 2) look into it."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.nv12: NDArray[np.uint8] = np.full((height_px * 3 // 2, width_px), 128, np.uint8)
        self.luma: Plane = self.nv12[:height_px]
        self.chroma: Plane = self.nv12[height_px:].reshape(height_px // 2, width_px // 2, 2)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.luma.shape[1], self.luma.shape[0]

    def to_bgr(self) -> Plane:
        """For looking at it."""
        height, width = self.luma.shape
        chroma = cv2.resize(self.chroma, (width, height)).astype(np.float32) - 128
        luma = (self.luma.astype(np.float32) - 16) * (255 / 219)
        blue, red = chroma[..., 0] * (255 / 224), chroma[..., 1] * (255 / 224)
        bgr = np.dstack([luma + 1.8556 * blue, luma - 0.1873 * blue - 0.4681 * red, luma + 1.5748 * red])
        clipped: Plane = bgr.clip(0, 255).astype(np.uint8)
        return clipped


def split_bgr(bgr: Plane) -> tuple[Plane, Plane]:
    """A BGR image as luma (h x w) and chroma (h/2 x w/2 x 2), BT.709 limited range."""
    small = cv2.resize(bgr, (bgr.shape[1] // 2, bgr.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return cv2.transform(bgr, _BT709[:1]), cv2.transform(small, _BT709[1:])


def ycc_of(bgr: tuple[int, int, int]) -> tuple[int, int, int]:
    """One colour as (Y, Cb, Cr)."""
    y, cb, cr = (round(float(value)) for value in _BT709 @ np.array([*bgr, 1.0]))
    return y, cb, cr
