"""What there is to see: feeds, their states, and what the page must know to judge them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from aiohttp import web

from flow.doors import RelayDoor
from flow.errors import NotFoundError
from web.access import Door, Permission, Route
from web.channel import FeedList
from web.settings import Settings


def add_feed_routes(door: Door, settings: Settings, feeds: FeedList, relay: RelayDoor) -> None:
    async def config(_: web.Request) -> web.Response:
        return web.json_response(page_config(settings))

    async def all_feeds(_: web.Request) -> web.Response:
        return web.json_response({"feeds": feeds.view()})

    async def one_feed(request: web.Request) -> web.Response:
        feed_id = request.match_info["feed"]
        for view in feeds.view():
            if view["id"] == feed_id:
                viewers = [_viewer(v) for v in relay.viewers() if v.feed_id == feed_id]
                return web.json_response(view | {"viewers": viewers})
        raise NotFoundError(f"no feed '{feed_id}'")

    watch = Permission.WATCH
    door.route(
        Route(
            "GET",
            "/api/v1/config",
            watch,
            "What the page needs: thresholds of the picture's states",
            {200: "settings"},
        ),
        config,
    )
    door.route(
        Route("GET", "/api/v1/feeds", watch, "All feeds with the state of their source", {200: "feeds"}),
        all_feeds,
    )
    door.route(
        Route(
            "GET",
            "/api/v1/feeds/{feed}",
            watch,
            "One feed with its viewers",
            {200: "the feed", 404: "no such feed"},
        ),
        one_feed,
    )


def page_config(settings: Settings) -> dict[str, Any]:
    picture = settings.picture
    return {
        "version": version("lagebild"),
        "title": settings.server.title,
        "recording": False,
        "thresholds": {
            "live_age_ms": picture.live_age_ms,
            "freeze_ms": picture.freeze_ms,
            "lost_ms": picture.lost_ms,
            "recover_ms": picture.recover_ms,
        },
    }


def _viewer(report: Any) -> dict[str, Any]:
    return {
        "state": report.state,
        "connected_ms": round(report.connected_ms),
        "pictures_sent": report.pictures_sent,
        "pictures_dropped": report.pictures_dropped,
        "bytes_sent": report.bytes_sent,
    }
