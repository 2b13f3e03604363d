"""Markers: set in a picture or on the map, renamed, moved, removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from flow.clock import NS_PER_MS, Clock
from flow.errors import MalformedError, NotFoundError
from flow.flights import ID_PATTERN, Aircraft, Ellipse, Marker
from web.access import Door, Permission, Route, Scope, said_by, tell_audit
from web.access.audit import Action
from web.access.reach import Within
from web.bodies import JSON, json_body, json_reply
from web.ground_views import MarkerList, MarkerView, marker_view
from web.markers import MOST_CHARACTERS, MarkerBoard, checked_text
from web.pace import Pace
from web.routes.ground import REFUSALS, Pointer, PointInPicture, Share, Timestamp, UtcMs
from web.training_aircraft import MARK

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Text = Annotated[
    str, Meta(max_length=2 * MOST_CHARACTERS, description=f"At most {MOST_CHARACTERS} characters")
]
MarkerId = Annotated[str, Meta(pattern=f"^{ID_PATTERN.pattern}$")]


_Metres = Annotated[float, Meta(ge=0, le=1e5)]
_Height = Annotated[float, Meta(ge=-1e3, le=1e5, description="Of the ground, over the sea")]


class ToldError(msgspec.Struct, forbid_unknown_fields=True):
    """An Ellipse, as it was told with a place."""

    semi_major_m: _Metres
    semi_minor_m: _Metres
    bearing_deg: Annotated[float, Meta(ge=0, le=180)]


class NewMarker(msgspec.Struct, forbid_unknown_fields=True):
    """In a picture: `feed_id`, `x`, `y` and which one it is; or on the map: `lat_deg`, `lon_deg`.

    A place that was told of a picture (`POST …/ground`) is set as it was told, however long somebody has
    thought about it: `feed_id`, `lat_deg`, `lon_deg`, with `utc_ms`, `alt_msl_m` and `error`.
    """

    label: Text = ""
    by: Text = ""
    id: MarkerId | None = None
    feed_id: str = ""
    x: Share | None = None
    y: Share | None = None
    rtp_timestamp: Timestamp | None = None
    utc_ms: UtcMs | None = None
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None
    alt_msl_m: _Height | None = None
    error: ToldError | None = None
    aircraft_id: str = ""


class MarkerChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be different; a place has both coordinates."""

    label: Text | UnsetType = UNSET
    by: Text | UnsetType = UNSET
    lat_deg: Latitude | UnsetType = UNSET
    lon_deg: Longitude | UnsetType = UNSET


CHANGES_AT_ONCE, CHANGES_A_SECOND = 30, 5.0
"""Of one address: every page of every feed is told of each."""

_ALL = "/api/v1/markers"
_ONE = "/api/v1/markers/{marker}"
_GONE = {404: "no such marker (any more)", 429: "this address makes too many changes"}

_LIST = Route(
    "GET",
    _ALL,
    Permission.WATCH,
    "Every marker",
    {200: "the markers"},
    schema=MarkerList,
    scope=Scope.FILTERED,
)

_SET = Route(
    "POST",
    _ALL,
    Permission.MARK,
    "Set a marker in a picture or on the map; asked twice with the same `id`, it is set once",
    {201: "the marker"}
    | REFUSALS
    | {
        429: _GONE[429],
        404: "no such feed or aircraft",
        409: f"{REFUSALS[409]}; or 500 are set (markers_full)",
    },
    body=JSON,
    body_schema=NewMarker,
    schema=MarkerView,
    scope=Scope.FILTERED,
    action=Action.MADE,
)

_CHANGE = Route(
    "PATCH",
    _ONE,
    Permission.MARK,
    "Rename or move a marker",
    {200: "the marker as it is now", 400: "not such a change"} | _GONE,
    body=JSON,
    body_schema=MarkerChange,
    schema=MarkerView,
    scope=Scope.FILTERED,
    action=Action.CHANGED,
)

_REMOVE = Route(
    "DELETE",
    _ONE,
    Permission.MARK,
    "Remove a marker",
    {204: "removed"} | _GONE,
    media_type="",
    scope=Scope.FILTERED,
    action=Action.DELETED,
)


