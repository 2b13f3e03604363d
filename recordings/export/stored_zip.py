"""A ZIP every byte of which follows from the files in it: APPNOTE.TXT 6.3.10, of which only what is needed.

Nothing is compressed, nothing has a date, a comment or a gap before it, and the directory says what the
files' own headers say. So whether anybody has touched the ZIP itself can be told: it is compared with what it
has to be. Ordinary ZIPs leave room for two programs to see different files in one archive.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flow.errors import MalformedError

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END_64, _LOCATOR_64 = b"PK\x06\x06", b"PK\x06\x07"
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_CENTRAL_HEADER = struct.Struct("<4s6H3I5H2I")
_NEEDS, _NEEDS_64 = 10, 45  # 4.4.3: a stored file; one whose sizes take 64 bits
_MADE_BY = 3 << 8 | 45  # 4.4.2: on Unix, so that the permissions are read
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01, the first there is: times are in the manifest, which is signed
_RW_R_R = 0o100644 << 16
_LARGE_32, _LARGE_16 = 0xFFFFFFFF, 0xFFFF
_EXTRA_64 = 1  # 4.5.3


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in the ZIP. `crc32` is of its content."""

    name: str  # ASCII
    size: int
    crc32: int


def local_header(entry: Entry) -> bytes:
    """What stands before a file's content (4.3.7)."""
    is_large = entry.size >= _LARGE_32
    size = _LARGE_32 if is_large else entry.size
    extra = struct.pack("<2H2Q", _EXTRA_64, 16, entry.size, entry.size) if is_large else b""
    name = entry.name.encode("ascii")
    needs = _NEEDS_64 if is_large else _NEEDS
    header = _LOCAL_HEADER.pack(
        _LOCAL, needs, 0, 0, _TIME, _DATE, entry.crc32, size, size, len(name), len(extra)
    )
    return header + name + extra


def directory(entries: Iterable[Entry]) -> bytes:
    """What stands behind the last file: the directory and its end (4.3.12 to 4.3.16)."""
    lines, at, count = [], 0, 0
    for entry in entries:
        lines.append(_line(entry, at))
        at += len(local_header(entry)) + entry.size
        count += 1
    table = b"".join(lines)
    return table + _end(count, len(table), at)


def read_header(read: Callable[[int], bytes]) -> Entry | None:
    """The header that comes next; None where the directory begins, four bytes of which are read then.

    Raises MalformedError for one that `local_header` would not have made.
    """
    head = read(len(_LOCAL))
    if head in (_CENTRAL, _END):
        return None
    head += read(_LOCAL_HEADER.size - len(head))
    if len(head) < _LOCAL_HEADER.size:
        raise MalformedError("it ends in the middle of a file's header")
    *_, crc32, size, _, name_length, extra_length = _LOCAL_HEADER.unpack(head)
    rest = read(name_length + extra_length)
    if extra_length == 20 and len(rest) == name_length + extra_length:
        size = int.from_bytes(rest[-8:], "little")
    entry = Entry(rest[:name_length].decode("ascii", "replace"), size, crc32)
    if not entry.name.isascii() or local_header(entry) != head + rest:
        raise MalformedError("a file's header is not as it is made here")
    return entry


def _line(entry: Entry, at: int) -> bytes:
    """Of the directory (4.3.12). Only what does not fit 32 bits stands in the extra field (4.5.3)."""
    large = [value for value in (entry.size, entry.size, at) if value >= _LARGE_32]
    extra = struct.pack(f"<2H{len(large)}Q", _EXTRA_64, 8 * len(large), *large) if large else b""
    size = min(entry.size, _LARGE_32)
    name = entry.name.encode("ascii")
    needs = _NEEDS_64 if large else _NEEDS
    header = _CENTRAL_HEADER.pack(
        _CENTRAL, _MADE_BY, needs, 0, 0, _TIME, _DATE, entry.crc32, size, size,
        len(name), len(extra), 0, 0, 0, _RW_R_R, min(at, _LARGE_32),
    )  # fmt: skip
    return header + name + extra


def _end(count: int, size: int, at: int) -> bytes:
    end = b""
    if count >= _LARGE_16 or size >= _LARGE_32 or at >= _LARGE_32:
        end = struct.pack(
            "<4sQ2H2I4Q", _END_64, 44, _MADE_BY, _NEEDS_64, 0, 0, count, count, size, at
        ) + struct.pack("<4sIQI", _LOCATOR_64, 0, at + size, 1)
    few = min(count, _LARGE_16)
    return end + struct.pack("<4s4H2IH", _END, 0, 0, few, few, min(size, _LARGE_32), min(at, _LARGE_32), 0)
