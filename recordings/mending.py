"""Files that a power cut left in the middle of a write, cut back to what of them is whole.

What is none of ours is left alone: only a tail that our own writing can have left is cut off.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flow.clock import NS_PER_S
from flow.codec.tlog import TlogSplitter
from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ

from .protocol.segment_index import SegmentIndex
from .segment_file import read_index, repair

TAIL_LIMIT_BYTES = 1024 * 1024
"""No write of ours leaves more behind it that is not whole."""

_FIRST_WRITE_BYTES = 16 * 1024 * 1024  # of a segment: a fragment, and a last picture of 8 MB
_RECORD_LIMIT_BYTES = 8 + 12 + 255 + 13  # of a .tlog
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Mended:
    """What was cut off, and when the last that is whole was: None where there is nothing, or nobody knows."""

    cut_bytes: int = 0
    cut_ns: int = 0  # of pictures, by the segment's mean bitrate
    last_ns: int | None = None
    pictures: int = 0  # that are whole


def mend_segment(path: Path) -> Mended:
    """Raises MalformedError for what is no segment, and OSError."""
    if (empty_bytes := _empty_bytes(path)) is not None:
        path.unlink()
        return Mended(empty_bytes)
    index = read_index(path)
    cut_bytes = repair(path, index)
    if cut_bytes or not index.closed:
        index = read_index(path)
    if not index.fragments:
        return Mended(cut_bytes)
    pictures = sum(fragment.pictures for fragment in index.fragments)
    first, last = index.fragments[0], index.fragments[-1]
    length_ns = _ns(last.end_90k - first.dts_90k)
    media_bytes = max(1, index.whole_bytes - index.init_bytes)
    return Mended(cut_bytes, cut_bytes * length_ns // media_bytes, _end_ns(index), pictures)


def _empty_bytes(path: Path) -> int | None:
    """How long a file is that was made, but no data of it reached the disk; None if there are some."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        is_empty = size <= _FIRST_WRITE_BYTES and _is_zeros(file)
    return size if is_empty else None


def _is_zeros(file: BinaryIO) -> bool:
    while chunk := file.read(_CHUNK_BYTES):
        if chunk.strip(b"\0"):
            return False
    return True


def mend_lines(path: Path) -> Mended:
    """Cut off a last line without an end. Raises MalformedError for what are no lines, and OSError."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = max(0, size - TAIL_LIMIT_BYTES)
        tail = os.pread(file.fileno(), size - start, start)
        whole = tail.rfind(b"\n") + 1
        if start and not whole:
            raise MalformedError("no lines of ours")
        return Mended(_cut(file, size, start + whole))


def mend_tlog(path: Path) -> Mended:
    """Cut off a last record that is not whole. Raises MalformedError for what is no .tlog, and OSError."""
    splitter, read_bytes, last_us = TlogSplitter(), 0, None
    with _opened(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            read_bytes += len(chunk)
            if records := splitter.push(chunk):
                last_us = records[-1][0]
            if read_bytes - splitter.whole_bytes > TAIL_LIMIT_BYTES:
                raise MalformedError("no .tlog of ours")
        if not splitter.whole_bytes and read_bytes > _RECORD_LIMIT_BYTES:
            raise MalformedError("no .tlog of ours")
        cut_bytes = _cut(file, read_bytes, splitter.whole_bytes)
    return Mended(cut_bytes, 0, None if last_us is None else last_us * 1000)


def _opened(path: Path) -> BinaryIO:
    """Not through a link, and no pipe, on which we would wait."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "r+b", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise MalformedError("no regular file")
    return file


def _cut(file: BinaryIO, size: int, end: int) -> int:
    if end < size:
        file.truncate(end)
        os.fsync(file.fileno())
    return size - end


def _end_ns(index: SegmentIndex) -> int:
    last = index.fragments[-1]
    return last.utc_ns + _ns(last.end_90k - last.dts_90k)


def _ns(ticks_90k: int) -> int:
    return ticks_90k * NS_PER_S // CLOCK_RATE_HZ
