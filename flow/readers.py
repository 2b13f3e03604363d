"""The four kinds of subscription, as both buses hand them out: see flow/bus.py for what each promises.

A reader is a bounded queue and, at most, one task that waits for it. The bus side calls `offer`, which never
waits; everything runs on one event loop, so nothing here needs a lock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any, Generic, Self, TypeVar

from .bus import EVENTS_KEPT, GROUP_LIMIT_BYTES, GROUP_LIMIT_NS, Event, Item, State
from .clock import NS_PER_S
from .errors import OverflowedError
from .units import CLOCK_RATE_HZ, AccessUnit

T = TypeVar("T")
S = TypeVar("S", bound=State)
I = TypeVar("I", bound=Item)  # noqa: E741

GROUP_LIMIT_90K = GROUP_LIMIT_NS * CLOCK_RATE_HZ // NS_PER_S

BEHIND_LIMIT_BYTES = 2 * GROUP_LIMIT_BYTES
BEHIND_LIMIT_90K = 2 * GROUP_LIMIT_90K
"""What may wait for a FROM_KEYFRAME reader: a whole cached group at its start, and as much again."""


class QueueReader(Generic[T]):
    """What all readers share: waiting, waking, ending. Subclasses say what waits.

    `peers` is the bus's list of readers to offer items to; a reader enters it here and leaves it at `close`.
    """

    def __init__(self, peers: list[Any]) -> None:
        self._peers = peers
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self.dropped = 0
        peers.append(self)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while not self._has_items():
            if self._ended:
                raise StopAsyncIteration
            await self._wait()
        return self._take()

    def drain(self) -> list[T]:
        """Everything that is ready now."""
        items: list[T] = []
        while self._has_items():
            items.append(self._take())
        return items

    def close(self) -> None:
        """End the subscription and drop what waits."""
        self._discard()
        self.end()
        if self in self._peers:
            self._peers.remove(self)

    def end(self) -> None:
        """Nothing will come any more: the bus is closed. What waits can still be read."""
        self._ended = True
        self._wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("two tasks wait for one bus reader; open a second reader")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _has_items(self) -> bool:
        raise NotImplementedError

    def _take(self) -> T:
        raise NotImplementedError

    def _discard(self) -> None:
        raise NotImplementedError


class LatestReader(QueueReader[S]):
    """LATEST: one place per key, overwritten in place, so that a busy key cannot starve a quiet one."""

    def __init__(self, peers: list[Any], key: str | None, known: dict[str, S]) -> None:
        super().__init__(peers)
        self._key = key
        self._waiting = {k: item for k, item in known.items() if key in (None, k)}

    def offer(self, key: str, item: S) -> None:
        if self._key is not None and self._key != key:
            return
        self.dropped += key in self._waiting
        self._waiting[key] = item
        self._wake()

    def _has_items(self) -> bool:
        return bool(self._waiting)

    def _take(self) -> S:
        return self._waiting.pop(next(iter(self._waiting)))

    def _discard(self) -> None:
        self._waiting.clear()


class KeyframeReader(QueueReader[AccessUnit]):
    """FROM_KEYFRAME: hands out whole runs that start at a keyframe, whatever it had to leave out between."""

    def __init__(self, peers: list[Any], group: Iterable[AccessUnit]) -> None:
        super().__init__(peers)
        self._waiting = deque(group)
        self._bytes = sum(len(unit.data) for unit in self._waiting)
        self._running = bool(self._waiting)  # the stream is whole up to here
        self._behind = False  # it is not, because this reader was too slow

    def offer(self, unit: AccessUnit) -> None:
        if unit.keyframe:
            self._running, self._behind = True, False
        if not self._running:
            self.dropped += self._behind
            return
        self._waiting.append(unit)
        self._bytes += len(unit.data)
        if self._is_behind():
            self._skip()
        self._wake()

    def interrupt(self) -> None:
        """The stream has a gap here: continue at the next keyframe."""
        self._running = False

    def _is_behind(self) -> bool:
        span_90k = self._waiting[-1].dts_90k - self._waiting[0].dts_90k
        return self._bytes > BEHIND_LIMIT_BYTES or span_90k > BEHIND_LIMIT_90K

    def _skip(self) -> None:
        """Lose everything before the newest keyframe that waits, or all where its group alone is too much."""
        newest = max((place for place, unit in enumerate(self._waiting) if unit.keyframe), default=0)
        self._drop_oldest(newest)
        if newest == 0 or self._is_behind():
            self._drop_oldest(len(self._waiting))
            self._running, self._behind = False, True

    def _drop_oldest(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= len(self._waiting.popleft().data)
        self.dropped += count

    def _has_items(self) -> bool:
        return bool(self._waiting)

    def _take(self) -> AccessUnit:
        unit = self._waiting.popleft()
        self._bytes -= len(unit.data)
        return unit

    def _discard(self) -> None:
        self._waiting.clear()
        self._bytes = 0


class LosslessReader(QueueReader[I]):
    """LOSSLESS: everything in order, until the bound is reached.

    Then nothing more is taken in until the reader has read all that waits and has been told, so that there is
    one gap, in its right place, and not one for every item that found room again.
    """

    def __init__(self, peers: list[Any], name: str, key: str | None, limit_bytes: int) -> None:
        super().__init__(peers)
        self._name = name
        self._key = key
        self._limit_bytes = limit_bytes
        self._waiting: deque[tuple[I, int] | None] = deque()  # None: something is missing here
        self._bytes = 0
        self._full = False
        self._missing = 0

    def offer(self, key: str, item: I, size: int) -> None:
        if not self.wants(key):
            return
        if not self._full and self._bytes + size > self._limit_bytes:
            self._full = True
            self.interrupt(key)
        if self._full:
            self.dropped += 1
            self._missing += 1
            return
        self._waiting.append((item, size))
        self._bytes += size
        self._wake()

    def wants(self, key: str | None) -> bool:
        """Whether items of `key` (None: of some key) belong here."""
        return self._key is None or key is None or self._key == key

    def interrupt(self, key: str | None) -> None:
        """Something of `key` (None: of any) is, or may be, missing from here on."""
        if self.wants(key) and not (self._waiting and self._waiting[-1] is None):
            self._waiting.append(None)
            self._wake()

    def drain(self) -> list[I]:
        """Everything that is ready before the next gap; raises OverflowedError at the gap itself."""
        items: list[I] = []
        while self._waiting and not (items and self._waiting[0] is None):
            items.append(self._take())
        return items

    def _has_items(self) -> bool:
        return bool(self._waiting)

    def _take(self) -> I:
        entry = self._waiting.popleft()
        if entry is None:
            raise self._overflowed()
        item, size = entry
        self._bytes -= size
        return item

    def _overflowed(self) -> OverflowedError:
        missing, self._missing = self._missing, 0
        why = "the connection to the bus was interrupted; items may be missing from here on"
        if self._full:
            self._full = False
            why = f"{missing} items are missing from here on; its bound is {self._limit_bytes} bytes"
        return OverflowedError(f"lossless reader of {self._name} {self._key or '(all)'}: {why}")

    def _discard(self) -> None:
        self._waiting.clear()
        self._bytes = 0


class EventReader(QueueReader[Event]):
    """EVENTS: in order; where nobody reads, the oldest are lost like those the bus keeps, but counted."""

    def __init__(self, peers: list[Any], kinds: tuple[type[Event], ...], kept: Iterable[Event]) -> None:
        super().__init__(peers)
        self._kinds = kinds
        self._waiting: deque[Event] = deque()
        for event in kept:
            self.offer(event)

    def offer(self, event: Event) -> None:
        if self._kinds and not isinstance(event, self._kinds):
            return
        self._waiting.append(event)
        if len(self._waiting) > EVENTS_KEPT:
            self._waiting.popleft()
            self.dropped += 1
        self._wake()

    def _has_items(self) -> bool:
        return bool(self._waiting)

    def _take(self) -> Event:
        return self._waiting.popleft()

    def _discard(self) -> None:
        self._waiting.clear()
