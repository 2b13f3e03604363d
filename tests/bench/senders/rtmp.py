"""RTMP by libav."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import av

from . import Target
from .mpegts import LibavStream

_OPTIONS = {"flush_packets": "1", "flvflags": "no_duration_filesize"}
_CONNECT_S, _WRITE_S = 5.0, 5.0


class RtmpSender:
    """See Sender. Its time is before libav makes messages of the picture and writes them."""

    def __init__(self, target: Target) -> None:
        self._url = f"rtmp://{target.host}:{target.port}/live/{target.feed_id}?key={target.key}"
        self._stream: LibavStream | None = None

    def connect(self) -> None:
        with _libav():
            limits = (_CONNECT_S, _WRITE_S)
            self._stream = LibavStream(
                av.open(self._url, "w", format="flv", options=_OPTIONS, timeout=limits)
            )

    def send(self, picture: bytes, pts_90k: int) -> int:
        assert self._stream is not None
        at_ns = time.monotonic_ns()
        with _libav():
            self._stream.put(picture, pts_90k)
        return at_ns

    def close(self) -> None:
        """Whatever is left of the connection ends with it."""
        self._stream = None


@contextlib.contextmanager
def _libav() -> Iterator[None]:
    """Errors without the address, which has the key in it."""
    try:
        yield
    except av.FFmpegError as error:
        raise OSError(f"libav: {error.strerror}") from None
