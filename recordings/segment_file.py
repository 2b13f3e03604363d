"""Segment files read back: what is in one, its pictures, and one put in order that was not closed.

A file is read from its front, fragment by fragment; what does not check is where it ends. Nothing in it is
believed further than its bounds: not a size, not a count.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from flow.codec.annexb import avcc_to_annexb
from flow.errors import MalformedError
from flow.units import AccessUnit

from .protocol.fmp4 import LONGEST_HEAD, BoxHead, head_of
from .protocol.segment_index import (
    INDEX_LIMIT_BYTES,
    Fragment,
    IndexedPicture,
    PictureIndex,
    SegmentIndex,
    parse_header,
    seek_index,
)

_INIT_LIMIT_BYTES = 1024 * 1024
_SEEK_INDEX_LIMIT_BYTES = 16 * 1024 * 1024
_MEDIA_LIMIT_BYTES = 32 * 1024 * 1024  # of one fragment: 4 MB, and a last picture of 8
_INDEX_GUESS_BYTES = 1024  # the index of half a second, mostly


def read_index(path: Path, known: SegmentIndex | None = None) -> SegmentIndex:
    """What of a segment is whole, judged by its indexes alone; `pictures` and `repair` look at the media.

    Blocking, and cheap: a read of 1 KB for every fragment. A file that grows is read on from `known`. Raises
    MalformedError for what is no segment, and OSError.
    """
    with _opened(path) as file:
        return _index(file, known)


def pictures(path: Path, feed_id: str, from_90k: int | None = None) -> Iterator[AccessUnit]:
    """The very pictures that were recorded, under the name of `feed_id`, NAL units behind start codes of
    four bytes. With `from_90k`, from the last keyframe decoded at or before then, or the first one.

    Holds one fragment. A damaged one is left out: `seq` shows that. Raises MalformedError for what is no
    segment, and OSError.
    """
    with _opened(path) as file:
        index = _index(file, None)
        for fragment in index.fragments[_beginning(index.fragments, from_90k) :]:
            data = _pread(file, fragment.offset, fragment.size)
            if _is_sound(data, fragment):
                yield from _units(index, feed_id, data, fragment)


def entries(path: Path, fragments: Iterable[Fragment]) -> Iterator[IndexedPicture]:
    """What the indexes of these fragments of that file say of every picture, without reading any media.
    Raises OSError, and MalformedError where it is another file by now."""
    with _opened(path) as file:
        for fragment in fragments:
            box = _pread(file, fragment.offset, fragment.size - fragment.media_size)
            yield from PictureIndex.parse(box).pictures()


def repair(path: Path, known: SegmentIndex | None = None) -> int:
    """Close a segment that was not: cut off what is after the last sound fragment, add the seek index.

    The bytes that were cut off; 0 where nothing had to be. Raises MalformedError for what is no segment (one
    whose header is not whole has no picture in it either), and OSError. `known` is what was just read of it.
    """
    with _opened(path, os.O_RDWR) as file:
        index = _index(file, known)
        fragments = list(index.fragments)
        size = os.fstat(file.fileno()).st_size
        while fragments and not _is_sound(
            _pread(file, fragments[-1].offset, fragments[-1].size), fragments[-1]
        ):
            fragments.pop()
        end = fragments[-1].offset + fragments[-1].size if fragments else index.init_bytes
        seek = seek_index(fragments)
        if _pread(file, end, len(seek) + 1) == seek:
            return 0
        file.truncate(end)
        file.seek(end)
        file.write(seek)
        file.flush()
        os.fsync(file.fileno())
        return size - end


def _opened(path: Path, flags: int = os.O_RDONLY) -> BinaryIO:
    """Not through a link, and no pipe that would never end."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(descriptor, "rb" if flags == os.O_RDONLY else "r+b")


def _index(file: BinaryIO, known: SegmentIndex | None) -> SegmentIndex:
    size = os.fstat(file.fileno()).st_size
    index = known if known is not None and known.whole_bytes <= size else _read_header(file, size)
    fragments, at = list(index.fragments), index.whole_bytes
    while not index.closed and (fragment := _fragment_at(file, at, size)):
        fragments.append(fragment)
        at += fragment.size
    seek_size = 0 if index.closed else _seek_index_at(file, at, size)
    return SegmentIndex(
        index.feed_id,
        index.rendition,
        index.codec,
        index.mime,
        index.width_px,
        index.height_px,
        index.init_bytes,
        tuple(fragments),
        at + seek_size,
        index.closed or seek_size > 0,
    )


