"""A flight's track as GeoJSON (RFC 7946): lines, and beside each what was known at every place of it.

Places have no third number: it would be the height above the ellipsoid (RFC 7946 4), which nobody tells us.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from flow.samples import TelemetrySample

from .columns import COLUMNS, Column, Value, utc_text
from .fixes import Fix, fixes, pieces

MEDIA_TYPE = "application/geo+json"
_TOLD = tuple(
    column for column in COLUMNS if column.decimals is not None and column.field not in ("lat_deg", "lon_deg")
)


def geojson_parts(samples: Iterable[TelemetrySample], title: str = "") -> Iterator[bytes]:
    """The file, piece by piece. A flight without a position is a collection of nothing."""
    yield b'{"type":"FeatureCollection","features":['
    between = b""
    for piece in pieces(fixes(samples, _TOLD)):
        yield between
        yield from _feature(piece, title)
        between = b",\n"
    yield b"]}\n"


def _feature(piece: list[Fix], title: str) -> Iterator[bytes]:
    """`utc` and all that follows it have a value for each place of the line."""
    yield b'{"type":"Feature","geometry":%s,' % msgspec.json.encode(_geometry(piece))
    yield b'"properties":{"kind":"track","name":%s' % msgspec.json.encode(title)
    yield b',"utc":%s' % msgspec.json.encode([utc_text(fix.utc_ns) for fix in piece])
    for at, column in enumerate(_TOLD):
        told = [_rounded(fix.told[at], column) if fix.told else None for fix in piece]
        yield b',"%s":%s' % (column.field.encode(), msgspec.json.encode(told))
    yield b"}}"


def _rounded(value: Value, column: Column) -> Value:
    return round(value, column.decimals) if isinstance(value, float) else value


def _geometry(piece: list[Fix]) -> dict[str, Any]:
    places = [[round(fix.lon_deg, 7), round(fix.lat_deg, 7)] for fix in piece]  # 3.1.1: longitude first
    if len(places) == 1:  # 3.1.4: a line has two at least
        return {"type": "Point", "coordinates": places[0]}
    return {"type": "LineString", "coordinates": places}
