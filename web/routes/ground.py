"""Where a point of the picture is on the ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from flow.clock import NS_PER_MS, Clock
from flow.doors import GroundPoint, TelemetryDoor
from flow.errors import NotFoundError
from web.access import Door, Permission, Route
from web.bodies import JSON, json_body
from web.channel import FeedChannel
from web.ground_views import GroundView, ground_view

Share = Annotated[float, Meta(ge=0, le=1, description="Of the picture's width or height, from left or top")]
Timestamp = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
UtcMs = Annotated[float, Meta(ge=0, le=1e13, description="Milliseconds since the Unix epoch")]

REFUSALS = {
    400: "not such a question",
    404: "no such feed",
    409: "it cannot be told where that is: no_position, no_attitude, no_gimbal, no_height, no_lens, "
    "pose_stale, above_horizon, too_far, no_terrain",
}


class PointInPicture(msgspec.Struct, forbid_unknown_fields=True):
    """A point of a picture: that of the RTP timestamp, else that of the time, else of now."""

    x: Share
    y: Share
    rtp_timestamp: Timestamp | None = None
    utc_ms: UtcMs | None = None


_GROUND = Route(
    "POST",
    "/api/v1/feeds/{feed}/ground",
    Permission.WATCH,
    "Where a point of the picture is on the ground, and how far off that may be",
    {200: "the place"} | REFUSALS,
    body=JSON,
    body_schema=PointInPicture,
    schema=GroundView,
)


class Pointer:
    """Answers where points of pictures are, for everybody who asks by HTTP."""

    def __init__(self, looks: TelemetryDoor, clock: Clock, channels: Mapping[str, FeedChannel]) -> None:
        self._looks, self._clock, self._channels = looks, clock, channels

    def ground(self, feed_id: str, point: PointInPicture) -> GroundPoint:
        """Raises NotFoundError, UnlocatableError."""
        channel = self._channels.get(feed_id)
        if channel is None:
            raise NotFoundError(f"no feed '{feed_id}'")
        if point.rtp_timestamp is not None:
            utc_ns = channel.captured_ns(point.rtp_timestamp)
        elif point.utc_ms is not None:
            utc_ns = round(point.utc_ms * NS_PER_MS)
        else:
            utc_ns = self._clock.now_ns()
        return self._looks.ground(feed_id, point.x, point.y, utc_ns)


def add_ground_routes(door: Door, pointer: Pointer) -> None:
    async def ground(request: web.Request) -> web.Response:
        point = await json_body(request, PointInPicture)
        view = ground_view(pointer.ground(request.match_info["feed"], point))
        return web.Response(body=msgspec.json.encode(view), content_type=JSON)

    door.route(_GROUND, ground)
