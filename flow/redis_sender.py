"""The sending end of RedisBus: a bounded queue, and one task that empties it in batches."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .bus import EVENTS_KEPT, Item, key_of
from .memory_bus import STATE_KINDS, Group
from .outbox import Outbox, Parcel, Shelf
from .redis_streams import BEGINNING, GROUP, STREAM, STREAM_KINDS, Link, Names
from .units import AccessUnit
from .wire import encode

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class End:
    """The id of a stream's newest entry; for the stream of states also the newest of each field."""

    position: bytes
    states: dict[bytes, bytes] = field(default_factory=dict)


class Sender:
    """What this process publishes, on its way to Redis; and what to tell a Redis that came back empty."""

    def __init__(self, link: Link, names: Names) -> None:
        self._link = link
        self._names = names
        self._publisher = secrets.token_hex(6)
        self.outbox = Outbox(self._publisher)
        self._wake = asyncio.Event()
        self._flushed = asyncio.Event()
        self._wanted: list[tuple[str, asyncio.Future[End]]] = []
        self._shelves: defaultdict[str, Shelf] = defaultdict(Shelf)
        self._groups: defaultdict[str, Group] = defaultdict(Group)
        self._states: dict[str, bytes] = {}
        self._events: deque[bytes] = deque(maxlen=EVENTS_KEPT)
        link.on_new_redis = self._wake.set

    def post(self, item: Item) -> bool:
        """Queue `item`; True where it is the first of its stream."""
        kind, key, message = type(item), key_of(item), encode(item)
        if isinstance(item, STATE_KINDS):
            self._post_state(f"{kind.__name__}/{key}", message)
            return False
        if kind.__name__ in STREAM_KINDS:
            return self._post_to_stream(item, key, message)
        self._events.append(message)
        self._put(self._names.events, message)
        return False

    def end_of(self, stream: str) -> asyncio.Future[End]:
        """Where `stream` ends now, found before anything posted after this call is sent."""
        future: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._wanted.append((stream, future))
        self._wake.set()
        return future

    async def flush(self) -> None:
        """Return when everything posted is in Redis."""
        await self._flushed.wait()

    async def run(self) -> None:
        """Send until cancelled."""
        told = b""
        while True:
            while self._wanted or self.outbox or told != self._link.run_id:
                # Both at once, and ends first: a reader gets all that is posted after it was opened.
                wanted, self._wanted = self._wanted, []
                batch = self.outbox.take()
                await self._link.persist(partial(self._find, wanted))
                if told != self._link.run_id:
                    await self._link.persist(partial(self._send, self._forgotten(told)))
                    told = self._link.run_id
                await self._link.persist(partial(self._send, batch))
            self._flushed.set()
            await self._wake.wait()
            self._wake.clear()

    def _post_to_stream(self, item: Item, key: str, message: bytes) -> bool:
        kind = type(item)
        name = f"{STREAM}{kind.__name__}/{key}"
        is_first = name not in self._states
        if is_first:
            self._post_state(name, b"")
        self._put(self._names.stream(kind, key), message)
        if isinstance(item, AccessUnit):
            self._track(item, key)
        return is_first

    def _track(self, unit: AccessUnit, key: str) -> None:
        """Tell when the cached group of `key` comes to be, and when it passes its bound."""
        group = self._groups[key]
        group.add(unit)
        name, cached = f"{GROUP}{key}", b"1" if group.units else b"0"
        if self._states.get(name) != cached:
            self._post_state(name, cached)

    def _post_state(self, name: str, message: bytes) -> None:
        self._states[name] = message
        self._put(self._names.states, message, name)

    def _put(self, stream: str, message: bytes, name: str | None = None) -> None:
        self.outbox.put(stream, message, name)
        self._flushed.clear()
        self._wake.set()

    async def _find(self, wanted: Iterable[tuple[str, asyncio.Future[End]]]) -> None:
        for stream, future in wanted:
            # In one transaction, or the states in the hash would be newer than the end of their stream.
            async with self._link.client.pipeline(transaction=True) as pipe:
                pipe.xrevrange(stream, count=1)
                if stream == self._names.states:
                    pipe.hgetall(self._names.latest)
                newest, *states = await pipe.execute()
            if not future.done():
                future.set_result(End(newest[0][0] if newest else BEGINNING, *states))

    async def _send(self, batch: list[Parcel]) -> None:
        if not batch:
            return
        newest = {parcel.field: parcel.message for parcel in batch if parcel.field is not None}
        async with self._link.client.pipeline(transaction=False) as pipe:
            if newest:
                pipe.hset(self._names.latest, mapping=newest)
            for parcel in batch:
                self._add(pipe, parcel)
            replies = await pipe.execute(raise_on_error=False)
        self._link.raise_if_lost(replies)
        for parcel, reply in zip(batch, replies[-len(batch) :], strict=True):
            self._note(parcel, reply)

    def _add(self, pipe: Any, parcel: Parcel) -> None:
        fields: dict[bytes, bytes | str] = {b"s": parcel.stamp, b"m": parcel.message}
        if parcel.field is not None:
            fields[b"f"] = parcel.field
        if parcel.repeated:
            fields[b"r"] = b"1"
        if parcel.stream == self._names.events:
            pipe.xadd(parcel.stream, fields, maxlen=EVENTS_KEPT, approximate=False)
        else:
            oldest_id = self._shelves[parcel.stream].oldest_id
            pipe.xadd(parcel.stream, fields, minid=oldest_id, approximate=False)

    def _note(self, parcel: Parcel, reply: bytes | Exception) -> None:
        if isinstance(reply, Exception):
            self._link.counts.rejected += 1
            log.error("bus: Redis refused an entry of %s: %s", parcel.stream, reply)
        else:
            self._link.counts.sent += 1
            self._shelves[parcel.stream].add(reply, parcel.size)

    def _forgotten(self, told: bytes) -> list[Parcel]:
        """What has to be told again, since Redis is another one than `told`: our states and events."""
        self._shelves.clear()
        if not told:
            return []
        for key, group in self._groups.items():
            group.clear()
            self._states[f"{GROUP}{key}"] = b"0"
        publisher = f"{self._publisher}-{self._link.run_id.decode()}"
        states = [(self._names.states, message, name) for name, message in self._states.items()]
        events = [(self._names.events, message, None) for message in self._events]
        return [
            Parcel(stream, f"{publisher}:{number}", message, name, repeated=True)
            for number, (stream, message, name) in enumerate([*states, *events])
        ]
