"""Who watches, and letting go of a guest."""

from __future__ import annotations

from aiohttp import web

from web.access import Door, Permission, Route, Scope
from web.access.audit import Action
from web.access.links import Links
from web.bodies import json_reply
from web.present import People, PresentBoard

_PRESENT = Route(
    "GET",
    "/api/v1/present",
    Permission.WATCH,
    "Who watches the feeds that you may watch; a feed's WebSocket tells it as 'present'",
    {200: "the people and machines"},
    schema=People,
    headers=("Cache-Control",),
    scope=Scope.FILTERED,
)
_DISMISS = Route(
    "DELETE",
    "/api/v1/present/{guest}",
    Permission.SHARE,
    "Let go of one guest: pictures and telemetry end at once. Whoever still has the link can come again",
    {204: "gone", 404: "no such guest (any more)"},
    media_type="",
    scope=Scope.HOUSE,
    action=Action.REVOKED,
)


def add_present_routes(door: Door, board: PresentBoard, links: Links) -> None:
    async def present(request: web.Request) -> web.Response:
        response = json_reply(board.people(door.within(request)))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def dismiss(request: web.Request) -> web.Response:
        await links.dismiss(request.match_info["guest"])
        return web.Response(status=204)

    door.route(_PRESENT, present)
    door.route(_DISMISS, dismiss)
