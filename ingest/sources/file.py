"""A recorded file, played as if it were live."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from flow.clock import Clock
from flow.errors import MalformedError, SourceError
from ingest.child import child_process
from ingest.protocol.events import (
    ForeignPicture,
    Opened,
    ParameterSets,
    SourceMetadata,
    SourcePicture,
    StreamInfo,
)
from ingest.protocol.pacing import Pacing
from ingest.protocol.reader_pipe import (
    PREFIX,
    Begin,
    BeginForeign,
    Beside,
    End,
    Failure,
    Message,
    Remark,
    Sample,
    body_length,
    decode,
)

from . import Publish

log = logging.getLogger("lagebild.ingest")

TIMESTAMP_BITS = 64  # a file's timestamps do not wrap

FIRST_ANSWER_S = 10.0
"""An unreachable network folder never answers; a busy machine takes a second or two."""

ReadMessage: TypeAlias = Callable[[], Awaitable[Message | None]]


@dataclass(frozen=True, slots=True)
class FileSource:
    """Plays one file once, or over and over."""

    path: str
    fps: float | None
    loop: bool
    clock: Clock

    async def run(self, publish: Publish) -> None:
        arguments = [self.path, *(["--loop"] if self.loop else [])]
        if self.fps is not None:
            arguments += ["--fps", str(self.fps)]
        async with reader_process(arguments) as read:
            await play(read, f"file:{self.path}", self.clock, publish)


async def play(read: ReadMessage, address: str, clock: Clock, publish: Publish) -> None:
    """Publish what a reader tells, each picture at its time. Raises SourceError as the reader says."""
    pacing = Pacing()
    foreign: StreamInfo | None = None
    message = await _first(read, address)
    while message is not None:
        match message:
            case Begin(codec, parameter_sets):
                publish(Opened(address, TIMESTAMP_BITS))
                publish(ParameterSets(codec, parameter_sets))
            case BeginForeign(foreign):
                publish(Opened(address, TIMESTAMP_BITS))
            case Sample(pts, dts, data):
                await clock.sleep_until(pacing.due_ns(dts, clock.now_ns()))
                if foreign is not None:
                    publish(ForeignPicture(foreign, data, pts, dts, clock.now_ns()))
                else:
                    publish(SourcePicture(codec, data, pts, dts, clock.now_ns()))
            case Beside(kind, at, data):
                publish(SourceMetadata(kind, data, at, clock.now_ns()))
            case Remark(detail):
                log.warning("%s", detail)
            case Failure(reason, detail):
                raise SourceError(detail, code=reason)
            case End():
                return
        message = await read()
    raise SourceError(f"the process that reads {address} ended in the middle of it")


async def _first(read: ReadMessage, address: str) -> Message | None:
    try:
        async with asyncio.timeout(FIRST_ANSWER_S):
            return await read()
    except TimeoutError:
        raise SourceError(f"{address} could not be opened within {FIRST_ANSWER_S:g} s") from None


@asynccontextmanager
async def reader_process(arguments: list[str]) -> AsyncIterator[ReadMessage]:
    """Run av_reader and give what reads its messages; it ends with the context, and by itself with us.

    It is read only as far as it is played: the pipe between fills, and the reader waits.
    """
    async with child_process("ingest.av_reader", *arguments) as child:
        yield partial(_read, child.reader)


async def _read(reader: asyncio.StreamReader) -> Message | None:
    """The next message, or None where the process has ended."""
    try:
        prefix = await reader.readexactly(PREFIX.size)
        return decode(prefix, await reader.readexactly(body_length(prefix)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except MalformedError as error:
        raise SourceError(str(error)) from None
