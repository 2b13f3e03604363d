"""The WebSocket that every open page holds (RFC 6455): asks the time, answers pings, counts telemetry.

It reads once a second instead of whenever something comes: 400 of them cost next to nothing.
"""

from __future__ import annotations

import base64
import os
import socket
from urllib.parse import urlsplit

TIME_EVERY = 2
"""Ticks of a second between questions, as web/dashboard/src/feedSocket.ts asks them."""
_TEXT, _PING, _PONG = 1, 9, 10
_TELEMETRY = b'{"type":"telemetry"'


class PageSocket:
    """Opened blocking; `tick()` once a second from then on."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        assert where.hostname
        self.telemetry = 0
        self.closed = False
        self._ticks = 0
        self._rest = b""
        self._socket = socket.create_connection((where.hostname, where.port or 80), timeout=5)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            if not (part := self._socket.recv(4096)):
                raise ValueError(f"{url} closed the connection")
            head += part
        status, _, self._rest = head.partition(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 101"):
            raise ValueError(f"{url} refused the WebSocket: {status.splitlines()[0].decode()}")
        self._socket.setblocking(False)

    def mark(self) -> None:
        self.telemetry = 0

    def tick(self, now_ns: int) -> None:
        if self.closed:
            return
        self._read()
        self._ticks += 1
        if self._ticks % TIME_EVERY == 0:
            self._send(_TEXT, b'{"type":"time","t0":%.1f}' % (now_ns / 1e6))

    def close(self) -> None:
        self._socket.close()
        self.closed = True

    def _read(self) -> None:
        try:
            while part := self._socket.recv(65_536):
                self._rest += part
            self.close()
        except BlockingIOError:
            pass
        except ConnectionError:
            self.close()
        data, at = self._rest, 0
        while at + 2 <= len(data):
            size, start = data[at + 1], at + 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                size, start = int.from_bytes(data[start : start + wide], "big"), start + wide
            if start + size > len(data):
                break
            kind = data[at] & 15
            if kind == _TEXT:
                self.telemetry += data.startswith(_TELEMETRY, start)
            elif kind == _PING:
                self._send(_PONG, data[start : start + size])
            at = start + size
        self._rest = data[at:]

    def _send(self, kind: int, payload: bytes) -> None:
        """One short frame, masked with zeroes."""
        try:
            self._socket.send(bytes((0x80 | kind, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        except OSError:
            self.close()
