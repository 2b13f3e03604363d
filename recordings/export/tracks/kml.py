"""A flight's track as KML 2.2 with Google's gx:Track: places with their times, to be played back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from flow.codec.xml_text import xml_text
from flow.samples import TelemetrySample

from .columns import utc_text
from .fixes import Fix, fixes, pieces

MEDIA_TYPE = "application/vnd.google-earth.kml+xml"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">\n'
    "<Document><name>{title}</name>\n"
    '<Style id="track"><LineStyle><color>ff00d7ff</color><width>3</width></LineStyle></Style>\n'
)
_TRACKS = (
    "<Placemark><name>{title}</name><styleUrl>#track</styleUrl>"
    "<gx:MultiTrack><gx:interpolate>0</gx:interpolate>\n"  # nobody knows how it flew in a gap
)


def kml_parts(samples: Iterable[TelemetrySample], title: str = "") -> Iterator[bytes]:
    """The file, piece by piece. A flight without a position is a document without a track."""
    name = escape(xml_text(title))
    yield _HEAD.format(title=name).encode()
    begun = False
    for piece in pieces(fixes(samples), _height_comes_or_goes):
        if not begun:
            yield _TRACKS.format(title=name).encode()
            begun = True
        yield from _track(piece)
    yield b"</gx:MultiTrack></Placemark>\n" if begun else b""
    yield b"</Document>\n</kml>\n"


def _height_comes_or_goes(before: Fix, after: Fix) -> bool:
    """A track has one altitudeMode."""
    return (before.alt_msl_m is None) != (after.alt_msl_m is None)


def _track(piece: list[Fix]) -> Iterator[bytes]:
    # "absolute" is above sea level (OGC 07-147r2 9.20), as aircraft tell it.
    mode = "clampToGround" if piece[0].alt_msl_m is None else "absolute"
    yield f"<gx:Track><altitudeMode>{mode}</altitudeMode>\n".encode()
    for fix in piece:  # all times come before all places
        yield f"<when>{utc_text(fix.utc_ns)}</when>\n".encode()
    for fix in piece:
        place = f"{fix.lon_deg:.7f} {fix.lat_deg:.7f} {fix.alt_msl_m or 0.0:.2f}"
        yield f"<gx:coord>{place}</gx:coord>\n".encode()
    yield b"</gx:Track>\n"
