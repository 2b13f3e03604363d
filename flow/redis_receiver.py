"""The receiving end of RedisBus: one task per stream, which hands what it reads to the local MemoryBus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from .bus import GROUP_LIMIT_BYTES, Item, key_of
from .errors import MalformedError
from .memory_bus import EVENT_KINDS, STATE_KINDS, Group, MemoryBus
from .outbox import Inbox
from .redis_sender import End, Sender
from .redis_streams import BEGINNING, GROUP, STREAM, STREAM_KINDS, Fields, Link, Names
from .units import AccessUnit
from .wire import decode

log = logging.getLogger(__name__)

BLOCK_MS = 250
READ_COUNT = 64


@dataclass(slots=True, eq=False)
class _Source:
    """A stream that is being read, and how far. `run_id` is the Redis that `position` counts for."""

    stream: str
    kinds: tuple[type[Item], ...]
    key: str | None
    end: asyncio.Future[End] | None = None  # where to begin, unless at `position`
    position: bytes = BEGINNING  # id of the last entry read
    run_id: bytes = b""
    begun: bool = False
    inbox: Inbox = field(default_factory=Inbox)


class Receiver:
    """Reads the states and the events always, other streams while somebody here wants them."""

    def __init__(self, link: Link, names: Names, sender: Sender, local: MemoryBus) -> None:
        self.cached: dict[str, bool] = {}  # whether the group of a key is cached, as its publisher says
        self._link = link
        self._names = names
        self._sender = sender
        self._local = local
        self._streams: set[tuple[type[Item], str]] = set()  # all there are
        self._sources: dict[str, _Source] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._read(_Source(self._names.states, STATE_KINDS, None), from_now=True)
        self._read(_Source(self._names.events, EVENT_KINDS, None), from_now=False)

    def want(self, kind: type[Item], key: str | None) -> None:
        """A reader was opened; None are all keys, also those that come later."""
        for known in [key] if key is not None else [k for streams, k in self._streams if streams is kind]:
            self._want(kind, known, from_now=True)

    def discover(self, kind: type[Item], key: str, from_now: bool) -> None:
        """There is a stream: read it if somebody here reads every key of its kind."""
        if (kind, key) in self._streams:
            return
        self._streams.add((kind, key))
        if self._local.is_read(kind, key):
            self._want(kind, key, from_now)

    def _want(self, kind: type[Item], key: str, from_now: bool) -> None:
        self._read(_Source(self._names.stream(kind, key), (kind,), key), from_now)

    def _read(self, source: _Source, from_now: bool) -> None:
        """Have a task read the stream, from its present end or its beginning, unless one does."""
        if self._tasks is None:
            raise RuntimeError("RedisBus: start it before opening readers")
        if source.stream in self._sources:
            return
        self._sources[source.stream] = source
        source.end = self._sender.end_of(source.stream) if from_now else None
        self._tasks.create_task(self._follow(source))

    async def _follow(self, source: _Source) -> None:
        while source.key is None or self._local.is_read(source.kinds[0], source.key):
            await self._link.persist(partial(self._read_some, source))
        del self._sources[source.stream]
        self._local.interrupt(source.kinds[0], source.key)  # its cached group goes stale from here on

    async def _read_some(self, source: _Source) -> None:
        if not source.begun:
            await self._begin(source)
        wanted = {source.stream: source.position}
        reply = await self._link.client.xread(wanted, count=READ_COUNT, block=BLOCK_MS)
        source.run_id = source.run_id or self._link.run_id
        if source.run_id != self._link.run_id:
            self._begin_again(source)
            return
        for _, entries in reply:
            for entry_id, fields in entries:
                source.position = entry_id  # never "$": what comes between two reads would be lost
                self._accept(source, fields)

    async def _begin(self, source: _Source) -> None:
        if source.end is not None:
            end, source.end = await source.end, None
            source.position, source.run_id = end.position, self._link.run_id
            for name, message in end.states.items():
                with self._guarding(source):
                    self._deliver({b"f": name, b"m": message, b"r": b"1"})
        if source.kinds == (AccessUnit,):
            with self._guarding(source):
                for unit in await self._cached_group(source):
                    self._local.restore(unit)
        source.begun = True

    def _begin_again(self, source: _Source) -> None:
        """Redis was restarted or replaced: it may have lost entries, and may count its ids from before ours.

        What it kept and we have is known by its stamps.
        """
        source.position, source.run_id, source.begun = BEGINNING, self._link.run_id, False
        self._interrupt(source)

    async def _cached_group(self, source: _Source) -> list[AccessUnit]:
        """The group that `position` stands in, looked for backwards; [] where it is torn or too large."""
        stamped: list[tuple[str, AccessUnit]] = []
        upto, size = source.position, 0
        while entries := await self._link.client.xrevrange(source.stream, max=upto, count=READ_COUNT):
            for _, fields in entries:
                unit = _unit(fields)
                stamped.append((fields[b"s"].decode(), unit))
                size += len(unit.data)
                if unit.keyframe or size > GROUP_LIMIT_BYTES:
                    return _whole(stamped[::-1], source.inbox)
            upto = b"(" + entries[-1][0]
        return []

    def _accept(self, source: _Source, fields: Fields) -> None:
        with self._guarding(source):
            is_new, gap = source.inbox.check(fields[b"s"].decode())
            if gap:
                self._interrupt(source)
            if is_new:
                self._deliver(fields)

    def _deliver(self, fields: Fields) -> None:
        """Act on one entry. Raises MalformedError, KeyError or ValueError where it is none of ours."""
        name, message, repeated = fields.get(b"f", b"").decode(), fields[b"m"], b"r" in fields
        if name.startswith(GROUP):
            self.cached[name.removeprefix(GROUP)] = message == b"1"
        elif name.startswith(STREAM):
            kind, _, key = name.removeprefix(STREAM).partition("/")
            self.discover(STREAM_KINDS[kind], key, from_now=repeated)
        elif repeated:
            self._restore(decode(message))
        else:
            self._local.publish(decode(message))

    def _restore(self, item: Item) -> None:
        if not isinstance(item, STATE_KINDS):
            self._local.publish(item)  # an event: its id says whether it was here
        elif self._local.peek(type(item), key_of(item)) != item:
            self._local.restore(item)

    def _interrupt(self, source: _Source) -> None:
        self._link.counts.gaps += 1
        for kind in source.kinds:
            self._local.interrupt(kind, source.key)

    @contextmanager
    def _guarding(self, source: _Source) -> Iterator[None]:
        """An entry that is none of ours is counted, and is a gap."""
        try:
            yield
        except (MalformedError, KeyError, ValueError) as error:
            self._link.counts.malformed += 1
            self._interrupt(source)
            log.warning("bus: an entry of %s is no message of ours: %r", source.stream, error)


def _unit(fields: Fields) -> AccessUnit:
    item = decode(fields[b"m"])
    if not isinstance(item, AccessUnit):
        raise MalformedError(f"bus: {type(item).__name__} in a stream of pictures")
    return item


def _whole(stamped: Iterable[tuple[str, AccessUnit]], inbox: Inbox) -> list[AccessUnit]:
    """The cached group of these pictures, repetitions left out; [] where one is missing."""
    group = Group()
    for stamp, unit in stamped:
        is_new, gap = inbox.check(stamp)
        if gap:
            group.clear()
        if is_new:
            group.add(unit)
    return group.units
