"""Stills: the newest picture of a feed in full resolution."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web

from flow.clock import NS_PER_S
from flow.doors import IngestDoor, Still
from web.access import Door, Permission, Route

HEADERS = (
    "Cache-Control",
    "Content-Disposition",
    "Last-Modified",
    "X-Lagebild-Age-Ms",
    "X-Lagebild-Picture",
    "X-Lagebild-Time-Origin",
)
"""What `headers_of` tells."""


def add_still_routes(door: Door, ingest: IngestDoor) -> None:
    async def still(request: web.Request) -> web.Response:
        picture = await ingest.still(request.match_info["feed"])
        return web.Response(body=picture.jpeg, content_type="image/jpeg", headers=headers_of(picture))

    door.route(
        Route(
            "GET",
            "/api/v1/feeds/{feed}/still.jpg",
            Permission.WATCH,
            "The newest picture in full resolution, with time and place (EXIF)",
            {
                200: "the picture",
                404: "no such feed",
                503: "no picture has come yet, or it cannot be decoded just now; see Retry-After",
            },
            media_type="image/jpeg",
            headers=HEADERS,
        ),
        still,
    )


def headers_of(still: Still) -> dict[str, str]:
    """What there is to know of a still without reading its EXIF."""
    taken = datetime.fromtimestamp(still.utc_ns // NS_PER_S, UTC)
    millis = still.utc_ns % NS_PER_S // 1_000_000
    name = f"lagebild-{still.feed_id}-{taken:%Y%m%dT%H%M%S}.{millis:03d}Z.jpg"
    return {
        "Cache-Control": "no-store",
        "Last-Modified": format_datetime(taken, usegmt=True),
        "Content-Disposition": f'inline; filename="{name}"',
        "X-Lagebild-Age-Ms": f"{still.age_ms:.0f}",
        "X-Lagebild-Picture": "newest" if still.warm else "keyframe",
        "X-Lagebild-Time-Origin": str(still.utc_origin),
    }
