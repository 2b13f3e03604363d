"""What is read of recordings is read off the event loop, and never waited for longer than a person would."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from flow.errors import BusyError, LagebildError, MalformedError, NotFoundError, UnavailableError

log = logging.getLogger("lagebild.web")

ANSWER_WITHIN_S = 5.0
READERS = 4
"""Threads. They are no other's: a disk that hangs holds up recordings that are looked at, nothing else."""
WAITING_MOST = 64
_OF_THE_DISK = frozenset({"disk_full", "disk_failed"})

P = ParamSpec("P")
T = TypeVar("T")


async def in_time(answer: Awaitable[T], within_s: float = ANSWER_WITHIN_S) -> T:
    """Raises UnavailableError: "archive_busy" where it takes longer, "disk_full", "disk_failed"."""
    try:
        async with asyncio.timeout(within_s):
            return await answer
    except TimeoutError:
        told = f"the recordings did not answer within {within_s:g} s: the disk is slow"
        raise UnavailableError(told, code="archive_busy") from None
    except LagebildError as error:
        if error.code not in _OF_THE_DISK:
            raise
        log.error("%s", error)  # where recordings lie is not for strangers
        told = "the recordings cannot be read or written: the log says why"
        raise UnavailableError(told, code=error.code) from None


class DiskReads:
    """Calls what blocks in a thread. What hangs counts until it returns, so that only so much can wait."""

    def __init__(self, threads: int = READERS) -> None:
        """With one thread, what is called is done in the order of the calls."""
        self._pool = ThreadPoolExecutor(threads, "recordings-read")
        self._waiting = 0

    def close(self) -> None:
        """Let go of the threads; what hangs in one is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def call(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What it returns. Raises BusyError and UnavailableError ("archive_busy"), NotFoundError where a file
        is gone, LagebildError("recording_damaged"), UnavailableError("disk_failed")."""
        if self._waiting >= WAITING_MOST:
            raise BusyError("too many look at recordings at once", code="archive_busy")
        self._waiting += 1
        called = asyncio.get_running_loop().run_in_executor(
            self._pool, partial(function, *arguments, **named)
        )
        called.add_done_callback(self._done)
        try:
            return await in_time(asyncio.shield(called))
        except MalformedError as error:  # not of the one who asks
            log.warning("%s", error)
            told = "this recording is damaged: the log says where"
            raise LagebildError(told, code="recording_damaged") from None
        except FileNotFoundError:
            raise NotFoundError("it is not there (any more)") from None
        except OSError as error:  # where recordings lie is not for strangers
            log.error("recordings cannot be read: %s", error)
            told = "the recordings cannot be read: the log says why"
            raise UnavailableError(told, code="disk_failed") from None

    def _done(self, called: asyncio.Future[T]) -> None:
        self._waiting -= 1
        if not called.cancelled():
            called.exception()  # whoever asked may have gone
