"""Recordings played for an exercise: one at a time, into an aircraft that is there for that alone.

A child process plays them through the ports of the real ingest. Everything of them is marked ÜBUNG, nothing
of them is recorded or leaves the house, and while nobody plays, the aircraft is not shown at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.errors import LagebildError, MalformedError, NotFoundError, UnavailableError
from flow.flights import ID_PATTERN, Feed
from flow.samples import TelemetrySample
from recordings.flight_file import FlightFile, RecordedFeed, read_flight
from recordings.folders import flight_folder
from recordings.orders import Order
from recordings.player import Position

from .children import child
from .markers import checked_text
from .own_ports import telemetry_port, video_port
from .training_aircraft import FEED_IDS, MARK, TRAINING
from .views import ms

log = logging.getLogger("lagebild.web")

BEGINS_WITHIN_S = 20.0
"""An hour's flight on a busy machine takes two; pages that asked give up after 25 s."""

FeedId = Annotated[str, Meta(pattern=f"^{ID_PATTERN.pattern}$")]
Speed = Annotated[float, Meta(ge=0.1, le=20)]
Seconds = Annotated[float, Meta(ge=0, le=100_000)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Often(msgspec.Struct, forbid_unknown_fields=True):
    """About every so many seconds, for about so long."""

    every_s: Annotated[float, Meta(ge=0.1, le=100_000)]
    for_s: Annotated[float, Meta(ge=0.01, le=100_000)]

    def __str__(self) -> str:
        return f"{self.every_s},{self.for_s}"


class NewTraining(msgspec.Struct, forbid_unknown_fields=True):
    """What to play, and how badly. Without `feeds`, the first two cameras of the flight.

    In an `outage` cameras go silent and come back as new streams; `reconnects_per_hour` are such of a second
    each, and stand instead of it. In a `gps_jump` positions are hundreds of metres off.
    """

    flight_id: Annotated[str, Meta(max_length=64)]
    by: Annotated[str, Meta(max_length=160)] = ""
    feeds: Annotated[list[FeedId], Meta(max_length=len(FEED_IDS))] = []
    from_s: Seconds = 0.0
    speed: Speed = 1.0
    loop: bool = False
    seed: Annotated[int, Meta(ge=0, lt=1 << 32)] | None = None
    loss: Share = 0.0
    jitter_ms: Annotated[float, Meta(ge=0, le=10_000)] = 0.0
    reorder: Share = 0.0
    drift_ppm: Annotated[float, Meta(ge=-100_000, le=100_000)] = 0.0
    reconnects_per_hour: Annotated[float, Meta(ge=0.1, le=3600)] | None = None
    outage: Often | None = None
    gps_jump: Often | None = None
    telemetry_dropout: Often | None = None

    def arguments(self) -> list[str]:
        """As the command line of the replay."""
        given: dict[str, object] = {
            "from": self.from_s,
            "speed": self.speed,
            "loss": self.loss,
            "jitter": self.jitter_ms,
            "reorder": self.reorder,
            "drift": self.drift_ppm,
            "seed": self.seed,
            "reconnects": self.reconnects_per_hour,
            "outage": self.outage,
            "gps-jump": self.gps_jump,
            "telemetry-dropout": self.telemetry_dropout,
        }
        told = [f"--{name}={value}" for name, value in given.items() if value is not None]
        return [*told, "--loop"] if self.loop else told


class TrainingChange(msgspec.Struct, forbid_unknown_fields=True):
    """Where to go on, how fast, or whether to stand still; null stays."""

    seek_s: Seconds | None = None
    speed: Speed | None = None
    paused: bool | None = None


@dataclass(frozen=True, slots=True)
class TrainingFeed:
    """A feed, and the recorded one that it shows."""

    id: str
    name: str
    recorded_id: str


@dataclass(frozen=True, slots=True)
class TrainingView:
    """What is played for an exercise; of an exercise that is not there, everything is empty."""

    playing: bool
    flight_id: str = ""
    aircraft_name: str = ""
    by: str = ""
    since_ms: Annotated[float | None, Meta(description="Milliseconds since the Unix epoch")] = None
    position_s: Annotated[float | None, Meta(description="Counted from the start of the recording")] = None
    duration_s: float | None = None
    speed: float = 1.0
    paused: bool = False
    loop: bool = False
    feeds: list[TrainingFeed] = field(default_factory=list)


class _Play:
    """One exercise, from the wish to its end."""

    def __init__(self, wish: NewTraining, flight: FlightFile, folder: Path, now_ns: int) -> None:
        self.wish, self.flight, self.folder, self.since_ns = wish, flight, folder, now_ns
        self.feeds = dict(zip(FEED_IDS, _chosen(flight, wish.feeds), strict=False))
        self.position: Position | None = None
        self.has_begun = asyncio.Event()  # or failed: then it has ended, too
        self.has_ended = asyncio.Event()
        self.stdin: asyncio.StreamWriter | None = None
        self.task: asyncio.Task[None] | None = None

    def shown(self, feed: Feed) -> Feed | None:
        recorded = self.feeds.get(feed.id)
        return replace(feed, name=f"{MARK} · {recorded.name}") if recorded else None

    def take(self, line: bytes) -> None:
        """What the player says: where it is."""
        try:
            self.position = msgspec.json.decode(line, type=Position)
        except msgspec.MsgspecError:
            log.warning("the replay said something else than where it is")
        else:
            self.has_begun.set()

    def view(self, now_ns: int) -> TrainingView:
        position = self.position or Position(self.wish.from_s, None, self.wish.speed, False, 0, now_ns)
        passed_s = 0.0 if position.paused else max(0, now_ns - position.utc_ns) / NS_PER_S * position.speed
        duration_s = position.duration_s
        at_s = position.position_s + passed_s
        return TrainingView(
            playing=True,
            flight_id=self.flight.id,
            aircraft_name=self.flight.aircraft_name,
            by=self.wish.by,
            since_ms=ms(self.since_ns),
            position_s=at_s if duration_s is None else min(at_s, duration_s),
            duration_s=duration_s,
            speed=position.speed,
            paused=position.paused,
            loop=self.wish.loop,
            feeds=[TrainingFeed(at, f"{MARK} · {of.name}", of.id) for at, of in self.feeds.items()],
        )


class Training:
    """Plays what is asked for. `playing` keeps a flight from being deleted; `changed` is called when an
    exercise begins or ends. `run()` until cancelled."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        root: Path,
        playing: Callable[[str], AbstractContextManager[None]],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._bus, self._clock, self._root = bus, clock, root
        self._playing, self._changed = playing, changed
        self._play: _Play | None = None
        self._is_asked = False
        self._wanted: asyncio.Queue[_Play] = asyncio.Queue()

    def shown(self, feed: Feed) -> Feed | None:
        """The feed as pages are told of it, None: not at all."""
        if not feed.training:
            return feed
        return self._play.shown(feed) if self._play else None

    def hides(self, aircraft_id: str) -> bool:
        """Until it plays, what is known of that aircraft is of the exercise before."""
        return aircraft_id == TRAINING.id and (self._play is None or self._play.position is None)

    def view(self) -> TrainingView:
        return self._play.view(self._clock.now_ns()) if self._play else TrainingView(playing=False)

    async def begin(self, wish: NewTraining) -> TrainingView:
        """Play; returns once it plays. Raises NotFoundError, MalformedError for a text that cannot be shown,
        LagebildError ("training_runs", "flight_damaged"), UnavailableError ("replay_failed")."""
        if self._play or self._is_asked:
            raise LagebildError("an exercise runs already: end that one first", code="training_runs")
        wish.by = checked_text(wish.by, "by")
        self._is_asked = True
        try:
            play = self._play = await self._cast(wish)
        finally:
            self._is_asked = False
        self._wanted.put_nowait(play)
        try:
            async with asyncio.timeout(BEGINS_WITHIN_S):
                await play.has_begun.wait()
        except TimeoutError:
            log.warning("exercise: flight %s does not begin within %g s", play.flight.id, BEGINS_WITHIN_S)
            await self._end(play)
        if play.has_ended.is_set():
            raise UnavailableError("the recording cannot be played; the log says why", code="replay_failed")
        return play.view(self._clock.now_ns())

    async def _cast(self, wish: NewTraining) -> _Play:
        folder = flight_folder(self._root, wish.flight_id)
        if not await asyncio.to_thread(folder.is_dir):
            raise NotFoundError(f"no flight '{wish.flight_id}'")
        try:
            flight = await asyncio.to_thread(read_flight, folder)
        except MalformedError as error:
            log.warning("exercise: %s", error)  # where recordings lie is not for strangers
            told = "this flight is damaged and cannot be played: the log says where"
            raise LagebildError(told, code="flight_damaged") from None
        return _Play(wish, flight, folder, self._clock.now_ns())

    async def change(self, wish: TrainingChange) -> TrainingView:
        """Raises NotFoundError where nothing is played."""
        play = self._running()
        if play.stdin is not None:
            order = Order(wish.seek_s, wish.speed, wish.paused)
            play.stdin.write(msgspec.json.encode(order) + b"\n")
            position = play.position or Position(wish.seek_s or 0.0, None, 1.0, False, 0, 0)
            play.position = Position(
                position.position_s if wish.seek_s is None else wish.seek_s,
                position.duration_s,
                wish.speed or position.speed,
                position.paused if wish.paused is None else wish.paused,
                position.epoch,
                self._clock.now_ns(),
            )
        return play.view(self._clock.now_ns())

    async def end(self) -> None:
        """Raises NotFoundError where nothing is played."""
        await self._end(self._running())

    def _running(self) -> _Play:
        if self._play is None:
            raise NotFoundError("no exercise is running", code="no_training")
        return self._play

    async def _end(self, play: _Play) -> None:
        if play.task is not None:
            if not play.task.cancelling():  # asked twice, it would not wait for its player any more
                play.task.cancel()
            await play.has_ended.wait()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                play = await self._wanted.get()
                play.task = tasks.create_task(self._perform(play), name=f"training {play.flight.id}")

    async def _perform(self, play: _Play) -> None:
        log.info("exercise: flight %s is played, by %s", play.flight.id, play.wish.by or "somebody")
        try:
            with self._playing(play.flight.id):
                await self._listen(play)
        except LagebildError as error:
            log.warning("exercise: %s", error)
        finally:
            self._play = None
            play.has_ended.set()
            play.has_begun.set()
            self._changed()
            log.info("exercise: flight %s has ended", play.flight.id)

    async def _listen(self, play: _Play) -> None:
        arguments = await self._arguments(play)
        async with child("recordings.replay", arguments, talks=True) as process:
            play.stdin = process.stdin
            assert process.stdout is not None
            async for line in process.stdout:
                was_known = play.position is not None
                play.take(line)
                if not was_known:
                    # Where the exercise before has ended is not where this one begins.
                    self._bus.publish(TelemetrySample(TRAINING.id, self._clock.now_ns()))
                    self._changed()
            if code := await process.wait():
                log.warning("exercise: the replay of flight %s failed with code %d", play.flight.id, code)

    async def _arguments(self, play: _Play) -> list[str]:
        arguments = [f"--flight={play.folder}", "--control", *play.wish.arguments()]
        for feed_id, recorded in play.feeds.items():
            arguments += [f"--feed={recorded.id}", "--rtp", await video_port(self._bus, feed_id)]
        return [*arguments, "--mavlink", await telemetry_port(self._bus, TRAINING.id)]


def _chosen(flight: FlightFile, feed_ids: list[str]) -> list[RecordedFeed]:
    """Raises NotFoundError for a feed that the flight does not have."""
    named = {feed.id: feed for feed in flight.feeds}
    missing = [feed_id for feed_id in feed_ids if feed_id not in named]
    if missing:
        raise NotFoundError(f"flight {flight.id} has no feed '{missing[0]}'")
    return [named[feed_id] for feed_id in feed_ids or named]
