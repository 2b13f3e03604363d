"""The package of map tiles that lies on our disk."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from flow.errors import NotFoundError
from web.access import Door, Permission, Route, Scope
from web.map_background import PACKAGE_PATH

PACKAGE_TYPE = "application/vnd.pmtiles"

_PACKAGE = Route(
    "GET",
    PACKAGE_PATH,
    Permission.WATCH,
    "The map's background as PMTiles, to be read by Range",
    {200: "the whole package", 206: "a part of it", 404: "it is not there any more", 416: "no such part"},
    media_type=PACKAGE_TYPE,
    scope=Scope.NOTHING,
)


def add_map_routes(door: Door, package: Path) -> None:
    async def part(_: web.Request) -> web.FileResponse:
        if not package.is_file():
            raise NotFoundError("the map's package is not there any more")
        return web.FileResponse(package, headers={"Content-Type": PACKAGE_TYPE, "Cache-Control": "no-cache"})

    door.route(_PACKAGE, part)
