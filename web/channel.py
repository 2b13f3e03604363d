"""What one feed's pages hear over their WebSockets: serialised once, whoever listens.

A page that cannot keep up misses messages and gets the present state later (web/subscriber.py); it never
slows the others. What is dear is a send, not its bytes: messages that are no news ride with the next sample.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Generic, TypeVar

from flow.bus import Bus, State, unit_key
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.doors import RenditionChosen, TelemetryDoor
from flow.errors import BusyError, TooManyError, UnlocatableError
from flow.flights import Aircraft, Feed, PictureHealth, RenditionState, SourceState
from flow.recording import RecordingState, StorageState
from flow.samples import LinkState, StatusText, TelemetrySample
from flow.units import CLOCK_RATE_HZ, AccessUnit, Rendition

from .access.reach import EVERYTHING, Within
from .ground_views import look_view
from .picture_time import capture_of, timestamp_of
from .settings import ViewerSettings
from .subscriber import Subscriber, text_frame
from .views import (
    MADE,
    Json,
    anchor_view,
    feed_view,
    health_view,
    json_bytes,
    link_view,
    ms,
    recording_view,
    rendition_view,
    renditions_view,
    sample_view,
    state_view,
    storage_view,
    text_view,
)

ANCHOR_EVERY_NS = 500 * NS_PER_MS
ANCHOR_MOVED_NS = 5 * NS_PER_MS
SAMPLE_AHEAD_NS = 10_000 * NS_PER_MS
SAMPLES_FLOW_NS = 250 * NS_PER_MS
"""A sample came within this: the next one, ten a second, can soon take along what is no news."""
LOOK_EVERY_NS = 100 * NS_PER_MS
OF_THE_HOUSE = frozenset({"storage"})
"""Messages about the installation: nothing for whoever is bound to an incident."""

S = TypeVar("S", bound=State)


@dataclass(frozen=True, slots=True)
class _Told(Generic[S]):
    """A state that pages are told: at once where its essence is another, else when something else is."""

    name: str
    kind: type[S]
    key: str
    view: Callable[[S], Json]
    essence: Callable[[S], S]


class FeedChannel:
    """Follows one feed and its aircraft on the bus and tells its subscribers. `run()` until cancelled."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        aircraft: Aircraft,
        feed: Feed,
        viewers: ViewerSettings,
        *,
        looks: TelemetryDoor | None = None,
    ) -> None:
        self._bus, self._clock = bus, clock
        self._aircraft, self._feed = aircraft, feed
        self._limits = viewers  # whoever may watch may listen
        self._subscribers: set[Subscriber] = set()
        # All feeds that a page reaches, for the picker; the markers (markers.py); who watches (present.py).
        self.feeds: Callable[[Within], list[Json]] = lambda within: []
        self.markers: Callable[[Within], list[Json]] | None = None
        self.people: Callable[[Within], list[Json]] | None = None
        self._looks = looks
        self._looked_slot = 0
        self._look: Json | None = None  # as it was told last
        self.shown: Callable[[Feed], Feed | None] = lambda feed: feed  # its name for an exercise
        self.alarms: Callable[[Within], list[Json]] | None = None  # those that stand, of all aircraft
        self._anchor: AccessUnit | None = None
        self._told_ns = 0
        self._sampled_ns = -SAMPLES_FLOW_NS
        self._riding: dict[str, bytes] = {}  # frames that go with the next message, by type
        self._states: tuple[_Told[Any], ...] = (
            _Told("state", SourceState, feed.id, state_view, _without_counters),
            _Told("link", LinkState, aircraft.id, link_view, without_counts),
            _Told("recording", RecordingState, aircraft.id, recording_view, _without_what_grows),
            _Told("storage", StorageState, "", storage_view, _without_room),
        )

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_pictures())
            tasks.create_task(self._follow_samples())
            tasks.create_task(self._follow_health())
            for told in self._states:
                tasks.create_task(self._follow_state(told))
            for rendition in MADE:
                tasks.create_task(self._follow_rendition(rendition))
            tasks.create_task(self._follow_texts())

    def join(self, address: str, within: Within = EVERYTHING) -> Subscriber:
        """Raises BusyError where the feed has its most listeners, TooManyError where this address has."""
        if len(self._subscribers) >= self._limits.per_feed:
            raise BusyError(f"feed '{self._feed.id}' has {self._limits.per_feed} listeners, its limit")
        if sum(s.address == address for s in self._subscribers) >= self._limits.per_address:
            raise TooManyError(f"{address} listens {self._limits.per_address} times already, its limit")
        subscriber = Subscriber(address, lambda: self._snapshot(within), within)
        self._subscribers.add(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)
        if not self._subscribers:
            self._riding.clear()

    def close(self) -> None:
        """End every subscription: the service stops."""
        for subscriber in self._subscribers:
            subscriber.close()

    def tell(self, kind: str, content: Json) -> None:
        """Send one message to every subscriber, and with it whatever waited for one."""
        if self._subscribers:
            frame = text_frame(message(kind, content))
            self._send(kind, lambda within: b"" if kind in OF_THE_HOUSE and not within.is_all else frame)

    def tell_each(self, kind: str, content: Callable[[Within], Json | None]) -> None:
        """The same where subscribers are told different things, as they reach different ones; None: nothing.
        It is made and serialised once for all who reach the same."""

        def frame(within: Within) -> bytes:
            told = content(within)
            return b"" if told is None else text_frame(message(kind, told))

        self._send(kind, frame)

    def _send(self, kind: str, frame: Callable[[Within], bytes]) -> None:
        self._riding.pop(kind, None)
        riding, self._riding = self._riding, {}
        of_all = b"".join(riding.values())
        of_some = b"".join(each for name, each in riding.items() if name not in OF_THE_HOUSE)
        made: dict[Within, bytes] = {}
        for subscriber in self._subscribers:
            within = subscriber.within
            frames = made.get(within)
            if frames is None:
                frames = made[within] = frame(within) + (of_all if within.is_all else of_some)
            if frames:
                subscriber.offer(frames)

    def captured_ns(self, timestamp: int) -> int:
        """When the picture with that RTP timestamp was captured, as telemetry tells time.

        Raises UnlocatableError without a picture to count from.
        """
        if self._anchor is None:
            raise UnlocatableError(f"feed '{self._feed.id}' has no picture yet", code="pose_stale")
        return capture_of(self._anchor, self._feed.air_link_ms, timestamp)

    def _mention(self, kind: str, content: Json) -> None:
        """Tell what is no news: with the next sample while samples flow, else at once."""
        if self._clock.now_ns() - self._sampled_ns >= SAMPLES_FLOW_NS:
            self.tell(kind, content)
        elif self._subscribers:
            self._riding[kind] = text_frame(message(kind, content))

    def _snapshot(self, within: Within) -> bytes:
        sample = self._bus.peek(TelemetrySample, self._aircraft.id)
        messages = [
            message(
                "hello", {"feed": feed_view(self._bus, self._aircraft, self.shown(self._feed) or self._feed)}
            )
        ]
        messages.append(message("feeds", {"feeds": self.feeds(within)}))
        if self.alarms is not None:
            messages.append(message("alarms", {"alarms": self.alarms(within)}))
        told_here = [told for told in self._states if within.is_all or told.name not in OF_THE_HOUSE]
        states = ((told, self._bus.peek(told.kind, told.key)) for told in told_here)
        messages += [message(told.name, told.view(state)) for told, state in states if state is not None]
        if self._anchor:
            messages.append(message("anchor", anchor_view(self._anchor)))
        if sample:
            messages.append(message("telemetry", self.tagged(sample) | {"look": self._looked(sample)}))
            self._look = None  # pages may know different ones now: the next is news
        if self.markers is not None:
            messages.append(message("markers", {"markers": self.markers(within)}))
        if self.people is not None:
            messages.append(message("present", {"people": self.people(within)}))
        return b"".join(map(text_frame, messages))

    async def _follow_pictures(self) -> None:
        with self._bus.from_keyframe(self._feed.id) as units:
            async for unit in units:
                before, self._anchor = self._anchor, unit
                if before is None or _is_moved(before, unit):
                    self._told_ns = self._clock.now_ns()
                    self.tell("anchor", anchor_view(unit))
                elif self._clock.now_ns() - self._told_ns >= ANCHOR_EVERY_NS:
                    self._told_ns = self._clock.now_ns()
                    self._mention("anchor", anchor_view(unit))

    async def _follow_samples(self) -> None:
        with self._bus.latest(TelemetrySample, self._aircraft.id) as samples:
            async for sample in samples:
                self._sampled_ns = self._clock.now_ns()
                if self._subscribers:
                    self.tell("telemetry", self.tagged(sample) | {"look": self._new_look(sample)})

    async def _follow_state(self, told: _Told[Any]) -> None:
        before: object = None
        with self._bus.latest(told.kind, told.key) as states:
            async for state in states:
                is_news = before is None or before != told.essence(state)
                before = told.essence(state)
                (self.tell if is_news else self._mention)(told.name, told.view(state))

    async def _follow_health(self) -> None:
        told: tuple[str, ...] = ()
        with self._bus.latest(PictureHealth, self._feed.id) as states:
            async for health in states:
                if health.findings != told:  # the figures of every sample are for the API
                    told = health.findings
                    self.tell("health", health_view(health))

    async def _follow_rendition(self, rendition: Rendition) -> None:
        told: RenditionState | None = None
        with self._bus.latest(RenditionState, unit_key(self._feed.id, rendition)) as states:
            async for state in states:
                is_news = told is None or _without_figures(told) != _without_figures(state)
                told = state
                all_of_it = {
                    "feed_id": self._feed.id,
                    "renditions": renditions_view(self._bus, self._feed.id),
                }
                (self.tell if is_news else self._mention)("renditions", all_of_it)

    async def _follow_texts(self) -> None:
        with self._bus.events(StatusText) as texts:
            async for text in texts:
                if isinstance(text, StatusText) and text.aircraft_id == self._aircraft.id:
                    self.tell("text", text_view(text))

    def tagged(self, sample: TelemetrySample) -> Json:
        """The sample with the RTP timestamp of a picture of its instant; null without a live picture."""
        view = sample_view(sample)
        anchor = self._anchor
        view["rtp_timestamp"] = None
        if anchor is not None and abs(sample.utc_ns - anchor.utc_ns) < SAMPLE_AHEAD_NS:
            view["rtp_timestamp"] = timestamp_of(anchor, self._feed.air_link_ms, sample.utc_ns)
        return view

    def _looked(self, sample: TelemetrySample) -> Json | None:
        """Where the camera looks; None where nobody can be asked."""
        return look_view(self._looks.look(self._feed.id, sample.utc_ns)) if self._looks else None

    def _new_look(self, sample: TelemetrySample) -> Json | None:
        """The same at most ten times a second, and None where it is no news."""
        slot = self._sampled_ns // LOOK_EVERY_NS
        if slot == self._looked_slot:
            return None
        self._looked_slot = slot
        before, self._look = self._look, self._looked(sample)
        return self._look if self._look != before else None


