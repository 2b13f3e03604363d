"""An MP4 that is written picture by picture, in the memory of its tables alone, and begins with its moov."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from flow.clock import NS_PER_S
from recordings.protocol.fmp4 import Track
from recordings.protocol.movie_tables import (
    FILE_TYPE,
    FREE_LEAST,
    MEDIA_HEAD_BYTES,
    MovieTables,
    free,
    media_head,
    room_for,
)


class MovieFile:
    """A new file at `path`, of `pictures_most` pictures, the last of them shown for `last_90k`. What is not
    `finish`ed is removed.

    Raises OSError, from any method.
    """

    def __init__(self, path: Path, pictures_most: int, last_90k: int) -> None:
        self._path = path
        self._tables = MovieTables(last_90k)
        self._room = room_for(pictures_most)
        self._file: BinaryIO = path.open("wb")
        self._bytes = 0
        self._finished = False
        self._file.seek(self._room + MEDIA_HEAD_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()  # which writes what is left, where there may be no room
        finally:
            if not self._finished:
                self._path.unlink(missing_ok=True)

    @property
    def pictures(self) -> int:
        return len(self._tables)

    def describe(self, track: Track) -> None:
        """How the pictures that come now are announced: before the first, and where that changes."""
        self._tables.describe(track)

    def add(self, nals: Sequence[bytes], dts_90k: int, pts_90k: int, *, keyframe: bool) -> None:
        """The next picture in the order of decoding."""
        size = 0
        for nal in nals:
            self._file.write(len(nal).to_bytes(4, "big"))
            self._file.write(nal)
            size += 4 + len(nal)
        self._bytes += size
        self._tables.add(dts_90k, pts_90k, size, keyframe=keyframe)

    def finish(self, created_ns: int) -> None:
        """What comes before the pictures. One at least has been added."""
        moov = self._tables.moov(self._room + MEDIA_HEAD_BYTES, created_ns // NS_PER_S)
        head = FILE_TYPE + moov
        if len(head) + FREE_LEAST > self._room:  # described again and again: then it comes last
            self._file.write(moov)
            head = FILE_TYPE
        self._file.seek(0)
        self._file.write(head + free(self._room - len(head)) + media_head(self._bytes))
        self._file.flush()
        self._finished = True
