"""Telemetry of an aircraft for other programs, over a WebSocket or as server-sent events.

Every listener reads the bus by itself, at its own pace: samples are LATEST, so who is slow gets fewer of them
and the newest one next. A sample is serialised once, whoever listens.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol

from aiohttp import web

from flow.bus import Bus, Event
from flow.clock import NS_PER_S, Clock
from flow.errors import BusyError, TooManyError
from flow.flights import Aircraft, Alarm, Marker
from flow.samples import LinkState, StatusText, TelemetrySample

from .access.reach import EVERYTHING, Within
from .channel import FeedChannel, message, without_counts
from .errors import RequestError
from .settings import ViewerSettings
from .subscriber import GOING_AWAY, NO_LONGER
from .views import Json, link_view, ms, plain, sample_view

HZ_MOST, HZ_LEAST, HZ_DEFAULT = 50.0, 0.1, 10.0
HEARTBEAT_S = 5.0
TOLD_WITHIN_S = 10.0
"""Who does not read for so long is let go: telemetry so old helps nobody."""
RETRY_MS = 2000
TEXTS_BEFORE_NS = 60 * NS_PER_S
"""Older messages of the aircraft are not told to who comes now."""
EVENT_STREAM = "text/event-stream"
MESSAGE_MOST_BYTES = 4096
CLOSE_WITHIN_S = 1.0


class Listener(Protocol):
    """The other end of one connection."""

    async def tell(self, kind: str, utc_ms: float, content: bytes) -> None:
        """One message; waits while too much of the earlier ones has not been read."""
        ...


class SocketListener:
    """Reads a WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def tell(self, kind: str, utc_ms: float, content: bytes) -> None:
        await self._socket.send_str(content.decode())


class EventListener:
    """Reads server-sent events (WHATWG HTML 9.2)."""

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response

    async def tell(self, kind: str, utc_ms: float, content: bytes) -> None:
        head = f"event: {kind}\nid: {utc_ms:.3f}\ndata: ".encode()
        await self._response.write(head + content + b"\n\n")  # JSON holds no line end (RFC 8259 7)

    async def beat(self) -> None:
        """Tell now and then that there is somebody, and find out whether there is still a reader."""
        await self._response.write(f"retry: {RETRY_MS}\n\n".encode())
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            async with asyncio.timeout(TOLD_WITHIN_S):
                await self._response.write(b": still here\n\n")


class Visit:
    """Who listens by one connection: from where, and within what; `end` when he may no longer."""

    def __init__(self, address: str = "", within: Within = EVERYTHING) -> None:
        self.address, self.within = address, within
        self.over = asyncio.Event()

    def end(self) -> None:
        self.over.set()


class AircraftStream:
    """What is told of one aircraft; `view` is how its samples are shown."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        aircraft_id: str,
        limits: ViewerSettings,
        view: Callable[[TelemetrySample], Json] = sample_view,
    ) -> None:
        self._bus, self._clock, self._aircraft_id = bus, clock, aircraft_id
        self._limits, self._view = limits, view
        self._addresses: list[str] = []
        self._closing = asyncio.Event()
        self._encoded: tuple[TelemetrySample, bytes] | None = None

    def close(self) -> None:
        """End every connection: the service stops."""
        self._closing.set()

    @contextlib.contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Hold a listener's place; take it before the answer begins, for it can be refused.

        Raises BusyError where there are the most listeners, TooManyError where this address has its most.
        """
        if len(self._addresses) >= self._limits.per_feed:
            raise BusyError(f"'{self._aircraft_id}' has {self._limits.per_feed} listeners, its limit")
        if self._addresses.count(address) >= self._limits.per_address:
            raise TooManyError(f"{address} listens {self._limits.per_address} times already, its limit")

        self._addresses.append(address)
        try:
            yield
        finally:
            self._addresses.remove(address)

    async def serve(
        self,
        listener: Listener,
        hz: float,
        gone: Callable[[], Awaitable[None]],
        visit: Visit | None = None,
    ) -> None:
        """Tell until `gone` returns, `close`, the end of the visit, or an error of the connection, which is
        no error here.

        Raises TimeoutError, in a group, where the other end does not read.
        """
        try:
            await self._serve(listener, hz, gone, visit or Visit())
        except* ConnectionError:
            pass  # the reader has left

    async def _serve(
        self, listener: Listener, hz: float, gone: Callable[[], Awaitable[None]], visit: Visit
    ) -> None:
        async with asyncio.TaskGroup() as group:
            telling = [
                group.create_task(self._tell_samples(listener, round(NS_PER_S / hz))),
                group.create_task(self._tell_links(listener)),
                group.create_task(self._tell_events(listener, visit.within)),
            ]
            waits = (gone, self._closing.wait, visit.over.wait)
            ends = [group.create_task(_wait(each)) for each in waits]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in (*telling, *ends):
                task.cancel()

    async def _tell_samples(self, listener: Listener, period_ns: int) -> None:
        with self._bus.latest(TelemetrySample, self._aircraft_id) as samples:
            async for sample in samples:
                due_ns = self._clock.now_ns() + period_ns
                await _told(listener, "telemetry", ms(sample.utc_ns), self._encode(sample))
                await self._clock.sleep_until(due_ns)

    def _encode(self, sample: TelemetrySample) -> bytes:
        if self._encoded is None or self._encoded[0] is not sample:
            self._encoded = sample, message("telemetry", self._view(sample))
        return self._encoded[1]

    async def _tell_links(self, listener: Listener) -> None:
        told: LinkState | None = None
        with self._bus.latest(LinkState, self._aircraft_id) as links:
            async for link in links:
                now_ms = ms(self._clock.now_ns())
                if told is None or without_counts(told) != without_counts(link):
                    await _told(listener, "link", now_ms, message("link", link_view(link)))
                told = link

    async def _tell_events(self, listener: Listener, within: Within) -> None:
        since_ns = self._clock.now_ns() - TEXTS_BEFORE_NS
        with self._bus.events(StatusText, Alarm, Marker) as events:
            async for event in events:
                kind = _KINDS.get(type(event))
                old = isinstance(event, StatusText) and event.utc_ns < since_ns
                others = isinstance(event, Marker) and not within.has_marker(event)
                if kind and event.aircraft_id == self._aircraft_id and not (old or others):
                    await _told(listener, kind, ms(event.utc_ns), message(kind, event_view(event)))
                    await asyncio.sleep(0)  # who comes now is told hundreds: others have their turn between


