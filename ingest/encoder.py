"""The child process that makes a rendition of a stream: `python -m ingest.encoder RENDITION ENCODER PRESET`.

On its standard input, a socket, come messages of flow/wire.py, each behind its length: access units of the
source (one without data says how far the source is: more is on its way), KeyframeWanted, and RenditionWanted,
whose `until_ns` says whether to encode (not 0) or to decode only. On the same socket it answers with access
units of the rendition, whose `seq` is 0, and once a second with a RenditionState of what it knows itself.
With `--foreign`, a BeginForeign (protocol/reader_pipe.py) says before all else what the pictures are. It ends
with the socket, or at once with the process `--parent` (Linux). What crashes libav takes down this process
and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import socket
import threading
import time
from dataclasses import replace
from typing import NamedTuple

import av
from av.video.frame import VideoFrame

from flow.bus import Item
from flow.errors import MalformedError
from flow.flights import KeyframeWanted, RenditionState, RenditionStatus, RenditionWanted
from flow.units import AccessUnit, Codec, Rendition
from flow.wire import Deframer, decode, encode, frame

from .child import EncoderError, end_with, parent_socket
from .protocol import reader_pipe
from .protocol.encoding import FrameRate, Intake, Keyframes, Pace
from .protocol.events import StreamInfo
from .protocol.picture_limit import why_too_large
from .protocol.reader_pipe import BeginForeign
from .recoding import Decoder, Encoder, Shaper

REPORT_EVERY_S = 1.0

_READ_BYTES = 256 * 1024
_MEMORY_MOST_BYTES = 3 * 1024**3  # address space; a large picture and those it refers to take most of it
_NICE = 5  # the media process goes first
_HELD_MOST = 64  # pictures that a decoder may hold back; older ones never come
_BARREN_MOST = 150  # pictures in without one out, before the state says so
_DECODERS = {Codec.H264: StreamInfo("h264"), Codec.H265: StreamInfo("hevc")}


class Arrived(NamedTuple):
    """What there is to do."""

    unit: AccessUnit | None
    lag_90k: int  # of the unit behind the newest one
    skipped: int  # pictures that were left out so far
    encodes: bool  # or only decodes
    keyframe: bool  # is wanted soon
    closed: bool  # and nothing will come any more


class Inbox:
    """What has come. A thread of its own reads it, so that the encoder knows how late it is."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._intake = Intake()
        self._encodes = self._keyframe = self._closed = False

    def read_from(self, pipe: socket.socket) -> None:
        """Until the other side closes it."""
        deframer = Deframer()
        with contextlib.suppress(OSError, MalformedError):
            while data := pipe.recv(_READ_BYTES):
                self._put([decode(message) for message in deframer.push(data)])
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _put(self, items: list[Item]) -> None:
        with self._changed:
            for item in items:
                if isinstance(item, AccessUnit):
                    self._intake.add(item)
                elif isinstance(item, RenditionWanted):
                    self._encodes = item.until_ns != 0
                elif isinstance(item, KeyframeWanted):
                    self._keyframe = True
            self._changed.notify()

    def take(self, timeout_s: float) -> Arrived:
        """Wait for something to do, but not for long."""
        with self._changed:
            unit = self._intake.take()
            if unit is None and not self._closed:
                self._changed.wait(timeout_s)
                unit = self._intake.take()
            keyframe, self._keyframe = self._keyframe, False
            lag_90k = self._intake.lag_90k(unit) if unit else 0
            return Arrived(unit, lag_90k, self._intake.skipped, self._encodes, keyframe, self._closed)


