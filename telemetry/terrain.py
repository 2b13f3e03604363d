"""Height models on disk: GeoTIFF in any coordinate system, and .hgt. Only this module reads them.

Everything here waits for the disk: call it in a thread. rasterio is imported when a model is configured.
Heights are those of the files, over the sea (docs/decisions/0023-pixel-to-ground.md).
"""

from __future__ import annotations

import logging
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .protocol.height_grid import TILE, HeightGrid

log = logging.getLogger(__name__)

RADIUS_M = 2_500.0
"""How far around an aircraft heights are kept in memory."""
MOST_CELLS = 1_024  # along each side: 4 MB, and finer models are read at 4.9 m
WGS84 = "EPSG:4326"

_SUFFIXES = frozenset({".tif", ".tiff", ".hgt"})
_M_PER_DEG = 111_320.0
_LOWEST_M, _HIGHEST_M = -500.0, 9_000.0
_STRIP = 128
"""Columns that GDAL resamples at a time: along a row it takes the parallel for straight in the file's grid,
which over 5 km is 0.6 m wrong, and over 128 cells a centimetre."""
_MOST_SAID = 200
_SIGMAS_M = ((5.0, 0.5), (15.0, 1.5), (math.inf, 5.0))
"""Standard deviation of a model's heights by the size of its cells: laser scans, aerial pictures, radar."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file and what it covers, in degrees."""

    path: Path
    west: float
    south: float
    east: float
    north: float
    cell_m: float

    def meets(self, west: float, south: float, east: float, north: float) -> bool:
        return self.west <= east and self.east >= west and self.south <= north and self.north >= south


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is no height model, and why in one line."""

    path: Path
    why: str


class HeightModels:
    """An index of files and folders; the files themselves are opened when an aircraft is near."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.files: list[ModelFile] = []
        self.unreadable: list[Unreadable] = []
        for path in _found(paths, self.unreadable):
            try:
                self.files.append(_indexed(path))
            except Exception as error:  # GDAL raises what it likes, and one file must not end the others
                self.unreadable.append(Unreadable(path, _in_a_line(error)))
        self.files.sort(key=lambda file: file.cell_m)

    def around(self, lat_deg: float, lon_deg: float) -> HeightGrid | None:
        """The heights within RADIUS_M; None where no model has any. The finest model of each cell counts."""
        row_deg = RADIUS_M / _M_PER_DEG
        column_deg = row_deg / max(0.05, math.cos(math.radians(lat_deg)))
        box = lon_deg - column_deg, lat_deg - row_deg, lon_deg + column_deg, lat_deg + row_deg
        near = [file for file in self.files if file.meets(*box)]
        if not near:
            return None
        cell_m = max(near[0].cell_m, 2 * RADIUS_M / MOST_CELLS)
        cells = math.ceil(2 * RADIUS_M / cell_m) + 1
        heights = self._read(near, box, cells)
        return _grid(heights, box, cells, near[0].cell_m)

    def height_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """The height of one place."""
        step = 1.0 / _M_PER_DEG
        box = lon_deg - step, lat_deg - step, lon_deg + step, lat_deg + step
        heights = self._read([file for file in self.files if file.meets(*box)], box, 3)
        middle = float(heights[1, 1])
        return None if math.isnan(middle) else middle

    def _read(
        self, files: list[ModelFile], box: tuple[float, float, float, float], cells: int
    ) -> NDArray[np.float32]:
        """Cells whose outer centres lie on the box's edges."""
        heights = np.full((cells, cells), np.nan, dtype=np.float32)
        for file in files:
            if not np.isnan(heights).any():
                break
            try:
                piece = _resampled(file.path, box, cells)
            except Exception as error:  # as above: cut short while it was copied, say
                log.warning("height model %s cannot be read: %s", file.path, _in_a_line(error))
                continue
            heights = np.where(np.isnan(heights), piece, heights)
        return heights


