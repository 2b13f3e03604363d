"""The child process that decodes one feed: `python -m ingest.picture_decoder`, a socket as standard input.

It takes messages of protocol/decoder_pipe.py, answers a wish for a still with a JPEG of the newest picture,
and tells once a second what the pictures look like. It decodes what it is given: keyframes alone, or a run.
Decoding has a thread of its own, so that a still waits for no picture in work, of which a large one takes
150 ms. A picture that crashes libav takes down this process and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ, AccessUnit
from flow.wire import Deframer

from .child import end_with, parent_socket
from .picture_figures import LONGER_SIDE_PX, Eye
from .picture_run import PictureRun, Shown, bgr, jpeg_of
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
from .protocol.encoding import Intake
from .protocol.picture_limit import DECODED_MOST_PX, why_too_large

_MOST_PIXELS = DECODED_MOST_PX
_MEMORY_BYTES = 6 * 1024**3  # address space, much of which is never touched
_LOOK_EVERY_90K = 9 * CLOCK_RATE_HZ // 10
_CATCH_UP_S = 0.04
_CATCH_UP_90K = CLOCK_RATE_HZ // 10
"""So long a wish for a still waits for the pictures that came before it, if it is only by so much behind."""

_NICE = 5  # for decoding: the way of the live picture goes first
_ALONE_MOST = 16


class Decoder:
    """Pictures in; stills and figures out. Two threads may use it: one calls `take`, the other `still`."""

    def __init__(self) -> None:
        self._converting = threading.Lock()  # a frame is changed by what converts it
        self._run: PictureRun | None = None
        self._newest: Shown | None = None
        self._eye = Eye()
        self._looked_90k: int | None = None
        self._made: StillMade | None = None
        self._why_none = "nothing has been decoded yet"

    def take(self, picture: Picture) -> list[Message]:
        """Decode a picture; what it looks like, if it is time to tell."""
        try:
            shown = self._alone(picture.unit) if picture.alone else self._next(picture.unit)
        except (av.FFmpegError, ValueError, MemoryError) as error:
            too_large = why_too_large(picture.unit, _MOST_PIXELS) if picture.unit.keyframe else ""
            self._why_none = too_large or f"a picture cannot be decoded: {error}"
            return []
        for one in shown:
            self._newest = one
        return self._look() if shown else []

    @property
    def newest(self) -> AccessUnit | None:
        """What a still would be made of now."""
        return self._newest.unit if self._newest else None

    def skip(self) -> None:
        """What comes next does not follow what was before: a keyframe begins anew."""
        self._run = None

    def still(self) -> Message:
        """The newest picture as a JPEG, made once however often it is asked for."""
        newest = self._newest
        if newest is None:
            return NoStill(self._why_none)
        unit, frame = newest.unit, newest.frame
        if self._made is None or self._made.pts_90k != unit.pts_90k:
            with self._converting:
                image = bgr(frame)
            jpeg = jpeg_of(image)
            self._made = StillMade(
                unit.pts_90k, unit.utc_ns, unit.utc_origin, frame.width, frame.height, jpeg
            )
        return self._made

    def _alone(self, unit: AccessUnit) -> list[Shown]:
        self._run = None
        run = PictureRun(unit, _MOST_PIXELS)
        return run.decode(unit) + run.flush()

    def _next(self, unit: AccessUnit) -> list[Shown]:
        if self._run is None or self._run.origin != (unit.codec, unit.epoch):
            self._run = PictureRun(unit, _MOST_PIXELS) if unit.keyframe else None
        return self._run.decode(unit) if self._run else []

    def _look(self) -> list[Message]:
        assert self._newest is not None
        unit, frame = self._newest.unit, self._newest.frame
        if self._looked_90k is not None and 0 <= unit.pts_90k - self._looked_90k < _LOOK_EVERY_90K:
            return []
        self._looked_90k = unit.pts_90k
        with self._converting:
            luma = _small_luma(frame)
        return [Looked(self._eye.look(luma, unit.utc_ns, unit.pts_90k))]


def _small_luma(frame: VideoFrame) -> NDArray[np.uint8]:
    scale = LONGER_SIDE_PX / max(frame.width, frame.height)
    width, height = (max(16, round(side * scale)) for side in (frame.width, frame.height))
    luma: NDArray[Any] = frame.to_ndarray(width=width, height=height, format="gray", interpolation="AREA")
    return luma


# --- the process --------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(prog="ingest.picture_decoder")
    parser.add_argument("--parent", type=int, default=os.getppid())
    end_with(parser.parse_args().parent)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    cv2.setNumThreads(1)
    with parent_socket() as pipe, contextlib.suppress(ConnectionError):
        serve(pipe)


def serve(pipe: socket.socket) -> None:
    """Until the parent closes its end. Wishes are seen at once, pictures wait for their turn."""
    desk = _Desk(pipe)
    worker = threading.Thread(target=desk.work)
    worker.start()
    try:
        desk.read()
    finally:
        desk.close()
        worker.join()


class _Desk:
    """What has come from the parent and is not done: one thread reads it and makes stills, one decodes."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe, self._sending = pipe, threading.Lock()
        self._decoder = Decoder()
        self._changed = threading.Condition()
        self._run = Intake()
        self._skipped = 0
        self._alone: deque[AccessUnit] = deque(maxlen=_ALONE_MOST)
        self._is_due = False  # a keyframe alone is not decoded yet, which the next still is to show
        self._busy = self._pausing = self._closed = False

    def read(self) -> None:
        """Take what comes, until the parent closes its end."""
        deframer = Deframer()
        while data := self._pipe.recv(1 << 18):
            for message in map(decode, deframer.push(data)):
                match message:
                    case Picture():
                        self._put(message)
                    case StillWanted():
                        self._answer()
                    case _:
                        raise MalformedError(f"the decoder was told {type(message).__name__}")

    def work(self) -> None:
        """Decode what there is, until closed."""
        if sys.platform == "linux":  # where this is of one thread
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        else:
            os.nice(_NICE)
        try:
            while (picture := self._next()) is not None:
                self._send(self._decoder.take(picture))
        finally:
            with contextlib.suppress(OSError):
                self._pipe.shutdown(socket.SHUT_RDWR)  # a defect here ends the process, too
            self.close()

    def close(self) -> None:
        """Nothing more is to be done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, picture: Picture) -> None:
        with self._changed:
            if picture.alone:
                self._alone.append(picture.unit)
                self._is_due = True
            else:
                self._run.add(picture.unit)
            self._busy = True
            self._changed.notify_all()

    def _next(self) -> Picture | None:
        """What to decode now: waits for it. None when closed."""
        with self._changed:
            self._is_due = bool(self._alone)
            self._changed.notify_all()
            while not self._closed:
                if not self._pausing:
                    if (picture := self._taken()) is not None:
                        return picture
                    self._busy = False
                    self._changed.notify_all()
                self._changed.wait()
            return None

    def _taken(self) -> Picture | None:
        if self._alone:
            return Picture(self._alone.popleft(), alone=True)
        unit = self._run.take()
        if unit is None:
            return None
        if self._skipped != self._run.skipped:
            self._skipped = self._run.skipped
            self._decoder.skip()
        return Picture(unit)

    def _answer(self) -> None:
        self._catch_up()
        self._pause(True)  # whoever waits for a still goes first
        self._send([self._decoder.still()])
        self._pause(False)

    def _pause(self, pausing: bool) -> None:
        with self._changed:
            self._pausing = pausing
            self._changed.notify_all()

    def _catch_up(self) -> None:
        """Wait for the first picture, or for the keyframe that a still is to show; and, not for long, for the
        others that came before."""

        def is_shown() -> bool:
            return not self._busy or (self._decoder.newest is not None and not self._is_due)

        with self._changed:
            self._changed.wait_for(lambda: self._closed or is_shown())
            newest = self._decoder.newest
            if newest is not None and self._run.lag_90k(newest) <= _CATCH_UP_90K:
                self._changed.wait_for(lambda: self._closed or not self._busy, _CATCH_UP_S)

    def _send(self, messages: Iterable[Message]) -> None:
        with self._sending, contextlib.suppress(ConnectionError):
            for message in messages:
                self._pipe.sendall(encode(message))


if __name__ == "__main__":
    main()
