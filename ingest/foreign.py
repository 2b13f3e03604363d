"""Pictures of codecs that do not travel: an encoder process makes H.264 of them before anybody sees them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from flow.clock import NS_PER_S, Clock
from flow.codec.rtp import Unwrapper, signed_distance
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin

from .child import EncoderError, raise_if_cancelled
from .protocol.events import (
    ForeignPicture,
    Gone,
    Heard,
    Opened,
    Restarted,
    SourceEvent,
    SourcePicture,
    StreamInfo,
    Transcoded,
    Unusable,
)
from .remote_encoder import RemoteEncoder, remote_encoder
from .settings import EncodeSettings

log = logging.getLogger("lagebild.ingest")

_NOTES = {
    "mpeg1video": "codec_mpeg2",
    "mpeg2video": "codec_mpeg2",
    "mpeg4": "codec_mpeg4",
    "msmpeg4v1": "codec_mpeg4",
    "msmpeg4v2": "codec_mpeg4",
    "msmpeg4v3": "codec_mpeg4",
    "mjpeg": "codec_mjpeg",
}
_NOTE_OF_OTHERS = "codec_other"

_WAITING_MOST = 256
_WAITING_MOST_BYTES = 16 * 1024 * 1024
_RETRY_NS = 2 * NS_PER_S


class ForeignPictures:
    """One feed's pictures of other codecs. Nothing runs before the first of them comes.

    The encoder makes `web` of them: its size and its limit are right for a source, too. Each stream has an
    encoder of its own, which knows of no other stream: nothing of one is ever fed to, or told for, the next.
    """

    def __init__(
        self, feed_id: str, settings: EncodeSettings, clock: Clock, publish: Callable[[SourceEvent], None]
    ) -> None:
        self._feed_id, self._settings, self._clock, self._publish = feed_id, settings, clock, publish
        self._stream: _Stream | None = None
        self._due = asyncio.Event()  # there are pictures to transcode
        self._bits = 64

    def see(self, event: SourceEvent) -> None:
        """Look at what the source tells: take its foreign pictures, and notice where a stream ends."""
        match event:
            case ForeignPicture():
                self._take(event)
            case Opened(_, bits):
                self._bits = bits
                self.end()
            case Restarted() | Gone():
                self.end()

    def _take(self, picture: ForeignPicture) -> None:
        if self._stream is None or picture.info != self._stream.info:
            self.end()
            self._stream = _Stream(self._feed_id, picture.info, self._bits)
        self._publish(self._stream.failure or Heard())
        self._stream.put(picture)
        self._due.set()

    def end(self) -> None:
        """The source's stream is over; what is left of it does not matter any more."""
        if self._stream is not None:
            self._stream.over.set()
            self._stream.clear()
        self._stream = None
        self._due.clear()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._due.wait()
            if self._stream is None:  # it was over before we could begin
                continue
            stream = self._stream
            try:
                await self._transcode(stream)
            except* EncoderError as group:
                await self._fail(stream, group.exceptions[0])
            except* Exception as group:  # a fault of ours must not take the other feeds down
                log.exception("feed %s: transcoding failed unexpectedly", self._feed_id)
                await self._fail(stream, group.exceptions[0])

    async def _transcode(self, stream: _Stream) -> None:
        """Until the stream ends or becomes another. Raises EncoderError in a group, or alone."""
        self._publish(Transcoded(_NOTES.get(stream.info.codec, _NOTE_OF_OTHERS)))
        async with (
            remote_encoder(self._settings, Rendition.WEB, stream.info) as encoder,
            asyncio.TaskGroup() as tasks,
        ):
            encoder.encode(self._feed_id, Rendition.WEB, on=True)
            work = (
                tasks.create_task(self._feed(encoder, stream)),
                tasks.create_task(self._read(encoder, stream)),
            )
            await stream.over.wait()
            for task in work:
                task.cancel()

    async def _feed(self, encoder: RemoteEncoder, stream: _Stream) -> None:
        while True:
            await encoder.feed(await stream.take())

    async def _read(self, encoder: RemoteEncoder, stream: _Stream) -> None:
        async for unit in encoder.answers():
            if stream.over.is_set():
                return
            if isinstance(unit, AccessUnit):
                stream.failure = None
                self._publish(stream.made(unit))
            elif unit.reason:
                self._publish(Unusable(unit.reason, unit.detail))

    async def _fail(self, stream: _Stream, error: BaseException) -> None:
        raise_if_cancelled()
        if stream.over.is_set():  # what there is now has an encoder to come, and no failure
            return
        code = error.code if isinstance(error, EncoderError) else "encoder_failed"
        stream.failure = Unusable(code, str(error))
        self._publish(stream.failure)
        await self._clock.sleep_until(self._clock.now_ns() + _RETRY_NS)
        stream.clear()
        if not stream.over.is_set():
            self._due.clear()  # until its next picture


class _Stream:
    """One stream of the source: its pictures that wait for the encoder, and its times."""

    def __init__(self, feed_id: str, info: StreamInfo, bits: int) -> None:
        self.info = info
        self.over = asyncio.Event()
        self.failure: Unusable | None = None
        """Of its encoder, until there is another that works."""
        self._feed_id, self._bits = feed_id, bits
        self._waiting: deque[ForeignPicture] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._unwrapper = Unwrapper(bits)
        self._origin: int | None = None  # of the encoder's times in the source's
        self._arrival_ns = 0

    def put(self, picture: ForeignPicture) -> None:
        """The next picture. Where too many wait, the encoder is too slow: it goes on with what is new."""
        if len(self._waiting) == _WAITING_MOST or self._bytes + len(picture.data) > _WAITING_MOST_BYTES:
            self.clear()
        self._waiting.append(picture)
        self._bytes += len(picture.data)
        self._arrived.set()

    def clear(self) -> None:
        """Nothing waits any more."""
        self._waiting.clear()
        self._bytes = 0

    async def take(self) -> AccessUnit:
        """The next picture as the encoder takes it: `codec` is what will be, `utc_ns` the arrival."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        picture = self._waiting.popleft()
        self._bytes -= len(picture.data)
        position = self._unwrapper.unwrap(picture.dts)
        self._origin = position if self._origin is None else self._origin
        dts_90k = position - self._origin
        ahead = signed_distance(picture.dts, picture.pts, 1 << self._bits)
        return AccessUnit(
            feed_id=self._feed_id,
            rendition=Rendition.SOURCE,
            codec=Codec.H264,
            epoch=0,
            seq=0,
            dts_90k=dts_90k,
            pts_90k=dts_90k + max(0, ahead),
            utc_ns=picture.arrival_ns,
            utc_origin=UtcOrigin.ARRIVAL,
            keyframe=False,
            data=picture.data,
        )

    def made(self, unit: AccessUnit) -> SourcePicture:
        """What the encoder made of a picture that was taken, in the source's times."""
        self._arrival_ns = max(self._arrival_ns, unit.utc_ns)
        pts = (unit.pts_90k + (self._origin or 0)) % (1 << self._bits)
        return SourcePicture(unit.codec, unit.data, pts, pts, self._arrival_ns)
