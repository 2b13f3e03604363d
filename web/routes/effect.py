"""The measured effect of an incident."""

from __future__ import annotations

from aiohttp import web

from flow.clock import Clock
from recordings.archive import Archive
from web.access import Door, Permission, Route
from web.access.audit import Action
from web.archive_calls import DiskReads
from web.bodies import encoded_reply
from web.effect import EffectView, seen
from web.routes.flights import BUSY

_PATH = "/api/v1/incidents/{incident}/effect"
_ANSWERS = {200: "the effect", 404: "no such incident", 503: BUSY}

_SHOW = Route(
    "GET",
    _PATH,
    Permission.REVIEW,
    "How soon viewers of an incident saw a picture, how long, how old it was, what was interrupted",
    _ANSWERS,
    schema=EffectView,
)
_CSV = Route(
    "GET",
    f"{_PATH}.csv",
    Permission.REVIEW,
    "The same as a table, one line for each stay",
    _ANSWERS,
    media_type="text/csv",
    headers=("Cache-Control", "Content-Disposition"),
    action=Action.DOWNLOADED,
)


def add_effect_routes(door: Door, archive: Archive, clock: Clock, reads: DiskReads) -> None:
    async def show(request: web.Request) -> web.Response:
        found = await seen(archive, request.match_info["incident"], clock.now_ns())
        return encoded_reply(await reads.call(found.json))

    async def table(request: web.Request) -> web.Response:
        found = await seen(archive, request.match_info["incident"], clock.now_ns())
        name = f'attachment; filename="{found.incident.id}-effect.csv"'
        return web.Response(
            body=await reads.call(found.csv),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": name, "Cache-Control": "no-store"},
        )

    door.route(_SHOW, show)
    door.route(_CSV, table)
