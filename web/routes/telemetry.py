"""Telemetry out: one WebSocket per feed, and the newest sample of an aircraft."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from aiohttp import WSMsgType, web

from flow.bus import Bus
from flow.clock import Clock
from flow.doors import RelayDoor, RenditionChosen
from flow.errors import NotFoundError
from flow.flights import Aircraft
from flow.samples import TelemetrySample
from web.access import Caller, Door, Permission, Route, caller_of
from web.access.presence import Way
from web.aircraft_stream import (
    EVENT_STREAM,
    HZ_DEFAULT,
    HZ_LEAST,
    HZ_MOST,
    AircraftStream,
    Streams,
    Visit,
    serve_events,
    serve_socket,
    wants_events,
)
from web.channel import FeedChannel, rendition_message, time_reply
from web.schemas import SampleJson
from web.subscriber import NO_LONGER, Subscriber, text_frame
from web.viewings import Stay, ViewingDesk, ViewingReport
from web.views import sample_view
from web.whep_sessions import WhepSessions

MESSAGE_LIMIT_BYTES = 4096
HEARTBEAT_S = 5.0
CLOSE_WITHIN_S = 1.0


class _TimeQuestion(msgspec.Struct, tag_field="type", tag="time"):
    t0: float


class _Session(msgspec.Struct, tag_field="type", tag="session"):
    """The page watches by this WHEP session; "": by none any more."""

    id: str


class _Type(msgspec.Struct):
    type: str


class _Following:
    """What one page is told of its own viewer session; of one at a time, and of no other caller's."""

    def __init__(
        self, relay: RelayDoor, sessions: WhepSessions, caller: Caller, subscriber: Subscriber
    ) -> None:
        self._relay, self._sessions, self._caller = relay, sessions, caller
        self._subscriber = subscriber
        self._leave: Callable[[], None] | None = None

    def follow(self, session_id: str) -> None:
        """From now on that one; a session that does not exist (any more) is none."""
        self.stop()
        try:
            self._sessions.check(self._caller, session_id)
            self._leave = self._relay.follow(session_id, self._tell)
        except NotFoundError:
            return

    def stop(self) -> None:
        if self._leave is not None:
            self._leave()
            self._leave = None

    def _tell(self, chosen: RenditionChosen) -> None:
        self._subscriber.tell(text_frame(rendition_message(chosen)))


@dataclass(frozen=True, slots=True)
class _Page:
    """What a page says, and what comes of it."""

    following: _Following
    stay: Stay
    viewings: ViewingDesk
    clock: Clock

    async def hear(self, socket: web.WebSocketResponse, text: str) -> None:
        try:
            said = msgspec.json.decode(text, type=_TimeQuestion | _Session | ViewingReport)
        except (msgspec.ValidationError, msgspec.DecodeError):
            self._refuse(text)
            return
        if isinstance(said, _Session):
            self.following.follow(said.id)
        elif isinstance(said, ViewingReport):
            self.stay.report(said, self.clock.now_ns())
        else:
            await socket.send_frame(time_reply(said.t0, self.clock), WSMsgType.TEXT)

    def _refuse(self, text: str) -> None:
        """A page of another version may say what this one does not know: only what it reports is counted."""
        with suppress(msgspec.ValidationError, msgspec.DecodeError):
            self.viewings.refused += msgspec.json.decode(text, type=_Type).type == "viewing"


_HZ = {
    "hz": {
        "type": "number",
        "minimum": HZ_LEAST,
        "maximum": HZ_MOST,
        "default": HZ_DEFAULT,
        "description": "Samples a second at most; a WebSocket of a feed tells all",
    }
}

_LISTEN = Route(
    "GET",
    "/api/v1/feeds/{feed}/telemetry",
    Permission.WATCH,
    "WebSocket of a feed: telemetry with the RTP timestamp it belongs to, picture time, states",
    {
        101: "JSON messages, each with a 'type'",
        200: "asked for text/event-stream: telemetry, with its RTP timestamp, link, texts, alarms, markers",
        400: "hz is no number that can be",
        404: "no such feed",
        429: "this address has its most listeners",
        503: "the feed has its most listeners",
    },
    media_type=EVENT_STREAM,
    query=_HZ,
    enters=True,
)

