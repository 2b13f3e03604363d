"""Watching: WHEP sessions (draft-ietf-wish-whep-03)."""

from __future__ import annotations

from aiohttp import web

from flow.doors import RelayDoor
from flow.errors import LagebildError, OfferError
from relay.sdp import MAX_OFFER_BYTES
from web.access import Door, Permission, Route
from web.errors import RequestError
from web.metrics import Refused

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"


def add_live_routes(door: Door, relay: RelayDoor, refused: Refused) -> None:
    async def offer(request: web.Request) -> web.Response:
        feed_id = request.match_info["feed"]
        try:
            answer = await relay.answer(feed_id, await text_of(request, SDP), request.remote or "")
        except LagebildError as error:
            if feed_id in refused:
                refused[feed_id][error.code] += 1
            raise
        return web.Response(
            status=201,
            text=answer.sdp,
            content_type=SDP,
            headers={"Location": f"{request.path}/{answer.session_id}", "ETag": answer.etag},
        )

    async def trickle(request: web.Request) -> web.Response:
        await relay.trickle(request.match_info["session"], await text_of(request, FRAGMENT))
        return web.Response(status=204)

    async def leave(request: web.Request) -> web.Response:
        await relay.close(request.match_info["session"])
        return web.Response(status=200)

    session = "/live/{feed}/whep/{session}"
    gone = {404: "the session has ended"}
    refusals = {
        400: "the offer cannot be answered",
        404: "no such feed",
        409: "the feed's codec is not relayed",
        415: "the body is no application/sdp",
        429: "this address has its most viewers, or viewers connecting; Retry-After says when to ask again",
        503: "the feed has its most viewers, or viewers connecting, or the relay starts; see Retry-After",
    }
    door.route(
        Route(
            "POST",
            "/live/{feed}/whep",
            Permission.WATCH,
            "Open a viewer session (WHEP, draft-ietf-wish-whep-03): the body is an SDP offer",
            {201: "the SDP answer; Location names the session"} | refusals,
            media_type=SDP,
            body=SDP,
        ),
        offer,
    )
    door.route(
        Route(
            "PATCH",
            session,
            Permission.WATCH,
            "Trickle ICE (RFC 8840): accepted; the viewer's own checks tell its address",
            {204: "accepted", 415: f"the body is no {FRAGMENT}"} | gone,
            body=FRAGMENT,
        ),
        trickle,
    )
    door.route(
        Route("DELETE", session, Permission.WATCH, "End a viewer session", {200: "ended"} | gone), leave
    )


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
