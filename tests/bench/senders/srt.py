"""SRT by libsrt, the library that cameras and encoders are made with: a caller that sends MPEG-TS."""

from __future__ import annotations

import ctypes
import socket
import struct
from functools import cache

from . import Target
from .mpegts import TsPictures
from .rtp import write_all

LIBRARIES = ("libsrt-gnutls.so.1.5", "libsrt-openssl.so.1.5", "libsrt.so.1.5")
LATENCY_MS = 20
_LATENCY, _STREAM_ID = 23, 46  # SRT_SOCKOPT: SRTO_LATENCY, SRTO_STREAMID


class SrtSender:
    """See Sender."""

    def __init__(self, target: Target) -> None:
        self._address = struct.pack(
            "=H2s4s8x", socket.AF_INET, struct.pack("!H", target.port), socket.inet_aton(target.host)
        )
        self._stream_id = f"publish:{target.feed_id}:{target.key}".encode()
        self._number = -1
        self._pictures = TsPictures()

    def connect(self) -> None:
        self._pictures = TsPictures()
        self._number = self._checked(library().srt_create_socket())
        self._set(_LATENCY, struct.pack("=i", LATENCY_MS))
        self._set(_STREAM_ID, self._stream_id)
        self._checked(library().srt_connect(self._number, self._address, len(self._address)))

    def send(self, picture: bytes, pts_90k: int) -> int:
        return write_all(self._pictures.datagrams(picture, pts_90k), self._write)

    def close(self) -> None:
        number, self._number = self._number, -1
        if number != -1:
            library().srt_close(number)

    def _write(self, message: bytes) -> None:
        self._checked(library().srt_send(self._number, message, len(message)))

    def _set(self, option: int, value: bytes) -> None:
        self._checked(library().srt_setsockflag(self._number, option, value, len(value)))

    def _checked(self, result: int) -> int:
        if result == -1:
            raise OSError(f"libsrt: {library().srt_getlasterror_str().decode(errors='replace')}")
        return result


@cache
def library() -> ctypes.CDLL:
    """This machine's libsrt, started. Raises OSError where it has none."""
    for name in LIBRARIES:
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        found.srt_getlasterror_str.restype = ctypes.c_char_p
        found.srt_startup()
        return found
    raise OSError("libsrt is not installed (Debian: apt-get install libsrt1.5-gnutls)")
