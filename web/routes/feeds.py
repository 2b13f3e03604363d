"""What there is to see: feeds, their states, and what the page must know to judge them."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version

from aiohttp import web

from flow.doors import RelayDoor
from flow.errors import NotFoundError
from web.access import Door, Permission, Route, Scope
from web.channel import FeedList
from web.map_background import MapBackground
from web.schemas import FeedDetails, Feeds, PageConfig
from web.settings import Settings
from web.views import Json, ViewerList, viewer_view

_CONFIG = Route(
    "GET",
    "/api/v1/config",
    Permission.WATCH,
    "What the page needs: thresholds of the picture's states, and what lies under the map",
    {200: "settings"},
    schema=PageConfig,
    scope=Scope.NOTHING,
)

_ALL = Route(
    "GET",
    "/api/v1/feeds",
    Permission.WATCH,
    "All feeds with the state of their source, and what is made of their pictures",
    {200: "feeds"},
    schema=Feeds,
    scope=Scope.FILTERED,
)

_ONE = Route(
    "GET",
    "/api/v1/feeds/{feed}",
    Permission.WATCH,
    "One feed with its viewers",
    {200: "the feed", 404: "no such feed"},
    schema=FeedDetails,
)

_VIEWERS = Route(
    "GET",
    "/api/v1/feeds/{feed}/viewers",
    Permission.WATCH,
    "Who watches a feed, and how well its packets arrive there",
    {200: "the viewers", 404: "no such feed"},
    schema=ViewerList,
)


def add_feed_routes(
    door: Door, settings: Settings, feeds: FeedList, relay: RelayDoor, background: MapBackground
) -> None:
    async def config(_: web.Request) -> web.Response:
        return web.json_response(asdict(page_config(settings, background)))

    async def all_feeds(request: web.Request) -> web.Response:
        return web.json_response({"feeds": feeds.view(door.within(request))})

    def asked_for(request: web.Request) -> tuple[Json, Json]:
        """The feed, and {"viewers": [...]} of it; NotFoundError where there is no such feed."""
        feed_id = request.match_info["feed"]
        for view in feeds.view():
            if view["id"] == feed_id:
                viewers = [viewer_view(v) for v in relay.viewers() if v.feed_id == feed_id]
                return view, asdict(ViewerList(viewers))
        raise NotFoundError(f"no feed '{feed_id}'")

    async def one_feed(request: web.Request) -> web.Response:
        view, viewers = asked_for(request)
        return web.json_response(view | viewers)

    async def its_viewers(request: web.Request) -> web.Response:
        _, viewers = asked_for(request)
        return web.json_response(viewers)

    door.route(_CONFIG, config)
    door.route(_ALL, all_feeds)
    door.route(_ONE, one_feed)
    door.route(_VIEWERS, its_viewers)


def page_config(settings: Settings, background: MapBackground) -> PageConfig:
    return PageConfig(
        version("lagebild"),
        settings.server.title,
        recording=settings.recording.enabled,
        thresholds=settings.picture,
        map=background,
    )
