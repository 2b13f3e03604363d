"""An encoder process (encoder.py) as the process that owns it sees it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flow.clock import NS_PER_S
from flow.errors import MalformedError
from flow.flights import KeyframeWanted, RenditionState, RenditionStatus, RenditionWanted
from flow.units import AccessUnit, Rendition
from flow.wire import Deframer, decode, encode, frame

from .child import Child, EncoderError, child_process, cpu_s
from .protocol import reader_pipe
from .protocol.events import StreamInfo
from .protocol.reader_pipe import BeginForeign
from .settings import EncodeSettings

_SILENT_MOST_S = 20.0
"""An encoder tells every second how it is; an overloaded machine takes many to start one, and ending it then
would make matters worse."""

_READ_BYTES = 256 * 1024


@asynccontextmanager
async def remote_encoder(
    settings: EncodeSettings, rendition: Rendition, foreign: StreamInfo | None = None
) -> AsyncIterator[RemoteEncoder]:
    """Run an encoder for as long as the context is open; `foreign`: of a codec that does not travel."""
    arguments = [str(rendition), settings.encoder, settings.preset, *(["--foreign"] if foreign else [])]
    async with child_process("ingest.encoder", *arguments) as child:
        if foreign:
            child.writer.write(reader_pipe.encode(BeginForeign(foreign)))
        yield RemoteEncoder(child)


class RemoteEncoder:
    """Pictures go in by `feed()` and come out of `answers()`, which also tells why none do."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._cpu_s = 0.0
        self._cpu_ns: int | None = None

    async def feed(self, unit: AccessUnit) -> None:
        """Hand on the next picture; waits where the process does not read."""
        with contextlib.suppress(ConnectionError):  # it has ended: answers() says so
            self._child.writer.write(frame(encode(unit)))
            await self._child.writer.drain()

    def encode(self, feed_id: str, rendition: Rendition, *, on: bool) -> None:
        """Encode what comes, or, as at the beginning, only decode it."""
        self.ask(RenditionWanted(feed_id, rendition, until_ns=int(on)))

    def ask(self, wish: KeyframeWanted | RenditionWanted) -> None:
        """Ask for a keyframe, say."""
        with contextlib.suppress(ConnectionError):
            self._child.writer.write(frame(encode(wish)))

    async def answers(self) -> AsyncIterator[AccessUnit | RenditionState]:
        """What the process says, without an end. Raises EncoderError when it fails, ends or falls silent."""
        deframer = Deframer()
        while data := await self._read():
            try:
                items = [decode(message) for message in deframer.push(data)]
            except MalformedError as error:
                raise EncoderError(f"the encoder's process talks nonsense: {error}") from None
            for item in items:
                if isinstance(item, RenditionState) and item.status is RenditionStatus.FAILED:
                    raise EncoderError(item.detail, code=item.reason)
                if isinstance(item, (AccessUnit, RenditionState)):
                    yield item
        raise EncoderError("the encoder's process has ended by itself")

    async def _read(self) -> bytes:
        try:
            async with asyncio.timeout(_SILENT_MOST_S):
                return await self._child.reader.read(_READ_BYTES)
        except TimeoutError:
            raise EncoderError(f"the encoder's process was silent for {_SILENT_MOST_S:g} s") from None
        except ConnectionError:
            return b""

    def cpu_share(self, now_ns: int) -> float | None:
        """Of one core, since this was asked last; None the first time, or where nobody can tell."""
        used_s, before_s, before_ns = cpu_s(self._child.pid), self._cpu_s, self._cpu_ns
        if used_s is None:
            return None
        self._cpu_s, self._cpu_ns = used_s, now_ns
        if before_ns is None or now_ns <= before_ns:
            return None
        return (used_s - before_s) * NS_PER_S / (now_ns - before_ns)
