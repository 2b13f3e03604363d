"""The bus within one process: `publish` hands each item straight to the readers' queues.

No tasks, no locks: everything happens on the event loop's thread. RedisBus uses it as its local end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain, dropwhile, islice
from typing import Any, Self, TypeVar, cast, get_args

from .bus import (
    EVENTS_KEPT,
    GROUP_LIMIT_BYTES,
    LOSSLESS_LIMIT_BYTES,
    Event,
    Item,
    State,
    key_of,
    unit_key,
)
from .readers import (
    GROUP_LIMIT_90K,
    EventReader,
    KeyframeReader,
    LatestReader,
    LosslessReader,
    QueueReader,
)
from .units import AccessUnit, Rendition
from .wire import wire_size

S = TypeVar("S", bound=State)
I = TypeVar("I", bound=Item)  # noqa: E741
Q = TypeVar("Q", bound=QueueReader[Any])

EVENT_KINDS: tuple[type[Event], ...] = get_args(Event)
STATE_KINDS: tuple[type[State], ...] = get_args(State)


class Group:
    """The pictures since the last keyframe; empty while they exceed a bound, until the next keyframe."""

    def __init__(self) -> None:
        self.units: list[AccessUnit] = []
        self._bytes = 0
        self._epoch: int | None = None

    def add(self, unit: AccessUnit) -> bool:
        """Take in the next picture; False where a gap is before it: a new epoch, but no keyframe."""
        restarted, self._epoch = unit.epoch != self._epoch, unit.epoch
        if unit.keyframe or restarted:
            self.clear()
        if unit.keyframe or self.units:
            self._append(unit)
        return unit.keyframe or not restarted

    def _append(self, unit: AccessUnit) -> None:
        self.units.append(unit)
        self._bytes += len(unit.data)
        if self._bytes > GROUP_LIMIT_BYTES or unit.dts_90k - self.units[0].dts_90k > GROUP_LIMIT_90K:
            self.clear()

    def clear(self) -> None:
        self.units = []
        self._bytes = 0


class EventLog:
    """The kept events in order, each id once."""

    def __init__(self) -> None:
        self._events: dict[str, Event] = {}

    def add(self, event: Event) -> bool:
        """Keep `event`; False if its id is known."""
        if event.id in self._events:
            return False
        self._events[event.id] = event
        if len(self._events) > EVENTS_KEPT:
            del self._events[next(iter(self._events))]
        return True

    def after(self, event_id: str | None) -> Iterable[Event]:
        """Those after `event_id`; all of them where it is None, or no longer kept."""
        if event_id is None or event_id not in self._events:
            return self._events.values()
        return islice(dropwhile(lambda event: event.id != event_id, self._events.values()), 1, None)

    def clear(self) -> None:
        self._events.clear()


class MemoryBus:
    """flow.bus.Bus for one process.

    Closing a reader drops what waits for it; closing the bus does not: readers then end after what was
    published before.
    """

    def __init__(self) -> None:
        self._closed = False
        self._latest: dict[type[Any], dict[str, Any]] = {kind: {} for kind in STATE_KINDS}
        self._groups: defaultdict[str, Group] = defaultdict(Group)
        self._log = EventLog()
        self._latest_readers: dict[type[Any], list[LatestReader[Any]]] = {kind: [] for kind in STATE_KINDS}
        self._keyframe_readers: defaultdict[str, list[KeyframeReader]] = defaultdict(list)
        self._lossless_readers: defaultdict[type[Any], list[LosslessReader[Any]]] = defaultdict(list)
        self._event_readers: list[EventReader] = []

    def publish(self, item: Item) -> None:
        if not self._closed and self._offer(item):
            self._offer_lossless(item)

    def latest(self, kind: type[S], key: str | None = None) -> LatestReader[S]:
        return self._opened(LatestReader[S](self._latest_readers[kind], key, self._latest[kind]))

    def peek(self, kind: type[S], key: str) -> S | None:
        return cast("S | None", self._latest[kind].get(key))

    def from_keyframe(self, feed_id: str, rendition: Rendition = Rendition.SOURCE) -> KeyframeReader:
        key = unit_key(feed_id, rendition)
        return self._opened(KeyframeReader(self._keyframe_readers[key], self._groups[key].units))

    def lossless(
        self, kind: type[I], key: str | None = None, limit_bytes: int = LOSSLESS_LIMIT_BYTES
    ) -> LosslessReader[I]:
        readers = self._lossless_readers[kind]
        return self._opened(LosslessReader[I](readers, kind.__name__, key, limit_bytes))

    def events(self, *kinds: type[Event], after_id: str | None = None) -> EventReader:
        return self._opened(EventReader(self._event_readers, kinds, self._log.after(after_id)))

    def has_cached_group(self, feed_id: str, rendition: Rendition = Rendition.SOURCE) -> bool:
        return bool(self._groups[unit_key(feed_id, rendition)].units)

    async def aclose(self) -> None:
        self._closed = True
        for reader in self._readers():
            reader.end()
        self._groups.clear()
        self._log.clear()
        for known in self._latest.values():
            known.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    # --- for RedisBus, whose local end this is ---

    def restore(self, item: Item) -> None:
        """Take in what is the newest state or group, but too old for LOSSLESS readers."""
        self._offer(item)

    def interrupt(self, kind: type[Item], key: str | None) -> None:
        """Something of that kind and key (all where None) was lost on the way: tell those who must know."""
        for lossless_reader in self._lossless_readers[kind]:
            lossless_reader.interrupt(key)
        if kind is AccessUnit and key is not None:
            self._groups[key].clear()
            for reader in self._keyframe_readers[key]:
                reader.interrupt()

    def is_read(self, kind: type[Item], key: str) -> bool:
        """Whether anybody wants every item of that kind and key."""
        if any(reader.wants(key) for reader in self._lossless_readers[kind]):
            return True
        return kind is AccessUnit and bool(self._keyframe_readers[key])

    def _offer(self, item: Item) -> bool:
        """To all readers but the LOSSLESS ones; False where it is an event that was here before."""
        if isinstance(item, AccessUnit):
            self._offer_unit(item)
        elif isinstance(item, STATE_KINDS):
            self._offer_state(item)
        elif isinstance(item, EVENT_KINDS):
            return self._offer_event(item)
        return True

    def _offer_unit(self, unit: AccessUnit) -> None:
        key = unit_key(unit.feed_id, unit.rendition)
        whole = self._groups[key].add(unit)
        for reader in self._keyframe_readers[key]:
            if not whole:
                reader.interrupt()
            reader.offer(unit)

    def _offer_state(self, item: State) -> None:
        key = key_of(item)
        self._latest[type(item)][key] = item
        for reader in self._latest_readers[type(item)]:
            reader.offer(key, item)

    def _offer_event(self, event: Event) -> bool:
        is_new = self._log.add(event)
        if is_new:
            for reader in self._event_readers:
                reader.offer(event)
        return is_new

    def _offer_lossless(self, item: Item) -> None:
        readers = self._lossless_readers[type(item)]
        if not readers:
            return
        key, size = key_of(item), wire_size(item)
        for reader in readers:
            reader.offer(key, item, size)

    def _opened(self, reader: Q) -> Q:
        if self._closed:
            reader.close()
        return reader

    def _readers(self) -> Iterable[QueueReader[Any]]:
        return chain(
            chain.from_iterable(self._latest_readers.values()),
            chain.from_iterable(self._keyframe_readers.values()),
            chain.from_iterable(self._lossless_readers.values()),
            self._event_readers,
        )
