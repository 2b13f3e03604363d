"""In a process of its own: the small picture of a flight, from one keyframe."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import av
import cv2
import msgspec
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from flow.errors import MalformedError, NotFoundError
from flow.units import AccessUnit, Codec
from recordings.flight_file import FlightFile
from recordings.folders import FLIGHT_FILE, segments_in
from recordings.plain_files import replace_file
from recordings.protocol.segment_index import Fragment
from recordings.segment_file import pictures, read_index

from .flight_index import flight_in

WIDTH_PX = 480
_JPEG_QUALITY = 80
_MOST_PIXELS = 64 * 1024 * 1024
_LIBAV_NAMES = {Codec.H264: "h264", Codec.H265: "hevc"}
_SHARE = 0.35
"""Where in a flight: the beginning shows grass, and so does the end."""


class ThumbnailQuestion(msgspec.Struct, frozen=True):
    """Of the flight in that folder, into that file."""

    folder: str
    path: str


def answer_thumbnail(question: ThumbnailQuestion) -> bytes:
    """Writes the file; b"". Raises NotFoundError where there is no picture that can be decoded,
    MalformedError, and OSError."""
    folder = Path(question.folder)
    jpeg = _jpeg(_keyframe(folder, flight_in(folder)))
    path = Path(question.path)
    path.parent.mkdir(exist_ok=True)
    replace_file(path, jpeg)
    if not (folder / FLIGHT_FILE).exists():  # deleted meanwhile: nothing of it may be left
        path.unlink(missing_ok=True)
        raise NotFoundError("there is no such flight (any more)")
    return b""


def _keyframe(folder: Path, flight: FlightFile) -> AccessUnit:
    """Of the first feed that has any."""
    found: dict[str, list[tuple[Path, Fragment]]] = {feed.id: [] for feed in flight.feeds}
    for feed_id, _, path in segments_in(folder):
        with contextlib.suppress(MalformedError, FileNotFoundError):
            keyframes = ((path, each) for each in read_index(path).fragments if each.keyframe)
            found.setdefault(feed_id, []).extend(keyframes)
    for feed_id, of_feed in found.items():
        if of_feed:
            path, fragment = of_feed[int(len(of_feed) * _SHARE)]
            unit = next(pictures(path, feed_id, fragment.dts_90k), None)
            if unit is not None:
                return unit
    raise NotFoundError("no picture of this flight was recorded", code="no_picture")


def _jpeg(unit: AccessUnit) -> bytes:
    context = av.CodecContext.create(_LIBAV_NAMES[unit.codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.options = {"max_pixels": str(_MOST_PIXELS)}
    try:
        frames = [*context.decode(av.Packet(unit.data)), *context.decode(None)]
    except (av.FFmpegError, ValueError, MemoryError):
        frames = []
    if not frames:
        raise NotFoundError("the picture cannot be decoded", code="no_picture")
    frame = frames[0]
    height_px = max(1, round(WIDTH_PX * frame.height / frame.width))
    image: NDArray[Any] = frame.to_ndarray(width=WIDTH_PX, height=height_px, format="bgr24")
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert done, "OpenCV refuses to write a JPEG only where its sides are beyond 65500"
    return bytes(jpeg)
