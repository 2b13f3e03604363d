"""Cursor on Target to TAK: every aircraft, where it looks, and the markers, to each destination by itself."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import math
import random
from collections import OrderedDict
from urllib.parse import urlsplit

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.doors import CameraLook, TelemetryDoor
from flow.errors import LagebildError, NotFoundError
from flow.flights import Feed, Marker
from flow.markers import MARKERS_MOST, Markers, id_of
from flow.samples import Group, OutputState, TelemetrySample
from telemetry.protocol.cot import Camera, Event, aircraft_event, look_event, marker_event
from telemetry.settings import CotOut, TelemetrySettings

from .cot_ways import Way, open_way

log = logging.getLogger(__name__)

WAITING_MOST = 1024
"""More than there can be of markers and aircraft, so that none of them pushes out another."""
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 15.0
PROVEN_NS = 10 * NS_PER_S
"""Who has been open for so long works; one that ends sooner has failed again: a server that refuses our
certificate (TLS 1.3) takes the connection first, a port where nobody reads (UDP) the first datagram."""
MARKERS_EVERY_NS = 60 * NS_PER_S
MARKERS_A_TURN = 50
REPORT_NS = NS_PER_S


class Destination:
    """One address. What cannot be sent in time is replaced by what is newer; no other one notices."""

    def __init__(self, url: str, settings: CotOut, clock: Clock, output_id: str = "cot:0") -> None:
        self.url, self._output_id = url, output_id
        self._settings, self._clock = settings, clock
        self._waiting: OrderedDict[str, bytes] = OrderedDict()
        self._wake = asyncio.Event()
        self._opened_ns: int | None = None
        self._detail = self._logged = ""
        self._sent = self._dropped = 0
        self._retry_s = RETRY_FIRST_S

    @property
    def state(self) -> OutputState:
        detail = "" if self._is_proven() else self._detail
        is_open = self._opened_ns is not None
        return OutputState(self._output_id, self.url, is_open, self._sent, self._dropped, detail)

    def _is_proven(self) -> bool:
        return self._opened_ns is not None and self._clock.now_ns() - self._opened_ns >= PROVEN_NS

    def offer(self, event: Event) -> None:
        self._dropped += event.uid in self._waiting
        self._waiting[event.uid] = event.xml
        if len(self._waiting) > WAITING_MOST:
            self._waiting.popitem(last=False)
            self._dropped += 1
        self._wake.set()

    async def run(self) -> None:
        """Keep it open and send until cancelled."""
        while True:
            try:
                await self._serve(await open_way(self.url, self._settings, self._wake.set))
            except (LagebildError, OSError, TimeoutError) as error:
                self._fail(str(error) or type(error).__name__)
            except Exception:  # a bug here must not end the telemetry
                log.exception("CoT to %s", self.url)
                self._fail("internal error, see the log")
            pause_s, self._retry_s = self._retry_s, min(2 * self._retry_s, RETRY_MOST_S)
            pause_ns = round(pause_s * random.uniform(0.8, 1.2) * NS_PER_S)
            await self._clock.sleep_until(self._clock.now_ns() + pause_ns)

    async def _serve(self, way: Way) -> None:
        log.log(logging.DEBUG if self._logged else logging.INFO, "CoT to %s: open", self.url)
        self._opened_ns = self._clock.now_ns()
        try:
            while True:
                while self._waiting:
                    await self._send(way)
                self._wake.clear()
                way.check()
                await self._wake.wait()
        finally:
            if self._is_proven():
                self._retry_s, self._logged = RETRY_FIRST_S, ""
            self._opened_ns = None
            await way.aclose()

    async def _send(self, way: Way) -> None:
        """Send what has waited longest; it is done only when it has gone, and unless it is newer by then."""
        uid, event = next(iter(self._waiting.items()))
        await way.send(event)
        self._sent += 1
        if self._waiting.get(uid) is event:
            del self._waiting[uid]

    def _fail(self, detail: str) -> None:
        self._detail = detail if self.url in detail else f"{self.url}: {detail}"
        if self._detail != self._logged:  # it fails the same way each time
            log.warning("CoT: %s; it is tried again", self._detail)
        self._logged = self._detail


class CotSender:
    """Tells all destinations, once in `every_s`, what is new. `run()` until cancelled."""

    name = "CoT"

    def __init__(
        self, bus: Bus, clock: Clock, settings: TelemetrySettings, door: TelemetryDoor | None = None
    ) -> None:
        self._bus, self._clock, self._door = bus, clock, door
        self._training, self._cot = frozenset(settings.training), settings.cot
        self._names = {one: name for one, name in settings.names if one not in self._training}
        self._cameras: dict[str, list[Feed]] = {}
        for feed in settings.cameras:
            self._cameras.setdefault(feed.aircraft_id, []).append(feed)
        self._videos = {out.feed_id: out.to for out in settings.ts_outs if _reaches_others(out.to)}
        self._stale_ns = round(settings.cot.stale_s * NS_PER_S)
        self._told: dict[str, int] = {}  # when the position was received that was told last
        self._markers = Markers()
        self._marked: dict[str, int] = {}  # when each was told last
        self._markers_a_turn = max(
            MARKERS_A_TURN, math.ceil(MARKERS_MOST * settings.cot.every_s * NS_PER_S / MARKERS_EVERY_NS)
        )
        self.destinations = [
            Destination(url, settings.cot, clock, f"cot:{number}")
            for number, url in enumerate(settings.cot.to)
        ]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for destination in self.destinations:
                group.create_task(destination.run(), name=f"CoT {destination.url}")
            group.create_task(self._tell())
            group.create_task(self._report())

    async def _tell(self) -> None:
        with self._bus.events(Marker) as marked:
            while True:
                now_ns = self._clock.now_ns()
                news = [event for event in marked.drain() if isinstance(event, Marker)]
                for event in [*self._of_aircraft(now_ns), *self._of_markers(news, now_ns)]:
                    for destination in self.destinations:
                        destination.offer(event)
                await self._clock.sleep_until(now_ns + round(self._cot.every_s * NS_PER_S))

    async def _report(self) -> None:
        while True:
            for destination in self.destinations:
                self._bus.publish(destination.state)
            await self._clock.sleep_until(self._clock.now_ns() + REPORT_NS)

    def _of_aircraft(self, now_ns: int) -> list[Event]:
        """Those that have a newer position than was told: silence is not filled with the last one."""
        found: list[Event | None] = []
        for aircraft_id, name in self._names.items():
            sample = self._bus.peek(TelemetrySample, aircraft_id)
            told_ns = sample.received_ns.get(Group.POSITION) if sample else None
            if sample is None or told_ns is None or self._told.get(aircraft_id) == told_ns:
                continue
            self._told[aircraft_id] = told_ns
            cameras = [self._camera(feed, sample) for feed in self._cameras.get(aircraft_id, ())]
            shown = next((camera for camera in cameras if camera.video_url), None)
            first = shown or next(iter(cameras), None)
            found.append(aircraft_event(sample, name, now_ns, self._stale_ns, first))
            looks = (camera.look for camera in cameras if camera.look)
            found += [look_event(look, aircraft_id, name, now_ns, self._stale_ns) for look in looks]
        return [event for event in found if event]

    def _camera(self, feed: Feed, sample: TelemetrySample) -> Camera:
        look: CameraLook | None = None
        if self._door:
            with contextlib.suppress(NotFoundError):  # not a camera that can be looked along
                look = self._door.look(feed.id, sample.utc_ns)
        return Camera(feed, look, self._videos.get(feed.id, ""))

    def _of_markers(self, news: list[Marker], now_ns: int) -> list[Event]:
        """What is new at once; each again once a minute, for those who have come since; some at a time, or
        hundreds would hold up the pictures."""
        for marker in news:
            if marker.aircraft_id in self._training:
                continue
            self._markers.take(marker)
            self._marked.pop(id_of(marker), None)
        standing = {id_of(marker): marker for marker in self._markers.standing()}
        self._marked = {marker_id: ns for marker_id, ns in self._marked.items() if marker_id in standing}
        due = [
            marker_id
            for marker_id in reversed(standing)  # the newest first
            if now_ns - self._marked.get(marker_id, 0) >= MARKERS_EVERY_NS
        ][: self._markers_a_turn]
        self._marked |= dict.fromkeys(due, now_ns)
        gone = [marker for marker in news if marker.removed]
        return [marker_event(marker, now_ns) for marker in (*gone, *(standing[each] for each in due))]


def _reaches_others(url: str) -> bool:
    """Whether others than programs on this machine can receive a stream sent there."""
    try:
        host = urlsplit(url).hostname or ""
        return host != "localhost" and not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
