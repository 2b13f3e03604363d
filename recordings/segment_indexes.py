"""The indexes of segments, kept: of a file that grows, only what is new is read."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from flow.errors import NotFoundError

from .protocol.segment_index import SegmentIndex
from .segment_file import read_index

FRAGMENTS_MOST = 200_000
"""Kept in all: two cameras for 14 hours."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What changes with a file's content."""

    inode: int
    size_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> _Stamp:
        """Raises NotFoundError."""
        try:
            told = path.stat(follow_symlinks=False)
        except FileNotFoundError:
            raise NotFoundError("there is no such segment (any more)") from None
        return cls(told.st_ino, told.st_size, told.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: _Stamp
    index: SegmentIndex


class SegmentIndexes:
    """Blocking, for several threads at once."""

    def __init__(self, fragments_most: int = FRAGMENTS_MOST) -> None:
        self._most = fragments_most
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()  # the one asked for last at the end
        self._fragments = 0
        self._lock = Lock()

    def of(self, path: Path) -> SegmentIndex:
        """Raises NotFoundError where it is not there (any more), MalformedError for what is no segment."""
        stamp = _Stamp.of(path)
        with self._lock:
            kept = self._kept.get(path)
        if kept is not None and kept.stamp == stamp:
            index = kept.index
        else:
            index = read_index(path, kept.index if kept and _goes_on(kept, stamp) else None)
        self._keep(path, _Kept(stamp, index))
        return index

    def _keep(self, path: Path, new: _Kept) -> None:
        with self._lock:
            self._forget(path)
            self._kept[path] = new
            self._fragments += len(new.index.fragments)
            while self._fragments > self._most and len(self._kept) > 1:
                self._forget(next(iter(self._kept)))

    def _forget(self, path: Path) -> None:
        if (old := self._kept.pop(path, None)) is not None:
            self._fragments -= len(old.index.fragments)


def _goes_on(kept: _Kept, stamp: _Stamp) -> bool:
    """The same file, which has only grown."""
    same = kept.stamp.inode == stamp.inode and not kept.index.closed
    return same and stamp.size_bytes >= kept.stamp.size_bytes
