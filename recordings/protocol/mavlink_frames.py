"""MAVLink messages as bytes: found in a stream, checked, and sealed again after a change.

Framing as in https://mavlink.io/en/guide/serialization.html; message layouts are pymavlink's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pymavlink.dialects.v20 import all as dialect
from pymavlink.generator.mavcrc import x25crc

MAGIC = frozenset({0xFE, 0xFD})
"""First byte of a MAVLink 1 and of a MAVLink 2 message."""

JUNK_LIMIT_BYTES = 1024
"""Bytes that are no message are handed on in pieces of at most this size."""

_SIGNED = 0x01
_SIGNATURE_SIZE = 13


@dataclass(frozen=True, slots=True)
class Header:
    """Where the parts of one message are; `size` counts everything from the magic to the last byte."""

    version: int
    system_id: int
    component_id: int
    message_id: int
    payload_start: int
    payload_size: int
    signed: bool

    @property
    def payload_end(self) -> int:
        return self.payload_start + self.payload_size

    @property
    def size(self) -> int:
        return self.payload_end + 2 + (_SIGNATURE_SIZE if self.signed else 0)


def parse_header(data: bytes) -> Header | None:
    """The header at the start of `data`, or None if it is none or not all of it is there."""
    if len(data) >= 6 and data[0] == 0xFE:
        return Header(1, data[3], data[4], data[5], 6, data[1], False)
    if len(data) >= 10 and data[0] == 0xFD:
        message_id = int.from_bytes(data[7:10], "little")
        return Header(2, data[5], data[6], message_id, 10, data[1], bool(data[2] & _SIGNED))
    return None


def is_intact(data: bytes, header: Header) -> bool | None:
    """Whether the checksum fits; None if no dialect knows the message, so that nobody can tell."""
    message = dialect.mavlink_map.get(header.message_id)
    if message is None:
        return None
    end = header.payload_end
    return _checksum(data[1:end], message.crc_extra) == data[end : end + 2]


def seal(data: bytes, header: Header) -> bytes:
    """`data` (magic to end of payload, of a message the dialect knows) with its checksum behind it."""
    return data + _checksum(data[1:], dialect.mavlink_map[header.message_id].crc_extra)


def _checksum(data: bytes, crc_extra: int) -> bytes:
    crc = x25crc(data)
    crc.accumulate(bytes((crc_extra,)))
    return int(crc.crc).to_bytes(2, "little")


def split_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a raw byte stream into messages; what lies between them comes as it is, too.

    Joined, the pieces are the stream. A message that the dialect knows must have a fitting checksum, another
    one must be followed by the next message or the end.
    """
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        at = 0
        while len(buffer) - at >= _LARGEST + 1:
            piece = _piece(buffer[at : at + _LARGEST + 1])
            yield piece
            at += len(piece)
        buffer = buffer[at:]
    while buffer:
        piece = _piece(buffer)
        yield piece
        buffer = buffer[len(piece) :]


_LARGEST = max(10 + 255 + 2 + _SIGNATURE_SIZE, JUNK_LIMIT_BYTES)


def _piece(window: bytes) -> bytes:
    """The message at the start of `window`, or the junk up to where the next one may begin."""
    header = parse_header(window)
    if header is not None and header.size <= len(window):
        intact = is_intact(window, header)
        follows = header.size == len(window) or window[header.size] in MAGIC
        if intact or (intact is None and follows):
            return window[: header.size]
    starts = (at for at in range(1, len(window)) if window[at] in MAGIC)
    return window[: min(next(starts, len(window)), JUNK_LIMIT_BYTES)]