class FeedList:
    """The list of all feeds, told to every page when a feed's source changes its status or reason."""

    def __init__(
        self,
        bus: Bus,
        aircraft: tuple[Aircraft, ...],
        channels: dict[str, FeedChannel],
        shown: Callable[[Feed], Feed | None] = lambda feed: feed,
    ) -> None:
        self._bus, self._aircraft, self._channels, self._shown = bus, aircraft, channels, shown
        self._told: dict[str, SourceState] = {}
        for channel in channels.values():
            channel.feeds, channel.shown = self.view, shown

    def view(self, within: Within = EVERYTHING) -> list[Json]:
        """Those that are shown, as they are shown."""
        feeds = ((a, self._shown(f)) for a in self._aircraft for f in a.feeds if within.has_feed(f.id))
        return [feed_view(self._bus, a, f) for a, f in feeds if f]

    def tell(self) -> None:
        for channel in self._channels.values():
            channel.tell_each("feeds", lambda within: {"feeds": self.view(within)})

    async def run(self) -> None:
        with self._bus.latest(SourceState) as states:
            async for state in states:
                before = self._told.get(state.feed_id)
                self._told[state.feed_id] = state
                if before is None or _without_counters(before) != _without_counters(state):
                    self.tell()


def time_reply(t0: float, clock: Clock) -> bytes:
    """The answer to a page's clock question."""
    return message("time", {"t0": t0, "utc_ms": ms(clock.now_ns())})


