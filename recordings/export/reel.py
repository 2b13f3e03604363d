"""All pictures of one camera of a flight: their times in columns, their bytes when asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.codec.annexb import split_nal_units
from flow.codec.nal import RULES
from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec
from recordings import segment_file
from recordings.folders import segments_in
from recordings.protocol.segment_index import SegmentIndex

Column = NDArray[Any]

_USUAL_90K = CLOCK_RATE_HZ // 30
RECOVERIES = 2
"""So many recovery points later the whole picture has been mended."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment; `first` is the number of its first picture, and `shift_90k` what its times are moved by: a
    server that began anew with its clock set back would let them go back, too."""

    path: Path
    index: SegmentIndex
    first: int
    shift_90k: int


class Reel:
    """Pictures are numbered in the order of decoding, over all segments. 25 bytes of memory for each."""

    def __init__(self, folder: Path, feed_id: str) -> None:
        """Blocking. Segments that cannot be read are left out. Raises OSError."""
        self._feed_id = feed_id
        self._parts: list[_Part] = []
        self._taken = 0
        columns: list[tuple[Column, ...]] = []
        for of, _, path in segments_in(folder):
            if of == feed_id and (index := _index(path)) is not None and index.fragments:
                columns.append(self._take(path, index, columns[-1][0][-1] if columns else None))
        joined = [np.concatenate(each) for each in zip(*columns, strict=True)] or [np.empty(0, np.int64)] * 4
        self.dts_90k, self.pts_90k, self.utc_ns, self.keyframe = joined

    def __len__(self) -> int:
        return len(self.dts_90k)

    def codecs_of(self, first: int, end: int) -> set[Codec]:
        """Of the pictures from `first` to before `end`."""
        return {part.index.codec for part in self._parts[self._part_of(first) : self._part_of(end - 1) + 1]}

    def duration_90k(self, number: int) -> int:
        """How long a picture is shown if none follows: as long as usual."""
        if number + 1 < len(self):
            distance = int(self.dts_90k[number + 1] - self.dts_90k[number])
            if distance < CLOCK_RATE_HZ:
                return distance
        return int(self.dts_90k[number] - self.dts_90k[number - 1]) if number else _USUAL_90K

    def units(self, first: int, end: int) -> Iterator[AccessUnit]:
        """The pictures from `first` to before `end`, times moved where they must be; what is damaged is left
        out. Holds a fragment. Raises OSError."""
        from_90k, to_90k = int(self.dts_90k[first]), int(self.dts_90k[end - 1])
        for part in self._parts[self._part_of(first) : self._part_of(end - 1) + 1]:
            shift_90k = part.shift_90k
            for unit in segment_file.pictures(part.path, self._feed_id, from_90k - shift_90k):
                dts_90k = unit.dts_90k + shift_90k
                if dts_90k > to_90k:
                    return
                if dts_90k >= from_90k:
                    yield replace(unit, dts_90k=dts_90k, pts_90k=unit.pts_90k + shift_90k)

    def begins_anew(self, number: int) -> bool:
        """Whether a decoder can begin at that keyframe and miss nothing of what is shown from it on."""
        unit = next(self.units(number, number + 1), None)
        return unit is not None and begins_anew(unit)

    def start_for(self, first: int, shown_90k: int) -> int:
        """Where to begin decoding for picture `first`, and what is shown from `shown_90k` on, to be right."""
        keyframes = np.flatnonzero(self.keyframe[: first + 1])
        before = [int(n) for n in keyframes[self.pts_90k[keyframes] <= shown_90k]]
        for back, number in enumerate(reversed(before)):
            if back == RECOVERIES or self.begins_anew(number):
                return number
        return before[0] if before else (int(keyframes[0]) if len(keyframes) else first)

    def _part_of(self, number: int) -> int:
        return bisect_right(self._parts, number, key=lambda part: part.first) - 1

    def _take(self, path: Path, index: SegmentIndex, last_dts_90k: int | None) -> tuple[Column, ...]:
        entries = list(segment_file.entries(path, index.fragments))
        shift_90k = self._parts[-1].shift_90k if self._parts else 0
        if last_dts_90k is not None and entries[0].dts_90k + shift_90k <= last_dts_90k:
            shift_90k = int(last_dts_90k) + _USUAL_90K - entries[0].dts_90k
        self._parts.append(_Part(path, index, self._taken, shift_90k))
        self._taken += len(entries)
        return (
            np.array([each.dts_90k + shift_90k for each in entries], np.int64),
            np.array([each.pts_90k + shift_90k for each in entries], np.int64),
            np.array([each.utc_ns for each in entries], np.int64),
            np.array([each.keyframe for each in entries], np.bool_),
        )


def begins_anew(unit: AccessUnit) -> bool:
    """Whether it is an IDR, in H.265 any intra random access point (7.4.2.2). A recovery point is none: it
    mends the picture bit by bit."""
    rules = RULES[unit.codec]
    return any(rules.type_of(nal) in rules.random_access for nal in split_nal_units(unit.data))


def _index(path: Path) -> SegmentIndex | None:
    try:
        return segment_file.read_index(path)
    except MalformedError:
        return None
