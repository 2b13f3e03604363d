"""What can be asked of a moment of a recorded flight, and of a place that it may have filmed."""

from __future__ import annotations

from pathlib import Path

import msgspec
from aiohttp import web

from flow.clock import NS_PER_S
from flow.errors import NotFoundError
from flow.flights import ID_PATTERN
from recordings.folders import SAMPLES_FILE, flight_folder
from recordings.samples_file import SPAN_MOST_NS, samples_between
from recordings.segment_indexes import SegmentIndexes
from telemetry.surroundings import PastSurroundings
from web.access import Door, Permission, Route
from web.access.audit import Action
from web.archive_calls import DiskReads
from web.asked import DEGREES, TIME, asked_degrees, asked_time_ns
from web.bodies import JSON
from web.errands import Errands
from web.errors import RequestError
from web.event_views import FlightSamples
from web.flight_index import flight_in
from web.flight_past import past_of
from web.flight_stills import RecordedStill, StillQuestion
from web.ground_views import LookView, look_view
from web.routes.flights import GONE, ONE
from web.routes.stills import JPEG, PICTURE_HEADERS, picture_headers
from web.spots import SpotDesk, Spots
from web.views import sample_view

STILL_WITHIN_S = 18.0

LOOKS_SPAN_NS = 60 * NS_PER_S
"""With looks no more at once: 600 samples of two cameras take 70 ms."""

_SAMPLES = Route(
    "GET",
    f"{ONE}/telemetry.json",
    Permission.REVIEW,
    "Telemetry of a stretch of a flight: five minutes at most, or one with where its cameras looked",
    {
        200: "samples",
        400: "asked for with a time that cannot be",
        409: "it cannot be read (recording_damaged)",
    }
    | GONE,
    schema=FlightSamples,
    query={
        "from_ms": TIME,
        "to_ms": TIME,
        "looks": {"type": "string", "enum": ["1"], "description": "Where each camera looked, too"},
    },
    action=Action.OPENED,
)
_STILL = Route(
    "GET",
    f"{ONE}/feeds/{{feed}}/still.jpg",
    Permission.REVIEW,
    "The picture that was shown at a moment, in full resolution, with time and place (EXIF)",
    {
        200: "the picture",
        400: "no moment, or one that cannot be",
        409: "it cannot be read or decoded: recording_damaged, decoder_failed",
    }
    | GONE
    | {404: "no such flight or feed, or there is no picture of that moment (no_picture)"},
    media_type=JPEG,
    headers=PICTURE_HEADERS,
    query={"at_ms": TIME},
    action=Action.TOOK_STILL,
)
_SPOTS = Route(
    "GET",
    f"{ONE}/spots",
    Permission.REVIEW,
    "When a place on the ground was filmed: stretches of time in which it was in a picture",
    {200: "the stretches; none where nothing tells where the camera looked", 400: "no such place"}
    | {409: "the recording cannot be read (recording_damaged)"}
    | GONE,
    schema=Spots,
    query={
        "lat": DEGREES,
        "lon": DEGREES,
        "feed": {"type": "string", "description": "Only this one", "examples": ["fritz-tag"]},
    },
    action=Action.OPENED,
)


class FlightPast:
    """Looks into flights' folders. No path of a request gets there unchecked."""

    def __init__(self, root: Path, reads: DiskReads, terrain: tuple[str, ...]) -> None:
        self._root, self._errands = root, Errands()
        self._spots = SpotDesk(reads, self._errands, terrain)
        self._reads, self._indexes, self._around = reads, SegmentIndexes(), PastSurroundings(terrain)

    async def samples(self, request: web.Request) -> web.Response:
        folder = flight_folder(self._root, request.match_info["flight"])
        from_ns, to_ns = asked_time_ns(request, "from_ms"), asked_time_ns(request, "to_ms")
        with_looks = request.query.get("looks") == "1"
        view = await self._reads.call(self._samples_of, folder, from_ns, to_ns, with_looks)
        return web.Response(body=msgspec.json.encode(view), content_type=JSON)

    def _samples_of(
        self, folder: Path, from_ns: int | None, to_ns: int | None, with_looks: bool
    ) -> FlightSamples:
        """Raises NotFoundError where there is no such flight."""
        flight = flight_in(folder)
        start_ns = flight.started_ns if from_ns is None else from_ns
        end_ns = start_ns + SPAN_MOST_NS if to_ns is None else to_ns
        most_ns = start_ns + LOOKS_SPAN_NS if with_looks else end_ns
        run = samples_between(folder / SAMPLES_FILE, start_ns, min(end_ns, most_ns))
        told = FlightSamples([sample_view(sample) for sample in run.samples], run.cut or end_ns > most_ns)
        if with_looks:
            past = past_of(folder, flight, around=self._around, indexes=self._indexes)
            for feed in flight.feeds:
                looks = (past.look(feed.id, sample.utc_ns) for sample in run.samples)
                told.looks[feed.id] = [LookView(**look_view(look)) for look in looks]
        return told

    async def still(self, request: web.Request) -> web.Response:
        folder = flight_folder(self._root, request.match_info["flight"])
        feed_id = request.match_info["feed"]
        if not ID_PATTERN.fullmatch(feed_id):
            raise NotFoundError("there is no such feed")
        at_ns = asked_time_ns(request, "at_ms")
        if at_ns is None:
            raise RequestError("at_ms: of which moment?", code="malformed", status=400)
        question = StillQuestion(str(folder.absolute()), feed_id, at_ns)
        told = await self._errands.answer("web.still_worker", question, STILL_WITHIN_S)
        still = msgspec.msgpack.decode(told, type=RecordedStill)
        headers = picture_headers(feed_id, still.utc_ns, still.utc_origin)
        return web.Response(body=still.jpeg, content_type=JPEG, headers=headers)

    async def spots(self, request: web.Request) -> web.Response:
        folder = flight_folder(self._root, request.match_info["flight"]).absolute()
        lat_deg, lon_deg = asked_degrees(request, "lat", 90.0), asked_degrees(request, "lon", 180.0)
        feed_id = request.query.get("feed", "")
        return web.Response(body=await self._spots.find(folder, feed_id, lat_deg, lon_deg), content_type=JSON)


def add_flight_past_routes(door: Door, past: FlightPast) -> None:
    door.route(_SAMPLES, past.samples)
    door.route(_STILL, past.still)
    door.route(_SPOTS, past.spots)