class Streams:
    """Of every aircraft, and of every feed with its RTP timestamps."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        aircraft: tuple[Aircraft, ...],
        channels: Mapping[str, FeedChannel],
        limits: ViewerSettings,
    ) -> None:
        self.of_aircraft = {each.id: AircraftStream(bus, clock, each.id, limits) for each in aircraft}
        self.of_feed = {
            feed.id: AircraftStream(bus, clock, each.id, limits, channels[feed.id].tagged)
            for each in aircraft
            for feed in each.feeds
        }

    def close(self) -> None:
        """End every connection: the service stops."""
        for stream in (*self.of_aircraft.values(), *self.of_feed.values()):
            stream.close()


_KINDS: dict[type, str] = {StatusText: "text", Alarm: "alarm", Marker: "marker"}


def event_view(event: Event) -> Json:
    """An event as JSON of the API."""
    view = plain(event)
    view["utc_ms"] = ms(view.pop("utc_ns"))
    return view


def asked_hz(request: web.Request) -> float:
    """`?hz=`: how many samples a second at most. Raises RequestError."""
    text = request.query.get("hz", str(HZ_DEFAULT))
    try:
        hz = float(text)
    except ValueError:
        hz = 0.0
    if not HZ_LEAST <= hz <= HZ_MOST:  # refuses NaN, too
        raise RequestError(f"hz is {HZ_LEAST:g} to {HZ_MOST:g}", code="malformed", status=400)
    return hz


def wants_events(request: web.Request) -> bool:
    """Whether it asks for server-sent events, as an EventSource does; else for a WebSocket."""
    upgrades = "websocket" in request.headers.get("Upgrade", "").lower()
    return not upgrades and EVENT_STREAM in request.headers.get("Accept", "")


async def serve_events(request: web.Request, stream: AircraftStream, visit: Visit) -> web.StreamResponse:
    """Answer with server-sent events until the reader leaves, may no longer, or the service stops."""
    hz = asked_hz(request)
    with stream.place(visit.address):
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM, "Cache-Control": "no-store"})
        await response.prepare(request)
        listener = EventListener(response)
        try:
            await stream.serve(listener, hz, listener.beat, visit)
        except* TimeoutError:
            visit.end()  # it does not read: nothing else would let go of it
        if visit.over.is_set() and request.transport is not None:
            request.transport.abort()
    return response


async def serve_socket(request: web.Request, stream: AircraftStream, visit: Visit) -> web.StreamResponse:
    """Answer with a WebSocket; what the other end says is not heard."""
    hz = asked_hz(request)
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_MOST_BYTES, compress=False)
    if not socket.can_prepare(request):
        text = "this is a WebSocket, or server-sent events for who accepts text/event-stream"
        raise RequestError(text, code="malformed", status=400)

    async def gone() -> None:
        async for _ in socket:
            pass

    with stream.place(visit.address):
        await socket.prepare(request)
        try:
            await stream.serve(SocketListener(socket), hz, gone, visit)
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await socket.close(code=NO_LONGER if visit.over.is_set() else GOING_AWAY)
        except* TimeoutError:
            if request.transport is not None:
                request.transport.abort()
    return socket


async def _wait(until: Callable[[], Awaitable[object]]) -> None:
    await until()


async def _told(listener: Listener, kind: str, utc_ms: float, content: bytes) -> None:
    async with asyncio.timeout(TOLD_WITHIN_S):
        await listener.tell(kind, utc_ms, content)
