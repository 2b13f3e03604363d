"""What a file carries beside its pictures: KLV, GPMF or subtitles, told by what its packets begin with."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Protocol, TypeAlias

from flow.codec.klv import LABEL, KlvSplitter
from flow.errors import SourceError
from flow.samples import MetadataKind

from .reader_pipe import BESIDE_LIMIT_BYTES, Beside, Sample

Played: TypeAlias = Sample | Beside

_GPMF_FIRST = b"DEVC"  # of every payload of a `gpmd` track (GPMF introduction, "device")
_CELL_HEADER_BYTES = 5  # of a synchronous stream, which libav leaves in some files (ISO/IEC 13818-1 2.12.4)

AHEAD_TICKS = 2 * 90_000
"""A multiplexer puts the pictures of a second before, or behind, what belongs to the first of them."""
AHEAD_MOST_BYTES = 32 * 1024 * 1024
BESIDE_MOST = 200
"""Units between two pictures: as many as a feed takes in a second (metadata_gate.py)."""


class Track(Protocol):
    """What becomes of a track's packets."""

    def take(self, pts: int | None, data: bytes) -> Iterator[Beside]: ...


class DataTrack:
    """A track that libav knows nothing of: nobody but its packets says what it is."""

    def __init__(self) -> None:
        self._sets: KlvSplitter | None = None
        self._is_other = False

    def take(self, pts: int | None, data: bytes) -> Iterator[Beside]:
        """The units of one packet."""
        if self._is_other or len(data) > BESIDE_LIMIT_BYTES:
            return
        if self._sets is None and data.startswith(_GPMF_FIRST):
            yield Beside(MetadataKind.GPMF, pts, data)
            return
        if self._sets is None and LABEL in data[: _CELL_HEADER_BYTES + len(LABEL)]:
            self._sets = KlvSplitter()
        self._is_other = self._sets is None
        for unit in self._sets.push(data) if self._sets else []:
            yield Beside(MetadataKind.KLV, pts, unit)


class SubtitleTrack:
    """Subtitles, in which DJI's cameras write where they are; of anybody else's nothing will be made."""

    def __init__(self, *, counted: bool) -> None:
        self._skip = 2 if counted else 0
        """mov_text begins with its length (3GPP TS 26.245 5.17)."""

    def take(self, pts: int | None, data: bytes) -> Iterator[Beside]:
        """The text of one packet; pauses have none."""
        text = data[self._skip :]
        if self._skip:
            text = text[: int.from_bytes(data[: self._skip], "big")]
        if 0 < len(text) <= BESIDE_LIMIT_BYTES:
            yield Beside(MetadataKind.DJI, pts, text)


def in_time(played: Iterator[Played]) -> Iterator[Played]:
    """The same in the order of their times, as far as AHEAD_TICKS allow: what belongs to a picture comes just
    before it. Pictures keep their order, and what has no time its place among them."""
    waiting: list[tuple[int, int, Played]] = []
    newest = size = count = 0
    failure: SourceError | None = None
    try:
        for count, each in enumerate(played):
            newest, at = _due(each, newest, first=count == 0)
            heapq.heappush(waiting, (at, count, each))
            size += len(each.data)
            while waiting[0][0] < newest - AHEAD_TICKS or size > AHEAD_MOST_BYTES:
                *_, first = heapq.heappop(waiting)
                size -= len(first.data)
                yield first
    except SourceError as error:
        failure = error  # what was read before the file broke is shown all the same
    while waiting:
        yield heapq.heappop(waiting)[-1]
    if failure is not None:
        raise failure


def _due(each: Played, newest: int, *, first: bool) -> tuple[int, int]:
    """The newest time of a picture, and when this one's turn is."""
    if isinstance(each, Sample):
        newest = each.dts if first else max(newest, each.dts)
        return newest, newest
    return newest, newest if each.pts is None else each.pts


def sparse(played: Iterator[Played]) -> Iterator[Played]:
    """The same without what no film has beside its pictures: whoever plays them reads all of it meanwhile."""
    count = 0
    for each in played:
        count = count + 1 if isinstance(each, Beside) else 0
        if count <= BESIDE_MOST:
            yield each
