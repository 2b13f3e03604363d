"""DTLS records on their way to and from OpenSSL (RFC 6347): told apart, bounded, and repeated when lost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

MAX_DATAGRAM_BYTES = 1500
MAX_WAITING_RECORDS = 64
"""Records of one datagram wait as one. A browser's longest flight has about eight; what comes while so many
wait is dropped, and sent again."""

MAX_MESSAGE_BYTES = 8192
"""A browser's certificate has 300 bytes. OpenSSL makes room for ten messages of 100 KB if it is told so."""

REPEAT_AFTER_S = 0.2
REPEAT_UNTIL_S = 0.8

_HEADER_BYTES = 13  # type, version, epoch, sequence number, length (RFC 6347 4.1)
_FRAGMENT_HEADER_BYTES = 12  # type, length, message's number, fragment's offset and length (RFC 6347 4.2.2)
_CHANGE_CIPHER_SPEC, _HANDSHAKE = 20, 22


class DtlsLink:
    """Records in, for a reader that takes its time; flights of datagrams out, sent again until answered."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send_now = send
        self._records: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self._flight: list[bytes] = []  # what was sent last
        self._heard = False  # since then
        self._repeat: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._flight_s: float | None = None  # when it was sent; None once it was repeated
        self._pushed_s = 0.0
        self.rtt_ms: float | None = None

    def push(self, records: bytes) -> bool:
        """Take what came in one datagram; whether there was room for it."""
        if self._ended or len(self._records) >= MAX_WAITING_RECORDS:
            return False
        self._records.append(records)
        self._pushed_s = self._loop.time()
        self._news.set()
        return True

    def end(self) -> None:
        """From now on whoever reads is told that the connection is gone."""
        self._ended = True
        self._news.set()
        self._forget_flight()

    def _forget_flight(self) -> None:
        self._flight.clear()
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    async def read(self) -> bytes:
        while not self._records and not self._ended:
            self._news.clear()
            await self._news.wait()
        if self._ended:
            raise ConnectionError
        self._heard = True
        return self._records.popleft()

    async def write(self, data: bytes) -> None:
        if self._ended:
            return
        self._send_now(data)
        if self._heard:  # so this answers: a new flight. The other side's repetitions are not answered.
            self._heard = False
            self._take_rtt()
            self._forget_flight()
            self._flight_s = self._loop.time()
        self._flight.append(data)
        if self._repeat is None:
            self._repeat_after(REPEAT_AFTER_S)

    def _take_rtt(self) -> None:
        """From a flight of ours to the last datagram of the one that answers it.

        Not if it was repeated: then nobody knows which one is answered (Karn's algorithm, RFC 6298 3).
        """
        if self._flight_s is not None:
            self.rtt_ms = 1000 * (self._pushed_s - self._flight_s)

    def _repeat_after(self, wait_s: float) -> None:
        self._repeat = self._loop.call_later(wait_s, self._repeat_flight, wait_s)

    def _repeat_flight(self, waited_s: float) -> None:
        """Send the flight again as it was (RFC 6347 4.2.4); the other side drops what it has already.

        OpenSSL would do so after a second, then two, four, eight.
        """
        self._flight_s = None
        for datagram in self._flight:
            self._send_now(datagram)
        if waited_s < REPEAT_UNTIL_S:
            self._repeat_after(2 * waited_s)
        else:
            self._forget_flight()


def records_of(datagram: bytes) -> Iterator[bytes | None]:
    """The DTLS records of a datagram, None for what is none or not wanted (RFC 6347 4.1).

    There is no data channel, so application data is refused. OpenSSL, read from once for each datagram, takes
    all the other kinds in one go; application data would stop it, and what is left would pile up there.
    """
    if not datagram or len(datagram) > MAX_DATAGRAM_BYTES:
        yield None
        return
    start = 0
    while start < len(datagram):
        end = start + _HEADER_BYTES + int.from_bytes(datagram[start + 11 : start + 13], "big")
        if len(datagram) < start + _HEADER_BYTES or len(datagram) < end:
            yield None
            return
        record = datagram[start:end]
        yield record if _wanted(record) else None
        start = end


def _wanted(record: bytes) -> bool:
    encrypted = record[3:5] != bytes(2)  # epoch 0 is plaintext
    if record[0] != _HANDSHAKE or encrypted:
        return _CHANGE_CIPHER_SPEC <= record[0] <= _HANDSHAKE
    start = _HEADER_BYTES
    while start + _FRAGMENT_HEADER_BYTES <= len(record):
        if int.from_bytes(record[start + 1 : start + 4], "big") > MAX_MESSAGE_BYTES:
            return False
        start += _FRAGMENT_HEADER_BYTES + int.from_bytes(record[start + 9 : start + 12], "big")
    return True
