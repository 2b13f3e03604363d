"""The situation as KML 2.2 (OGC 07-147r2), for Google Earth, ATAK, and what else reads network links."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from html import escape
from xml.etree import ElementTree as ET

from flow.clock import NS_PER_S
from flow.codec.xml_text import xml_text
from flow.flights import Marker
from flow.markers import MARKERS_MOST, id_of
from flow.samples import Group, Place

from .geojson import ring
from .situation import Seen

MEDIA_TYPE = "application/vnd.google-earth.kml+xml"
REFRESH_S = 1
_NAMESPACE = "http://www.opengis.net/kml/2.2"
_COLOURS = {"aircraft": "ff00d7ff", "stale": "ff9e9e9e", "footprint": "4d00d7ff", "marker": "fff5a623"}
"""aabbggrr."""
_ARROW_M = ((14.0, 0.0), (-8.0, 8.0), (-4.0, 0.0), (-8.0, -8.0))
"""An aircraft from above, nose first: metres ahead and to the right."""
_EARTH_M = 6_371_008.8
_VIEW_M = 800


def network_link(href: str) -> bytes:
    """What people open once: it fetches `href` every second from then on."""
    root, document = _document("Lagebild")
    link = ET.SubElement(document, "NetworkLink")
    _text(link, "name", "Lagebild")
    _text(link, "flyToView", "0")
    where = ET.SubElement(link, "Link")
    _text(where, "href", href)
    _text(where, "refreshMode", "onInterval")
    _text(where, "refreshInterval", str(REFRESH_S))
    return _bytes(root)


def situation(everybody: Iterable[Seen], markers: Iterable[Marker]) -> bytes:
    """Everything there is now."""
    root, document = _document("Lagebild")
    everybody = list(everybody)
    if everybody:
        _look_at(document, everybody[0].place)
    for kind, colour in _COLOURS.items():
        _style(document, kind, colour)
    for seen in everybody:
        _aircraft(ET.SubElement(document, "Folder"), seen)
    head, end, tail = _bytes(root).rpartition(b"</Document>")
    return b"".join((head, *map(_marker, markers), end, tail))


@lru_cache(maxsize=2 * MARKERS_MOST)
def _marker(marker: Marker) -> bytes:
    """Drawn once, for it never changes: who moves a marker sets another one. Hundreds of them, drawn for each
    reader, would hold up the pictures."""
    said = f"{_clock(marker.utc_ns)} {escape(marker.by)}".strip()
    placed = _placemark(
        ET.Element("Folder"), f"marker-{id_of(marker)}", marker.label or "Markierung", "#marker", said
    )
    _point(placed, Place(marker.lat_deg, marker.lon_deg), "clampToGround")
    data: bytes = ET.tostring(placed, encoding="utf-8", xml_declaration=False)
    return data


def _aircraft(folder: ET.Element, seen: Seen) -> None:
    aircraft_id, sample = seen.aircraft.id, seen.sample
    since = f" (veraltet seit {_clock(seen.placed_ns)})" if seen.stale else ""
    name, style = f"{seen.aircraft.name}{since}", "#stale" if seen.stale else "#aircraft"
    _text(folder, "name", name)
    placemark = _placemark(folder, aircraft_id, name, style, "<br/>".join(_lines(seen)))
    yaw_deg = seen.fresh(Group.ATTITUDE, sample.yaw_deg)
    if yaw_deg is not None:
        icon = ET.SubElement(ET.SubElement(placemark, "Style"), "IconStyle")
        _text(icon, "heading", f"{yaw_deg:.0f}")
    # KML's "absolute" is above sea level, as aircraft tell it.
    mode = "clampToGround" if seen.place.alt_msl_m is None else "absolute"
    _point(placemark, seen.place, mode)
    if yaw_deg is not None:
        arrow = _placemark(folder, f"{aircraft_id}-nose", "", style)
        _polygon(arrow, _arrow(seen.place, yaw_deg), mode)
    if len(seen.track) > 1:
        track = _placemark(folder, f"{aircraft_id}-track", "", style)
        _line(track, seen.track)
    for feed, look in seen.looks:
        if len(look.corners) >= 3:
            footprint = _placemark(folder, f"{feed.id}-footprint", feed.name, "#footprint")
            _polygon(footprint, look.corners, "clampToGround")


def _lines(seen: Seen) -> Iterator[str]:
    """What stands in the balloon, which is HTML; none of it is old but what says so."""
    sample = seen.sample
    age = f"{seen.age_ns / NS_PER_S:.0f} s alt" if seen.stale else f"Stand {_clock(seen.placed_ns)}"
    yield f"veraltet: {age}" if seen.stale else age
    values = (
        (seen.fresh(Group.POSITION, sample.alt_home_m), "m über Start"),
        (seen.fresh(Group.POSITION, sample.alt_agl_m), "m über Grund"),
        (seen.fresh(Group.POSITION, sample.alt_msl_m), "m ü. NHN"),
        (seen.fresh(Group.SPEED, sample.ground_speed_ms), "m/s"),
        (seen.fresh(Group.BATTERY, sample.battery_pct), "% Akku"),
    )
    for value, unit in values:
        if value is not None:
            yield f"{value:.0f} {unit}"
    mode = seen.fresh(Group.MODE, sample.mode)
    if mode:
        yield escape(mode)


def _clock(utc_ns: int) -> str:
    """Local time, and which that is."""
    return f"{datetime.fromtimestamp(utc_ns // NS_PER_S).astimezone():%H:%M:%S %Z}"


def _arrow(place: Place, yaw_deg: float) -> tuple[Place, ...]:
    """The corners of the aircraft's shape, turned to its heading."""
    sin, cos = math.sin(math.radians(yaw_deg)), math.cos(math.radians(yaw_deg))
    lat_m = math.degrees(1 / _EARTH_M)
    lon_m = lat_m / max(0.01, math.cos(math.radians(place.lat_deg)))
    return tuple(
        Place(
            place.lat_deg + (ahead * cos - right * sin) * lat_m,
            place.lon_deg + (ahead * sin + right * cos) * lon_m,
            place.alt_msl_m,
        )
        for ahead, right in _ARROW_M
    )