def _found(paths: tuple[str, ...], unreadable: list[Unreadable]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.suffix.lower() in _SUFFIXES)
            if not inside:
                unreadable.append(Unreadable(path, "no .tif, .tiff or .hgt file is in this folder"))
            yield from inside
        elif path.is_file():
            yield path
        else:
            unreadable.append(Unreadable(path, "there is no such file or folder"))


def _indexed(path: Path) -> ModelFile:
    """Raises ValueError, or whatever GDAL does, for what is no height model."""
    import rasterio
    from rasterio.warp import transform_bounds

    with rasterio.open(path) as dataset:
        if dataset.crs is None:
            raise ValueError("it does not say its coordinate system")
        west, south, east, north = transform_bounds(dataset.crs, WGS84, *dataset.bounds)
        metres = _M_PER_DEG if dataset.crs.is_geographic else dataset.crs.linear_units_factor[1]
        return ModelFile(path, west, south, east, north, abs(dataset.res[1]) * metres)


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:_MOST_SAID]


def _resampled(path: Path, box: tuple[float, float, float, float], cells: int) -> NDArray[np.float32]:
    import rasterio
    from rasterio.transform import Affine
    from rasterio.warp import Resampling, reproject

    west, south, east, north = box
    step_x, step_y = (east - west) / (cells - 1), (north - south) / (cells - 1)
    strips: list[Any] = []
    with rasterio.open(path) as dataset:
        for first in range(0, cells, _STRIP):
            strip = np.full((cells, min(_STRIP, cells - first)), np.nan, dtype=np.float32)
            left, top = west + (first - 0.5) * step_x, north + step_y / 2
            reproject(
                rasterio.band(dataset, 1),
                strip,
                dst_transform=Affine(step_x, 0.0, left, 0.0, -step_y, top),
                dst_crs=WGS84,
                dst_nodata=np.nan,
                resampling=Resampling.bilinear,
            )
            strips.append(strip)
    piece = np.hstack(strips)
    piece[~((piece > _LOWEST_M) & (piece < _HIGHEST_M))] = np.nan  # undeclared fillers, such as -9999
    return piece


def _grid(
    heights: NDArray[np.float32],
    box: tuple[float, float, float, float],
    cells: int,
    own_cell_m: float,
) -> HeightGrid | None:
    if np.isnan(heights).all():
        return None
    west, south, east, north = box
    step_m = 2 * RADIUS_M / (cells - 1)
    tops = _tops(heights)
    return HeightGrid(
        north_deg=north,
        west_deg=west,
        row_deg=(north - south) / (cells - 1),
        column_deg=(east - west) / (cells - 1),
        rows=cells,
        columns=cells,
        heights_m=_plain(heights),
        lowest_m=float(np.nanmin(heights)),
        highest_m=float(np.nanmax(heights)),
        tops_m=_plain(tops),
        tile_columns=tops.shape[1],
        cell_m=step_m,
        sigma_m=next(sigma for most, sigma in _SIGMAS_M if own_cell_m <= most),
    )


def _tops(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The greatest height of every tile with its far edges, as HeightGrid wants them."""
    beside = np.pad(heights, ((0, 1), (0, 1)), mode="edge")
    four = np.maximum(
        np.maximum(beside[:-1, :-1], beside[1:, :-1]), np.maximum(beside[:-1, 1:], beside[1:, 1:])
    )
    rows, columns = (-size % TILE for size in four.shape)
    whole = np.pad(four, ((0, rows), (0, columns)), mode="edge")
    tiles = whole.reshape(whole.shape[0] // TILE, TILE, whole.shape[1] // TILE, TILE)
    return np.asarray(tiles.max(axis=(1, 3)), dtype=np.float32)


def _plain(values: NDArray[np.float32]) -> array[float]:
    """Single values of it are read much faster than numpy's."""
    told = array("f")
    told.frombytes(np.ascontiguousarray(values).tobytes())
    return told
