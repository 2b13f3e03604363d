"""Stills: the newest picture of a feed in full resolution."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web

from flow.clock import NS_PER_S
from flow.doors import IngestDoor, Still
from flow.units import UtcOrigin
from web.access import Door, Permission, Route
from web.access.audit import Action

JPEG = "image/jpeg"
PICTURE_HEADERS = ("Cache-Control", "Content-Disposition", "Last-Modified", "X-Lagebild-Time-Origin")
"""What `picture_headers` tells."""
HEADERS = (*PICTURE_HEADERS, "X-Lagebild-Age-Ms", "X-Lagebild-Picture")
"""What `headers_of` tells."""


def add_still_routes(door: Door, ingest: IngestDoor) -> None:
    async def still(request: web.Request) -> web.Response:
        picture = await ingest.still(request.match_info["feed"])
        return web.Response(body=picture.jpeg, content_type=JPEG, headers=headers_of(picture))

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
            media_type=JPEG,
            headers=HEADERS,
            action=Action.TOOK_STILL,
        ),
        still,
    )


def headers_of(still: Still) -> dict[str, str]:
    """What there is to know of a still without reading its EXIF."""
    return picture_headers(still.feed_id, still.utc_ns, still.utc_origin) | {
        "X-Lagebild-Age-Ms": f"{still.age_ms:.0f}",
        "X-Lagebild-Picture": "newest" if still.warm else "keyframe",
    }


def picture_headers(feed_id: str, utc_ns: int, utc_origin: UtcOrigin) -> dict[str, str]:
    """Of a picture that was taken then, live or long ago."""
    taken = datetime.fromtimestamp(utc_ns // NS_PER_S, UTC)
    millis = utc_ns % NS_PER_S // 1_000_000
    name = f"lagebild-{feed_id}-{taken:%Y%m%dT%H%M%S}.{millis:03d}Z.jpg"
    return {
        "Cache-Control": "no-store",
        "Last-Modified": format_datetime(taken, usegmt=True),
        "Content-Disposition": f'inline; filename="{name}"',
        "X-Lagebild-Time-Origin": str(utc_origin),
    }
