"""Drawing in scene metres onto images that are later seen through the camera."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from simulator.materials import Material

Points = Sequence[tuple[float, float]]
Image = MatLike
_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel


class Canvas:
    """A square image of the ground around the origin, north up. Texel (i, j) has its centre at
    x = -half_m + (i + 0.5) * gsd_m, y = half_m - (j + 0.5) * gsd_m (gsd: ground sample distance)."""

    def __init__(self, half_m: float, gsd_m: float, channels: int) -> None:
        self.half_m, self.gsd_m = half_m, gsd_m
        size = round(2 * half_m / gsd_m)
        self.image: Image = np.zeros((size, size, channels) if channels > 1 else (size, size), np.uint8)

    def to_texels(self, points: Points) -> NDArray[np.float64]:
        """Scene positions as columns and rows, in texel centres."""
        xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        return np.column_stack([xy[:, 0] + self.half_m, self.half_m - xy[:, 1]]) / self.gsd_m - 0.5

    def polygon(self, points: Points, value: Sequence[int]) -> None:
        cv2.fillPoly(self.image, [self._fixed(points)], value, cv2.LINE_AA, _SHIFT)

    def line(self, points: Points, width_m: float, value: Sequence[int]) -> None:
        width = max(1, round(width_m / self.gsd_m))
        cv2.polylines(self.image, [self._fixed(points)], False, value, width, cv2.LINE_AA, _SHIFT)

    def disc(self, centre: tuple[float, float], radius_m: float, value: Sequence[int]) -> None:
        (column, row), radius = self._fixed([centre])[0], round(radius_m / self.gsd_m * (1 << _SHIFT))
        cv2.circle(self.image, (int(column), int(row)), radius, value, -1, cv2.LINE_AA, _SHIFT)

    def fill_tile(self, points: Points, tile: Image, tile_gsd_m: float, angle_deg: float) -> None:
        """Fill a polygon with an endlessly repeated tile, its rows turned to `angle_deg` against east."""
        texels = self.to_texels(points)
        size = self.image.shape[0]
        left, top = np.floor(texels.min(axis=0)).astype(int).clip(0, size)
        right, bottom = np.ceil(texels.max(axis=0) + 1).astype(int).clip(0, size)
        if left >= right or top >= bottom:
            return
        cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
        turn = np.array([[cos, -sin], [sin, cos]]) * (self.gsd_m / tile_gsd_m)
        covered = texels.clip((left, top), (right, bottom)) @ turn.T
        period = np.array(tile.shape[1::-1])
        first = np.floor(covered.min(axis=0) / period)
        columns, rows = (np.ceil(covered.max(axis=0) / period) - first).astype(int)
        # OpenCV's own wrapping is ten times slower than a tile repeated as often as the field needs.
        repeated = cv2.repeat(tile, int(rows), int(columns))
        matrix = np.column_stack([turn, turn @ np.array([left, top]) - first * period])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        filled = cv2.warpAffine(repeated, matrix, (int(right - left), int(bottom - top)), flags=flags)
        mask = np.zeros(filled.shape[:2], np.uint8)
        cv2.fillPoly(
            mask, [((texels - (left, top)) * (1 << _SHIFT)).round().astype(np.int32)], 255, 8, _SHIFT
        )
        cv2.copyTo(filled, mask, self.image[top:bottom, left:right])

    def _fixed(self, points: Points) -> NDArray[np.int32]:
        return (self.to_texels(points) * (1 << _SHIFT)).round().astype(np.int32)


class Sheet:
    """The same ground three times: its colours, its warmth, and where the sun does not reach."""

    def __init__(self, half_m: float, gsd_m: float) -> None:
        self.colour = Canvas(half_m, gsd_m, 3)
        self.heat = Canvas(half_m, gsd_m * 2, 1)
        self.shade = Canvas(half_m, gsd_m * 2, 1)

    def polygon(self, points: Points, material: Material) -> None:
        self.colour.polygon(points, material.bgr)
        self.heat.polygon(points, (material.heat,))

    def line(self, points: Points, width_m: float, material: Material) -> None:
        self.colour.line(points, width_m, material.bgr)
        self.heat.line(points, width_m, (material.heat,))

    def disc(self, centre: tuple[float, float], radius_m: float, material: Material) -> None:
        self.colour.disc(centre, radius_m, material.bgr)
        self.heat.disc(centre, radius_m, (material.heat,))
