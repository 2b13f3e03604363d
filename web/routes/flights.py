"""Recorded flights: found, held, let go of, deleted."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from flow.clock import Clock
from flow.errors import MalformedError
from recordings.archive import Archive
from recordings.entries import FlightQuery, Rule
from recordings.protocol.ground_cells import RADIUS_MOST_M, Near
from web.access import Door, Permission, Route, said_by, tell_audit
from web.access.audit import Action
from web.archive_calls import DiskReads, in_time
from web.asked import TIME, asked_number, asked_real, asked_text, asked_time_ns, whole_number
from web.bodies import JSON, encoded_reply, json_body, json_list, json_reply
from web.errors import RequestError
from web.event_views import FlightEvents, recorded_event_view
from web.flight_views import (
    DeletionView,
    Flights,
    FlightView,
    HoldView,
    deletion_view,
    flight_view,
    hold_view,
)
from web.markers import checked_text

LIMIT, LIMIT_MOST = 100, 1000
REASON_MOST = 200
DELETED_WITHIN_S = 60.0
"""Files of many gigabytes take a file system its time."""
BUSY = "the recordings do not answer in time (archive_busy), or cannot (disk_failed, disk_full)"
ONE = "/api/v1/flights/{flight}"
GONE = {404: "no such flight (any more)", 503: BUSY}

By = Annotated[str, Meta(min_length=1, description="Who does it", examples=["Meier, ELW 1"])]


class Who(msgspec.Struct, forbid_unknown_fields=True):
    """Stays in the log."""

    by: By


class WhyAndWho(msgspec.Struct, forbid_unknown_fields=True):
    """Stays with the flight, or with what is documented of its deletion."""

    reason: Annotated[str, Meta(min_length=1, examples=["Auskunftsersuchen der Polizei"])]
    by: By


def named(text: str, name: str, most: int = 80) -> str:
    """Raises MalformedError where nothing is said, or what cannot be shown."""
    text = checked_text(text, name, most)
    if not text:
        raise MalformedError(f"{name} is empty")
    return text


def by_whom(request: web.Request, by: str) -> str:
    """The account's name, else the one that is given; the audit log is told it. Raises MalformedError."""
    name = said_by(request, named(by, "by"))
    tell_audit(request, by=name)
    return name


def _why_and_who(request: web.Request, wish: WhyAndWho) -> tuple[str, str]:
    """Reason and person. Raises MalformedError."""
    reason, by = named(wish.reason, "reason", REASON_MOST), by_whom(request, wish.by)
    tell_audit(request, reason=reason)
    return reason, by


DEGREES = {"type": "number", "description": "Degrees, WGS84"}
RADIUS_M = 500.0

_LIST = Route(
    "GET",
    "/api/v1/flights",
    Permission.REVIEW,
    "Recorded flights, the newest first",
    {200: "the flights", 400: "asked for with a time or a number that cannot be", 503: BUSY},
    schema=Flights,
    query={
        "aircraft": {"type": "string", "description": "Of this aircraft"},
        "incident": {"type": "string", "description": "Of this incident"},
        "from_ms": TIME,
        "to_ms": TIME,
        "lat": DEGREES,
        "lon": DEGREES,
        "radius_m": {
            "type": "number",
            "maximum": RADIUS_MOST_M,
            "default": RADIUS_M,
            "description": "That were over the ground so near to lat, lon (WGS84)",
        },
        "text": {"type": "string", "description": "In the name of aircraft, camera or incident"},
        "before": {"type": "string", "description": "Those after this flight in the list: the next page"},
        "limit": whole_number(1, LIMIT_MOST, LIMIT, "So many at most"),
    },
)
_SHOW = Route(
    "GET",
    ONE,
    Permission.REVIEW,
    "A recorded flight",
    {200: "the flight"} | GONE,
    schema=FlightView,
    action=Action.OPENED,
)
_EVENTS = Route(
    "GET",
    f"{ONE}/events",
    Permission.REVIEW,
    "Markers, alarms, texts of the aircraft, armed and disarmed",
    {200: "the events"} | GONE,
    schema=FlightEvents,
    action=Action.OPENED,
)
_CHANGE = {400: "no reason, or nobody who says so"} | GONE
_HOLD = Route(
    "PUT",
    f"{ONE}/hold",
    Permission.KEEP,
    "Keep a flight beyond its days, until somebody lets go of it",
    {200: "the hold"} | _CHANGE,
    body=JSON,
    body_schema=WhyAndWho,
    schema=HoldView,
    action=Action.CHANGED,
)
_RELEASE = Route(
    "DELETE",
    f"{ONE}/hold",
    Permission.KEEP,
    "Let go of a flight that was held",
    {204: "it is held no more"} | _CHANGE,
    body=JSON,
    body_schema=Who,
    media_type="",
    action=Action.CHANGED,
)
_DELETE = Route(
    "DELETE",
    ONE,
    Permission.DELETE,
    "Delete a flight now; that stays documented",
    {200: "what was deleted", 409: "on_hold, flight_running (it goes on), flight_playing"} | _CHANGE,
    body=JSON,
    body_schema=WhyAndWho,
    schema=DeletionView,
    action=Action.DELETED,
)


