"""Recording now, the room for it, what retention takes, and what viewers saw."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec
from aiohttp import web

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.errors import NotFoundError, UnavailableError
from flow.flights import Aircraft, RecordingSwitch
from flow.recording import StorageState
from recordings.room import Recordings
from web.access import Door, Permission, Route, tell_audit
from web.access.audit import Action
from web.archive_calls import DiskReads, in_time
from web.asked import TIME, asked_number, asked_text, asked_time_ns, whole_number
from web.bodies import JSON, encoded_reply, json_body, json_list, json_reply
from web.effect import incident_flights
from web.flight_views import Deletions, Retention, deletion_view, planned_view
from web.pace import Pace
from web.routes.flights import BUSY, By, by_whom
from web.schemas import StorageJson
from web.settings import RecordingSettings
from web.viewing_views import Viewings, viewings_json
from web.views import storage_view

DELETIONS, DELETIONS_MOST = 200, 10_000
VIEWINGS_NS = 31 * 86_400 * NS_PER_S
SWITCHES_AT_ONCE, SWITCHES_A_SECOND = 10, 0.5


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    """Whether an aircraft's flights are recorded, from now on."""

    on: bool
    by: By


_STORAGE = Route(
    "GET",
    "/api/v1/storage",
    Permission.WATCH,
    "The room there is for recordings",
    {200: "the room", 503: "not looked at yet (no_storage)"},
    schema=StorageJson,
)
_RETENTION = Route(
    "GET",
    "/api/v1/retention",
    Permission.REVIEW,
    "Which flights will be deleted, and when; nothing is done",
    {200: "the flights, the first to go first", 503: BUSY},
    schema=Retention,
)
_DELETIONS = Route(
    "GET",
    "/api/v1/deletions",
    Permission.REVIEW,
    "What was deleted, by which rule and by whom",
    {200: "deletions, the newest first", 400: "no such number", 503: BUSY},
    schema=Deletions,
    query={"limit": whole_number(1, DELETIONS_MOST, DELETIONS, "So many at most")},
)
_SWITCH = Route(
    "PUT",
    "/api/v1/aircraft/{aircraft}/recording",
    Permission.KEEP,
    "Switch the recording of an aircraft off, or on again",
    {
        204: "it will be; the page is told by its state",
        400: "nobody who says so",
        404: "no such aircraft",
        429: "this address does so too often",
    },
    body=JSON,
    body_schema=Switch,
    media_type="",
    action=Action.CHANGED,
)
_VIEWINGS = Route(
    "GET",
    "/api/v1/viewings",
    Permission.REVIEW,
    "What viewers saw: first pictures, ages, interruptions; of the last 31 days unless asked otherwise",
    {200: "viewings", 400: "asked for with a time that cannot be", 404: "no such incident", 503: BUSY},
    schema=Viewings,
    query={
        "from_ms": TIME,
        "to_ms": TIME,
        "incident": {"type": "string", "description": "Of its flights, while they lasted"},
    },
)


def add_recording_routes(
    door: Door,
    bus: Bus,
    clock: Clock,
    aircraft: Sequence[Aircraft],
    *,
    recordings: Recordings,
    settings: RecordingSettings,
    reads: DiskReads,
) -> None:
    archive = recordings.archive
    switchable = {each.id for each in aircraft if not each.training}
    pace = Pace(clock, SWITCHES_AT_ONCE, SWITCHES_A_SECOND)

    async def storage(_: web.Request) -> web.Response:
        state = bus.peek(StorageState, "")
        if state is None:
            raise UnavailableError("the disk was not looked at yet", code="no_storage")
        return json_reply(storage_view(state))

    async def retention(_: web.Request) -> web.Response:
        planned = [planned_view(each) for each in await in_time(recordings.keeper.plan())]
        told = Retention(settings.einsatz_days, settings.uebung_days, planned)
        return encoded_reply(await reads.call(msgspec.json.encode, told))

    async def deletions(request: web.Request) -> web.Response:
        limit = asked_number(request, "limit", 1, DELETIONS_MOST, DELETIONS)
        found = await in_time(archive.deletions(limit))
        return encoded_reply(await reads.call(json_list, "deletions", found, deletion_view))

    async def switch(request: web.Request) -> web.Response:
        pace.take(request.remote or "")
        aircraft_id = request.match_info["aircraft"]
        if aircraft_id not in switchable:
            raise NotFoundError("no such aircraft that is recorded")
        wish = await json_body(request, Switch)
        now_ns, by = clock.now_ns(), by_whom(request, wish.by)
        tell_audit(request, on=wish.on)
        bus.publish(RecordingSwitch(f"switch-{secrets.token_hex(8)}", aircraft_id, now_ns, wish.on, by))
        return web.Response(status=204)

    async def viewings(request: web.Request) -> web.Response:
        to_ns = asked_time_ns(request, "to_ms") or clock.now_ns()
        from_ns = asked_time_ns(request, "from_ms")
        since_ns = to_ns - VIEWINGS_NS if from_ns is None else from_ns
        incident_id = asked_text(request, "incident")
        flights = (await incident_flights(archive, incident_id))[1] if incident_id else None
        feeds = tuple({feed.id for flight in flights or () for feed in flight.feeds})
        found = await in_time(archive.viewings(since_ns, to_ns, feeds)) if feeds or flights is None else []
        return encoded_reply(await reads.call(viewings_json, found, flights))

    door.route(_STORAGE, storage)
    door.route(_RETENTION, retention)
    door.route(_DELETIONS, deletions)
    door.route(_SWITCH, switch)
    door.route(_VIEWINGS, viewings)
