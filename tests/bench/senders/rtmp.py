"""RTMP by libav."""

from __future__ import annotations

import time

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
        container = av.open(self._url, "w", format="flv", options=_OPTIONS, timeout=(_CONNECT_S, _WRITE_S))
        self._stream = LibavStream(container)

    def send(self, picture: bytes, pts_90k: int) -> int:
        assert self._stream is not None
        at_ns = time.monotonic_ns()
        self._stream.put(picture, pts_90k)
        return at_ns

    def close(self) -> None:
        """Whatever is left of the connection ends with it."""
        self._stream = None
