"""Questions about recordings that take a processor its time: each is answered by a process of its own.

So live pictures do not wait for it, and what crashes there takes nothing with it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from typing import TypeVar

import msgspec

from flow.errors import BusyError, LagebildError, MalformedError, NotFoundError, UnavailableError
from ingest.child import end_with

from .children import child, step_back

log = logging.getLogger("lagebild.web")

AT_ONCE = 2
WAITING_MOST = 16
_NICE = 5

Q = TypeVar("Q", bound=msgspec.Struct)


class Answered(msgspec.Struct, frozen=True, tag=True):
    """All went well."""

    data: bytes


class NotThere(msgspec.Struct, frozen=True, tag=True):
    """What was asked for does not exist."""

    message: str
    code: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It exists, and cannot be read or made."""

    message: str
    code: str


_ANSWERS = msgspec.msgpack.Decoder(Answered | NotThere | Failed)


class Errands:
    """`answer` is the parent's side, `serve_errand` the child's."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._asked = 0

    async def answer(
        self,
        module: str,
        question: msgspec.Struct,
        within_s: float,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> bytes:
        """Have `python -m module` answer it, if somebody still waits when its turn comes.

        Raises BusyError and UnavailableError ("archive_busy"), NotFoundError, and LagebildError with the code
        that the process told.
        """
        if self._asked >= WAITING_MOST:
            raise BusyError("too many ask for something of recordings at once", code="archive_busy")
        self._asked += 1
        try:
            async with asyncio.timeout(within_s), self._free:
                if not is_wanted():
                    raise UnavailableError("nobody waits for the answer any more", code="archive_busy")
                said = await _said(module, question)
        except TimeoutError:
            told = f"the recordings did not answer within {within_s:g} s"
            raise UnavailableError(told, code="archive_busy") from None
        finally:
            self._asked -= 1
        return _understood(module, said)


async def _said(module: str, question: msgspec.Struct) -> bytes:
    async with child(module, [str(os.getpid())], talks=True) as process:
        said, _ = await process.communicate(msgspec.json.encode(question) + b"\n")
    return said


def _understood(module: str, said: bytes) -> bytes:
    try:
        answer = _ANSWERS.decode(said)
    except msgspec.MsgspecError:
        log.error("%s ended without an answer", module)
        raise UnavailableError("the recordings could not be looked into", code="worker_died") from None
    if isinstance(answer, Answered):
        return answer.data
    if isinstance(answer, NotThere):
        raise NotFoundError(answer.message, code=answer.code)
    log.warning("%s: %s", module, answer.message)
    raise LagebildError(answer.message, code=answer.code)


def serve_errand(kind: type[Q], answer: Callable[[Q], bytes]) -> None:
    """In the child: answer the one question that comes on standard input, and end. Its parent's process id is
    the only argument."""
    end_with(int(sys.argv[1]))
    step_back(_NICE)
    question = msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)
    sys.stdout.buffer.write(msgspec.msgpack.encode(_answered(answer, question)))
    sys.stdout.buffer.flush()


def _answered(answer: Callable[[Q], bytes], question: Q) -> Answered | NotThere | Failed:
    try:
        return Answered(answer(question))
    except NotFoundError as error:
        return NotThere(str(error), error.code)
    except FileNotFoundError:
        return NotThere("it is not there (any more)", "not_found")
    except MalformedError:  # where recordings lie is not for strangers, and the log says more
        return Failed("this recording is damaged", "recording_damaged")
    except LagebildError as error:
        return Failed(str(error), error.code)
    except OSError:
        return Failed("the recordings cannot be read", "disk_failed")
