"""A relay in this process with a feed that runs in real time: what every proof starts from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock, SystemClock
from flow.flights import SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, Codec, CodecConfig, Rendition, UtcOrigin
from relay.hub import Relay
from relay.settings import RelaySettings
from tests.fakes.encoded import FPS, Picture

from .clip import HEIGHT, WIDTH
from .resources import Held, held

FEED = "fritz-tag"
PICTURES_KEPT = 2000  # more than the 8192 packets or 12 MiB that are kept
BASELINE_IDC, LEVEL_IDC = 66, 30


class SkippingClock(SystemClock):
    """Lagebild time that can be moved on."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self._skipped_ns

    def skip(self, ns: int) -> None:
        """Go on `ns` later. Whoever sleeps wakes at the time he would have, or later."""
        self._skipped_ns += ns


class Feeder:
    """Publishes pictures over and over, 30 a second, each on its time; late ones follow at once.

    `began_ns` is when, by the monotonic clock, the first one since it runs was due.
    """

    def __init__(self, bus: Bus, clock: Clock, pictures: Sequence[Picture], feed_id: str = FEED) -> None:
        self.pictures = pictures
        self.published = 0
        self.began_ns = 0
        self._bus = bus
        self._clock = clock
        self._feed_id = feed_id
        self._epoch = 1
        self._seq = 0

    async def run(self) -> None:
        start_ns, self.began_ns = self._clock.now_ns(), time.monotonic_ns()
        for number in range(10**9):
            due_ns = start_ns + number * NS_PER_S // FPS
            await self._clock.sleep_until(due_ns)
            self.publish(due_ns)

    def publish(self, utc_ns: int) -> AccessUnit:
        """The next picture of the loop, captured at `utc_ns`."""
        picture = self.pictures[self._seq % len(self.pictures)]
        ticks = utc_ns * 9 // 100_000
        unit = AccessUnit(
            self._feed_id, Rendition.SOURCE, Codec.H264, self._epoch, self._seq, ticks, ticks,
            utc_ns, UtcOrigin.ARRIVAL, picture.keyframe, picture.data,
        )  # fmt: skip
        self._seq += 1
        self.published += 1
        self._bus.publish(unit)
        return unit

    def change(self, pictures: Sequence[Picture]) -> None:
        """Go on with other pictures, as after a restart of the source: the first must be a keyframe."""
        self.pictures = pictures
        self._epoch += 1
        self._seq = 0


@dataclass
class House:
    """A running relay, its bus and clock, and the feeder of FEED (not yet running)."""

    relay: Relay
    feeder: Feeder
    bus: Bus
    clock: Clock
    settings: RelaySettings
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def feed(self) -> asyncio.Task[None]:
        """Let the feed run from now on, until the returned task is cancelled or the house closes."""
        task = asyncio.get_running_loop().create_task(self.feeder.run())
        self.tasks.append(task)
        return task

    async def fill_history(self) -> None:
        """The packets that the relay keeps to send again, up to a bound, are there from now on."""
        for number in range(PICTURES_KEPT):
            self.feeder.publish(self.clock.now_ns() - (PICTURES_KEPT - number) * NS_PER_S // FPS)
            await asyncio.sleep(0)  # the fan-out's turn

    def held(self) -> Held:
        """What this process holds without the port's cache of addresses: up to 4096 of 1 KB, then it is
        begun anew."""
        assert self.relay._port is not None
        for udp in self.relay._port._udp:
            udp._paths.clear()
        return held()


def source_state(width_px: int = WIDTH, height_px: int = HEIGHT) -> SourceState:
    """What ingest says of a live Constrained Baseline feed of that size."""
    config = CodecConfig(
        Codec.H264, width_px, height_px, BASELINE_IDC, 0xE0, LEVEL_IDC, "4:2:0", 8, False, False
    )
    return SourceState(FEED, SourceStatus.LIVE, 0, config=config)


@asynccontextmanager
async def open_house(
    pictures: Sequence[Picture],
    settings: RelaySettings | None = None,
    clock: Clock | None = None,
    kind: type[Relay] = Relay,
) -> AsyncIterator[House]:
    """A relay that runs until the block ends, of the class `kind`."""
    clock = clock or SystemClock()
    settings = settings or RelaySettings()
    bus = MemoryBus()
    relay = kind(bus, clock, settings, [FEED])
    bus.publish(source_state())
    house = House(relay, Feeder(bus, clock, pictures), bus, clock, settings)
    await relay.open()
    house.tasks.append(asyncio.get_running_loop().create_task(relay.run()))
    await asyncio.sleep(0)  # from its first step on it takes viewers
    try:
        yield house
    finally:
        for task in reversed(house.tasks):
            task.cancel()
        await asyncio.gather(*house.tasks, return_exceptions=True)
        await bus.aclose()
