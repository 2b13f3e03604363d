"""The pilot's side: how each feed is reached, whether it arrives, and keys made and withdrawn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from flow.clock import Clock
from flow.errors import ConfigError, LagebildError, NotFoundError
from ingest.settings import PUSHED
from web.access import Door, Permission, Route, origin_url
from web.access.audit import Action
from web.bodies import JSON, json_body
from web.feed_history import FeedHistory, FeedPast
from web.pilot_views import NewKey, PilotDesk, PilotView, Withdrawn
from web.settings import FeedSettings
from web.views import ms

log = logging.getLogger("lagebild.web")

T = TypeVar("T")

_NEVER_KEPT = {"Cache-Control": "no-store"}


_KEYS = "/api/v1/feeds/{feed}/keys"

_REFUSALS = {
    403: "asked for by a page of another site",
    404: "no such feed",
    500: "the keys cannot be read or written (keys_unusable)",
}


class KeyWish(msgspec.Struct, forbid_unknown_fields=True):
    """May be left out."""

    rotate: Annotated[
        bool,
        Meta(
            description="The new key takes the place of all others: they let nobody in any more, but whoever "
            "sends with one of them goes on until he ends"
        ),
    ] = False


_OVERVIEW = Route(
    "GET",
    "/api/v1/pilot",
    Permission.CONNECT,
    "How each feed is reached and whether it arrives; no secret is in it",
    {200: "aircraft with their feeds"},
    schema=PilotView,
    headers=tuple(_NEVER_KEPT),
)

_MAKE = Route(
    "POST",
    _KEYS,
    Permission.CONNECT,
    "Make a key for whoever publishes to a feed: it is told this once",
    {201: "the key, and the addresses that hold it", 400: "a body that says something else"}
    | _REFUSALS
    | {409: "the feed is not pushed (not_pushed), or has its most keys (keys_full)"},
    body=JSON,
    body_schema=KeyWish,
    schema=NewKey,
    headers=tuple(_NEVER_KEPT),
    action=Action.MADE,
)

_WITHDRAW = Route(
    "DELETE",
    _KEYS,
    Permission.CONNECT,
    "Withdraw all keys of a feed; whoever publishes to it is cut off",
    {200: "how many there were"} | _REFUSALS | {409: "the feed is not pushed (not_pushed)"},
    schema=Withdrawn,
    headers=tuple(_NEVER_KEPT),
    action=Action.REVOKED,
)


_PAST = Route(
    "GET",
    "/api/v1/feeds/{feed}/history",
    Permission.CONNECT,
    "Bit rate, picture rate and age of a feed's pictures in the last minutes, second by second",
    {200: "its past", 404: "no such feed"},
    schema=FeedPast,
    headers=tuple(_NEVER_KEPT),
)


def add_pilot_routes(
    door: Door, desk: PilotDesk, history: FeedHistory, clock: Clock, dismiss: Callable[[str], None]
) -> None:
    """`dismiss` ends the publication of a feed whose keys are withdrawn."""

    one_at_a_time = asyncio.Lock()  # a flood of wishes takes one thread and no more

    async def overview(request: web.Request) -> web.Response:
        return _told(await desk.view(origin_url(request), ms(clock.now_ns())))

    async def past(request: web.Request) -> web.Response:
        return _told(history.past(known(request).id))

    async def make(request: web.Request) -> web.Response:
        feed = pushed(request)
        rotate = request.body_exists and (await json_body(request, KeyWish)).rotate
        async with one_at_a_time:
            key = await _on_disk(lambda: desk.new_key(feed, origin_url(request), rotate=rotate))
        return _told(key, status=201)

    async def withdraw(request: web.Request) -> web.Response:
        feed = pushed(request)
        async with one_at_a_time:
            withdrawn = await _on_disk(lambda: desk.withdraw(feed))
            dismiss(feed.id)
        return _told(withdrawn)

    def known(request: web.Request) -> FeedSettings:
        feed_id = request.match_info["feed"]
        feed = desk.feed(feed_id)
        if feed is None:
            raise NotFoundError(f"no feed '{feed_id}'")
        return feed

    def pushed(request: web.Request) -> FeedSettings:
        feed = known(request)
        if feed.source not in PUSHED:
            kind = feed.source.partition(":")[0]
            raise LagebildError(f"feed '{feed.id}' takes its pictures from {kind}: no key", code="not_pushed")
        return feed

    door.route(_OVERVIEW, overview)
    door.route(_PAST, past)
    door.route(_MAKE, make)
    door.route(_WITHDRAW, withdraw)


def _told(view: Any, status: int = 200) -> web.Response:
    return web.json_response(asdict(view), status=status, headers=_NEVER_KEPT)


async def _on_disk(change: Callable[[], T]) -> T:
    """The disk may take its time, and pictures of all feeds pass through this thread: in another one."""
    try:
        return await asyncio.to_thread(change)
    except ConfigError as error:
        log.error("%s", error)  # where the keys lie is not for strangers
        raise ConfigError(
            "the keys cannot be read or written: the log says why", code="keys_unusable"
        ) from None
