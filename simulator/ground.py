"""The ground as textures in several resolutions, and how a camera sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.camera import View
from simulator.canvas import Canvas, Image
from simulator.picture import CHROMA_TO_LUMA, Picture, split_bgr

Matrix = NDArray[np.float64]

_SHARP = 1.3  # texels may be so much larger than a pixel: the encoder keeps no more anyway
_ROWS = 16  # the resolution is chosen for this many rows at a time
_BORDER = cv2.BORDER_REFLECT_101


@dataclass(frozen=True)
class Level:
    """The ground in one resolution: luma (or warmth), and Cb and Cr at half of it where there is colour.

    The two are kept apart: OpenCV warps two single planes five times as fast as one of two channels.
    """

    luma: Image
    chroma: tuple[Image, Image] | None
    half_m: float

    @property
    def gsd_m(self) -> float:
        return 2 * self.half_m / int(self.luma.shape[0])

    def warp(
        self, image: Image, to_ground: Matrix, size: tuple[int, int], interpolation: int = cv2.INTER_LINEAR
    ) -> Image:
        """One of the images as seen by pixels that `to_ground` maps onto the plane z = 0 (canvas.py)."""
        per_m = image.shape[0] / (2 * self.half_m)
        middle = self.half_m * per_m - 0.5
        to_texel = np.array([[per_m, 0, middle], [0, -per_m, middle], [0, 0, 1]])
        flags = interpolation | cv2.WARP_INVERSE_MAP
        return cv2.warpPerspective(image, to_texel @ to_ground, size, flags=flags, borderMode=_BORDER)

    def half(self) -> Level:
        """The same at half the resolution."""
        chroma = self.chroma and (_halved(self.chroma[0]), _halved(self.chroma[1]))
        return Level(_halved(self.luma), chroma, self.half_m)


def _halved(image: Image) -> Image:
    size = image.shape[0] // 2
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def colour_levels(near: Canvas, far: Canvas) -> list[Level]:
    """Finest first; the far sheet is drawn with less detail, so that it costs little."""
    fine, coarse = _colour_level(near), _colour_level(far)
    return [fine, fine.half(), coarse, coarse.half()]


def _colour_level(canvas: Canvas) -> Level:
    luma, chroma = split_bgr(canvas.image)
    blue, red = cv2.split(chroma)
    return Level(luma, (blue, red), canvas.half_m)


def heat_levels(near: Canvas, far: Canvas) -> list[Level]:
    fine = Level(near.image, None, near.half_m)
    return [fine, fine.half(), Level(far.image, None, far.half_m)]


class Ground:
    """The plane z = 0, ready to be looked at."""

    def __init__(self, levels: list[Level]) -> None:
        self._levels = levels

    def draw(self, view: View, picture: Picture) -> None:
        """Fill the picture with the ground; what lies above the horizon is left as it is."""
        for top, bottom, level in self._bands(view):
            width = view.lens.width_px
            to_ground = view.pixel_to_ground @ _moved_down(top)
            picture.luma[top:bottom] = level.warp(level.luma, to_ground, (width, bottom - top))
            if level.chroma is not None:
                to_ground = view.pixel_to_ground @ CHROMA_TO_LUMA @ _moved_down(top // 2)
                size = (width // 2, (bottom - top) // 2)
                planes = [level.warp(plane, to_ground, size, cv2.INTER_NEAREST) for plane in level.chroma]
                cv2.merge(planes, picture.chroma[top // 2 : bottom // 2])

    def _bands(self, view: View) -> Iterator[tuple[int, int, Level]]:
        """(first row, end row, level): neighbouring rows that are best seen in the same resolution."""
        height = view.lens.height_px
        first = max(0, int(view.horizon_row) + _ROWS) // _ROWS * _ROWS if view.horizon_row > 0 else 0
        tops = np.arange(first, height, _ROWS)
        chosen = self._levels_for(view, tops)
        changes = [0, *(np.flatnonzero(np.diff(chosen)) + 1).tolist()]
        ends = [*tops[changes[1:]].tolist(), height]
        for change, end in zip(changes, ends, strict=True):
            yield int(tops[change]), end, self._levels[chosen[change]]

    def _levels_for(self, view: View, tops: NDArray[np.int64]) -> NDArray[np.int64]:
        """For rows from each top on: the coarsest level that shows all a pixel can and reaches so far."""
        above, depth, below = (view.row_depths(tops + _ROWS / 2 + offset) for offset in (-0.5, 0, 0.5))
        across = depth / view.lens.focal_px
        pixel_m = np.sqrt(across * np.maximum(across, above - below))
        sides = np.array([[0.0], [view.lens.width_px]])
        columns, rows = np.broadcast_arrays(sides, tops[None, :])
        corners = np.stack([columns, rows, np.ones(rows.shape)], axis=-1) @ view.pixel_to_ground.T
        reach = np.abs(corners[..., :2] / corners[..., 2:]).max(axis=(0, 2))
        chosen = np.full(len(tops), len(self._levels) - 1)
        for i in reversed(range(len(self._levels) - 1)):
            coarser = self._levels[i + 1]
            too_coarse = (coarser.gsd_m > pixel_m * _SHARP) & (reach < self._levels[i].half_m)
            chosen = np.where((chosen == i + 1) & too_coarse, i, chosen)
        return chosen


def _moved_down(rows: int) -> Matrix:
    return np.array([[1.0, 0, 0], [0, 1, rows], [0, 0, 1]])
