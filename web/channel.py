"""What one feed's pages hear over their WebSockets: serialised once, whoever listens.

A page that cannot keep up misses messages and gets the present state later (web/subscriber.py); it never
slows the others.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import msgspec

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import BusyError, TooManyError
from flow.flights import Aircraft, Feed, SourceState
from flow.samples import LinkState, StatusText, TelemetrySample
from flow.units import CLOCK_RATE_HZ, AccessUnit, UtcOrigin, rtp_timestamp

from .settings import ViewerSettings
from .subscriber import Subscriber, text_frame
from .views import Json, anchor_view, feed_view, link_view, ms, sample_view, state_view, text_view

ANCHOR_EVERY_NS = 500 * NS_PER_MS
ANCHOR_MOVED_NS = 5 * NS_PER_MS
SAMPLE_AHEAD_NS = 10_000 * NS_PER_MS


class FeedChannel:
    """Follows one feed and its aircraft on the bus and tells its subscribers. `run()` until cancelled."""

    def __init__(
        self, bus: Bus, clock: Clock, aircraft: Aircraft, feed: Feed, viewers: ViewerSettings
    ) -> None:
        self._bus, self._clock = bus, clock
        self._aircraft, self._feed = aircraft, feed
        self._limits = viewers  # whoever may watch may listen
        self._subscribers: set[Subscriber] = set()
        self.feeds: Callable[[], list[Json]] = list  # all feeds of the installation, for the picker
        self._anchor: AccessUnit | None = None
        self._told_ns = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_pictures())
            tasks.create_task(self._follow_samples())
            tasks.create_task(self._follow_source())
            tasks.create_task(self._follow_link())
            tasks.create_task(self._follow_texts())

    def join(self, address: str) -> Subscriber:
        """Raises BusyError where the feed has its most listeners, TooManyError where this address has."""
        if len(self._subscribers) >= self._limits.per_feed:
            raise BusyError(f"feed '{self._feed.id}' has {self._limits.per_feed} listeners, its limit")
        if sum(s.address == address for s in self._subscribers) >= self._limits.per_address:
            raise TooManyError(f"{address} listens {self._limits.per_address} times already, its limit")
        subscriber = Subscriber(address, self._snapshot)
        self._subscribers.add(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)

    def close(self) -> None:
        """End every subscription: the service stops."""
        for subscriber in self._subscribers:
            subscriber.close()

    def tell(self, kind: str, content: Json) -> None:
        """Send one message to every subscriber."""
        if self._subscribers:
            frame = text_frame(_message(kind, content))
            for subscriber in self._subscribers:
                subscriber.offer(frame)

    def _snapshot(self) -> bytes:
        state = self._bus.peek(SourceState, self._feed.id)
        link = self._bus.peek(LinkState, self._aircraft.id)
        sample = self._bus.peek(TelemetrySample, self._aircraft.id)
        messages = [_message("hello", {"feed": feed_view(self._aircraft, self._feed, state)})]
        messages.append(_message("feeds", {"feeds": self.feeds()}))
        if state:
            messages.append(_message("state", state_view(state)))
        if link:
            messages.append(_message("link", link_view(link)))
        if self._anchor:
            messages.append(_message("anchor", anchor_view(self._anchor)))
        if sample:
            messages.append(_message("telemetry", self._tagged(sample)))
        return b"".join(map(text_frame, messages))

    async def _follow_pictures(self) -> None:
        with self._bus.from_keyframe(self._feed.id) as units:
            async for unit in units:
                before, self._anchor = self._anchor, unit
                if before is None or self._is_news(before, unit):
                    self._told_ns = self._clock.now_ns()
                    self.tell("anchor", anchor_view(unit))

    def _is_news(self, before: AccessUnit, unit: AccessUnit) -> bool:
        if (before.epoch, before.utc_origin) != (unit.epoch, unit.utc_origin):
            return True
        moved_ns = _utc_of(before, unit.pts_90k) - unit.utc_ns
        return abs(moved_ns) > ANCHOR_MOVED_NS or self._clock.now_ns() - self._told_ns >= ANCHOR_EVERY_NS

    async def _follow_samples(self) -> None:
        with self._bus.latest(TelemetrySample, self._aircraft.id) as samples:
            async for sample in samples:
                if self._subscribers:
                    self.tell("telemetry", self._tagged(sample))

    async def _follow_source(self) -> None:
        with self._bus.latest(SourceState, self._feed.id) as states:
            async for state in states:
                self.tell("state", state_view(state))

    async def _follow_link(self) -> None:
        with self._bus.latest(LinkState, self._aircraft.id) as links:
            async for link in links:
                self.tell("link", link_view(link))

    async def _follow_texts(self) -> None:
        with self._bus.events(StatusText) as texts:
            async for text in texts:
                if isinstance(text, StatusText) and text.aircraft_id == self._aircraft.id:
                    self.tell("text", text_view(text))

    def _tagged(self, sample: TelemetrySample) -> Json:
        """The sample with the RTP timestamp of a picture of its instant; null without a live picture."""
        view = sample_view(sample)
        anchor = self._anchor
        view["rtp_timestamp"] = None
        if anchor is not None and abs(sample.utc_ns - anchor.utc_ns) < SAMPLE_AHEAD_NS:
            # A picture told by its arrival was captured one radio link earlier; telemetry does not take it.
            late_ms = self._feed.air_link_ms if anchor.utc_origin is UtcOrigin.ARRIVAL else 0.0
            since_ns = sample.utc_ns - anchor.utc_ns + round(late_ms * NS_PER_MS)
            since_90k = since_ns * CLOCK_RATE_HZ // NS_PER_S
            view["rtp_timestamp"] = rtp_timestamp(anchor.pts_90k + since_90k)
        return view


class FeedList:
    """The list of all feeds, told to every page when a feed's source changes its status or reason."""

    def __init__(self, bus: Bus, aircraft: tuple[Aircraft, ...], channels: dict[str, FeedChannel]) -> None:
        self._bus, self._aircraft, self._channels = bus, aircraft, channels
        self._told: dict[str, SourceState] = {}
        for channel in channels.values():
            channel.feeds = self.view

    def view(self) -> list[Json]:
        return [feed_view(a, f, self._bus.peek(SourceState, f.id)) for a in self._aircraft for f in a.feeds]

    async def run(self) -> None:
        with self._bus.latest(SourceState) as states:
            async for state in states:
                before = self._told.get(state.feed_id)
                self._told[state.feed_id] = state
                if before is None or _without_counters(before) != _without_counters(state):
                    for channel in self._channels.values():
                        channel.tell("feeds", {"feeds": self.view()})


def time_reply(t0: float, clock: Clock) -> bytes:
    """The answer to a page's clock question."""
    return _message("time", {"t0": t0, "utc_ms": ms(clock.now_ns())})


def _utc_of(anchor: AccessUnit, pts_90k: int) -> int:
    return anchor.utc_ns + (pts_90k - anchor.pts_90k) * NS_PER_S // CLOCK_RATE_HZ


def _without_counters(state: SourceState) -> SourceState:
    return replace(
        state, fps=None, bitrate_bps=None, pictures=0, lost_packets=0, damaged=0, restarts=0, epoch=0
    )


def _message(kind: str, content: Json) -> bytes:
    try:
        return msgspec.json.encode({"type": kind, **content})
    except UnicodeEncodeError:  # a file name that is no UTF-8 holds lone surrogates (PEP 383)
        return json.dumps({"type": kind, **content}).encode()
