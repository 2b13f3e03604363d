"""Publishing from a browser, a phone or an encoder: WHIP sessions (RFC 9725)."""

from __future__ import annotations

import re

from aiohttp import web

from flow.doors import RelayDoor, entity_tag
from flow.errors import OfferError
from web.access import Door, Permission, Route
from web.errors import RequestError
from web.metrics import Refused
from web.routes.live import FRAGMENT, SDP, counted, opened, text_of

_FRAGMENT_LINE = re.compile(r"[a-z]=\S.*")

ENDPOINT = "/live/{feed}/whip"
SESSION = "/live/{feed}/whip/{session}"

_GONE = {404: "the session has ended"}
_REFUSALS = {
    400: "the offer cannot be read",
    401: "the key is missing (key_missing), wrong or withdrawn (key_wrong)",
    403: "the key is another feed's (key_foreign)",
    406: "the offer sends neither H.264 nor H.265",
    409: "somebody else sends (feed_busy), or the feed takes its pictures otherwise (not_pushed)",
    415: "the body is no application/sdp",
    429: "too many sessions of this address are still connecting; see Retry-After",
    503: "the relay starts or stops, too many publishers of the feed are still connecting, or keys cannot be "
    "read (keys_unreadable); see Retry-After",
}
_PATCH = _GONE | {
    400: "the body is no SDP fragment",
    412: "If-Match names another ICE session",
    415: f"the body is no {FRAGMENT}",
    422: "ICE restarts are not supported; the session goes on",
    428: "If-Match is missing",
}


_OFFER = Route(
    "POST",
    ENDPOINT,
    Permission.PUBLISH,
    "Open a publisher's session (WHIP, RFC 9725): the body is an SDP offer that sends H.264 or "
    "H.265, the feed's key a bearer token, or `key` in the address",
    {201: "the SDP answer; Location names the session"} | _REFUSALS,
    media_type=SDP,
    body=SDP,
    headers=("Location", "ETag"),
    keyed=True,
)

_OPTIONS = Route(
    "OPTIONS",
    ENDPOINT,
    Permission.PUBLISH,
    "What may be posted",
    {200: "in Accept-Post"},
    media_type="",
    headers=("Accept-Post",),
)

_TRICKLE = Route(
    "PATCH", SESSION, Permission.PUBLISH, "Trickle ICE (RFC 8840)", {204: "accepted"} | _PATCH, body=FRAGMENT
)

_LEAVE = Route(
    "DELETE", SESSION, Permission.PUBLISH, "End a publisher's session", {200: "ended"} | _GONE, media_type=""
)


def add_publish_routes(door: Door, relay: RelayDoor, refused: Refused) -> None:
    async def offer(request: web.Request) -> web.Response:
        feed_id = request.match_info["feed"]
        with counted(refused, feed_id):
            offered = await text_of(request, SDP)
            answer = await relay.publish(feed_id, key_of(request), offered, request.remote or "")
        return opened(request, answer)

    async def options(_: web.Request) -> web.Response:
        return web.Response(headers={"Accept-Post": SDP})

    def session_of(request: web.Request) -> str:
        """Whoever knows it may end it (RFC 9725 4.2): a publisher's of this feed, and no viewer's."""
        session_id = request.match_info["session"]
        relay.check_publisher(session_id, request.match_info["feed"])
        return session_id

    async def trickle(request: web.Request) -> web.Response:
        session_id = session_of(request)
        fragment = await text_of(request, FRAGMENT)
        if not all(_FRAGMENT_LINE.fullmatch(line) for line in fragment.splitlines() if line):
            raise OfferError("the body is no SDP fragment (RFC 8840 9)")
        await relay.trickle(session_id, fragment)
        check_ice_session(request.headers.get("If-Match"), session_id)
        return web.Response(status=204)

    async def leave(request: web.Request) -> web.Response:
        await relay.close(session_of(request))
        return web.Response(status=200)

    door.route(_OFFER, offer)
    door.route(_OPTIONS, options)
    door.route(_TRICKLE, trickle)
    door.route(_LEAVE, leave)


def key_of(request: web.Request) -> str:
    """The publisher's key: as bearer token (RFC 9725 4.7), or in the address, which a phone can scan."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.query.get("key", "")


def check_ice_session(if_match: str | None, session_id: str) -> None:
    """Raise what RFC 9725 4.3 answers to a PATCH that is not about the ICE session there is."""
    if if_match is None:
        told = "If-Match is missing: it names the session's ETag (RFC 9725 4.3.2)"
        raise RequestError(told, code="if_match", status=428)
    if if_match == "*":
        told = "ICE is not restarted here: end this session and open another (RFC 9725 4.3.1)"
        raise RequestError(told, code="ice_restart", status=422)
    if if_match != entity_tag(session_id):
        told = "If-Match is not the session's ETag (RFC 9725 4.3.2)"
        raise RequestError(told, code="if_match", status=412)
