"""Regions made unrecognisable: so few values of them are left that nothing can be had back from a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import cv2

from .order import Region
from .painting import Plane, Planes

CELLS_MOST = 6
"""Along the longer side of a region; each cell is the mean of all that was in it."""
_CELL_LEAST = 1 / 48  # of the picture's height: a small region has fewer cells


def hide(planes: Planes, regions: Sequence[Region]) -> None:
    """In place. A region covers every pixel that it touches."""
    for region in regions:
        for plane in planes:
            _hide(plane, region)


def _hide(plane: Plane, region: Region) -> None:
    height, width = plane.shape
    left, top = int(region.x * width), int(region.y * height)
    right = min(width, ceil((region.x + region.width) * width))
    bottom = min(height, ceil((region.y + region.height) * height))
    part = plane[top:bottom, left:right]
    high, wide = part.shape
    cell = max(max(high, wide) / CELLS_MOST, height * _CELL_LEAST)
    cells = max(1, round(wide / cell)), max(1, round(high / cell))
    means = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    mosaic = cv2.resize(means, (wide, high), interpolation=cv2.INTER_NEAREST)
    part[:] = cv2.blur(mosaic, (max(1, int(cell)),) * 2)  # edges of the cells draw the eye
