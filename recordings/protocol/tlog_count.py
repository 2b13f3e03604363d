"""Counts the records of a .tlog that grows, without parsing their messages.

A record is the arrival in microseconds since 1970 (64 bits, big-endian), then one MAVLink message.
"""

from __future__ import annotations

_TIME_SIZE = 8
_V1, _V2 = 0xFE, 0xFD
_V1_SIZE = _TIME_SIZE + 8  # magic, 5 bytes of header, 2 of checksum
_V2_SIZE = _TIME_SIZE + 12
_SIGNED, _SIGNATURE_SIZE = 0x01, 13
_LENGTH_AT, _FLAGS_AT = _TIME_SIZE + 1, _TIME_SIZE + 2
_LEAST_SIZE = _TIME_SIZE + 3


class TlogCount:
    """`take` the file's bytes as they come. `bad_at` is where something begins that is no record: from there
    on nothing is counted. `counted_bytes` is where the last whole record ends."""

    def __init__(self) -> None:
        self.records = 0
        self.counted_bytes = 0
        self.bad_at: int | None = None
        self._rest = b""

    def take(self, data: bytes) -> None:
        if self.bad_at is not None:
            return
        data = self._rest + data
        start, end = 0, len(data)
        records = 0
        while start + _LEAST_SIZE <= end:
            magic = data[start + _TIME_SIZE]
            if magic == _V2:
                signed = data[start + _FLAGS_AT] & _SIGNED
                size = _V2_SIZE + data[start + _LENGTH_AT] + (_SIGNATURE_SIZE if signed else 0)
            elif magic == _V1:
                size = _V1_SIZE + data[start + _LENGTH_AT]
            else:
                self.bad_at = self.counted_bytes + start
                break
            if start + size > end:
                break
            start += size
            records += 1
        self.records += records
        self.counted_bytes += start
        self._rest = data[start:]
