"""The child process that decodes one feed: `python -m ingest.picture_decoder`, a socket as standard input.

It takes messages of protocol/decoder_pipe.py, answers a wish for a still with a JPEG of the newest picture,
and tells once a second what the pictures look like. It decodes what it is given: keyframes alone, or a run.
A picture that crashes libav takes down this process and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import select
import socket
import time
from collections import deque
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

from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec
from flow.wire import Deframer

from .child import end_with, parent_socket
from .picture_figures import LONGER_SIDE_PX, Eye
from .protocol.decoder_pipe import (
    Looked,
    Message,
    NoStill,
    Picture,
    StillMade,
    StillWanted,
    decode,
    encode,
)

_LIBAV_NAMES = {Codec.H264: "h264", Codec.H265: "hevc"}
_MOST_PIXELS = 8192 * 4608
"""A little more than 8K; a parameter set that promises more is a lie or an attack."""

_MEMORY_BYTES = 6 * 1024**3  # address space, much of which is never touched
_LOOK_EVERY_90K = 9 * CLOCK_RATE_HZ // 10
_CATCH_UP_S = 0.1
"""So long a wish for a still waits for the pictures that came before it."""

_JPEG_QUALITY = 92
_IN_FLIGHT = 64  # pictures a decoder may hold back, and more than any does
_HD_LINES = 720


@dataclass(frozen=True, slots=True)
class _Shown:
    """A decoded picture and the access unit it came from (without its bytes)."""

    frame: VideoFrame
    unit: AccessUnit


class _Run:
    """A decoder from one keyframe on."""

    def __init__(self, unit: AccessUnit) -> None:
        context = av.CodecContext.create(_LIBAV_NAMES[unit.codec], "r")
        assert isinstance(context, VideoCodecContext)
        context.thread_count = 1  # each more holds a picture back
        context.options = {"max_pixels": str(_MOST_PIXELS)}
        self._context = context
        self._units: dict[int, AccessUnit] = {}
        self.origin = (unit.codec, unit.epoch)

    def decode(self, unit: AccessUnit) -> list[_Shown]:
        """The pictures that are ready with this one. Raises av.FFmpegError where it is broken."""
        packet = av.Packet(unit.data)
        packet.pts, packet.dts = unit.pts_90k, unit.dts_90k
        self._units[unit.pts_90k] = unit
        if len(self._units) > _IN_FLIGHT:
            del self._units[next(iter(self._units))]
        return self._shown(self._context.decode(packet))

    def flush(self) -> list[_Shown]:
        """What the decoder holds back; it takes nothing after this."""
        return self._shown(self._context.decode(None))

    def _shown(self, frames: Iterable[VideoFrame]) -> list[_Shown]:
        return [
            _Shown(frame, unit)
            for frame in frames
            if frame.pts is not None and (unit := self._units.pop(frame.pts, None)) is not None
        ]


class Decoder:
    """Pictures in; stills and figures out."""

    def __init__(self) -> None:
        self._run: _Run | None = None
        self._newest: _Shown | None = None
        self._eye = Eye()
        self._looked_90k: int | None = None
        self._made: StillMade | None = None
        self._why_none = "nothing has been decoded yet"

    def take(self, picture: Picture) -> list[Message]:
        """Decode a picture; what it looks like, if it is time to tell."""
        try:
            shown = self._alone(picture.unit) if picture.alone else self._next(picture.unit)
        except (av.FFmpegError, ValueError, MemoryError) as error:
            self._why_none = f"a picture cannot be decoded: {error}"
            return []
        for one in shown:
            self._newest = one
        return self._look() if shown else []

    def still(self) -> Message:
        """The newest picture as a JPEG, made once however often it is asked for."""
        if self._newest is None:
            return NoStill(self._why_none)
        unit, frame = self._newest.unit, self._newest.frame
        if self._made is None or self._made.pts_90k != unit.pts_90k:
            jpeg = _jpeg(frame)
            self._made = StillMade(
                unit.pts_90k, unit.utc_ns, unit.utc_origin, frame.width, frame.height, jpeg
            )
        return self._made

    def _alone(self, unit: AccessUnit) -> list[_Shown]:
        self._run = None
        run = _Run(unit)
        return run.decode(unit) + run.flush()

    def _next(self, unit: AccessUnit) -> list[_Shown]:
        if self._run is None or self._run.origin != (unit.codec, unit.epoch):
            self._run = _Run(unit) if unit.keyframe else None
        return self._run.decode(unit) if self._run else []

    def _look(self) -> list[Message]:
        assert self._newest is not None
        unit, frame = self._newest.unit, self._newest.frame
        if self._looked_90k is not None and 0 <= unit.pts_90k - self._looked_90k < _LOOK_EVERY_90K:
            return []
        self._looked_90k = unit.pts_90k
        return [Looked(self._eye.look(_small_luma(frame), unit.utc_ns, unit.pts_90k))]


def _small_luma(frame: VideoFrame) -> NDArray[np.uint8]:
    scale = LONGER_SIDE_PX / max(frame.width, frame.height)
    width, height = (max(16, round(side * scale)) for side in (frame.width, frame.height))
    luma: NDArray[Any] = frame.to_ndarray(width=width, height=height, format="gray", interpolation="AREA")
    return luma


def _jpeg(frame: VideoFrame) -> bytes:
    matrix = frame.colorspace
    if matrix not in set(Colorspace):  # it does not say: by the custom of its size
        matrix = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
    image = frame.to_ndarray(format="bgr24", src_colorspace=matrix)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert done, "OpenCV refuses to write a JPEG only where its sides are beyond 65500"
    return bytes(jpeg)


# --- the process --------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(prog="ingest.picture_decoder")
    parser.add_argument("--parent", type=int, default=os.getppid())
    end_with(parser.parse_args().parent)
    os.nice(5)  # the way of the live picture goes first
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    cv2.setNumThreads(1)
    with parent_socket() as pipe, contextlib.suppress(ConnectionError):
        serve(pipe)


def serve(pipe: socket.socket) -> None:
    """Until the parent closes its end. Wishes are seen at once, pictures wait for their turn."""
    decoder, incoming = Decoder(), _Incoming(pipe)
    asked_s: float | None = None
    while incoming.receive(block=not incoming.pictures and asked_s is None):
        if incoming.wanted:
            incoming.wanted = False
            asked_s = time.monotonic() if asked_s is None else asked_s
        if incoming.pictures:
            _send(pipe, decoder.take(incoming.pictures.popleft()))
        if asked_s is not None and (not incoming.pictures or time.monotonic() - asked_s >= _CATCH_UP_S):
            _send(pipe, [decoder.still()])
            asked_s = None


class _Incoming:
    """What has come from the parent and is not done yet."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe, self._deframer = pipe, Deframer()
        self.pictures: deque[Picture] = deque()
        self.wanted = False

    def receive(self, *, block: bool) -> bool:
        """Take in all there is, and wait for something if `block`; False at the end."""
        while block or select.select([self._pipe], [], [], 0)[0]:
            data = self._pipe.recv(1 << 18)
            if not data:
                return False
            for message in self._deframer.push(data):
                self._take(decode(message))
            block = not self.pictures and not self.wanted
            if len(self.pictures) >= _IN_FLIGHT:
                break  # the rest waits in the socket
        return True

    def _take(self, message: Message) -> None:
        match message:
            case Picture():
                self.pictures.append(message)
            case StillWanted():
                self.wanted = True
            case _:
                raise MalformedError(f"the decoder was told {type(message).__name__}")


def _send(pipe: socket.socket, messages: Iterable[Message]) -> None:
    for message in messages:
        pipe.sendall(encode(message))


if __name__ == "__main__":
    main()