def add_flight_routes(door: Door, archive: Archive, clock: Clock, reads: DiskReads) -> None:
    async def listed(request: web.Request) -> web.Response:
        flights = await in_time(archive.flights(_query_of(request)))
        view = partial(flight_view, now_ns=clock.now_ns())
        return encoded_reply(await reads.call(json_list, "flights", flights, view))

    async def shown(request: web.Request) -> web.Response:
        flight = await in_time(archive.flight(request.match_info["flight"]))
        return json_reply(flight_view(flight, clock.now_ns()))

    async def events(request: web.Request) -> web.Response:
        happened = await in_time(archive.events(request.match_info["flight"]))
        return encoded_reply(await reads.call(json_list, "events", happened, recorded_event_view))

    async def hold(request: web.Request) -> web.Response:
        reason, by = _why_and_who(request, await json_body(request, WhyAndWho))
        return json_reply(hold_view(await in_time(archive.hold(request.match_info["flight"], reason, by))))

    async def release(request: web.Request) -> web.Response:
        by = by_whom(request, (await json_body(request, Who)).by)
        await in_time(archive.release(request.match_info["flight"], by))
        return web.Response(status=204)

    async def delete(request: web.Request) -> web.Response:
        reason, by = _why_and_who(request, await json_body(request, WhyAndWho))
        deleting = archive.delete(request.match_info["flight"], Rule.PERSON, by, reason)
        return json_reply(deletion_view(await in_time(deleting, DELETED_WITHIN_S)))

    door.route(_LIST, listed)
    door.route(_SHOW, shown)
    door.route(_EVENTS, events)
    door.route(_HOLD, hold)
    door.route(_RELEASE, release)
    door.route(_DELETE, delete)


def _query_of(request: web.Request) -> FlightQuery:
    return FlightQuery(
        aircraft_id=asked_text(request, "aircraft"),
        incident_id=asked_text(request, "incident"),
        from_ns=asked_time_ns(request, "from_ms"),
        to_ns=asked_time_ns(request, "to_ms"),
        text=asked_text(request, "text"),
        near=_near_of(request),
        before_id=asked_text(request, "before"),
        limit=asked_number(request, "limit", 1, LIMIT_MOST, LIMIT),
    )


def _near_of(request: web.Request) -> Near | None:
    lat_deg, lon_deg = asked_real(request, "lat", -90, 90), asked_real(request, "lon", -180, 180)
    radius_m = asked_real(request, "radius_m", 1, RADIUS_MOST_M)
    if lat_deg is None and lon_deg is None:
        return None
    if lat_deg is None or lon_deg is None:
        raise RequestError("a place is lat and lon", code="malformed", status=400)
    return Near(lat_deg, lon_deg, RADIUS_M if radius_m is None else radius_m)
