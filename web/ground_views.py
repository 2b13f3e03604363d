"""Places on the ground as JSON of the API: looks, points, markers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from msgspec import Meta

from flow.doors import CameraLook, GroundPoint
from flow.flights import Ellipse, Marker
from flow.samples import Place
from flow.utmref import utmref

from .views import Json, ms

_DECIMALS = 7
"""Of degrees: a centimetre."""

_Utmref = Annotated[str, Meta(description="Ten-metre square, '32U MV 1005 8355'; empty near the poles")]
_Height = Annotated[float | None, Meta(description="Of the ground, over the sea; null: not known")]


@dataclass(frozen=True, slots=True)
class GroundView:
    """Where a point of a picture is on the ground."""

    feed_id: str
    utc_ms: Annotated[float, Meta(description="When the picture was taken: ms since the Unix epoch")]
    lat_deg: float
    lon_deg: float
    alt_msl_m: _Height
    utmref: _Utmref
    slant_range_m: Annotated[float, Meta(description="From the camera")]
    error: Annotated[Ellipse, Meta(description="Where it is with a probability of 95 %")]
    terrain: Annotated[bool, Meta(description="By a height model; else on flat ground")]


@dataclass(frozen=True, slots=True)
class LookView:
    """What a camera saw of the ground; places are [lon, lat]."""

    reason: Annotated[str, Meta(description="Why that cannot be said; empty: it can")]
    bearing_deg: Annotated[float | None, Meta(description="Where it looked on the compass")]
    corners: Annotated[
        list[list[float]], Meta(description="Top left, top right, bottom right, bottom left of the picture")
    ]
    cut: Annotated[bool, Meta(description="Some of them are at the horizon, or too far away")]
    centre: Annotated[list[float] | None, Meta(description="Where the middle of the picture is")]
    slant_range_m: Annotated[float | None, Meta(description="From the camera to there")]
    terrain: Annotated[bool, Meta(description="By a height model; else on flat ground")]


@dataclass(frozen=True, slots=True)
class MarkerView:
    """A place that somebody marked."""

    id: Annotated[str, Meta(description="Stays the same when it is renamed or moved")]
    aircraft_id: Annotated[str, Meta(description="Empty: of none")]
    feed_id: Annotated[str, Meta(description="Whose picture it was set in; empty: on the map")]
    utc_ms: Annotated[float, Meta(description="When that picture was taken, else when it was set")]
    lat_deg: float
    lon_deg: float
    alt_msl_m: _Height
    utmref: _Utmref
    label: str
    by: str
    error: Annotated[Ellipse | None, Meta(description="95 %; null: set on the map")]
    removed: bool


@dataclass(frozen=True, slots=True)
class MarkerList:
    """Every marker, the one that was changed last at the end."""

    markers: list[MarkerView]


def ground_view(point: GroundPoint) -> GroundView:
    place = point.place
    return GroundView(
        feed_id=point.feed_id,
        utc_ms=ms(point.utc_ns),
        lat_deg=round(place.lat_deg, _DECIMALS),
        lon_deg=round(place.lon_deg, _DECIMALS),
        alt_msl_m=_metres(place.alt_msl_m),
        utmref=utmref(place.lat_deg, place.lon_deg),
        slant_range_m=round(point.slant_range_m, 1),
        error=_rounded(point.error),
        terrain=point.terrain,
    )


def marker_view(marker: Marker) -> MarkerView:
    return MarkerView(
        id=marker.marker_id,
        aircraft_id=marker.aircraft_id,
        feed_id=marker.feed_id,
        utc_ms=ms(marker.utc_ns),
        lat_deg=round(marker.lat_deg, _DECIMALS),
        lon_deg=round(marker.lon_deg, _DECIMALS),
        alt_msl_m=_metres(marker.alt_msl_m),
        utmref=utmref(marker.lat_deg, marker.lon_deg),
        label=marker.label,
        by=marker.by,
        error=_rounded(marker.error) if marker.error else None,
        removed=marker.removed,
    )


def marker_json(marker: Marker) -> Json:
    return asdict(marker_view(marker))


def look_view(look: CameraLook) -> Json:
    """As the telemetry messages of a feed carry it; places are [lon, lat], as in GeoJSON."""
    centre = look.centre
    return {
        "reason": look.reason,
        "bearing_deg": None if look.bearing_deg is None else round(look.bearing_deg, 1),
        "corners": [_lon_lat(corner) for corner in look.corners],
        "cut": look.cut,
        "centre": _lon_lat(centre.place) if centre else None,
        "slant_range_m": round(centre.slant_range_m, 1) if centre else None,
        "terrain": centre is not None and centre.terrain,
    }


def _lon_lat(place: Place) -> list[float]:
    return [round(place.lon_deg, _DECIMALS), round(place.lat_deg, _DECIMALS)]


def _metres(height_m: float | None) -> float | None:
    return None if height_m is None else round(height_m, 1)


def _rounded(error: Ellipse) -> Ellipse:
    return Ellipse(round(error.semi_major_m, 2), round(error.semi_minor_m, 2), round(error.bearing_deg, 1))
