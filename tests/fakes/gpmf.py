"""Writes GPMF payloads, entry by entry, as a GoPro camera and a Karma drone do."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def entry(key: str, kind: str, size: int, data: bytes) -> bytes:
    """One key, length and value; `kind` "\\0" nests."""
    count = len(data) // size if size else 0
    head = key.encode() + kind.encode() + bytes((size,)) + count.to_bytes(2, "big")
    return head + data + bytes(-len(data) % 4)


def nest(key: str, *children: bytes) -> bytes:
    return entry(key, "\0", 1, b"".join(children))


def text(key: str, value: str) -> bytes:
    return entry(key, "c", 1, value.encode("latin-1"))


def numbers(key: str, kind: str, *values: float) -> bytes:
    """Structures of one number each."""
    reader = struct.Struct("!" + kind)
    return entry(
        key,
        {"i": "l", "I": "L", "h": "s", "H": "S"}.get(kind, kind),
        reader.size,
        b"".join(map(reader.pack, values)),
    )


def stream(key: str, types: str, scale: Sequence[int], rows: Sequence[Sequence[float]]) -> bytes:
    """A stream of complex structures: `types` as in TYPE, `rows` as stored, before SCAL divides them."""
    codes = types.translate(str.maketrans("lLsSjJ", "iIhHqQ"))
    reader = struct.Struct("!" + codes)
    data = b"".join(reader.pack(*row) for row in rows)
    notes = text("STNM", key.lower()) + text("TYPE", types) + numbers("SCAL", "i", *scale)
    return nest("STRM", notes, entry(key, "?", reader.size, data))


def position(boot_ms: int, lat_deg: float, lon_deg: float, *, home_m: float = 2.0) -> tuple[float, ...]:
    """A row of GLPI: 10 m above the sea less what is above home, 3 m/s north, 4 m/s east, 0.5 m/s up."""
    return (
        boot_ms,
        round(lat_deg * 1e7),
        round(lon_deg * 1e7),
        10_000,
        round(home_m * 1000),
        300,
        400,
        -50,
        9000,
    )


def glpi(*rows: Sequence[float]) -> bytes:
    scale = [1000, 10_000_000, 10_000_000, 1000, 1000, 100, 100, 100, 100]
    return stream("GLPI", "LllllsssS", scale, rows)


def attd(*rows: Sequence[float]) -> bytes:
    """Rows of boot_ms, roll, pitch, yaw in radians."""
    full = [(*row, 0.0, 0.0, 0.0, 0) for row in rows]
    return stream("ATTD", "LffffffB", [1000, 1, 1, 1, 1, 1, 1, 1], full)


def device(*streams: bytes) -> bytes:
    return nest("DEVC", numbers("DVID", "I", 1), text("DVNM", "drone"), *streams)


def gps5(fix: int, *rows: Sequence[float], above: str = "") -> bytes:
    """Rows of lat, lon, m, m/s, m/s as they are stored: degrees by ten millions, the others by a thousand.
    `above` is what GPSA says of the height: "MSLV"."""
    scale = numbers("SCAL", "i", 10_000_000, 10_000_000, 1000, 1000, 100)
    data = b"".join(struct.pack("!5i", *map(round, row)) for row in rows)
    before = numbers("GPSF", "I", fix) + entry("GPSU", "U", 16, b"261122140322.500")
    before += entry("GPSA", "F", 4, above.encode()) if above else b""
    return nest("STRM", text("STNM", "GPS"), scale, before, entry("GPS5", "l", 20, data))
