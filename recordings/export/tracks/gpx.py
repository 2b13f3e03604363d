"""A flight's track as GPX 1.1 (topografix.com/GPX/1/1): a segment for every stretch without a gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from flow.codec.xml_text import xml_text
from flow.samples import TelemetrySample

from .columns import Value, column, utc_text
from .fixes import Fix, fixes, follows

MEDIA_TYPE = "application/gpx+xml"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator="Lagebild" xmlns="http://www.topografix.com/GPX/1/1"'
    ' xmlns:tp="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">\n'
    "<trk><name>{title}</name>\n"
)
_TOLD = tuple(map(column, ("fix", "satellites", "ground_speed_ms")))
_FIX_TYPES: dict[Value, str] = {
    "rtk_float": "dgps",
    "rtk_fixed": "dgps",
    "none": "none",
    "2d": "2d",
    "3d": "3d",
    "dgps": "dgps",
}
"""GPX knows no RTK, which is differential, too."""


def gpx_parts(samples: Iterable[TelemetrySample], title: str = "") -> Iterator[bytes]:
    """The file, piece by piece. A flight without a position is a track without a segment."""
    yield _HEAD.format(title=escape(xml_text(title))).encode()
    before: Fix | None = None
    for fix in fixes(samples, _TOLD):
        if before is None:
            yield b"<trkseg>\n"
        elif not follows(before, fix):
            yield b"</trkseg>\n<trkseg>\n"
        yield _point(fix).encode()
        before = fix
    yield b"</trkseg>\n" if before else b""
    yield b"</trk>\n</gpx>\n"


def _point(fix: Fix) -> str:
    """The order of a point's elements is the schema's."""
    lon = f"{fix.lon_deg:.7f}"
    if lon == "180.0000000":  # longitudeType ends before it
        lon = "-180.0000000"
    height = "" if fix.alt_msl_m is None else f"<ele>{fix.alt_msl_m:.2f}</ele>"
    return (
        f'<trkpt lat="{fix.lat_deg:.7f}" lon="{lon}">{height}'
        f"<time>{utc_text(fix.utc_ns)}</time>{_quality(fix)}</trkpt>\n"
    )


def _quality(fix: Fix) -> str:
    kind, satellites, speed_ms = fix.told
    told = f"<fix>{_FIX_TYPES[kind]}</fix>" if kind in _FIX_TYPES else ""
    if isinstance(satellites, int) and satellites >= 0:
        told += f"<sat>{satellites}</sat>"
    if isinstance(speed_ms, float) and speed_ms >= 0:
        speed = f"<tp:speed>{speed_ms:.2f}</tp:speed>"
        told += f"<extensions><tp:TrackPointExtension>{speed}</tp:TrackPointExtension></extensions>"
    return told
