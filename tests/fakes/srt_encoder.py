"""Encoders that speak SRT, by libsrt itself: one that calls, and one that waits to be called."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ingest.libsrt import Address, Libsrt, Option, SrtError, SrtSocket, load

MESSAGE_BYTES = 1316
_SNDDATA, _PEERLATENCY = 19, 44  # SRT_SOCKOPT
_CONNECTED = 5  # SRT_SOCKSTATUS
_EASYNCSND = 6001  # SRT_ERRNO
CONNECT_MS = 3000


class SrtEncoder:
    """A context manager. `passphrase` "" is none."""

    def __init__(self, passphrase: str = "", stream_id: str = "") -> None:
        self.library: Libsrt = load()
        self.library.startup()
        self.socket = self.library.socket()
        self._sender: SrtSocket = self.socket
        self.socket.set(Option.CONNTIMEO, CONNECT_MS)
        if passphrase:
            self.socket.set(Option.PASSPHRASE, passphrase)
        if stream_id:
            self.socket.set(Option.STREAMID, stream_id)

    def call(self, port: int, host: str = "127.0.0.1") -> int:
        """Connect, and wait until it is decided: 0, or the code of the rejection."""
        self.socket.set(Option.RCVSYN, 1)
        self.socket.set(Option.SNDSYN, 1)
        try:
            self.socket.connect(Address(host, port))
        except SrtError:
            return self.socket.rejection()
        self.socket.set(Option.RCVSYN, 0)
        self.socket.set(Option.SNDSYN, 0)
        return 0

    def listen(self, ask: Callable[[int, Address, str], int] = lambda *_: 0) -> int:
        """Wait to be called; on which port."""
        self.socket.listen(Address("127.0.0.1", 0), 4, ask)
        return self.socket.address().port

    def was_called(self) -> bool:
        """Whether somebody is here, to whom is sent from now on."""
        accepted = self.socket.accept()
        if accepted is not None:
            self._sender, _ = accepted
        return accepted is not None

    def send(self, data: bytes, size: int = MESSAGE_BYTES) -> None:
        """In messages of this size. Raises SrtError where the connection is over."""
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            self.library.checked(self.library.call.srt_sendmsg(self._sender.number, piece, len(piece), -1, 1))

    def try_send(self, data: bytes) -> bool:
        """Whether all of it went into our own buffer. Raises SrtError where the connection is over."""
        try:
            self.send(data)
        except SrtError as error:
            if error.code != _EASYNCSND:
                raise
            return False
        return True

    def is_heard(self) -> bool:
        """Whether the other side has received all that was sent."""
        value, size = ctypes.c_int(), ctypes.c_int(4)
        call = self.library.call.srt_getsockflag
        self.library.checked(call(self._sender.number, _SNDDATA, ctypes.byref(value), ctypes.byref(size)))
        return value.value == 0

    def is_connected(self) -> bool:
        """Whether the other side has not hung up."""
        return int(self.library.call.srt_getsockstate(self._sender.number)) == _CONNECTED

    def latency_ms(self) -> int:
        """Of the connection, as both sides agreed on it."""
        value, size = ctypes.create_string_buffer(4), ctypes.c_int(4)
        self.library.checked(
            self.library.call.srt_getsockflag(self._sender.number, _PEERLATENCY, value, ctypes.byref(size))
        )
        return int(struct.unpack("=i", value.raw)[0])

    def hang_up(self) -> None:
        """Whoever listens does so still."""
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sender.close()
        self.socket.close()
        self.library.cleanup()
