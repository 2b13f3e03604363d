"""The alarms that stand."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from web.access import Door, Permission, Route, Scope
from web.alarms import AlarmBoard, Alarms

_STANDING = Route(
    "GET",
    "/api/v1/alarms",
    Permission.WATCH,
    "The alarms of all aircraft that stand now, the oldest first",
    {200: "the alarms"},
    schema=Alarms,
    scope=Scope.FILTERED,
)


def add_alarm_routes(door: Door, board: AlarmBoard) -> None:
    async def standing(request: web.Request) -> web.Response:
        return web.json_response(asdict(board.standing(door.within(request))))

    door.route(_STANDING, standing)
