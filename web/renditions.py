"""Pieces of recorded feeds that were made for browsers: made when asked for, kept while there is room."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary

from flow.errors import NotFoundError
from recordings.folders import flight_folder, renditions_folder, segment_name

from .archive_calls import DiskReads
from .errands import Errands
from .piece_making import PieceQuestion

BYTES_MOST = 2 * 1024**3
"""An hour of 1080p, mostly."""
MADE_WITHIN_S = 60.0
"""Where a camera sends a keyframe every ten minutes, all from there on is decoded."""


class WebRenditions:
    """`reserve_bytes` of the disk are not for what can be made again."""

    def __init__(
        self, root: Path, reads: DiskReads, reserve_bytes: int = 0, most_bytes: int = BYTES_MOST
    ) -> None:
        self._root, self._reads, self._errands = root, reads, Errands()
        self._reserve_bytes, self._most_bytes = reserve_bytes, most_bytes
        self._being_made: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()

    async def piece(
        self,
        flight_id: str,
        feed_id: str,
        number: int,
        piece: int,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Path:
        """The file. Who asks for one that is being made shares it. Raises what Errands.answer does."""
        folder = flight_folder(self._root, flight_id).absolute()
        name = f"{Path(segment_name(feed_id, number)).stem}-{piece:04d}.mp4"
        path = renditions_folder(self._root).absolute() / folder.name / name
        async with self._being_made.setdefault(path, asyncio.Lock()):
            if not await self._reads.call(_touched, path, folder / segment_name(feed_id, number)):
                question = PieceQuestion(str(folder), feed_id, number, piece, str(path))
                await self._errands.answer("web.piece_worker", question, MADE_WITHIN_S, is_wanted)
                await self._reads.call(make_room, self._root, self._reserve_bytes, self._most_bytes, path)
        return path


def _touched(path: Path, source: Path) -> bool:
    """Whether it is there already; then it is kept longer than others. Raises NotFoundError."""
    if not source.is_file():
        raise NotFoundError("there is no such segment (any more)")
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def make_room(root: Path, reserve_bytes: int, most_bytes: int, spared: Path) -> None:
    """Remove what nobody has asked for the longest until all of it has room. Blocking."""
    folder = renditions_folder(root)
    kept = sorted(
        (told.st_mtime_ns, told.st_size, path)
        for path in folder.glob("*/*.mp4")
        if (told := path.lstat()) and path != spared
    )
    used = sum(size for _, size, _ in kept)
    most_bytes = min(most_bytes, used + shutil.disk_usage(root).free - reserve_bytes)
    for _, size, path in kept:
        if used <= most_bytes:
            return
        path.unlink(missing_ok=True)
        used -= size
        with contextlib.suppress(OSError):
            path.parent.rmdir()  # if it was the last of its flight
