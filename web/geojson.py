"""The situation as GeoJSON (RFC 7946).

Coordinates have no third number: it would be the height above the ellipsoid (RFC 7946 4), which nobody tells
us. The heights that are known stand in the properties, by what they are above.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flow.clock import NS_PER_MS
from flow.doors import CameraLook
from flow.flights import Feed, Marker
from flow.markers import id_of
from flow.samples import Group, Place

from .situation import Seen
from .views import Json, ms

MEDIA_TYPE = "application/geo+json"


def collection(everybody: Iterable[Seen], markers: Iterable[Marker]) -> Json:
    """Everything there is, as a FeatureCollection; `kind` of a feature's properties says what it is."""
    features = [feature for seen in everybody for feature in _of_aircraft(seen)]
    return {"type": "FeatureCollection", "features": features + [_of_marker(marker) for marker in markers]}


def aircraft_feature(seen: Seen) -> Json:
    """An aircraft as a point; what is old of it is null, but for its position, which says its age."""
    sample = seen.sample
    properties = {
        "name": seen.aircraft.name,
        "stale": seen.stale,
        "age_ms": round(seen.age_ns / NS_PER_MS),
        "utc_ms": ms(seen.placed_ns),
        "alt_msl_m": seen.fresh(Group.POSITION, sample.alt_msl_m),
        "alt_home_m": seen.fresh(Group.POSITION, sample.alt_home_m),
        "alt_agl_m": seen.fresh(Group.POSITION, sample.alt_agl_m),
        "heading_deg": seen.fresh(Group.ATTITUDE, sample.yaw_deg),
        "ground_speed_ms": seen.fresh(Group.SPEED, sample.ground_speed_ms),
        "climb_ms": seen.fresh(Group.SPEED, sample.climb_ms),
        "battery_pct": seen.fresh(Group.BATTERY, sample.battery_pct),
        "mode": seen.fresh(Group.MODE, sample.mode),
        "armed": seen.fresh(Group.MODE, sample.armed),
        "h_accuracy_m": seen.fresh(Group.FIX, sample.h_accuracy_m),
    }
    return _feature("aircraft", seen.aircraft.id, _point(seen.place), properties)


def nowhere(aircraft_id: str) -> Json:
    """An aircraft whose position is not known: an unlocated feature (RFC 7946 3.2)."""
    return _feature("aircraft", aircraft_id, None, {})


def _of_aircraft(seen: Seen) -> Iterator[Json]:
    aircraft_id = seen.aircraft.id
    yield aircraft_feature(seen)
    if seen.sample.home:
        of = {"aircraft_id": aircraft_id, "alt_msl_m": seen.sample.home.alt_msl_m}
        yield _feature("home", f"{aircraft_id}/home", _point(seen.sample.home), of)
    if len(seen.track) > 1:
        line = {"type": "LineString", "coordinates": [_position(place) for place in seen.track]}
        yield _feature("track", f"{aircraft_id}/track", line, {"aircraft_id": aircraft_id})
    for feed, look in seen.looks:
        yield from _of_look(aircraft_id, feed, look)


def _of_look(aircraft_id: str, feed: Feed, look: CameraLook) -> Iterator[Json]:
    of = {
        "aircraft_id": aircraft_id,
        "feed_id": feed.id,
        "name": feed.name,
        "utc_ms": ms(look.utc_ns),
        "bearing_deg": look.bearing_deg,
    }
    if len(look.corners) >= 3:
        polygon = {"type": "Polygon", "coordinates": [ring(look.corners)]}
        yield _feature("footprint", f"{feed.id}/footprint", polygon, of | {"cut": look.cut})
    if look.centre:
        error = look.centre.error
        more = {
            "slant_range_m": look.centre.slant_range_m,
            "alt_msl_m": look.centre.place.alt_msl_m,
            "terrain": look.centre.terrain,
            "error_major_m": error.semi_major_m,
            "error_minor_m": error.semi_minor_m,
            "error_bearing_deg": error.bearing_deg,
        }
        yield _feature("look", f"{feed.id}/look", _point(look.centre.place), of | more)


def _of_marker(marker: Marker) -> Json:
    properties = {
        "aircraft_id": marker.aircraft_id,
        "feed_id": marker.feed_id,
        "name": marker.label,
        "by": marker.by,
        "utc_ms": ms(marker.utc_ns),
        "alt_msl_m": marker.alt_msl_m,
        "error_major_m": marker.error.semi_major_m if marker.error else None,
        "error_minor_m": marker.error.semi_minor_m if marker.error else None,
        "error_bearing_deg": marker.error.bearing_deg if marker.error else None,
    }
    place = Place(marker.lat_deg, marker.lon_deg)
    return _feature("marker", f"marker/{id_of(marker)}", _point(place), properties)


def ring(corners: tuple[Place, ...]) -> list[list[float]]:
    """A closed ring, counterclockwise as RFC 7946 3.1.6 wants it, whichever way the camera is turned."""
    points = [_position(corner) for corner in corners]
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    twice_area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)
    points = points if twice_area >= 0 else points[::-1]
    return [*points, points[0]]


def _feature(kind: str, feature_id: str, geometry: Json | None, properties: dict[str, Any]) -> Json:
    return {
        "type": "Feature",
        "id": feature_id,
        "geometry": geometry,
        "properties": {"kind": kind} | properties,
    }


def _point(place: Place) -> Json:
    return {"type": "Point", "coordinates": _position(place)}


def _position(place: Place) -> list[float]:
    return [round(place.lon_deg, 7), round(place.lat_deg, 7)]  # RFC 7946 3.1.1: longitude first
