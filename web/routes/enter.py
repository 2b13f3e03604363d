"""Coming in by an incident link: no account, a name, and nothing but that incident."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from flow.clock import NS_PER_S, Clock
from flow.errors import MalformedError, UnavailableError
from flow.flights import Incident, IncidentKind
from web.access import Caller, CallerKind, Door, Permission, Route, Scope
from web.access.audit import Action, Entry
from web.access.forwarded import is_secure
from web.access.links import Entered, LinkGoneError, Links
from web.access.policy import GUEST
from web.access.reach import IncidentReach
from web.access.recognise import GUEST_COOKIE, session_of
from web.bodies import JSON, json_body, json_reply
from web.flight_views import Time
from web.markers import checked_text
from web.pace import Pace
from web.views import ms

NAME_MOST = 40
AT_ONCE, A_SECOND = 60, 5.0
"""Of one address: a whole command vehicle may come by one."""

_Token = Annotated[str, Meta(min_length=1, max_length=200, description="What follows /f/ in the address")]


class LinkLook(msgspec.Struct, forbid_unknown_fields=True):
    """What stands behind this link?"""

    token: _Token


class EnterWish(msgspec.Struct, forbid_unknown_fields=True):
    """Let me in, by this name."""

    token: _Token
    name: Annotated[str, Meta(min_length=1, max_length=2 * NAME_MOST, examples=["ELW 1, Meier"])]


@dataclass(frozen=True, slots=True)
class LinkLooked:
    """What a link lets in to."""

    incident: Annotated[str, Meta(description="Its name")]
    kind: IncidentKind
    expires_ms: Time
    title: Annotated[str, Meta(description="Of the installation, as in the bar of every page")]


_GONE = {
    400: "not such a wish",
    404: "the link has expired, was taken back, or its incident is closed (link_gone)",
    429: "this address asks too often",
    503: "the incidents are not known yet, for an instant after the start (starting)",
}
_LOOK = Route(
    "POST",
    "/api/v1/enter/look",
    Permission.PUBLIC,
    "Which incident a link lets in to",
    {200: "the incident"} | _GONE,
    body=JSON,
    body_schema=LinkLook,
    schema=LinkLooked,
    headers=("Cache-Control",),
    scope=Scope.NOTHING,
)
_ENTER = Route(
    "POST",
    "/api/v1/enter",
    Permission.PUBLIC,
    "Come in by a link, with a name that all who watch can see",
    {204: "with a cookie", 409: "too many have come by it (link_full)"} | _GONE,
    media_type="",
    body=JSON,
    body_schema=EnterWish,
    scope=Scope.NOTHING,
)


def add_enter_routes(door: Door, links: Links, reach: IncidentReach, clock: Clock, title: str) -> None:
    pace = Pace(clock, AT_ONCE, A_SECOND)

    def open_incident(token: str) -> tuple[Incident, float]:
        """With when the link expires. Raises LinkGoneError; UnavailableError before incidents are known."""
        link = links.look(token)
        incident = reach.incident(link.incident_id)
        if incident is None and not reach.has_looked:
            raise UnavailableError("the service starts: try again in a moment", code="starting")
        if incident is None or incident.closed_ns is not None:
            raise LinkGoneError
        return incident, ms(link.expires_ns)

    async def look(request: web.Request) -> web.Response:
        pace.take(door.guard.address(request))
        incident, expires_ms = open_incident((await json_body(request, LinkLook)).token)
        response = json_reply(LinkLooked(incident.name, incident.kind, expires_ms, title))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def enter(request: web.Request) -> web.Response:
        pace.take(door.guard.address(request))
        wish = await json_body(request, EnterWish)
        open_incident(wish.token)
        name = checked_text(wish.name, "name", NAME_MOST)
        if not name:
            raise MalformedError("a name is needed: all who watch see it")
        session = session_of(links.book.house_key, request.cookies.get(GUEST_COOKIE, "")) or ""
        entered = await links.enter(wish.token, name, session)
        door.guard.audit.record(_entry(request, door, entered))
        return _welcome(request, entered, clock)

    door.route(_LOOK, look)
    door.route(_ENTER, enter)


def _entry(request: web.Request, door: Door, entered: Entered) -> Entry:
    guest, link = entered.guest, entered.link
    caller = Caller(
        CallerKind.GUEST, guest.id, guest.name, GUEST, link.incident_id, guest.session, link_id=link.id
    )
    named = {"incident": link.incident_id, "link": link.id}
    return Entry(door.guard.now_ns(), caller, door.guard.address(request), Action.ENTERED, _ENTER.path, named)


def _welcome(request: web.Request, entered: Entered, clock: Clock) -> web.Response:
    response = web.Response(status=204)
    response.set_cookie(
        GUEST_COOKIE,
        entered.cookie or request.cookies[GUEST_COOKIE],
        max_age=max(1, (entered.link.expires_ns - clock.now_ns()) // NS_PER_S),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=is_secure(request),
    )
    return response
