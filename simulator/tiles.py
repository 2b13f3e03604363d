"""Repeating textures: crops with their rows and tramlines, meadow, forest."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike

TILE_M = 64.0
_SIZE = 512
_GSD_M = TILE_M / _SIZE

Image = MatLike
Field = MatLike


class Tile(NamedTuple):
    colour: Image
    heat: Image
    gsd_m: float

    def at(self, gsd_m: float) -> Tile:
        """The same for canvases of that resolution (warmth: half of it), averaged against shimmer."""
        return Tile(_averaged(self.colour, gsd_m), _averaged(self.heat, 2 * gsd_m), gsd_m)


def _averaged(image: Image, gsd_m: float) -> Image:
    size = min(_SIZE, round(TILE_M / gsd_m))
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


class Crop(NamedTuple):
    """Rows of a crop: period must divide 64 m; contrast and clump are relative brightness."""

    bgr: tuple[int, int, int]
    heat: int
    row_m: float
    row_contrast: float
    clump: float
    tramlines: float = 0.0  # how much darker the tractor's lanes are
    swath_m: float = 0.0  # width of the bands that mower or combine leave
    swath_contrast: float = 0.0


CROPS = {
    "wheat": Crop((112, 166, 190), 78, 0.5, 0.035, 0.05, tramlines=0.20),
    "barley": Crop((132, 180, 196), 80, 0.5, 0.03, 0.055, tramlines=0.17),
    "stubble": Crop((124, 168, 186), 90, 0.4, 0.04, 0.05, swath_m=6.4, swath_contrast=0.055),
    "maize": Crop((58, 98, 76), 60, 0.8, 0.12, 0.09),
    "beet": Crop((74, 122, 94), 62, 1.0, 0.10, 0.10, tramlines=0.22),
    "plough": Crop((84, 104, 124), 98, 1.6, 0.10, 0.08),
    "meadow": Crop((76, 116, 102), 68, 64.0, 0.0, 0.075, swath_m=8.0, swath_contrast=0.02),
    "hay": Crop((100, 146, 138), 76, 64.0, 0.0, 0.07, swath_m=6.4, swath_contrast=0.07),
}


def noise(random: np.random.Generator, size: int, cells: int) -> Field:
    """Smooth noise about 0 with a standard deviation of about 1 that repeats at the edges."""
    seed = random.standard_normal((cells, cells)).astype(np.float32)
    pad = np.pad(seed, 2, mode="wrap")
    scale = size // cells
    grown = cv2.resize(pad, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    cut: Field = grown[2 * scale : 2 * scale + size, 2 * scale : 2 * scale + size]
    return cut * 1.5


def crop_tile(crop: Crop, random: np.random.Generator) -> Tile:
    metres = (np.arange(_SIZE, dtype=np.float32) + 0.5) * _GSD_M
    across = np.zeros(_SIZE, np.float32)
    across += crop.row_contrast * np.sin(2 * np.pi * metres / crop.row_m)
    if crop.swath_m:
        across += crop.swath_contrast * np.sign(np.sin(2 * np.pi * metres / (2 * crop.swath_m)))
        across += crop.swath_contrast * np.exp(-(((metres % crop.swath_m) - crop.swath_m / 2) ** 2) / 0.5)
    if crop.tramlines:
        lane = metres % (TILE_M / 3)
        for wheel in (4.0, 5.9):
            across -= crop.tramlines * np.exp(-((lane - wheel) ** 2) / 0.06)
    clumps = (
        0.45 * noise(random, _SIZE, 256) + 0.35 * noise(random, _SIZE, 128) + 0.3 * noise(random, _SIZE, 32)
    )
    light = 1 + across[:, None] + crop.clump * clumps
    hue = 0.018 * noise(random, _SIZE, 64) + 0.015 * noise(random, _SIZE, 8)
    bgr = np.dstack(
        [light * value * (1 + sign * hue) for value, sign in zip(crop.bgr, (1, 0.3, -1), strict=True)]
    )
    heat = crop.heat + 34 * across[:, None] + 9 * crop.clump * 8 * clumps
    return Tile(bgr.clip(0, 255).astype(np.uint8), heat.clip(0, 255).astype(np.uint8), _GSD_M)


def make_tiles(random: np.random.Generator) -> dict[str, Tile]:
    return {name: crop_tile(crop, random) for name, crop in CROPS.items()}
