"""The telemetry of a flight: as files that other programs read, and as a line to draw."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web

from flow.clock import NS_PER_MS
from flow.errors import LagebildError
from flow.giving_way import giving_way
from recordings.export.tracks.files import FORMATS, Format, title_of
from recordings.flight_course import flight_course
from recordings.folders import SAMPLES_FILE, flight_folder
from recordings.samples_file import samples_within
from web.access import Door, Handler, Permission, Route
from web.access.audit import Action
from web.archive_calls import DiskReads
from web.asked import TIME, asked_time_ns
from web.bodies import JSON
from web.byte_ranges import TAKEN_WITHIN_S
from web.errors import RequestError
from web.flight_index import flight_in
from web.routes.flights import GONE, ONE
from web.track_views import TrackView, track_json

PIECE_BYTES = 64 * 1024
COURSES_KEPT = 16
_EVER_NS = 10**14 * NS_PER_MS

_DAMAGED = {409: "it cannot be read (recording_damaged)"}
_TRACK = Route(
    "GET",
    f"{ONE}/track.json",
    Permission.REVIEW,
    "Where the aircraft was in the whole flight, how high, how fast, on how much battery",
    {200: "the line to draw"} | _DAMAGED | GONE,
    schema=TrackView,
    action=Action.OPENED,
)


def _file(form: Format) -> Route:
    return Route(
        "GET",
        f"{ONE}/telemetry.{form.suffix}",
        Permission.REVIEW,
        f"Telemetry of a flight, or of a stretch of it, as {form.part.upper()}",
        {200: "the file", 400: "asked for with a time that cannot be"} | _DAMAGED | GONE,
        media_type=form.media_type,
        headers=("Cache-Control", "Content-Disposition"),
        query={"from_ms": TIME, "to_ms": TIME},
        action=Action.DOWNLOADED,
    )


class FlightTracks:
    """Makes them in a thread, one piece at a time: whoever watches live comes first."""

    def __init__(self, root: Path, reads: DiskReads) -> None:
        self._root, self._reads = root, reads
        self._turn = asyncio.Lock()
        self._courses: OrderedDict[str, tuple[tuple[int, int], bytes]] = OrderedDict()
        """By flight: the size and time of the file that each was made of."""

    def sent_as(self, form: Format) -> Handler:
        async def send(request: web.Request) -> web.StreamResponse:
            flight = request.match_info["flight"]
            folder = flight_folder(self._root, flight)
            from_ns, to_ns = _stretch_of(request)
            pieces = await self._reads.call(_pieces, form, folder, from_ns, to_ns)
            name = f'attachment; filename="{flight}.{form.suffix}"'
            headers = {"Content-Type": form.media_type, "Content-Disposition": name}
            return await self._send(request, pieces, headers | {"Cache-Control": "no-store"})

        return send

    async def _send(
        self, request: web.Request, pieces: Iterator[bytes], headers: dict[str, str]
    ) -> web.StreamResponse:
        piece = await self._piece(pieces)  # what cannot be read is said with its status
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        try:
            while piece:
                async with asyncio.timeout(TAKEN_WITHIN_S):
                    await response.write(piece)
                piece = await self._piece(pieces)
        except (LagebildError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()  # what is short must not look whole
        return response

    async def _piece(self, pieces: Iterator[bytes]) -> bytes:
        async with self._turn:
            return await self._reads.call(next, pieces, b"")

    async def track(self, request: web.Request) -> web.Response:
        flight = request.match_info["flight"]
        folder = flight_folder(self._root, flight)
        async with self._turn:
            body = await self._reads.call(self._course, flight, folder)
        return web.Response(body=body, content_type=JSON)

    def _course(self, flight: str, folder: Path) -> bytes:
        flight_in(folder)
        stamp = _stamp(folder / SAMPLES_FILE)
        known = self._courses.get(flight)
        if known is None or known[0] != stamp:
            known = stamp, track_json(flight_course(folder))
        self._courses[flight] = known
        self._courses.move_to_end(flight)
        while len(self._courses) > COURSES_KEPT:
            self._courses.popitem(last=False)
        return known[1]


def add_flight_track_routes(door: Door, tracks: FlightTracks) -> None:
    door.route(_TRACK, tracks.track)
    for form in FORMATS:
        door.route(_file(form), tracks.sent_as(form))


def _stretch_of(request: web.Request) -> tuple[int, int]:
    """All of it where nothing is said. Raises RequestError."""
    from_ns, to_ns = asked_time_ns(request, "from_ms"), asked_time_ns(request, "to_ms")
    start_ns = -_EVER_NS if from_ns is None else from_ns
    end_ns = _EVER_NS if to_ns is None else to_ns
    if end_ns < start_ns:
        raise RequestError("to_ms is before from_ms", code="malformed", status=400)
    return start_ns, end_ns


def _pieces(form: Format, folder: Path, from_ns: int, to_ns: int) -> Iterator[bytes]:
    """Blocking. Raises NotFoundError, MalformedError."""
    flight = flight_in(folder)
    samples = giving_way(samples_within(folder / SAMPLES_FILE, from_ns, to_ns))
    return _gathered(giving_way(form.parts(samples, title_of(flight))))


def _gathered(parts: Iterator[bytes]) -> Iterator[bytes]:
    """None of them empty, so that an empty one is the end."""
    gathered: list[bytes] = []
    size = 0
    for part in parts:
        gathered.append(part)
        size += len(part)
        if size >= PIECE_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if size:
        yield b"".join(gathered)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        told = path.lstat()
    except FileNotFoundError:
        return 0, 0
    return told.st_size, told.st_mtime_ns