def add_marker_routes(
    door: Door, board: MarkerBoard, pointer: Pointer, clock: Clock, aircraft: tuple[Aircraft, ...]
) -> None:
    places = _Places(pointer, clock, aircraft)
    pace = Pace(clock, CHANGES_AT_ONCE, CHANGES_A_SECOND)

    async def every(request: web.Request) -> web.Response:
        return json_reply(MarkerList([marker_view(marker) for marker in board.all(door.within(request))]))

    async def set_one(request: web.Request) -> web.Response:
        pace.take(request.remote or "")
        wish = await json_body(request, NewMarker)
        wish.by = said_by(request, wish.by)
        known = board.find(wish.id) if wish.id else None
        if known is not None and not door.within(request).has_marker(known):
            raise NotFoundError("another marker has this id, and it is not of your incident")
        marker = known or board.set(places.told(places.marker_of(wish, door.within(request))))
        tell_audit(request, marker=marker.marker_id, aircraft=marker.aircraft_id)
        return json_reply(marker_view(marker), status=201)

    async def change(request: web.Request) -> web.Response:
        pace.take(request.remote or "")
        wish = await json_body(request, MarkerChange)
        if wish.by is not UNSET:
            wish.by = said_by(request, wish.by)
        changed = _changed(board.get(request.match_info["marker"], door.within(request)), wish)
        return json_reply(marker_view(board.set(places.told(changed))))

    async def remove(request: web.Request) -> web.Response:
        pace.take(request.remote or "")
        board.remove(board.get(request.match_info["marker"], door.within(request)).marker_id)
        return web.Response(status=204)

    door.route(_LIST, every)
    door.route(_SET, set_one)
    door.route(_CHANGE, change)
    door.route(_REMOVE, remove)


class _Places:
    """Makes a marker of what is asked for. Raises NotFoundError, MalformedError, UnlocatableError."""

    def __init__(self, pointer: Pointer, clock: Clock, aircraft: tuple[Aircraft, ...]) -> None:
        self._pointer, self._clock = pointer, clock
        self._owners = {feed.id: each.id for each in aircraft for feed in each.feeds}
        self._training = {feed.id for each in aircraft for feed in each.feeds if feed.training}
        self._aircraft_ids = {"", *(each.id for each in aircraft)}
        self._training = {each.id for each in aircraft if each.training}

    def marker_of(self, wish: NewMarker, within: Within) -> Marker:
        aircraft_id = wish.aircraft_id or self._owners.get(wish.feed_id, "")
        # First: of others not even that they exist.
        if not within.has_aircraft(aircraft_id) or (wish.feed_id and not within.has_feed(wish.feed_id)):
            raise NotFoundError("there is no such aircraft or feed in your incident: name one of it")
        if wish.aircraft_id not in self._aircraft_ids:
            raise NotFoundError(f"no aircraft '{wish.aircraft_id}'")
        if wish.feed_id in self._training:  # what is set in an exercise stays in it
            wish = msgspec.structs.replace(wish, aircraft_id=self._owners[wish.feed_id])
        return self._in_picture(wish) if wish.x is not None else self._at_place(wish)

    def told(self, marker: Marker) -> Marker:
        """That of an exercise says so itself: other programs' maps know nothing of exercises."""
        if marker.aircraft_id not in self._training or marker.label.startswith(MARK):
            return marker
        label = checked_text(marker.label, "label")
        return replace(marker, label=" · ".join(filter(None, (MARK, label)))[:MOST_CHARACTERS])

    def _in_picture(self, wish: NewMarker) -> Marker:
        if wish.x is None or wish.y is None:
            raise MalformedError("a point of a picture has x and y")
        point = self._pointer.ground(
            wish.feed_id, PointInPicture(wish.x, wish.y, wish.rtp_timestamp, wish.utc_ms)
        )
        return Marker(
            id="",
            aircraft_id=wish.aircraft_id or self._owners[wish.feed_id],
            utc_ns=point.utc_ns,
            lat_deg=point.place.lat_deg,
            lon_deg=point.place.lon_deg,
            label=wish.label,
            by=wish.by,
            marker_id=wish.id or "",
            feed_id=wish.feed_id,
            alt_msl_m=point.place.alt_msl_m,
            error=point.error,
        )

    def _at_place(self, wish: NewMarker) -> Marker:
        if wish.lat_deg is None or wish.lon_deg is None:
            raise MalformedError("a marker needs feed_id, x and y, or lat_deg and lon_deg")
        if wish.feed_id and wish.feed_id not in self._owners:
            raise NotFoundError(f"no feed '{wish.feed_id}'")
        error = wish.error
        return Marker(
            "",
            wish.aircraft_id or self._owners.get(wish.feed_id, ""),
            self._clock.now_ns() if wish.utc_ms is None else round(wish.utc_ms * NS_PER_MS),
            wish.lat_deg,
            wish.lon_deg,
            wish.label,
            wish.by,
            marker_id=wish.id or "",
            feed_id=wish.feed_id,
            alt_msl_m=wish.alt_msl_m,
            error=Ellipse(error.semi_major_m, error.semi_minor_m, error.bearing_deg) if error else None,
        )


def _changed(marker: Marker, wish: MarkerChange) -> Marker:
    """Raises MalformedError for half a place. One that is moved is where it was put, without an error."""
    told = {name: value for name, value in msgspec.structs.asdict(wish).items() if value is not UNSET}
    moved = told.keys() & {"lat_deg", "lon_deg"}
    if len(moved) == 1:
        raise MalformedError("a place has lat_deg and lon_deg")
    if moved:
        told |= {"error": None, "alt_msl_m": None}
    return replace(marker, **told)
