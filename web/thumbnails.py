"""A small picture of each flight for lists: made when it is first asked for, then kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from weakref import WeakValueDictionary

from recordings.folders import flight_folder, thumbnails_folder

from .archive_calls import DiskReads
from .errands import Errands
from .flight_index import flight_in
from .thumbnail_making import ThumbnailQuestion

MADE_WITHIN_S = 20.0


class Thumbnails:
    """Of a flight that goes on it is of what there was when it was first asked for; it is made anew when the
    flight has ended."""

    def __init__(self, root: Path, reads: DiskReads) -> None:
        self._root, self._reads, self._errands = root, reads, Errands()
        self._being_made: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()

    async def path(self, flight_id: str) -> Path:
        """The file. Raises what Errands.answer does: NotFoundError where there is no such flight, or no
        picture of it that can be decoded."""
        folder = flight_folder(self._root, flight_id).absolute()
        path = await self._reads.call(_path, thumbnails_folder(self._root).absolute(), folder)
        async with self._being_made.setdefault(path, asyncio.Lock()):
            if not await self._reads.call(path.is_file):
                question = ThumbnailQuestion(str(folder), str(path))
                await self._errands.answer("web.thumbnail_worker", question, MADE_WITHIN_S)
        return path


def _path(thumbnails: Path, folder: Path) -> Path:
    flight = flight_in(folder)
    return thumbnails / f"{flight.id}{'.running' if flight.ended_ns is None else ''}.jpg"
