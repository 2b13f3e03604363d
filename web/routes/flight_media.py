"""What was recorded of a flight: pictures with their index, and telemetry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
from aiohttp import web

from flow.bus import Bus
from flow.errors import NotFoundError
from flow.flights import ID_PATTERN, Aircraft
from flow.recording import RecordingState
from recordings.folders import TLOG_FILE, flight_folder, segment_name
from recordings.segment_indexes import SegmentIndexes
from web.access import Door, Permission, Route
from web.access.audit import Action
from web.archive_calls import DiskReads
from web.asked import TIME, asked_time_ns
from web.bodies import JSON
from web.byte_ranges import OpenFile, send_file
from web.errors import RequestError
from web.flight_index import IndexView, RecordedFeed, Stretch, index_view, read_feed
from web.renditions import WebRenditions
from web.routes.flights import GONE, ONE
from web.thumbnails import Thumbnails
from web.web_pieces import web_index_view

VIDEO, JPEG, BYTES = "video/mp4", "image/jpeg", "application/octet-stream"

_View = Callable[[RecordedFeed, Stretch | None], IndexView]

_WEB_PIECE = f"{ONE}/feeds/{{feed}}/web/{{number}}-{{piece}}.mp4"
_SEGMENT = f"{ONE}/feeds/{{feed}}/segments/{{number}}.mp4"
_THUMBNAIL = f"{ONE}/thumbnail.jpg"
_TLOG = f"{ONE}/telemetry.tlog"
_ACTIONS: dict[str, Action | None] = {
    _THUMBNAIL: None,  # the list of flights shows a hundred
    _TLOG: Action.DOWNLOADED,
}
_FILE_HEADERS = ("Cache-Control", "ETag", "Last-Modified")
_DAMAGED = {400: "asked for with a time that cannot be", 409: "it cannot be read (recording_damaged)"}
_FILE = {
    200: "all of it, as far as it is whole",
    206: "the part that Range asks for",
    409: _DAMAGED[409],
    416: "there is no such part",
} | GONE
_WHEN = {"from_ms": TIME, "to_ms": TIME}
_RENDITION = {
    "rendition": {
        "type": "string",
        "enum": ["source", "web"],
        "default": "source",
        "description": "As it was recorded, or as H.264 that every browser plays, made piece by piece",
    }
}

_INDEX = Route(
    "GET",
    f"{ONE}/feeds/{{feed}}",
    Permission.REVIEW,
    "Where the pictures of a feed are; fragments of the stretch that is asked for, an hour at most",
    {200: "segments"} | _DAMAGED | GONE,
    schema=IndexView,
    query=_WHEN | _RENDITION,
    action=Action.OPENED,
)
_RUNNING = Route(
    "GET",
    "/api/v1/feeds/{feed}/recording",
    Permission.REWIND,
    "The same of the flight that is being recorded",
    {200: "segments"} | _DAMAGED | GONE | {404: "no such feed, or no flight is recorded (no_flight)"},
    schema=IndexView,
    query=_WHEN,
    action=Action.OPENED,
)


def _file(method: str, path: str, summary: str, media_type: str, *more: str) -> Route:
    is_head = method == "HEAD"
    answers = {status: text for status, text in _FILE.items() if not is_head or status not in (206, 416)}
    return Route(
        method,
        path,
        Permission.REVIEW,
        f"{summary}: what GET would answer" if is_head else f"{summary}; Range is understood",
        answers,
        media_type="" if is_head else media_type,
        headers=(*_FILE_HEADERS, *more),
        action=None if is_head else _ACTIONS.get(path, Action.OPENED),
    )


class FlightMedia:
    """Reads flights' folders. No path of a request gets there unchecked."""

    def __init__(
        self,
        root: Path,
        bus: Bus,
        aircraft: Sequence[Aircraft],
        reads: DiskReads,
        renditions: WebRenditions,
    ) -> None:
        self._root, self._bus, self._reads = root, bus, reads
        self._owners: Mapping[str, str] = {feed.id: each.id for each in aircraft for feed in each.feeds}
        self._indexes = SegmentIndexes()
        self._thumbnails, self._renditions = Thumbnails(root, reads), renditions

    async def index(self, request: web.Request) -> web.Response:
        folder = flight_folder(self._root, request.match_info["flight"])
        return await self._index(request, folder)

    async def running(self, request: web.Request) -> web.Response:
        state = self._bus.peek(RecordingState, self._owners.get(request.match_info["feed"], ""))
        if state is None or not state.flight_id:
            raise NotFoundError("no flight is being recorded", code="no_flight")
        return await self._index(request, flight_folder(self._root, state.flight_id))

    async def _index(self, request: web.Request, folder: Path) -> web.Response:
        feed_id, stretch, view = _feed_of(request), _stretch_of(request), _view_of(request)
        body = await self._reads.call(_index_json, folder, feed_id, self._indexes, stretch, view)
        return web.Response(body=body, content_type=JSON)

    async def segment(self, request: web.Request) -> web.StreamResponse:
        folder = flight_folder(self._root, request.match_info["flight"])
        path = folder / segment_name(_feed_of(request), _number_of(request))
        opened = partial(_open_segment, path, self._indexes)
        return await send_file(request, self._reads, opened, {"Content-Type": VIDEO})

    async def web_piece(self, request: web.Request) -> web.StreamResponse:
        piece = _piece_of(request)
        path = await self._renditions.piece(
            request.match_info["flight"],
            _feed_of(request),
            _number_of(request),
            piece,
            lambda: request.transport is not None,  # who seeks leaves questions behind
        )
        return await send_file(request, self._reads, partial(OpenFile, path), {"Content-Type": VIDEO})

    async def thumbnail(self, request: web.Request) -> web.StreamResponse:
        path = await self._thumbnails.path(request.match_info["flight"])
        return await send_file(request, self._reads, partial(OpenFile, path), {"Content-Type": JPEG})

    async def tlog(self, request: web.Request) -> web.StreamResponse:
        flight = request.match_info["flight"]
        path = flight_folder(self._root, flight) / TLOG_FILE
        name = {"Content-Disposition": f'attachment; filename="{flight}.tlog"'}
        return await send_file(request, self._reads, partial(OpenFile, path), {"Content-Type": BYTES} | name)


