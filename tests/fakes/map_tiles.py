"""Map tiles made at test time: a PMTiles package, and a tile server on loopback."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import math
import struct
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import cv2
import numpy as np
from aiohttp import web

Tile: TypeAlias = tuple[int, int, int]
"""Zoom, column, row."""

Shape: TypeAlias = tuple[Literal["point", "line", "area"], Sequence[tuple[int, int]], str]
"""What it is, its points, and its name, which may be ""."""

EXTENT = 4096
_KINDS = {"point": 1, "line": 2, "area": 3}


def tile_at(lat_deg: float, lon_deg: float, zoom: int) -> Tile:
    """The tile that holds a place (Web Mercator)."""
    side, lat = 2**zoom, math.radians(lat_deg)
    row = (1 - math.asinh(math.tan(lat)) / math.pi) / 2
    return zoom, int((lon_deg + 180) / 360 * side), int(row * side)


def tiles_around(lat_deg: float, lon_deg: float, zooms: Iterable[int], reach: int = 3) -> list[Tile]:
    """Every tile within `reach` tiles of a place."""
    found = []
    for zoom in zooms:
        _, column, row = tile_at(lat_deg, lon_deg, zoom)
        steps = range(-reach, reach + 1)
        found += [(zoom, column + right, row + down) for right in steps for down in steps]
    return found


def png(bgr: tuple[int, int, int]) -> bytes:
    """A tile of one colour."""
    picture = np.full((256, 256, 3), bgr, np.uint8)
    return cv2.imencode(".png", picture)[1].tobytes()


def package(
    tiles: Mapping[Tile, bytes], *, kind: int = 2, metadata: Mapping[str, object] | None = None
) -> bytes:
    """A PMTiles package, version 3, with its root directory alone. `kind` 2: PNG, 1: MVT."""
    entries = sorted((_tile_id(*tile), data) for tile, data in tiles.items())
    ids, bodies = [tile_id for tile_id, _ in entries], [data for _, data in entries]
    offsets = np.cumsum([0, *map(len, bodies)])[:-1].tolist()
    directory = gzip.compress(
        b"".join(
            map(
                _varint,
                [
                    len(ids),
                    *(b - a for a, b in zip([0, *ids], ids, strict=False)),
                    *([1] * len(ids)),  # run lengths
                    *map(len, bodies),
                    *(offset + 1 for offset in offsets),
                ],
            )
        )
    )
    told = gzip.compress(json.dumps(metadata or {}).encode())
    zooms = [zoom for zoom, _, _ in tiles]
    places = (127, len(directory), 127 + len(directory), len(told))
    leaves = data_at = sum(places[1::2]) + 127
    everywhere = (-1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000)
    header = b"PMTiles\x03" + struct.pack(
        "<11Q6B4iB2i",
        *places, leaves, 0, data_at, sum(map(len, bodies)), len(ids), len(ids), len(ids),
        1, 2, 1, kind, min(zooms), max(zooms), *everywhere, min(zooms), 0, 0,
    )  # fmt: skip
    return header + directory + told + b"".join(bodies)


def _tile_id(zoom: int, column: int, row: int) -> int:
    """PMTiles 3: tiles before this zoom, and the place on its Hilbert curve."""
    place, side = ((1 << 2 * zoom) - 1) // 3, (1 << zoom) // 2
    while side:
        right, down = int(bool(column & side)), int(bool(row & side))
        place += side * side * ((3 * right) ^ down)
        if not down:
            if right:
                column, row = side - 1 - column, side - 1 - row
            column, row = row, column
        side //= 2
    return place


def vector_tile(layers: Mapping[str, Iterable[Shape]]) -> bytes:
    """A vector tile (MVT 2.1, 4): its layers with what is drawn in them, in units of EXTENT."""
    return b"".join(_field(3, _layer(name, shapes)) for name, shapes in layers.items())


def _layer(name: str, shapes: Iterable[Shape]) -> bytes:
    features, values = b"", b""
    for number, (kind, points, called) in enumerate(shapes):
        tags = _field(2, _varint(0) + _varint(number)) if called else b""
        features += _field(2, tags + bytes((0x18, _KINDS[kind])) + _field(4, _geometry(kind, points)))
        values += _field(4, _field(1, called.encode()))
    version, extent = b"\x78\x02", b"\x28" + _varint(EXTENT)
    return version + _field(1, name.encode()) + features + _field(3, b"name") + values + extent


def _geometry(kind: str, points: Sequence[tuple[int, int]]) -> bytes:
    (x, y), out = points[0], [_command(1, 1)]
    out += [_zigzag(x), _zigzag(y)]
    if len(points) > 1:
        out.append(_command(2, len(points) - 1))
    for here, there in itertools.pairwise(points):
        out += [_zigzag(there[0] - here[0]), _zigzag(there[1] - here[1])]
    if kind == "area":
        out.append(_command(7, 1))
    return b"".join(map(_varint, out))


def _field(number: int, content: bytes) -> bytes:
    """Protocol Buffers: a field with a length."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _command(kind: int, count: int) -> int:
    return kind | count << 3


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


@contextlib.asynccontextmanager
async def tile_server(body: bytes) -> AsyncIterator[str]:
    """An XYZ server that has the same tile everywhere; its address with {z} {x} {y}."""

    async def tile(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="image/png", headers={"Access-Control-Allow-Origin": "*"})

    app = web.Application()
    app.router.add_get("/{z}/{y}/{x}.png", tile)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/{{z}}/{{y}}/{{x}}.png"
    finally:
        await runner.cleanup()
