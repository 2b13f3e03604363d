"""One stream of the bus to all its viewers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from flow.bus import Bus, Reader
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.flights import KeyframeWanted
from flow.units import AccessUnit, Codec, Rendition

from .delivery import Delivery
from .stream import Stream

log = logging.getLogger("lagebild.relay")

PUMP_EVERY_NS = NS_PER_MS
RETRY_EVERY_NS = 5 * NS_PER_MS
KEYFRAME_EVERY_NS = NS_PER_S

Trace = Callable[[AccessUnit, Delivery], None]
"""Called after each picture for each viewer; for measuring only."""


class FanOut:
    """Takes one rendition of a feed from the bus, packetizes each picture once, sends it to all its viewers.

    The source is always taken; another rendition only while `switch` says so.
    """

    def __init__(self, bus: Bus, clock: Clock, feed_id: str, rendition: Rendition = Rendition.SOURCE) -> None:
        self.rendition = rendition
        self.stream = Stream(feed_id)
        self.trace: Trace | None = None
        self.may_begin: Callable[[AccessUnit], bool] = _always
        """Whether the stream may begin with this picture; until one may, it is as if none had come."""
        self.on_keyframe: Callable[[FanOut], None] = _ignore
        """Called when a keyframe has gone to everybody who is here: whoever waits for one may join now."""
        self.on_codec: Callable[[FanOut], None] = _ignore
        """Called when the stream is another one, and has nobody, because its codec has changed."""
        self._bus = bus
        self._clock = clock
        self._feed_id = feed_id
        self._deliveries: list[Delivery] = []
        self._backlog = asyncio.Event()
        self._on = asyncio.Event()
        self._units: Reader[AccessUnit] | None = None
        self._asked_ns = -KEYFRAME_EVERY_NS
        if rendition is Rendition.SOURCE:
            self._on.set()

    def add(self, delivery: Delivery) -> None:
        """Begin sending to a connected viewer, with the cached group if there is one."""
        self._deliveries.append(delivery)
        now_ns = self._clock.now_ns()
        delivery.start(now_ns)
        delivery.pump(now_ns)
        self._look_after_backlogs()
        self.ask_for_keyframe()

    def remove(self, delivery: Delivery) -> None:
        if delivery in self._deliveries:
            self._deliveries.remove(delivery)

    def heard(self, delivery: Delivery) -> None:
        """A viewer has said what it lacks: act on it without waiting for the next picture."""
        if delivery.has_backlog:
            self._backlog.set()
        self.ask_for_keyframe()

    def switch(self, on: bool) -> None:
        """Take the pictures of a rendition that is made on demand, or no longer; nobody may be here then."""
        if on and not self._on.is_set():
            self.stream = Stream(self._feed_id)  # what came before the pause is no beginning for anybody
            self._on.set()
        elif not on and self._on.is_set():
            self._on.clear()
            units, self._units = self._units, None
            if units is not None:
                units.close()

    async def run(self) -> None:
        """Until cancelled, or the bus is closed."""
        async with asyncio.TaskGroup() as tasks:
            pumping = tasks.create_task(self._pump())
            while True:
                await self._on.wait()
                if await self._take_all():
                    break
            pumping.cancel()

    async def _take_all(self) -> bool:
        """Until switched off, or the bus is closed; whether it is the latter."""
        with self._bus.from_keyframe(self._feed_id, self.rendition) as units:
            self._units = units
            async for unit in units:
                self._spread(unit)
                self._look_after_backlogs()
                self.ask_for_keyframe()
            return self._units is units

    @property
    def is_on(self) -> bool:
        """Whether its pictures are taken."""
        return self._on.is_set()

    def ask_for_keyframe(self) -> None:
        """Forward what viewers want, at most once a second; a wish that comes sooner waits until then."""
        if not self.stream.keyframe_wanted:
            return
        now_ns = self._clock.now_ns()
        if now_ns - self._asked_ns >= KEYFRAME_EVERY_NS:
            self._asked_ns = now_ns
            self.stream.keyframe_wanted = False
            self._bus.publish(KeyframeWanted(self._feed_id, now_ns, self.rendition))

    def _spread(self, unit: AccessUnit) -> None:
        if self.stream.newest is None and not self.may_begin(unit):
            return
        if unit.codec is not self.stream.codec:
            self._change(unit.codec)
        now_ns = self._clock.now_ns()
        before = self.stream.newest
        picture = self.stream.accept(unit, now_ns)
        trace = self.trace
        for delivery in self._deliveries:
            delivery.offer(picture, now_ns)
            if trace is not None:
                trace(unit, delivery)
        if picture.keyframe:
            self.on_keyframe(self)
        if before is not None:
            before.forget_layouts()

    def _change(self, codec: Codec) -> None:
        """The source goes on with another codec: nothing of before is of use, and not all can show it."""
        self.stream = Stream(self._feed_id, codec)
        self._deliveries.clear()
        self.on_codec(self)

    def _look_after_backlogs(self) -> None:
        if self._behind():
            self._backlog.set()

    def _behind(self) -> list[Delivery]:
        return [delivery for delivery in self._deliveries if delivery.has_backlog]

    async def _pump(self) -> None:
        """Serve the backlogs every millisecond, less often while nothing can go (a full TCP connection)."""
        while True:
            await self._backlog.wait()
            now_ns = self._clock.now_ns()
            behind = self._behind()
            before = sum(delivery.handed_on for delivery in behind)
            for delivery in behind:
                delivery.pump(now_ns)
                if delivery.blocked:
                    break  # no room for the others either; those before it are served, so its turn comes
            if any(delivery.has_backlog for delivery in behind):
                moves = sum(delivery.handed_on for delivery in behind) > before
                await self._clock.sleep_until(now_ns + (PUMP_EVERY_NS if moves else RETRY_EVERY_NS))
            else:
                self._backlog.clear()


def _always(unit: AccessUnit) -> bool:
    return True


def _ignore(fan_out: FanOut) -> None:
    pass
