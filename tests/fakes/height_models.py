"""Height models made for a test, as GeoTIFF and .hgt."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

Surface = Callable[[float, float], float]
"""Height over the sea in metres by the file's own coordinates: easting and northing, or degrees."""

NODATA = -9999.0


def write_utm(
    path: Path, surface: Surface, west: float, north: float, size_m: float, cell_m: float = 10.0
) -> Path:
    """EPSG:25832, as German surveys give it."""
    return _write(path, surface, "EPSG:25832", (west, north), size_m, cell_m)


def write_wgs84(
    path: Path, surface: Surface, west: float, north: float, size_deg: float, cell_deg: float = 1e-4
) -> Path:
    return _write(path, surface, "EPSG:4326", (west, north), size_deg, cell_deg)


def write_without_crs(path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _write(path, lambda x, y: 0.0, None, (0.0, 10.0), 10.0, 1.0)


def write_own_crs(path: Path) -> Path:
    """A plan of a building site: metres from its own corner, wherever that is."""
    return _write(path, lambda x, y: 0.0, 'LOCAL_CS["site",UNIT["metre",1]]', (0.0, 10.0), 10.0, 1.0)


def write_hgt(folder: Path, south: int, west: int, height_m: float) -> Path:
    """An SRTM tile of 3 arc seconds, north of the equator, all of one height."""
    size = 1201
    rows = np.full((size, size), round(height_m), dtype=">i2")
    path = (
        folder / f"{'N' if south >= 0 else 'S'}{abs(south):02d}{'E' if west >= 0 else 'W'}{abs(west):03d}.hgt"
    )
    path.write_bytes(rows.tobytes())
    return path


def _write(
    path: Path, surface: Surface, crs: str | None, corner: tuple[float, float], size: float, cell: float
) -> Path:
    west, north = corner
    count = round(size / cell)
    rows: Any = np.empty((count, count), dtype=np.float32)
    for row in range(count):
        for column in range(count):
            height = surface(west + (column + 0.5) * cell, north - (row + 0.5) * cell)
            rows[row, column] = NODATA if math.isnan(height) else height
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=count,
        height=count,
        count=1,
        dtype="float32",
        crs=crs,
        nodata=NODATA,
        transform=Affine(cell, 0.0, west, 0.0, -cell, north),
    ) as dataset:
        dataset.write(rows, 1)
    return path
