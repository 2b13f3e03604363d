"""What is published and not yet in Redis: one bounded queue per stream, so that no feed crowds out another.

Every parcel is stamped `publisher:number`, numbers rising by one within publisher and stream. A reader that
sees a number twice has a repetition before it (a batch whose reply was lost is sent again); one that sees a
number left out has a loss before it, wherever on the way it happened.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

QUEUED_LIMIT_BYTES = 16 * 1024 * 1024
BATCH_LIMIT_BYTES = 1024 * 1024
"""Per stream: what may wait while Redis is away, and what goes out at once after that."""

_PARCEL_BYTES = 256  # about what a parcel costs besides its message, so that many tiny ones are bounded too


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way to `stream`; `field` is where its newest is filed, for states."""

    stream: str
    stamp: str
    message: bytes
    field: str | None = None
    repeated: bool = False  # sent again because Redis forgot it; who knows it already ignores it

    @property
    def size(self) -> int:
        return len(self.message) + _PARCEL_BYTES


class Outbox:
    """Queues parcels by stream; the oldest of a full stream are lost, counted in `dropped`."""

    def __init__(self, publisher: str, limit_bytes: int = QUEUED_LIMIT_BYTES) -> None:
        self.dropped = 0
        self._publisher = publisher
        self._limit_bytes = limit_bytes
        self._queues: defaultdict[str, deque[Parcel]] = defaultdict(deque)
        self._bytes: defaultdict[str, int] = defaultdict(int)
        self._next_number: defaultdict[str, int] = defaultdict(int)

    def put(self, stream: str, message: bytes, field: str | None = None) -> None:
        stamp = f"{self._publisher}:{self._next_number[stream]}"
        self._next_number[stream] += 1
        parcel = Parcel(stream, stamp, message, field)
        self._queues[stream].append(parcel)
        self._bytes[stream] += parcel.size
        while self._bytes[stream] > self._limit_bytes:
            self._pop(stream)
            self.dropped += 1

    def take(self) -> list[Parcel]:
        """The next batch: of every stream what waits, up to BATCH_LIMIT_BYTES and at least one."""
        batch: list[Parcel] = []
        for stream, queue in self._queues.items():
            room = BATCH_LIMIT_BYTES
            while queue and room > 0:
                batch.append(self._pop(stream))
                room -= batch[-1].size
        return batch

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def _pop(self, stream: str) -> Parcel:
        parcel = self._queues[stream].popleft()
        self._bytes[stream] -= parcel.size
        return parcel


class Inbox:
    """Reads the stamps of one stream."""

    _PUBLISHERS_LIMIT = 64  # a publisher is a process; those long gone are forgotten

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}

    def check(self, stamp: str) -> tuple[bool, bool]:
        """(new, gap): whether this parcel was not here before, and whether one before it never came.

        Raises ValueError where it is no stamp.
        """
        publisher, _, digits = stamp.partition(":")
        number = int(digits)
        newest = self._newest.pop(publisher, number - 1)  # where we came in, nothing is missing
        self._newest[publisher] = max(number, newest)
        if len(self._newest) > self._PUBLISHERS_LIMIT:
            del self._newest[next(iter(self._newest))]
        return number > newest, number > newest + 1


class Shelf:
    """What of one stream this publisher left in Redis, and from which entry on it should stay there."""

    def __init__(self, limit_bytes: int = QUEUED_LIMIT_BYTES) -> None:
        self.oldest_id: bytes | None = None
        self._limit_bytes = limit_bytes
        self._entries: deque[tuple[bytes, int]] = deque()
        self._bytes = 0

    def add(self, entry_id: bytes, size: int) -> None:
        self._entries.append((entry_id, size))
        self._bytes += size
        while self._bytes > self._limit_bytes:
            self._bytes -= self._entries.popleft()[1]
            self.oldest_id = self._entries[0][0] if self._entries else entry_id
