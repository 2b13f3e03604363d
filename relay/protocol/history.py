"""The last pictures of a feed in wire form: what is resent from, and what a joining viewer starts with."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import islice
from typing import Generic, Protocol, TypeVar

MAX_PACKETS = 8192
MAX_BYTES = 12 * 1024 * 1024


class Picture(Protocol):
    """One picture as packets `first` to `first + count - 1` of the feed's sequence (unbounded)."""

    @property
    def first(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def keyframe(self) -> bool: ...


P = TypeVar("P", bound=Picture)


class History(Generic[P]):
    """A ring of whole pictures without gaps; the oldest go when `max_packets` or `max_bytes` is passed.

    `packets` and `size_bytes` say what is held.
    """

    def __init__(self, max_packets: int = MAX_PACKETS, max_bytes: int = MAX_BYTES) -> None:
        self.packets = 0
        self.size_bytes = 0
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self._pictures: deque[P] = deque()
        self._next: int | None = None
        self._last_keyframe: int | None = None

    def add(self, picture: P) -> None:
        """Add the picture that follows the last one; ValueError if its sequence does not."""
        if self._next is not None and picture.first != self._next:
            raise ValueError(f"picture starts at feed sequence {picture.first}, not {self._next}")
        self._next = picture.first + picture.count
        if picture.keyframe:
            self._last_keyframe = picture.first
        self._pictures.append(picture)
        self.packets += picture.count
        self.size_bytes += picture.size_bytes
        while self.packets > self._max_packets or self.size_bytes > self._max_bytes:
            self._forget_oldest()

    def find(self, feed_seq: int) -> tuple[P, int] | None:
        """The picture that packet `feed_seq` belongs to and the packet's index in it, or None if not held."""
        position = self._position(feed_seq)
        if position < 0:
            return None
        picture = self._pictures[position]
        index = feed_seq - picture.first
        return (picture, index) if index < picture.count else None

    def group(self) -> list[P]:
        """The pictures from the last keyframe on; [] if there was none, or it has been forgotten."""
        if self._last_keyframe is None:
            return []
        position = self._position(self._last_keyframe)
        return list(islice(self._pictures, position, None)) if position >= 0 else []

    def _position(self, feed_seq: int) -> int:
        """Index of the last picture that starts at or before `feed_seq`, -1 if none does."""
        return bisect_right(self._pictures, feed_seq, key=lambda picture: picture.first) - 1

    def _forget_oldest(self) -> None:
        oldest = self._pictures.popleft()
        self.packets -= oldest.count
        self.size_bytes -= oldest.size_bytes
