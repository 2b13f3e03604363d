"""What lies under the map: nothing, tiles of somebody's server, or a PMTiles package on our disk.

A package is PMTiles version 3 (github.com/protomaps/PMTiles, spec/v3): a header of 127 bytes says what is in
it; the page reads the rest of it by HTTP Range.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from flow.errors import ConfigError

from .settings import MapSettings

FILE = "file:"
PACKAGE_PATH = "/map/background.pmtiles"

_AT = "map.background"
_HEADER_BYTES = 127
_MAGIC = b"PMTiles\x03"
_TILES: dict[int, Literal["vector", "raster"]] = {
    1: "vector",
    2: "raster",
    3: "raster",
    4: "raster",
    5: "raster",
}
"""MVT, PNG, JPEG, WebP, AVIF (3.1, "Tile Type")."""

_WMTS = {"{tilematrix}": "{z}", "{tilecol}": "{x}", "{tilerow}": "{y}"}  # OGC 07-057r7 10.2.1
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class MapBackground:
    """What the page draws under the grid."""

    kind: Annotated[Literal["none", "raster", "pmtiles"], Meta(description="none: the grid alone")] = "none"
    url: Annotated[
        str, Meta(description="raster: with {z} {x} {y}; pmtiles: the package, to be read by Range")
    ] = ""
    tiles: Annotated[Literal["raster", "vector"], Meta(description="What its tiles are")] = "raster"
    attribution: Annotated[str, Meta(description="To be shown on the map, as text")] = ""
    least_zoom: int = 0
    most_zoom: Annotated[int, Meta(description="The finest it has; beyond it is enlarged")] = 19


def background_of(settings: MapSettings) -> MapBackground:
    """Raises ConfigError for what is neither an address of tiles nor a package that can be read."""
    given = settings.background
    if not given:
        return MapBackground()
    if given.startswith(FILE):
        return _package(package_of(settings), settings)
    return MapBackground(
        "raster", _tile_address(given), attribution=settings.attribution, most_zoom=settings.most_zoom
    )


def package_of(settings: MapSettings) -> Path:
    """The package's file, of a background that is one."""
    return Path(settings.background.removeprefix(FILE))


def origin_of(background: MapBackground) -> str:
    """Whose tiles a page must be allowed to fetch, "https://tiles.example"; "": ours, or nobody's."""
    if background.kind != "raster":
        return ""
    url = urlsplit(background.url)
    return f"{url.scheme}://{url.netloc}"


def _tile_address(given: str) -> str:
    address = re.sub(r"{\w+}", lambda name: _WMTS.get(name[0].lower(), name[0]), given)
    try:
        url = urlsplit(address)
    except ValueError:  # brackets around what is no IPv6 address
        url = urlsplit("")
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.netloc):
        raise ConfigError(
            f"{_AT} is {FILE}PACKAGE.pmtiles, or the http(s) address of a tile server, not '{given}'"
        )
    missing = [name for name in ("{z}", "{x}", "{y}") if name not in address]
    if missing or (unknown := set(re.findall(r"{\w+}", address)) - {"{z}", "{x}", "{y}"}):
        wrong = f"lacks {' '.join(missing)}" if missing else f"has {' '.join(sorted(unknown))}"
        raise ConfigError(
            f"{_AT} {wrong}: where a tile's zoom, column and row stand, it needs {{z}} {{x}} {{y}}"
        )
    return address


def _package(path: Path, settings: MapSettings) -> MapBackground:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise ConfigError(f"{_AT}: {path} cannot be read: {error.strerror or error}") from None
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise ConfigError(f"{_AT}: {path} is no PMTiles package of version 3 (it begins otherwise)")
    kind, least_zoom, most_zoom = struct.unpack_from("3B", header, 99)
    tiles = _TILES.get(kind)
    if tiles is None:
        raise ConfigError(
            f"{_AT}: {path} holds tiles of kind {kind}; known are MVT, PNG, JPEG, WebP and AVIF"
        )
    return MapBackground(
        "pmtiles", PACKAGE_PATH, tiles, settings.attribution, least_zoom, min(most_zoom, settings.most_zoom)
    )
