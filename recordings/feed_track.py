"""The pictures of one feed within one flight: segment after segment, handed on as bytes to be appended."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flow.clock import NS_PER_MS
from flow.errors import MalformedError
from flow.units import AccessUnit

from .folders import segment_name
from .protocol.segment import SegmentMachine

log = logging.getLogger("lagebild.recordings")

FLUSH_NS = 500 * NS_PER_MS
"""Pictures wait for no longer than this in memory, also where no next one comes."""

SEGMENTS_MOST = 9999  # what a segment's name has place for


class Appender(Protocol):
    """Where a track's bytes go: appended to a file in order, with how many pictures they hold."""

    def append(self, path: Path, data: bytes, pictures: int) -> None: ...

    def done(self, path: Path) -> None:
        """Nothing more comes for this file."""
        ...


@dataclass(slots=True)
class _Open:
    """A segment that is being written; `waiting` pictures of it are still in its machine."""

    path: Path
    machine: SegmentMachine
    waiting: int = 0
    since_ns: int = 0  # when the first of them came


class FeedTrack:
    """Writes the pictures of a feed; a new segment begins only at a keyframe."""

    def __init__(self, folder: Path, feed_id: str, out: Appender, segments: int = 0) -> None:
        self._folder, self._feed_id, self._out = folder, feed_id, out
        self.segments = segments
        """How many there are; also the number of the newest."""
        self.lost = 0
        """Pictures that came and have no place in any segment."""
        self._open: _Open | None = None

    def picture(self, unit: AccessUnit, now_ns: int) -> None:
        if self._open is not None and not self._open.machine.fits(unit):
            self.close()
        segment = self._open
        if segment is None:
            self._begin(unit, now_ns)
            return
        # The machine holds the newest picture back: what comes out never has the one that goes in.
        self._hand_on(segment, segment.machine.take(unit))
        segment.since_ns = segment.since_ns if segment.waiting else now_ns
        segment.waiting += 1

    def flush(self, now_ns: int) -> None:
        """Hand on what has waited for long enough."""
        segment = self._open
        if segment is not None and segment.waiting and now_ns - segment.since_ns >= FLUSH_NS:
            self._hand_on(segment, segment.machine.flush())

    def close(self) -> None:
        """End the segment as it should be: the last fragment and the seek index."""
        if (segment := self._open) is not None:
            self._open = None
            self._hand_on(segment, segment.machine.close())
            self._out.done(segment.path)

    def abandon(self) -> None:
        """The file cannot be written any more: what is still in memory is lost."""
        if (segment := self._open) is not None:
            self._open = None
            self.lost += segment.waiting
            self._out.done(segment.path)

    def _begin(self, unit: AccessUnit, now_ns: int) -> None:
        machine = self._machine(unit) if unit.keyframe and self.segments < SEGMENTS_MOST else None
        if machine is None:
            self.lost += 1
            return
        self.segments += 1
        path = self._folder / segment_name(self._feed_id, self.segments)
        self._open = _Open(path, machine, waiting=1, since_ns=now_ns)

    def _machine(self, unit: AccessUnit) -> SegmentMachine | None:
        try:
            return SegmentMachine(unit)
        except MalformedError as error:
            log.warning("%s: a keyframe that no segment can begin with: %s", self._feed_id, error)
            return None

    def _hand_on(self, segment: _Open, data: bytes) -> None:
        if data:
            pictures, segment.waiting = segment.waiting, 0
            self._out.append(segment.path, data, pictures)
