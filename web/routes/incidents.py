"""Incidents: opened, renamed, closed, and which aircraft and flights belong to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from flow.errors import MalformedError, NotFoundError
from flow.flights import Aircraft, Incident, IncidentKind
from flow.recording import RecordKind
from recordings.archive import Archive
from recordings.folders import FLIGHT_ID_PATTERN
from recordings.rules import Defaults
from web.access import Door, ForbiddenError, Permission, Route, caller_of, tell_audit
from web.access.audit import Action
from web.archive_calls import in_time
from web.bodies import JSON, json_body, json_reply
from web.flight_views import Incidents, IncidentView, defaults_view, incident_view
from web.routes.flights import BUSY, By, by_whom, named

NAME_MOST = 120
FLIGHTS_MOST = 1000
BODY_MOST_BYTES = 64 * 1024

_Name = Annotated[str, Meta(min_length=1, examples=["Dachstuhlbrand Mühlstraße"])]
_Aircraft = Annotated[list[str], Meta(max_length=100, description="New flights of these join it")]
_Flights = Annotated[list[str], Meta(max_length=FLIGHTS_MOST, description="All that are to belong to it")]
_Added = Annotated[list[str], Meta(max_length=FLIGHTS_MOST, description="The others stay in it")]
_Removed = Annotated[list[str], Meta(max_length=FLIGHTS_MOST, description="Those not in it are passed over")]
_Record = Annotated[
    list[RecordKind],
    Meta(max_length=len(RecordKind), description="What of its flights is recorded; []: nothing"),
]


class NewIncident(msgspec.Struct, forbid_unknown_fields=True):
    """An incident that begins now."""

    kind: IncidentKind
    name: _Name
    by: By
    aircraft_ids: _Aircraft = msgspec.field(default_factory=list)
    record: Annotated[_Record | None, Meta(description="null: what the settings say for its kind")] = None


class IncidentChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be different. Lists are told whole; flights may be added and removed instead.

    `record` counts at once, also for flights in the air: what is no more to be recorded ends, pictures that
    are to be begin with the next keyframe. null: again what the settings say for its kind.
    """

    name: _Name | UnsetType = UNSET
    kind: IncidentKind | UnsetType = UNSET
    closed: Annotated[bool, Meta(description="false opens it again")] | UnsetType = UNSET
    aircraft_ids: _Aircraft | UnsetType = UNSET
    flight_ids: _Flights | UnsetType = UNSET
    add_flight_ids: _Added = msgspec.field(default_factory=list)
    remove_flight_ids: _Removed = msgspec.field(default_factory=list)
    record: _Record | UnsetType | None = UNSET
    by: Annotated[By, Meta(description="Empty: as the account is called")] | UnsetType = UNSET


_ALL = "/api/v1/incidents"
_ASKED_WRONG = {400: "no name, or what is no flight", 503: BUSY}

_LIST = Route(
    "GET", _ALL, Permission.REVIEW, "Every incident", {200: "incidents", 503: BUSY}, schema=Incidents
)
_OPEN = Route(
    "POST",
    _ALL,
    Permission.KEEP,
    "Open an incident",
    {201: "the incident", 404: "no such aircraft"} | _ASKED_WRONG,
    body=JSON,
    body_schema=NewIncident,
    schema=IncidentView,
    action=Action.MADE,
)
_CHANGE = Route(
    "PATCH",
    f"{_ALL}/{{incident}}",
    Permission.KEEP,
    "Rename or close an incident, or say what belongs to it",
    {200: "the incident as it is now", 404: "no such incident, aircraft or flight"} | _ASKED_WRONG,
    body=JSON,
    body_schema=IncidentChange,
    schema=IncidentView,
    action=Action.CHANGED,
)


def add_incident_routes(
    door: Door,
    archive: Archive,
    aircraft: Sequence[Aircraft],
    defaults: Defaults | None = None,
    told: Callable[[Incident], None] = lambda incident: None,
) -> None:
    """`defaults` is what is recorded where an incident does not say it; `told` hears of each incident that is
    opened or changed, before it is answered."""
    as_set = defaults_view(defaults or Defaults())
    known = {each.id for each in aircraft if not each.training}

    def checked_aircraft(asked: Sequence[str], before: Sequence[str] = ()) -> tuple[str, ...]:
        """Those that an incident has may be configured no more."""
        if strangers := set(asked) - known - set(before):
            raise NotFoundError(f"no aircraft '{min(strangers)[:40]}'")
        return tuple(dict.fromkeys(asked))

    async def every(_: web.Request) -> web.Response:
        told = [incident_view(each) for each in await in_time(archive.incidents())]
        return json_reply(Incidents(told, as_set))

    async def begin(request: web.Request) -> web.Response:
        wish = await json_body(request, NewIncident, BODY_MOST_BYTES)
        name, by = named(wish.name, "name", NAME_MOST), by_whom(request, wish.by)
        aircraft_ids = checked_aircraft(wish.aircraft_ids)
        record = None if wish.record is None else tuple(wish.record)
        opened = await in_time(archive.open_incident(wish.kind, name, aircraft_ids, by, record))
        told(opened)
        tell_audit(request, incident=opened.id)
        return json_reply(incident_view(opened), status=201)

    async def change(request: web.Request) -> web.Response:
        wish = await json_body(request, IncidentChange, BODY_MOST_BYTES)
        if caller_of(request).incident_id is not None and _moves(wish):
            raise ForbiddenError("who is bound to an incident cannot say what belongs to it")
        incident_id = request.match_info["incident"]
        present = {each.id: each for each in await in_time(archive.incidents())}.get(incident_id)
        if present is None:
            raise NotFoundError("there is no such incident")
        changed = await in_time(
            archive.change_incident(
                incident_id,
                name=None if wish.name is UNSET else named(wish.name, "name", NAME_MOST),
                kind=None if wish.kind is UNSET else wish.kind,
                closed=None if wish.closed is UNSET else wish.closed,
                aircraft_ids=(
                    None
                    if wish.aircraft_ids is UNSET
                    else checked_aircraft(wish.aircraft_ids, present.aircraft_ids)
                ),
                flight_ids=None if wish.flight_ids is UNSET else _checked_flights(wish.flight_ids),
                add_flight_ids=_checked_flights(wish.add_flight_ids),
                remove_flight_ids=_checked_flights(wish.remove_flight_ids),
                record=None if wish.record is UNSET or wish.record is None else tuple(wish.record),
                record_as_set=wish.record is None,
                by=caller_of(request).name if wish.by is UNSET else named(wish.by, "by"),
            )
        )
        told(changed)
        return json_reply(incident_view(changed))

    door.route(_LIST, every)
    door.route(_OPEN, begin)
    door.route(_CHANGE, change)


def _moves(wish: IncidentChange) -> bool:
    """Whether other aircraft or flights would belong to it: whoever reaches these is bound by that."""
    told = (wish.aircraft_ids, wish.flight_ids)
    return any(each is not UNSET for each in told) or bool(wish.add_flight_ids or wish.remove_flight_ids)


def _checked_flights(asked: Sequence[str]) -> tuple[str, ...]:
    """Raises MalformedError for what can be no flight's id."""
    for each in asked:
        if not FLIGHT_ID_PATTERN.fullmatch(each):
            raise MalformedError("among the flights is what is no flight's id")
    return tuple(dict.fromkeys(asked))
