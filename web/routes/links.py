"""Incident links: made, listed, shown as QR code, taken back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from flow.errors import LagebildError, NotFoundError
from flow.flights import Incident
from web.access import Door, Permission, Route, caller_of
from web.access.audit import Action
from web.access.book import Book, Link
from web.access.forwarded import origin_url
from web.access.links import HOURS_LEAST, HOURS_MOST, Links
from web.access.reach import IncidentReach
from web.archive_calls import in_time
from web.bodies import JSON, json_body, json_reply
from web.flight_views import Time
from web.markers import MOST_CHARACTERS, checked_text
from web.qr_codes import qr_svg
from web.views import ms

ENTRANCE = "/f"
_HEADERS = {"Cache-Control": "no-store"}

_Note = Annotated[str, Meta(max_length=2 * MOST_CHARACTERS, description="For whom it is", examples=["ELW 1"])]
_Hours = Annotated[float, Meta(ge=HOURS_LEAST, le=HOURS_MOST, description="null: as the settings say")]


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """For whoever is to watch an incident without an account."""

    note: _Note = ""
    hours: _Hours | None = None


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link to an incident, and who came by it."""

    id: str
    note: str
    url: Annotated[str, Meta(description="Lets whoever holds it watch; empty: it lets nobody in any more")]
    created_ms: Time
    expires_ms: Time
    by: Annotated[str, Meta(description="Who made it")]
    revoked_ms: Annotated[Time | None, Meta(description="null: it was not taken back")]
    guests: Annotated[int, Meta(description="How many came by it, without those who were let go of")]


@dataclass(frozen=True, slots=True)
class LinkList:
    """The newest first."""

    links: list[LinkView]


_ALL = "/api/v1/incidents/{incident}/links"
_ONE = f"{_ALL}/{{link}}"
_NO_LINK = {404: "no such incident, or no such link of it"}

_LIST = Route(
    "GET",
    _ALL,
    Permission.SHARE,
    "The links of an incident",
    {200: "the links", 404: "no such incident"},
    schema=LinkList,
    headers=tuple(_HEADERS),
)
_MAKE = Route(
    "POST",
    _ALL,
    Permission.SHARE,
    "Make a link that shows an incident's feeds to whoever holds it, also before there are any",
    {
        201: "the link",
        400: "not such a wish",
        404: "no such incident",
        409: "the incident is closed (incident_closed), or has its most links (links_full)",
    },
    body=JSON,
    body_schema=NewLink,
    schema=LinkView,
    headers=tuple(_HEADERS),
    action=Action.MADE,
)
_REVOKE = Route(
    "DELETE",
    _ONE,
    Permission.SHARE,
    "Take a link back: whoever came by it sees nothing more, at once",
    {204: "taken back"} | _NO_LINK,
    media_type="",
    action=Action.REVOKED,
)
_QR = Route(
    "GET",
    f"{_ONE}/qr.svg",
    Permission.SHARE,
    "A link's address as QR code",
    {200: "the code"} | _NO_LINK,
    media_type="image/svg+xml",
    headers=tuple(_HEADERS),
)


def add_link_routes(door: Door, links: Links, reach: IncidentReach, hours: float) -> None:
    """`hours`: how long a link lets in where nothing else is said."""

    async def incident_of(request: web.Request) -> Incident:
        """Raises NotFoundError."""
        incident_id = request.match_info["incident"]
        if reach.incident(incident_id) is None:
            await in_time(reach.refresh())  # another process may have opened it just now
        incident = reach.incident(incident_id)
        if incident is None:
            raise NotFoundError("there is no such incident")
        return incident

    def view(request: web.Request, link: Link) -> LinkView:
        return LinkView(
            link.id,
            link.note,
            address(request, link) if links.is_valid(link) else "",
            ms(link.created_ns),
            ms(link.expires_ns),
            name_of(links.book, link.by),
            None if link.revoked_ns is None else ms(link.revoked_ns),
            links.guests(link),
        )

    def address(request: web.Request, link: Link) -> str:
        return f"{origin_url(request)}{ENTRANCE}/{links.token(link)}"

    async def listed(request: web.Request) -> web.Response:
        incident = await incident_of(request)
        return _told(LinkList([view(request, link) for link in links.of(incident.id)]))

    async def make(request: web.Request) -> web.Response:
        wish, incident = await json_body(request, NewLink), await incident_of(request)
        if incident.closed_ns is not None:
            raise LagebildError("this incident is closed: open it again first", code="incident_closed")
        note = checked_text(wish.note, "note")
        by = caller_of(request).id
        link = await links.make(incident.id, hours if wish.hours is None else wish.hours, note, by)
        return _told(view(request, link), 201)

    async def revoke(request: web.Request) -> web.Response:
        await links.revoke(request.match_info["incident"], request.match_info["link"])
        return web.Response(status=204)

    async def code(request: web.Request) -> web.Response:
        link = links.one(request.match_info["incident"], request.match_info["link"])
        if not links.is_valid(link):
            raise NotFoundError("this link lets nobody in any more", code="link_gone")
        drawn = await asyncio.to_thread(qr_svg, address(request, link))
        return web.Response(body=drawn, content_type="image/svg+xml", headers=_HEADERS)

    door.route(_LIST, listed)
    door.route(_MAKE, make)
    door.route(_REVOKE, revoke)
    door.route(_QR, code)


def name_of(book: Book, caller_id: str) -> str:
    """Of who made something; "": nobody who is known (any more), or somebody at this machine."""
    if caller_id in book.accounts:
        return book.accounts[caller_id].name
    return next((token.name for token in book.tokens.values() if token.id == caller_id), "")


def _told(view: object, status: int = 200) -> web.Response:
    response = json_reply(view, status)
    response.headers.update(_HEADERS)
    return response
