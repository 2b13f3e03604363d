"""The Bus contract: `publish()` never waits, and each reader chooses one of four deliveries.

LATEST         The newest item per key wins; a new reader gets the newest of each key at once.
FROM_KEYFRAME  Starts with the cached group from its keyframe, contiguous with what follows; a slow reader
               loses whole groups up to the next keyframe, counted in `dropped`.
LOSSLESS       Everything in order, bounded; past the bound the reader raises OverflowedError, once.
EVENTS         Ordered, bounded, at least once, idempotent by `id`; starts with the kept ones.

No reader slows or blocks a publisher or another reader. Request and reply do not travel here: flow/doors.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, TypeAlias, TypeVar

from .flights import (
    Alarm,
    Armed,
    Disarmed,
    FlightEnded,
    FlightStarted,
    KeyframeWanted,
    Marker,
    PictureHealth,
    RecordingSwitch,
    RenditionState,
    RenditionWanted,
    SourceState,
)
from .recording import RecordingState, StorageState
from .samples import (
    ForwardState,
    LinkState,
    Metadata,
    OutputState,
    RawTelemetry,
    StatusText,
    TelemetrySample,
)
from .units import AccessUnit, Rendition

State: TypeAlias = (
    TelemetrySample
    | SourceState
    | PictureHealth
    | LinkState
    | ForwardState
    | OutputState
    | KeyframeWanted
    | RenditionWanted
    | RenditionState
    | RecordingState
    | StorageState
)
"""Items delivered LATEST."""

Event: TypeAlias = (
    Armed | Disarmed | RecordingSwitch | Marker | Alarm | FlightStarted | FlightEnded | StatusText
)
"""Items delivered as EVENTS; each has an `id`."""

Item: TypeAlias = AccessUnit | RawTelemetry | Metadata | State | Event
"""Everything that travels on the bus."""

T = TypeVar("T")
S = TypeVar("S", bound=State)
I = TypeVar("I", bound=Item)  # noqa: E741

GROUP_LIMIT_BYTES = 8 * 1024 * 1024
GROUP_LIMIT_NS = 12_000_000_000
"""A cached group beyond either bound is not kept; late joiners then wait for the next keyframe."""

LOSSLESS_LIMIT_BYTES = 64 * 1024 * 1024
EVENTS_KEPT = 1024


class Reader(Protocol[T]):
    """One subscription. Iterate it, or `drain()` what is there; `close()` ends it (also as context manager).

    Iteration ends (StopAsyncIteration) when the reader or the bus is closed. One task at a time may wait.
    """

    @property
    def dropped(self) -> int:
        """How many items this reader was too slow for."""
        ...

    def __aiter__(self) -> AsyncIterator[T]: ...

    async def __anext__(self) -> T: ...

    def drain(self) -> list[T]:
        """Everything that is ready now, without waiting; [] if nothing is."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Reader[T]: ...

    def __exit__(self, *exc: object) -> None: ...


class Bus(Protocol):
    """See the module's text. Keys: `key_of(item)`."""

    def publish(self, item: Item) -> None:
        """Hand `item` to all its readers. Synchronous, never waits, never raises for a reader's sake."""
        ...

    def latest(self, kind: type[S], key: str | None = None) -> Reader[S]:
        """LATEST of one key, or of every key of that kind."""
        ...

    def peek(self, kind: type[S], key: str) -> S | None:
        """The newest item this process has seen, or None."""
        ...

    def from_keyframe(self, feed_id: str, rendition: Rendition = Rendition.SOURCE) -> Reader[AccessUnit]:
        """FROM_KEYFRAME of one rendition of one feed."""
        ...

    def lossless(
        self, kind: type[I], key: str | None = None, limit_bytes: int = LOSSLESS_LIMIT_BYTES
    ) -> Reader[I]:
        """LOSSLESS of one key or all keys of one kind. `limit_bytes` bounds what waits (wire size)."""
        ...

    def events(self, *kinds: type[Event], after_id: str | None = None) -> Reader[Event]:
        """EVENTS of the kinds (all if none is named), from the first kept one after `after_id`."""
        ...

    def has_cached_group(self, feed_id: str, rendition: Rendition = Rendition.SOURCE) -> bool:
        """Whether a joiner would get a picture at once; False where the group passed its bound."""
        ...

    async def aclose(self) -> None:
        """End every reader and release what the bus holds."""
        ...


def key_of(item: Item) -> str:
    """The id an item is filed under: its feed's, or its aircraft's where it has no feed; an output's own.

    What is of one rendition is filed under "feed/rendition"; a KeyframeWanted of the source, under the feed.
    """
    match item:
        case KeyframeWanted(feed_id, _, Rendition.SOURCE):
            return feed_id
        case AccessUnit() | RenditionWanted() | RenditionState() | KeyframeWanted():
            return unit_key(item.feed_id, item.rendition)
        case SourceState() | PictureHealth() | Metadata():
            return item.feed_id
        case OutputState():
            return item.output_id
        case StorageState():
            return ""
        case _:
            return item.aircraft_id


def unit_key(feed_id: str, rendition: Rendition) -> str:
    """Key of the access units of one rendition of one feed."""
    return f"{feed_id}/{rendition}"