def _document(name: str) -> tuple[ET.Element, ET.Element]:
    root = ET.Element("kml", {"xmlns": _NAMESPACE})
    document = ET.SubElement(root, "Document")
    _text(document, "name", name)
    return root, document


def _style(document: ET.Element, name: str, colour: str) -> None:
    """Lines and areas of one colour; no picture, so that nothing is fetched from anywhere."""
    style = ET.SubElement(document, "Style", {"id": name})
    for kind in ("IconStyle", "LabelStyle", "LineStyle", "PolyStyle"):
        each = ET.SubElement(style, kind)
        _text(each, "color", colour)
        if kind == "LineStyle":
            _text(each, "width", "2")


def _look_at(parent: ET.Element, place: Place) -> None:
    view = ET.SubElement(parent, "LookAt")
    values = {"longitude": place.lon_deg, "latitude": place.lat_deg, "altitude": 0.0, "heading": 0.0}
    for name, value in (values | {"tilt": 45.0, "range": float(_VIEW_M)}).items():
        _text(view, name, f"{value:.7f}")


def _placemark(parent: ET.Element, place_id: str, name: str, style: str, description: str = "") -> ET.Element:
    """`description` is HTML."""
    placemark = ET.SubElement(parent, "Placemark", {"id": xml_text(place_id)})
    for tag, text in (("name", name), ("description", description)):
        if text:
            _text(placemark, tag, text)
    _text(placemark, "styleUrl", style)
    return placemark


def _point(placemark: ET.Element, place: Place, mode: str) -> None:
    point = ET.SubElement(placemark, "Point")
    _text(point, "altitudeMode", mode)
    _text(point, "coordinates", _tuple(place))


def _line(placemark: ET.Element, places: tuple[Place, ...]) -> None:
    line = ET.SubElement(placemark, "LineString")
    _text(line, "tessellate", "1")
    known = all(place.alt_msl_m is not None for place in places)
    _text(line, "altitudeMode", "absolute" if known else "clampToGround")
    _text(line, "coordinates", " ".join(map(_tuple, places)))


def _polygon(placemark: ET.Element, corners: tuple[Place, ...], mode: str) -> None:
    polygon = ET.SubElement(placemark, "Polygon")
    _text(polygon, "tessellate", "1")
    _text(polygon, "altitudeMode", mode)
    height = corners[0].alt_msl_m or 0.0
    outer = ET.SubElement(ET.SubElement(polygon, "outerBoundaryIs"), "LinearRing")
    _text(outer, "coordinates", " ".join(f"{lon},{lat},{height:.1f}" for lon, lat in ring(corners)))


def _tuple(place: Place) -> str:
    return f"{place.lon_deg:.7f},{place.lat_deg:.7f},{place.alt_msl_m or 0.0:.1f}"


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = xml_text(text, most=10_000)


def _bytes(root: ET.Element) -> bytes:
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data