def add_flight_media_routes(door: Door, media: FlightMedia) -> None:
    door.route(_INDEX, media.index)
    door.route(_RUNNING, media.running)
    for method in ("GET", "HEAD"):
        door.route(_file(method, _SEGMENT, "Pictures of a feed, fragmented MP4", VIDEO), media.segment)
        door.route(_file(method, _WEB_PIECE, "A piece of a feed for browsers", VIDEO), media.web_piece)
        door.route(_file(method, _THUMBNAIL, "A picture of the flight, 480 wide", JPEG), media.thumbnail)
        door.route(
            _file(method, _TLOG, "The raw MAVLink of a flight", BYTES, "Content-Disposition"), media.tlog
        )


def _index_json(
    folder: Path, feed_id: str, indexes: SegmentIndexes, stretch: Stretch | None, view: _View
) -> bytes:
    return msgspec.json.encode(view(read_feed(folder, feed_id, indexes), stretch))


def _open_segment(path: Path, indexes: SegmentIndexes) -> OpenFile:
    return OpenFile(path, indexes.of(path).whole_bytes)


def _feed_of(request: web.Request) -> str:
    """Raises NotFoundError for what can be no feed's id, such as a path."""
    feed_id = request.match_info["feed"]
    if not ID_PATTERN.fullmatch(feed_id):
        raise NotFoundError("there is no such feed")
    return feed_id


def _number_of(request: web.Request) -> int:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) > 0):
        raise NotFoundError("there is no such segment")
    return int(text)


def _piece_of(request: web.Request) -> int:
    text = request.match_info["piece"]
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise NotFoundError("there is no such piece")
    return int(text)


def _view_of(request: web.Request) -> _View:
    """Raises RequestError."""
    asked = request.query.get("rendition", "source")
    if asked not in ("source", "web"):
        raise RequestError("rendition is source or web", code="malformed", status=400)
    return web_index_view if asked == "web" else index_view


def _stretch_of(request: web.Request) -> Stretch | None:
    from_ns, to_ns = asked_time_ns(request, "from_ms"), asked_time_ns(request, "to_ms")
    return None if from_ns is None and to_ns is None else Stretch(from_ns, to_ns)