def _read_header(file: BinaryIO, size: int) -> SegmentIndex:
    file_type = _head_at(file, 0, size)
    if file_type is None or file_type.kind != b"ftyp":
        raise MalformedError("no segment: it does not begin as an MP4 does")
    movie = _head_at(file, file_type.size, size)
    if movie is None or movie.kind != b"moov" or file_type.size + movie.size > _INIT_LIMIT_BYTES:
        raise MalformedError("no segment of ours, or one that was cut off in its header")
    init_bytes = file_type.size + movie.size
    header = parse_header(_pread(file, 0, init_bytes))
    return SegmentIndex(
        header.feed_id,
        header.rendition,
        header.codec,
        header.mime,
        header.width_px,
        header.height_px,
        init_bytes,
        (),
        init_bytes,
        False,
    )


def _head_at(file: BinaryIO, at: int, size: int) -> BoxHead | None:
    """How the box there begins, if the whole of it is in the file."""
    head = head_of(_pread(file, at, LONGEST_HEAD))
    return head if head and at + head.size <= size else None


def _fragment_at(file: BinaryIO, at: int, size: int) -> Fragment | None:
    start = _pread(file, at, _INDEX_GUESS_BYTES)
    try:
        head = head_of(start)
        if head is None or head.size > INDEX_LIMIT_BYTES or at + head.size > size:
            return None
        box = start if len(start) >= head.size else _pread(file, at, head.size)
        fragment = PictureIndex.parse(box[: head.size]).fragment(at, head.size)
    except MalformedError:
        return None
    is_whole = fragment.media_size <= _MEDIA_LIMIT_BYTES and at + fragment.size <= size
    return fragment if is_whole else None


def _seek_index_at(file: BinaryIO, at: int, size: int) -> int:
    """Bytes of the seek index there; 0 if there is none that is whole."""
    try:
        head = _head_at(file, at, size)
    except MalformedError:
        return 0
    if head is None or head.kind != b"mfra" or head.size > _SEEK_INDEX_LIMIT_BYTES:
        return 0
    told = int.from_bytes(_pread(file, at + head.size - 4, 4), "big")  # mfro: how far back it begins
    return head.size if told == head.size else 0


def _is_sound(data: bytes, fragment: Fragment) -> bool:
    """Whether the media of a fragment are those that its index was made of."""
    if len(data) != fragment.size:
        return False
    at = fragment.size - fragment.media_size
    return PictureIndex.parse(data[:at]).media_crc == crc32(memoryview(data)[at:])


def _beginning(fragments: tuple[Fragment, ...], from_90k: int | None) -> int:
    """Number of the fragment to begin with."""
    if from_90k is None:
        return 0
    at = bisect_right(fragments, from_90k, key=lambda fragment: fragment.dts_90k)
    return next((number for number in range(at - 1, 0, -1) if fragments[number].keyframe), 0)


def _units(index: SegmentIndex, feed_id: str, data: bytes, fragment: Fragment) -> Iterator[AccessUnit]:
    entries = PictureIndex.parse(data[: fragment.size - fragment.media_size]).pictures()
    at = fragment.size - sum(picture.size for picture in entries)
    for picture in entries:
        sample, at = data[at : at + picture.size], at + picture.size
        yield AccessUnit(
            feed_id=feed_id,
            rendition=index.rendition,
            codec=index.codec,
            epoch=picture.epoch,
            seq=picture.seq,
            dts_90k=picture.dts_90k,
            pts_90k=picture.pts_90k,
            utc_ns=picture.utc_ns,
            utc_origin=picture.utc_origin,
            keyframe=picture.keyframe,
            data=avcc_to_annexb(sample, 4),
        )


def _pread(file: BinaryIO, at: int, size: int) -> bytes:
    return os.pread(file.fileno(), size, at)
