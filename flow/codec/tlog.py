"""The .tlog of Mission Planner, MAVProxy and QGroundControl: MAVLink messages behind their arrival times.

A record is eight bytes, big-endian microseconds since the Unix epoch, and one MAVLink message as it came.
Nothing marks a record's length: it is the message's own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

_TIME = struct.Struct(">Q")
_MAVLINK1, _MAVLINK2 = 0xFE, 0xFD
_OVERHEAD = {_MAVLINK1: 6 + 2, _MAVLINK2: 10 + 2}  # header and checksum around the payload
_SIGNED, _SIGNATURE_SIZE = 0x01, 13  # MAVLink 2 incompat_flags, message signing
_CHUNK = 1 << 16

EARLIEST_US = 946_684_800_000_000
LATEST_US = 4_102_444_800_000_000
"""Times from 2000 to 2100 are believed; anything else is junk between two records."""


class TlogSplitter:
    """Cuts a .tlog into records, however it is sliced: so that nobody need scan a whole file in one go."""

    def __init__(self) -> None:
        self.whole_bytes = 0
        """Where in all that was pushed the last record ends that is whole."""
        self._rest = b""
        self._rest_at = 0

    def push(self, data: bytes) -> list[tuple[int, bytes]]:
        """The records that `data` completes, as `read_tlog` gives them."""
        buffer, at = self._rest + data, 0
        records: list[tuple[int, bytes]] = []
        while (start := _next_record(buffer, at)) is not None:
            at, end = start, start + _record_size(buffer, start)
            if end > len(buffer):
                break
            records.append((_TIME.unpack_from(buffer, start)[0], buffer[start + _TIME.size : end]))
            at = end
            self.whole_bytes = self._rest_at + end
        else:
            at = max(at, len(buffer) - _TIME.size - 2)  # a record may begin in what is left
        self._rest, self._rest_at = buffer[at:], self._rest_at + at
        return records


def read_tlog(source: bytes | BinaryIO) -> Iterator[tuple[int, bytes]]:
    """All records as (microseconds since the Unix epoch, MAVLink message with header and checksum).

    Junk between records is passed over, a cut-off record at the end left out; checksums are not looked at.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    splitter = TlogSplitter()
    while chunk := stream.read(_CHUNK):
        yield from splitter.push(chunk)


def is_tlog(head: bytes) -> bool:
    """Whether a file that begins like this is a .tlog: one record, and another right behind it.

    Tells it from a raw MAVLink stream, in which `read_tlog` would find records by chance. A kilobyte of it
    is enough.
    """
    second = _record_size(head, 0) if _is_record(head, 0) else len(head)
    return _is_record(head, second)


def write_record(utc_us: int, message: bytes) -> bytes:
    """One record; `message` is one whole MAVLink message."""
    return _TIME.pack(utc_us) + message


def _next_record(buffer: bytes, at: int) -> int | None:
    """The first place from `at` on that looks like a record: a believable time and a MAVLink start byte."""
    return next((start for start in range(at, len(buffer)) if _is_record(buffer, start)), None)


def _is_record(buffer: bytes, start: int) -> bool:
    head = start + _TIME.size
    if head + 2 >= len(buffer) or buffer[head] not in _OVERHEAD:
        return False
    utc_us: int = _TIME.unpack_from(buffer, start)[0]
    return EARLIEST_US <= utc_us <= LATEST_US


def _record_size(buffer: bytes, start: int) -> int:
    head = start + _TIME.size
    size = _TIME.size + _OVERHEAD[buffer[head]] + buffer[head + 1]
    signed = buffer[head] == _MAVLINK2 and buffer[head + 2] & _SIGNED
    return size + (_SIGNATURE_SIZE if signed else 0)