class Rendering:
    """Pictures of the source in, pictures of the rendition out, with the same times."""

    def __init__(self, rendition: Rendition, encoder: Encoder, info: StreamInfo | None = None) -> None:
        """`info`: what the units are whatever they say, for codecs that do not travel."""
        self._rendition = rendition
        self._encoder = encoder
        self._fixed = info
        self._info: StreamInfo | None = None
        self._decoder: Decoder | None = None
        self._shaper = Shaper(rendition)
        self._rate = FrameRate()
        self._pace = Pace()
        self._keyframes = Keyframes()
        self._held: dict[int, AccessUnit] = {}  # without their data, by pts: they wait for their frame
        self._shown_90k = -1
        self._encodes = False
        self._barren = 0
        self._too_large = ""
        self._skipped = 0

    def do(self, arrived: Arrived) -> list[AccessUnit]:
        """Do what there is to do. Raises EncoderError."""
        if arrived.keyframe or arrived.encodes is not self._encodes:
            self._keyframes.want()
        self._encodes = arrived.encodes
        return self._push(arrived.unit, arrived.lag_90k, arrived.skipped) if arrived.unit else []

    def _push(self, unit: AccessUnit, lag_90k: int, skipped: int) -> list[AccessUnit]:
        decoder = self._decoder_of(unit)
        if skipped != self._skipped:
            self._skipped = skipped
            decoder.reset()
        self._hold(unit)
        self._rate.add(unit.dts_90k)
        self._barren += 1
        try:
            frames = decoder.decode(unit.data, unit.pts_90k)
        except av.FFmpegError:
            if unit.keyframe:
                self._too_large = why_too_large(unit)
            return []
        return [made for decoded in frames for made in self._rendered(decoded, unit.dts_90k, lag_90k)]

    def report(self) -> RenditionState:
        """What is known here of the rendition; the rest is for the parent to say."""
        width_px, height_px = self._encoder.size_px
        reason, detail = self._judge()
        return RenditionState(
            feed_id="",
            rendition=self._rendition,
            status=RenditionStatus.LIVE if width_px else RenditionStatus.STARTING,
            since_ns=0,
            reason=reason,
            detail=detail,
            width_px=width_px or None,
            height_px=height_px or None,
            limit_bps=self._encoder.limit_bps or None,
            dropped=self._pace.dropped,
        )

    def _judge(self) -> tuple[str, str]:
        if self._barren and self._too_large:
            return "undecodable", self._too_large
        if self._barren > _BARREN_MOST:
            return "undecodable", f"{self._barren} pictures of the source could not be decoded"
        if self._encodes and self._pace.slow:
            return "encoder_slow", "this machine is too slow for every picture: some are left out"
        return "", ""

    def _decoder_of(self, unit: AccessUnit) -> Decoder:
        info = self._fixed or _DECODERS[unit.codec]
        if self._decoder is None or info != self._info:
            self._info, self._decoder = info, Decoder(info)
            self._held.clear()
        return self._decoder

    def _hold(self, unit: AccessUnit) -> None:
        self._held[unit.pts_90k] = replace(unit, data=b"")
        if len(self._held) > _HELD_MOST:
            del self._held[next(iter(self._held))]

    def _rendered(self, decoded: VideoFrame, dts_90k: int, lag_90k: int) -> list[AccessUnit]:
        self._barren = 0
        if not self._encodes or not self._pace.takes(dts_90k, lag_90k):
            return []
        made = (self._encoded(shaped) for shaped in self._shaper.push(decoded))
        return [unit for unit in made if unit is not None]

    def _encoded(self, shaped: VideoFrame) -> AccessUnit | None:
        """None for a frame that belongs to no picture, or is shown before one that was encoded already."""
        unit = self._held.pop(shaped.pts, None) if shaped.pts is not None else None
        if unit is None or unit.pts_90k <= self._shown_90k:
            return None
        self._shown_90k = unit.pts_90k
        fps = self._rate.fps
        if self._encoder.is_for_another(fps):
            self._keyframes.want()
        another = (shaped.width, shaped.height) != self._encoder.size_px
        keyframe = self._keyframes.takes(unit.pts_90k, unit.epoch, another=another)
        data = self._encoder.encode(shaped, unit.pts_90k, fps, keyframe=keyframe)
        return replace(
            unit,
            rendition=self._rendition,
            codec=Codec.H264,
            seq=0,
            dts_90k=unit.pts_90k,
            keyframe=keyframe,
            data=data,
        )


def run(pipe: socket.socket, rendering: Rendering) -> None:
    """Until the other side closes the pipe. Raises EncoderError."""
    inbox = Inbox()
    threading.Thread(target=inbox.read_from, args=(pipe,), daemon=True).start()
    report_s = 0.0
    while not (arrived := inbox.take(REPORT_EVERY_S)).closed:
        for made in rendering.do(arrived):
            pipe.sendall(frame(encode(made)))
        if time.monotonic() >= report_s:
            report_s = time.monotonic() + REPORT_EVERY_S
            pipe.sendall(frame(encode(rendering.report())))


def foreign_info(pipe: socket.socket) -> StreamInfo:
    """What the pictures are: the first message on the pipe, before all others. Raises MalformedError."""
    prefix = _received(pipe, reader_pipe.PREFIX.size)
    message = reader_pipe.decode(prefix, _received(pipe, reader_pipe.body_length(prefix)))
    if not isinstance(message, BeginForeign):
        raise MalformedError(f"an encoder begins with what the pictures are, not {type(message).__name__}")
    return message.info


def _received(pipe: socket.socket, size: int) -> bytes:
    data = pipe.recv(size, socket.MSG_WAITALL) if size else b""
    if len(data) < size:
        raise ConnectionResetError("the parent has gone")
    return data


def main() -> None:
    """Make the rendition that the arguments name."""
    parser = argparse.ArgumentParser(prog="ingest.encoder")
    parser.add_argument("rendition", type=Rendition)
    parser.add_argument("encoder")
    parser.add_argument("preset")
    parser.add_argument("--foreign", action="store_true", help="a BeginForeign says what the pictures are")
    parser.add_argument("--parent", type=int, default=os.getppid())
    options = parser.parse_args()
    end_with(options.parent)
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MOST_BYTES, _MEMORY_MOST_BYTES))
    with parent_socket() as pipe, contextlib.suppress(ConnectionError):
        info = foreign_info(pipe) if options.foreign else None
        try:
            encoder = Encoder(options.encoder, options.preset, options.rendition)
            run(pipe, Rendering(options.rendition, encoder, info))
        except EncoderError as error:
            failure = RenditionState(
                "", options.rendition, RenditionStatus.FAILED, 0, reason=error.code, detail=str(error)
            )
            pipe.sendall(frame(encode(failure)))


if __name__ == "__main__":
    main()
