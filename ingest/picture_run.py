"""Decoding a run of pictures from a keyframe on, and what becomes of one that is to be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from flow.units import AccessUnit, Codec

from .protocol.picture_limit import DECODED_MOST_PX

_LIBAV_NAMES = {Codec.H264: "h264", Codec.H265: "hevc"}
_JPEG_QUALITY = 92
_IN_FLIGHT = 64  # pictures a decoder may hold back, and more than any does
_HD_LINES = 720


@dataclass(frozen=True, slots=True)
class Shown:
    """A decoded picture and the access unit it came from (without its bytes)."""

    frame: VideoFrame
    unit: AccessUnit


class PictureRun:
    """A decoder from one keyframe on."""

    def __init__(self, unit: AccessUnit, most_px: int = DECODED_MOST_PX) -> None:
        context = av.CodecContext.create(_LIBAV_NAMES[unit.codec], "r")
        assert isinstance(context, VideoCodecContext)
        context.thread_count = 1  # each more holds a picture back, and may hang when it is freed
        context.options = {"max_pixels": str(most_px)}
        self._context = context
        self._units: dict[int, AccessUnit] = {}
        self.origin = (unit.codec, unit.epoch)

    def decode(self, unit: AccessUnit) -> list[Shown]:
        """The pictures that are ready with this one. Raises av.FFmpegError where it is broken."""
        packet = av.Packet(unit.data)
        packet.pts, packet.dts = unit.pts_90k, unit.dts_90k
        self._units[unit.pts_90k] = unit
        if len(self._units) > _IN_FLIGHT:
            del self._units[next(iter(self._units))]
        return self._shown(self._context.decode(packet))

    def flush(self) -> list[Shown]:
        """What the decoder holds back; it takes nothing after this."""
        return self._shown(self._context.decode(None))

    def _shown(self, frames: Iterable[VideoFrame]) -> list[Shown]:
        return [
            Shown(frame, unit)
            for frame in frames
            if frame.pts is not None and (unit := self._units.pop(frame.pts, None)) is not None
        ]


def jpeg_of(image: NDArray[np.uint8]) -> bytes:
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert done, "OpenCV refuses to write a JPEG only where its sides are beyond 65500"
    return bytes(jpeg)


def bgr(frame: VideoFrame) -> NDArray[np.uint8]:
    """In its colours. Each colour sample is simply repeated, which is quick, and exact where the JPEG takes
    one for four pixels again."""
    matrix = frame.colorspace
    if matrix not in set(Colorspace):  # it does not say: by the custom of its size
        matrix = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
    image: NDArray[Any] = frame.to_ndarray(
        format="bgr24", src_colorspace=matrix, interpolation="FAST_BILINEAR"
    )
    return image
