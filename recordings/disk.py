"""The thread that writes: file operations are carried out in the order in which they were given.

The event loop never waits for a disk. What it hands over is bounded; a disk that is slower than that is told
to whoever writes, and so is one that is full or gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread

from flow.errors import OverflowedError

from .flight_file import replace_file, sync_folder

LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Operation:
    run: Callable[[], None]
    size: int = 0
    done: Future[None] | None = None  # somebody waits for it; carried out in any case


class Disk:
    """Give it operations from the event loop; each returns at once.

    After the first failure nothing more is done, and what waits is thrown away, until `recovered()`: a file
    with a hole in it would be worse than one that ends. So whoever sees `trouble` begins new files then.
    """

    def __init__(self, name: str, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._waiting: deque[_Operation] = deque()
        self._waiting_bytes = self._written_bytes = 0
        self._change = Condition()
        self._trouble: OSError | None = None
        self._hurried = self._ended = False
        self._operations = 0
        self._files = _Files()
        self._thread = Thread(target=self._work, name=f"disk {name}", daemon=True)
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """What was given and is not on the disk yet."""
        return self._waiting_bytes

    @property
    def written_bytes(self) -> int:
        """Of all that was given, what is known to be on the disk."""
        return self._written_bytes

    @property
    def steps(self) -> int:
        """Operations and syncs carried out so far: this rises as long as the disk answers, however slowly."""
        return self._operations + self._files.syncs

    @property
    def trouble(self) -> OSError | None:
        """What failed; nothing is written since."""
        return self._trouble

    def recovered(self) -> None:
        """Try again from here on, with all files closed. What was given before is forgotten."""
        with self._change:
            self._discard()
            self._trouble = None
            self._waiting.append(_Operation(self._files.close_all))
            self._change.notify_all()

    def append(self, path: Path, data: bytes) -> None:
        """Add to the end of a file, which is made if need be, and see to it that it stays there (fdatasync).

        Raises OverflowedError where more than the bound would wait; nothing of `data` is written then.
        """
        self._give(_Operation(lambda: self._files.append(path, data), len(data)))

    def replace(self, path: Path, data: bytes) -> None:
        """Write a whole file, as `flight_file.replace_file` does. It is small, and says what all else is:
        there is always room for it."""
        self._give(_Operation(lambda: self._files.then(replace_file, path, data), len(data)), bounded=False)

    def make_folder(self, path: Path) -> None:
        """With those above it, if they are missing."""
        self._give(_Operation(lambda: self._files.then(_make_folder, path)))

    def close(self, path: Path) -> None:
        """Nothing more will be appended to this file for now."""
        self._give(_Operation(lambda: self._files.close(path)))

    async def settled(self, timeout_s: float) -> bool:
        """Wait until all that was given is on the disk; False if it is not by then, or there is `trouble`."""
        done: Future[None] = Future()
        with self._change:
            self._waiting.append(_Operation(self._files.sync, done=done))
            self._change.notify_all()
        try:
            await asyncio.wait_for(asyncio.wrap_future(done), timeout_s)
        except TimeoutError:
            return False
        return self._trouble is None

    async def aclose(self, timeout_s: float) -> bool:
        """`settled`, and the end of the thread, unless it hangs in a disk that does not answer.

        A disk that is only slow is given all that waits before it has to sync anything more: that outlives
        the process, though not a power cut.
        """
        self._hurried = True
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        settled = await self.settled(timeout_s)
        with self._change:
            self._ended = True
            self._change.notify_all()
        if settled:
            await asyncio.to_thread(self._thread.join, max(0.0, deadline_s - loop.time()))
        return settled

    def _give(self, operation: _Operation, bounded: bool = True) -> None:
        with self._change:
            if self._trouble is not None:
                return
            if bounded and self._waiting_bytes + operation.size > self._limit_bytes:
                raise OverflowedError(f"{self._waiting_bytes >> 20} MB wait for the disk, which is too slow")
            self._waiting_bytes += operation.size
            self._waiting.append(operation)
            self._change.notify_all()

    def _work(self) -> None:
        while operations := self._next():
            try:
                for operation in operations:
                    operation.run()
                    self._operations += 1
                self._files.sync(until=self._must_hurry)
            except OSError as error:
                self._failed(error)
            else:
                self._written_bytes += sum(operation.size for operation in operations)
            with self._change:
                self._waiting_bytes -= sum(operation.size for operation in operations)
            for operation in operations:  # last: who waited for it finds all of the above
                if operation.done is not None and operation.done.set_running_or_notify_cancel():
                    operation.done.set_result(None)
        self._files.close_all()

    def _must_hurry(self) -> bool:
        return self._hurried and bool(self._waiting)

    def _next(self) -> list[_Operation]:
        """All that waits, so that a file of many small appends is synced once; nothing at the end."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._ended)
            operations = list(self._waiting)
            self._waiting.clear()
            return operations

    def _failed(self, error: OSError) -> None:
        with self._change:
            self._trouble = error
            self._discard()

    def _discard(self) -> None:
        """Forget what waits, but not who waits."""
        self._waiting_bytes -= sum(operation.size for operation in self._waiting)
        kept = [operation for operation in self._waiting if operation.done is not None]
        self._waiting.clear()
        self._waiting.extend(kept)


class _Files:
    """Open files by path, used by the disk's thread alone."""

    def __init__(self) -> None:
        self.syncs = 0
        self._open: dict[Path, int] = {}
        self._unsynced: dict[Path, None] = {}  # in the order in which they were written to
        self._done: set[Path] = set()  # to be closed when all is synced

    def append(self, path: Path, data: bytes) -> None:
        descriptor = self._descriptor(path)
        status = os.fstat(descriptor)
        if status.st_nlink == 0:  # somebody removed the file, and writing to it would look like success
            raise FileNotFoundError(errno.ENOENT, "the file was removed", str(path))
        try:
            _write(descriptor, data)
        except OSError:
            os.ftruncate(descriptor, status.st_size)  # half a fragment helps nobody
            raise
        self._unsynced[path] = None

    def then(self, change: Callable[..., None], *arguments: object) -> None:
        """What was appended before is safe before a change that may tell of it."""
        self.sync()
        change(*arguments)

    def sync(self, until: Callable[[], bool] = lambda: False) -> None:
        """All files, or as many as `until` leaves time for; the next time goes on with the others."""
        for path in tuple(self._unsynced):
            if until():
                return
            os.fdatasync(self._open[path])
            self.syncs += 1
            del self._unsynced[path]
        while self._done:
            if (descriptor := self._open.pop(self._done.pop(), None)) is not None:
                os.close(descriptor)

    def close(self, path: Path) -> None:
        """With the next sync, so that the files that end together are synced together."""
        self._done.add(path)

    def close_all(self) -> None:
        """Whatever the disk says: this is for when it has failed, and for the end."""
        self._unsynced.clear()
        self._done.clear()
        while self._open:
            _, descriptor = self._open.popitem()
            with contextlib.suppress(OSError):
                os.fdatasync(descriptor)
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _descriptor(self, path: Path) -> int:
        if path not in self._open:
            is_new = not path.exists()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._open[path] = os.open(path, flags, 0o640)
            if is_new:
                sync_folder(path.parent)
        return self._open[path]


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _make_folder(path: Path) -> None:
    """Each one that is made must be told by the one above it, or a power cut takes all that is in it."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing or [path]:
        sync_folder(folder.parent)
