"""Watching: WHEP sessions (draft-ietf-wish-whep-03)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from aiohttp import web

from flow.doors import Answer, RelayDoor
from flow.errors import LagebildError, OfferError
from flow.units import Rendition
from relay.sdp import MAX_OFFER_BYTES
from web.access import Door, Permission, Route, caller_of
from web.access.audit import Action
from web.bodies import JSON, json_body
from web.errors import RequestError
from web.metrics import Refused
from web.views import RenditionView, rendition_view
from web.whep_sessions import WhepSessions

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

MAX_WISH_BYTES = 1024


class RenditionWish(msgspec.Struct, forbid_unknown_fields=True):
    """Which rendition to pin the viewer to; null: its way decides."""

    rendition: Rendition | None


_SESSION = "/live/{feed}/whep/{session}"

_GONE = {404: "the session has ended"}

_REFUSALS = {
    400: "the offer cannot be answered",
    404: "no such feed",
    415: "the body is no application/sdp",
    429: "this address has its most viewers, or viewers connecting; Retry-After says when to ask again",
    503: "the feed has its most viewers, or viewers connecting, or the relay starts; see Retry-After",
}

_OFFER = Route(
    "POST",
    "/live/{feed}/whep",
    Permission.WATCH,
    "Open a viewer session (WHEP, draft-ietf-wish-whep-03): the body is an SDP offer",
    {201: "the SDP answer; Location names the session"} | _REFUSALS,
    media_type=SDP,
    body=SDP,
    headers=("Location", "ETag"),
    action=Action.WATCHED,
)

_TRICKLE = Route(
    "PATCH",
    _SESSION,
    Permission.WATCH,
    "Trickle ICE (RFC 8840): accepted; the viewer's own checks tell its address",
    {204: "accepted", 415: f"the body is no {FRAGMENT}"} | _GONE,
    body=FRAGMENT,
)

_LEAVE = Route(
    "DELETE", _SESSION, Permission.WATCH, "End a viewer session", {200: "ended"} | _GONE, media_type=""
)

_RENDITION = Route(
    "GET",
    f"{_SESSION}/rendition",
    Permission.WATCH,
    "Which version of the feed this viewer is sent",
    {200: "what it is sent, and what it can be"} | _GONE,
    schema=RenditionView,
)

_CHOOSE = Route(
    "PUT",
    f"{_SESSION}/rendition",
    Permission.WATCH,
    'Pin this viewer: {"rendition": "low"}; or let its way decide: {"rendition": null}',
    {200: "what it is sent from the next keyframe on", 400: "not such a wish"}
    | {409: "this viewer cannot be sent that"}
    | _GONE,
    body=JSON,
    body_schema=RenditionWish,
    schema=RenditionView,
)


def add_live_routes(door: Door, relay: RelayDoor, refused: Refused, sessions: WhepSessions) -> None:
    def own(request: web.Request) -> str:
        """The session's id. Raises NotFoundError for one of another caller, or another feed."""
        session_id = request.match_info["session"]
        sessions.check(caller_of(request), session_id, request.match_info["feed"])
        return session_id

    async def offer(request: web.Request) -> web.Response:
        feed_id, address = request.match_info["feed"], door.guard.address(request)
        with counted(refused, feed_id):
            offered = await text_of(request, SDP)
            answer = await sessions.open(caller_of(request), feed_id, offered, address)
        return opened(request, answer)

    async def trickle(request: web.Request) -> web.Response:
        fragment = await text_of(request, FRAGMENT)
        await relay.trickle(own(request), fragment)
        return web.Response(status=204)

    async def leave(request: web.Request) -> web.Response:
        await relay.close(own(request))
        return web.Response(status=200)

    async def rendition(request: web.Request) -> web.Response:
        return _json(rendition_view(relay.rendition(own(request))))

    async def choose(request: web.Request) -> web.Response:
        wish = await json_body(request, RenditionWish, MAX_WISH_BYTES)
        return _json(rendition_view(relay.choose(own(request), wish.rendition)))

    door.route(_OFFER, offer)
    door.route(_TRICKLE, trickle)
    door.route(_LEAVE, leave)
    door.route(_RENDITION, rendition)
    door.route(_CHOOSE, choose)


@contextmanager
def counted(refused: Refused, feed_id: str) -> Iterator[None]:
    """Whoever is refused in here counts as that, where there is such a feed."""
    try:
        yield
    except LagebildError as error:
        if feed_id in refused:
            refused[feed_id][error.code] += 1
        raise


def opened(request: web.Request, answer: Answer) -> web.Response:
    """What WHEP and WHIP (RFC 9725 4.2) say to an offer that was taken."""
    location = f"{request.path}/{answer.session_id}"
    headers = {"Location": location, "ETag": answer.etag}
    return web.Response(status=201, text=answer.sdp, content_type=SDP, headers=headers)


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type=JSON)


async def text_of(request: web.Request, content_type: str) -> str:
    """The body, which must be of that type and no larger than an offer. Raises RequestError, OfferError."""
    if request.content_type != content_type:
        told = f"Content-Type is {request.content_type}; it must be {content_type}"
        raise RequestError(told, code="media_type", status=415)
    if (request.content_length or 0) > MAX_OFFER_BYTES:
        raise OfferError(f"the body has {request.content_length} bytes; {MAX_OFFER_BYTES} are the limit")
    try:
        return await request.text()
    except (UnicodeDecodeError, LookupError):
        raise OfferError("the body is not UTF-8, or names a charset that does not exist") from None