_FOLLOW = Route(
    "GET",
    "/api/v1/aircraft/{aircraft}/telemetry",
    Permission.WATCH,
    "Telemetry of an aircraft, link, texts, alarms and markers",
    {
        101: "WebSocket: JSON messages, each with a 'type'",
        200: "asked for text/event-stream: the same as server-sent events",
        400: "hz is no number that can be, or neither is asked for",
        404: "no such aircraft",
        429: "this address has its most listeners",
        503: "the aircraft has its most listeners",
    },
    media_type=EVENT_STREAM,
    query=_HZ,
    enters=True,
)

_NEWEST = Route(
    "GET",
    "/api/v1/aircraft/{aircraft}/telemetry/latest",
    Permission.WATCH,
    "The newest telemetry sample of an aircraft; null means unknown",
    {200: "the sample", 404: "no such aircraft"},
    schema=SampleJson,
)


def add_telemetry_routes(
    door: Door,
    bus: Bus,
    clock: Clock,
    aircraft: tuple[Aircraft, ...],
    channels: Mapping[str, FeedChannel],
    *,
    streams: Streams,
    relay: RelayDoor,
    sessions: WhepSessions,
    viewings: ViewingDesk,
) -> None:
    def entered(request: web.Request, end: Callable[[], None]) -> Callable[[], None]:
        named = request.match_info
        return sessions.presence.enter(
            caller_of(request),
            Way.TELEMETRY,
            end,
            feed_id=named.get("feed", ""),
            aircraft_id=named.get("aircraft", ""),
            address=door.guard.address(request),
        )

    async def serve(request: web.Request, stream: AircraftStream) -> web.StreamResponse:
        answer = serve_events if wants_events(request) else serve_socket
        visit = Visit(door.guard.address(request), door.within(request))
        leave = entered(request, visit.end)
        try:
            return await answer(request, stream, visit)
        finally:
            leave()

    async def listen(request: web.Request) -> web.StreamResponse:
        channel = channels.get(request.match_info["feed"])
        if channel is None:
            raise NotFoundError(f"no feed '{request.match_info['feed']}'")
        if wants_events(request):
            return await serve(request, streams.of_feed[request.match_info["feed"]])
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_LIMIT_BYTES, compress=False
        )
        subscriber = channel.join(door.guard.address(request), door.within(request))
        following = _Following(relay, sessions, caller_of(request), subscriber)
        leave = entered(request, lambda: subscriber.close(NO_LONGER))
        stay = viewings.arrived(request.match_info["feed"])
        try:
            writer = await socket.prepare(request)
            if request.transport is None:
                return socket  # gone while it was greeted
            subscriber.attach(socket, request.transport, writer.drain)
            await _serve(socket, subscriber, _Page(following, stay, viewings, clock))
        except* TimeoutError:
            if request.transport is not None:
                request.transport.abort()  # the page does not read: nothing else would let go of it
        finally:
            leave()
            following.stop()
            stay.store(clock.now_ns())
            channel.leave(subscriber)
        return socket

    async def newest(request: web.Request) -> web.Response:
        aircraft_id = request.match_info["aircraft"]
        if aircraft_id not in {a.id for a in aircraft}:
            raise NotFoundError(f"no aircraft '{aircraft_id}'")
        sample = bus.peek(TelemetrySample, aircraft_id)
        return web.json_response(sample_view(sample or TelemetrySample(aircraft_id, 0)))

    async def follow(request: web.Request) -> web.StreamResponse:
        stream = streams.of_aircraft.get(request.match_info["aircraft"])
        if stream is None:
            raise NotFoundError(f"no aircraft '{request.match_info['aircraft']}'")
        return await serve(request, stream)

    door.route(_LISTEN, listen)
    door.route(_FOLLOW, follow)
    door.route(_NEWEST, newest)


async def _serve(socket: web.WebSocketResponse, subscriber: Subscriber, page: _Page) -> None:
    """Hear what the page says, beside what the channel says, until either side leaves."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_attend(socket, subscriber))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await page.hear(socket, message.data)
            subscriber.close()
    except* (ConnectionError, asyncio.IncompleteReadError):
        pass  # the page is gone; nothing is lost


async def _attend(socket: web.WebSocketResponse, subscriber: Subscriber) -> None:
    await subscriber.attend()
    async with asyncio.timeout(CLOSE_WITHIN_S):
        why = b"not allowed any longer" if subscriber.code == NO_LONGER else b"service stops"
        await socket.close(code=subscriber.code, message=why)