def rendition_message(chosen: RenditionChosen) -> bytes:
    """What a page is told of its own viewer session."""
    return message("rendition", asdict(rendition_view(chosen)))


def _is_moved(before: AccessUnit, unit: AccessUnit) -> bool:
    """What was told of `before` leads no more to the time of `unit`."""
    if (before.epoch, before.utc_origin) != (unit.epoch, unit.utc_origin):
        return True
    return abs(_utc_of(before, unit.pts_90k) - unit.utc_ns) > ANCHOR_MOVED_NS


def _utc_of(anchor: AccessUnit, pts_90k: int) -> int:
    return anchor.utc_ns + (pts_90k - anchor.pts_90k) * NS_PER_S // CLOCK_RATE_HZ


def _without_counters(state: SourceState) -> SourceState:
    clock = state.clock and state.clock.without_figures()
    return replace(
        state,
        fps=None,
        bitrate_bps=None,
        pictures=0,
        lost_packets=0,
        damaged=0,
        restarts=0,
        epoch=0,
        clock=clock,
    )


def _without_figures(state: RenditionState) -> RenditionState:
    return replace(state, fps=None, bitrate_bps=None, cpu_share=None, delay_ms=None, pictures=0, dropped=0)


def without_counts(link: LinkState) -> LinkState:
    """Without what is counted: that alone is no news."""
    clock = link.clock and link.clock.without_figures()
    return replace(
        link, messages=0, bad_bytes=0, duplicates=0, lost=0, unsigned=0, implausible=0, clock=clock
    )


def _without_what_grows(state: RecordingState) -> RecordingState:
    return replace(state, pictures=0, written_bytes=0)


def _without_room(state: StorageState) -> StorageState:
    return replace(state, free_bytes=0, used_bytes=0, hours_left=None)


def message(kind: str, content: Json) -> bytes:
    """What a page is told, as it is read there."""
    return json_bytes({"type": kind, **content})
