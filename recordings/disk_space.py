"""A look at the disk: how much of it is free, and does it still take what is written."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

from .folders import OWNER_FILE
from .protocol.storage import Space

StatVfs = Callable[[Path], os.statvfs_result]

PATIENCE_S = 30.0
"""A disk that does not answer for so long has failed. One that spins up needs ten seconds."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def space_of(folder: Path, statvfs: StatVfs = os.statvfs) -> Space:
    """Of the file system that `folder` is in. Root's own share (`f_bfree`) is not counted. Raises OSError."""
    found = statvfs(folder)
    return Space(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


def examine(root: Path, statvfs: StatVfs = os.statvfs) -> Space:
    """Write a small file to the disk, of which nothing stays, and see what is free. Raises OSError.

    Waits for the disk, for ever where it has gone.
    """
    space = space_of(root, statvfs)
    try:
        with tempfile.TemporaryFile(dir=root) as file:
            file.write(b"lagebild")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _FULL:
            raise
        return Space(space.total_bytes, 0)  # a quota is no matter of statvfs
    return space


class DiskProbe:
    """Looks at the data folder from a thread of its own: where a disk hangs, nothing else waits for it.

    The thread is a daemon, which does not keep a process from ending.
    """

    def __init__(self, root: Path, statvfs: StatVfs = os.statvfs, patience_s: float = PATIENCE_S) -> None:
        self._root, self._statvfs, self._patience_s = root, statvfs, patience_s
        self._pending: asyncio.Future[Space | OSError] | None = None
        self._was_owned = False

    async def look(self) -> Space:
        """Raises OSError: what fails, or TimeoutError where the disk does not answer. The next look then
        waits for the same answer."""
        if self._pending is None:
            loop = asyncio.get_running_loop()
            self._pending = loop.create_future()
            Thread(target=self._work, args=(loop, self._pending), name="disk look", daemon=True).start()
        pending = self._pending
        try:
            async with asyncio.timeout(self._patience_s):
                found = await asyncio.shield(pending)
        except TimeoutError:
            raise TimeoutError(errno.ETIMEDOUT, f"no answer in {self._patience_s:.0f} s") from None
        if self._pending is pending:  # and not one that was asked meanwhile
            self._pending = None
        if isinstance(found, OSError):
            raise found
        return found

    def _work(self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Space | OSError]) -> None:
        found: Space | OSError
        try:
            self._check_owner()
            found = examine(self._root, self._statvfs)
        except OSError as error:
            found = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_give, answer, found)

    def _check_owner(self) -> None:
        """A disk that is pulled out leaves the empty folder that it was mounted on, on another disk."""
        is_owned = (self._root / OWNER_FILE).exists()
        if self._was_owned and not is_owned:
            raise OSError(errno.ENODEV, f"its {OWNER_FILE} is gone: this is not the disk it was")
        self._was_owned = is_owned


def _give(answer: asyncio.Future[Space | OSError], found: Space | OSError) -> None:
    if not answer.done():
        answer.set_result(found)
