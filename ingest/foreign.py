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

    The encoder makes `web` of them: its size and its limit are right for a source, too.
    """

    def __init__(
        self, feed_id: str, settings: EncodeSettings, clock: Clock, publish: Callable[[SourceEvent], None]
    ) -> None:
        self._feed_id, self._settings, self._clock, self._publish = feed_id, settings, clock, publish
        self._waiting: deque[ForeignPicture] = deque(maxlen=_WAITING_MOST)
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._over = asyncio.Event()  # the stream that is being transcoded
        self._info: StreamInfo | None = None
        self._bits = 64
        self._unwrapper = Unwrapper(self._bits)
        self._origin: int | None = None  # of the encoder's times in the source's
        self._arrival_ns = 0
        self._failure: Unusable | None = None

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

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._arrived.wait()
            self._over.clear()
            try:
                await self._transcode(self._waiting[0].info)
            except* EncoderError as group:
                await self._fail(group.exceptions[0])
            except* Exception as group:  # a fault of ours must not take the other feeds down
                log.exception("feed %s: transcoding failed unexpectedly", self._feed_id)
                await self._fail(group.exceptions[0])

    def _take(self, picture: ForeignPicture) -> None:
        self._publish(self._failure or Heard())
        if self._waiting and picture.info != self._waiting[-1].info:
            self.end()
        if len(self._waiting) == _WAITING_MOST or self._bytes + len(picture.data) > _WAITING_MOST_BYTES:
            self._clear()  # the encoder does not keep up, or there is none: go on with what is new
        self._waiting.append(picture)
        self._bytes += len(picture.data)
        self._arrived.set()

    def end(self) -> None:
        """The source's stream is over; what is left of it does not matter any more."""
        self._clear()
        self._over.set()

    def _clear(self) -> None:
        self._waiting.clear()
        self._bytes = 0
        self._arrived.clear()

    async def _transcode(self, info: StreamInfo) -> None:
        """Until the stream ends or becomes another. Raises EncoderError in a group, or alone."""
        self._unwrapper, self._origin, self._arrival_ns = Unwrapper(self._bits), None, 0
        size = (str(info.width_px), str(info.height_px))
        arguments = ("--codec", info.codec, "--extradata", info.extradata.hex(), "--size", *size)
        self._publish(Transcoded(_NOTES.get(info.codec, _NOTE_OF_OTHERS)))
        async with (
            remote_encoder(self._settings, Rendition.WEB, *arguments) as encoder,
            asyncio.TaskGroup() as tasks,
        ):
            encoder.encode(self._feed_id, Rendition.WEB, on=True)
            work = (
                tasks.create_task(self._feed(encoder, info)),
                tasks.create_task(self._read(encoder, self._bits)),
            )
            await self._over.wait()
            for task in work:
                task.cancel()

    async def _feed(self, encoder: RemoteEncoder, info: StreamInfo) -> None:
        while True:
            await self._arrived.wait()
            picture = self._waiting[0]
            if picture.info != info:
                self._over.set()
                return
            self._waiting.popleft()
            self._bytes -= len(picture.data)
            if not self._waiting:
                self._arrived.clear()
            await encoder.feed(self._unit(picture))

    def _unit(self, picture: ForeignPicture) -> AccessUnit:
        """The picture as the encoder takes it: `codec` is what will be, `utc_ns` the arrival."""
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

    async def _read(self, encoder: RemoteEncoder, bits: int) -> None:
        async for unit in encoder.answers():
            if self._over.is_set() or self._origin is None:
                continue
            if isinstance(unit, AccessUnit):
                self._failure = None
                self._arrival_ns = max(self._arrival_ns, unit.utc_ns)
                pts = (unit.pts_90k + self._origin) % (1 << bits)
                self._publish(SourcePicture(unit.codec, unit.data, pts, pts, self._arrival_ns))
            elif unit.reason:
                self._publish(Unusable(unit.reason, unit.detail))

    async def _fail(self, error: BaseException) -> None:
        raise_if_cancelled()
        code = error.code if isinstance(error, EncoderError) else "encoder_failed"
        self._failure = Unusable(code, str(error))
        self._publish(self._failure)
        await self._clock.sleep_until(self._clock.now_ns() + _RETRY_NS)
        self._clear()
