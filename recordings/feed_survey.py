"""Reads the segments of one feed: those that are done once, the one that grows from where it ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flow.errors import MalformedError
from flow.units import Codec

from .entries import FeedEntry
from .protocol.feed_sums import FeedSums, end_ns
from .protocol.segment_index import SegmentIndex
from .reading import SegmentEntry
from .segment_file import read_index


class FeedSurvey:
    """`damage` is what of its files cannot be read, a line each."""

    def __init__(self, feed_id: str, name: str) -> None:
        self._id = feed_id
        self._name = name
        self._sums = FeedSums()
        self._segments = 0
        self._size_bytes = 0
        self._newest: SegmentIndex | None = None
        self._number = 0  # of the newest segment
        self._number_bytes = -1  # the size it was read at
        self._damage: dict[int, str] = {}

    @property
    def damage(self) -> list[str]:
        return list(self._damage.values())

    def read(self, segments: list[tuple[int, Path, int]], running: bool) -> Iterator[SegmentEntry]:
        """Those of (number, file, size), in order, that are new or have grown."""
        self._size_bytes = sum(size for _, _, size in segments)
        for number, path, size in segments:
            if number < self._number or (number == self._number and size == self._number_bytes):
                continue
            grows = running and number == segments[-1][0]
            if (entry := self._read_segment(number, path, size, grows)) is not None:
                yield entry

    def _read_segment(self, number: int, path: Path, size: int, grows: bool) -> SegmentEntry | None:
        known = self._newest if number == self._number else None
        self._number, self._number_bytes, self._newest = number, size, known
        try:
            index = read_index(path, known)
        except (MalformedError, OSError) as error:
            if not grows:  # else its first bytes are only just being written
                self._damage[number] = f"{path.name}: {error}"
            return None
        self._damage.pop(number, None)
        if index.feed_id != self._id:
            self._damage[number] = f"{path.name}: it is of feed '{index.feed_id[:32]}'"
        taken = len(known.fragments) if known else 0
        for fragment in index.fragments[taken:]:
            self._sums.take(fragment)
        self._segments += known is None
        self._newest = index
        return _entry(self._id, number, index, size)

    def entry(self) -> FeedEntry:
        sums, shown = self._sums, self._newest
        return FeedEntry(
            self._id,
            self._name,
            codec=shown.codec if shown else None,
            width_px=shown.width_px if shown else None,
            height_px=shown.height_px if shown else None,
            segments=self._segments,
            pictures=sums.pictures,
            size_bytes=self._size_bytes,
            first_ns=sums.first_ns,
            last_ns=sums.last_ns,
            gaps=sums.gaps,
            gap_ns=sums.gap_ns,
        )


def _entry(feed_id: str, number: int, index: SegmentIndex, size: int) -> SegmentEntry:
    fragments = index.fragments
    return SegmentEntry(
        feed_id,
        number,
        Codec(index.codec),
        index.width_px,
        index.height_px,
        first_ns=fragments[0].utc_ns if fragments else None,
        last_ns=end_ns(fragments[-1]) if fragments else None,
        pictures=sum(fragment.pictures for fragment in fragments),
        size_bytes=size,
        closed=index.closed,
    )
