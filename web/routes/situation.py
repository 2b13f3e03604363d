"""The situation for other programs: GeoJSON, and KML as a network link."""

from __future__ import annotations

from aiohttp import web

from web import geojson, kml
from web.access import Door, Permission, Route, Scope, origin_url
from web.situation import Situation
from web.views import Json, json_bytes

_HEADERS = {"Cache-Control": "no-store"}

_GEOJSON = Route(
    "GET",
    "/api/v1/situation.geojson",
    Permission.WATCH,
    "Aircraft, homes, tracks, footprints and looks of cameras, markers (RFC 7946)",
    {200: "a FeatureCollection; properties.kind says what each feature is"},
    media_type=geojson.MEDIA_TYPE,
    headers=tuple(_HEADERS),
    scope=Scope.FILTERED,
)

_LATEST = Route(
    "GET",
    "/api/v1/aircraft/{aircraft}/telemetry/latest.geojson",
    Permission.WATCH,
    "Where an aircraft is (RFC 7946)",
    {200: "a Feature; its geometry is null where the position is not known", 404: "no such aircraft"},
    media_type=geojson.MEDIA_TYPE,
    headers=tuple(_HEADERS),
)

_LINK = Route(
    "GET",
    "/api/v1/lagebild.kml",
    Permission.WATCH,
    "A KML network link that fetches the situation every second",
    {200: "KML 2.2"},
    media_type=kml.MEDIA_TYPE,
    headers=tuple(_HEADERS),
    scope=Scope.NOTHING,
)

_KML = Route(
    "GET",
    "/api/v1/situation.kml",
    Permission.WATCH,
    "Aircraft, tracks, footprints and markers as KML",
    {200: "KML 2.2"},
    media_type=kml.MEDIA_TYPE,
    headers=tuple(_HEADERS),
    scope=Scope.FILTERED,
)


def add_situation_routes(door: Door, situation: Situation) -> None:
    async def everything(request: web.Request) -> web.Response:
        within = door.within(request)
        return _json(geojson.collection(situation.everybody(within), situation.markers(within)))

    async def latest(request: web.Request) -> web.Response:
        aircraft_id = request.match_info["aircraft"]
        seen = situation.one(aircraft_id)
        return _json(geojson.aircraft_feature(seen) if seen else geojson.nowhere(aircraft_id))

    async def link(request: web.Request) -> web.Response:
        # The host has passed the door: it is a name or address of this service.
        return _kml(kml.network_link(f"{origin_url(request)}{_KML.path}"))

    async def drawn(request: web.Request) -> web.Response:
        within = door.within(request)
        return _kml(kml.situation(situation.everybody(within), situation.markers(within)))

    door.route(_GEOJSON, everything)
    door.route(_LATEST, latest)
    door.route(_LINK, link)
    door.route(_KML, drawn)


def _json(content: Json) -> web.Response:
    return web.Response(body=json_bytes(content), content_type=geojson.MEDIA_TYPE, headers=_HEADERS)


def _kml(content: bytes) -> web.Response:
    return web.Response(body=content, content_type=kml.MEDIA_TYPE, headers=_HEADERS)
