"""A recorder on a bus of its own, with a clock that a test moves and real files in a folder."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from flow.bus import Event, Item
from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.annexb import split_nal_units
from flow.errors import MalformedError
from flow.flights import Aircraft, Alarm, Feed, FlightEnded, FlightStarted
from flow.memory_bus import MemoryBus
from flow.recording import RecordingState, RecordingStatus
from flow.samples import Group, RawTelemetry, TelemetrySample
from flow.units import AccessUnit
from recordings import flight_writer
from recordings.disk import Disk
from recordings.folders import flights_folder, segments_in
from recordings.protocol.lines import LineReader
from recordings.recorder import Recorder
from recordings.rules import Rules
from recordings.segment_file import pictures
from recordings.settings import RecordingsSettings
from recordings.start_up import Found
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.encoded import FPS, as_units, h264_pictures

DEADLINE_S = 30.0
TICK_NS = 250 * NS_PER_MS
FRITZ = Aircraft(
    "fritz", "Fritz", (Feed("fritz-tag", "fritz", "Tag"), Feed("fritz-waerme", "fritz", "Wärme"))
)
OTTMAR = Aircraft("ottmar", "Ottmar", (Feed("ottmar-tag", "ottmar", "Tag"),))
E = TypeVar("E", bound=Event)


class WatchedDisk(Disk):
    """The real thing; a test knows of every one."""

    all: ClassVar[weakref.WeakSet[WatchedDisk]] = weakref.WeakSet()

    def __init__(self, name: str, limit_bytes: int) -> None:
        super().__init__(name, limit_bytes)
        self.all.add(self)


@pytest.fixture
def watched_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is synced, which takes a busy machine long, and the clock does not outrun what is written."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)
    monkeypatch.setattr(flight_writer, "Disk", WatchedDisk)


class Tower:
    """Publishes at the right time, and looks at what lies in the folder then."""

    def __init__(self, root: Path, start_ns: int = START_NS) -> None:
        self.root, self.bus, self.clock = root, MemoryBus(), FakeClock(start_ns)
        self.refusal = ""
        self.disk_hangs = False  # the clock does not wait for it then
        self.changed: list[str] = []
        self._events = self.bus.events(Alarm, FlightStarted, FlightEnded)
        self._heard: list[Event] = []

    async def fly(self, *items: Item) -> None:
        """Publish pictures, samples and messages at their times; the clock goes along, in ticks."""
        for item in items:
            utc_ns = getattr(item, "utc_ns", self.clock.now_ns())
            await self.pass_time(max(0, utc_ns - self.clock.now_ns()) / NS_PER_S)
            self.bus.publish(item)
            await turn()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass for the recorder, and real time for its disks."""
        until_ns = self.clock.now_ns() + round(seconds * NS_PER_S)
        while self.clock.now_ns() < until_ns:
            due_ns = self.clock.next_wake_ns or until_ns
            self.clock.advance(min(until_ns, max(due_ns, self.clock.now_ns() + 1)) - self.clock.now_ns())
            await turn()
            await self._written()

    async def _written(self) -> None:
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        while not self.disk_hangs and any(disk.waiting_bytes for disk in WatchedDisk.all):
            assert asyncio.get_running_loop().time() < deadline, f"not written within {DEADLINE_S} s"
            await asyncio.sleep(0.001)

    async def until(self, condition: Callable[[], bool], what: str, passing_s: float = 0.25) -> None:
        """Wait for the disk's thread; the recorder's clock ticks meanwhile."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_S
        while not condition():
            assert loop.time() < deadline, f"not within {DEADLINE_S} s: {what}"
            await asyncio.sleep(0.005)
            await self.pass_time(passing_s)

    def state(self, aircraft_id: str = "fritz") -> RecordingState:
        state = self.bus.peek(RecordingState, aircraft_id)
        assert state is not None
        return state

    async def until_status(self, status: RecordingStatus, aircraft_id: str = "fritz") -> None:
        await self.until(lambda: self.state(aircraft_id).status is status, f"{aircraft_id} {status}")

    def heard(self, kind: type[E]) -> list[E]:
        """Events of that kind that were ever published."""
        self._heard += self._events.drain()
        return [event for event in self._heard if isinstance(event, kind)]


@asynccontextmanager
async def recording(
    root: Path,
    *aircraft: Aircraft,
    start_ns: int = START_NS,
    found: Found | None = None,
    rules: Rules | None = None,
) -> AsyncIterator[Tower]:
    """A recorder that runs for as long as the context is open; then everything is on the disk."""
    tower = Tower(root, start_ns)
    settings = RecordingsSettings(root, aircraft or (FRITZ,))
    recorder = Recorder(
        tower.bus, tower.clock, settings, lambda: tower.refusal, tower.changed.append, rules=rules
    )
    task = asyncio.create_task(recorder.run(found))
    await turn()
    try:
        yield tower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await tower.bus.aclose()


async def turn() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


# --- what flies ---------------------------------------------------------------------------------------------


def film(
    feed_id: str = "fritz-tag",
    seconds: float = 2.0,
    start_s: float = 0.0,
    *,
    size: tuple[int, int] = (320, 240),
) -> list[AccessUnit]:
    """Real pictures, 30 a second, a keyframe every second, from `start_s` after START_NS."""
    encoded = h264_pictures(30, *size)
    count = round(seconds * FPS)
    looped = tuple(encoded[number % len(encoded)] for number in range(count))
    return as_units(looped, feed_id, START_NS + round(start_s * NS_PER_S))


def sample(second: float, armed: bool | None, aircraft_id: str = "fritz") -> TelemetrySample:
    utc_ns = START_NS + round(second * NS_PER_S)
    return TelemetrySample(aircraft_id, utc_ns, armed=armed, received_ns={Group.MODE: utc_ns})


def raw(second: float, data: bytes, aircraft_id: str = "fritz") -> RawTelemetry:
    return RawTelemetry(aircraft_id, "link", START_NS + round(second * NS_PER_S), data)


def merged(*streams: Iterable[Any]) -> list[Any]:
    """In the order of time."""
    return sorted((item for stream in streams for item in stream), key=lambda item: item.utc_ns)


def in_epoch(epoch: int, units: list[AccessUnit]) -> list[AccessUnit]:
    return [replace(unit, epoch=epoch, seq=number) for number, unit in enumerate(units)]


# --- what lies there ----------------------------------------------------------------------------------------


def flights(root: Path) -> list[Path]:
    folder = flights_folder(root)
    return sorted(folder.iterdir()) if folder.exists() else []


def recorded(folder: Path, feed_id: str) -> list[AccessUnit]:
    """Every picture of a feed in a flight, segment after segment."""
    return [
        unit for feed, _, path in segments_in(folder) if feed == feed_id for unit in pictures(path, feed_id)
    ]


def so_far(folder: Path, feed_id: str) -> list[AccessUnit]:
    """While it is being written: its file may be there and have nothing in it yet."""
    try:
        return recorded(folder, feed_id)
    except MalformedError:
        return []


def lines(path: Path) -> list[Item]:
    reader = LineReader()
    with path.open("rb") as file:
        items = list(reader.items(file))
    assert reader.bad == 0
    return items


def nals(units: Iterable[AccessUnit]) -> Iterator[tuple[AccessUnit, list[bytes]]]:
    """To compare by: start codes may be of three bytes or of four, everything else is the same."""
    return ((replace(unit, data=b""), split_nal_units(unit.data)) for unit in units)


def same_pictures(left: Iterable[AccessUnit], right: Iterable[AccessUnit]) -> bool:
    return list(nals(left)) == list(nals(right))
