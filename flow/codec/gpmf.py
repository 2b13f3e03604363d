"""GPMF, the metadata of GoPro cameras and of their Karma drone (github.com/gopro/gpmf-parser, its README).

A payload is a row of entries: FourCC, type character, size and number of the structures, data padded to 32
bits, big-endian throughout. Type 0 nests: a payload holds devices (DEVC), a device holds streams (STRM), and
a stream's last entry is its measurements; those before it say what they are (TYPE, SCAL, UNIT, STNM).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from flow.errors import MalformedError

PAYLOAD_LIMIT_BYTES = 1024 * 1024
ENTRIES_MOST = 4096
DEPTH_MOST = 8
ROWS_MOST = 4096
"""Of the streams that are read: a second of the fastest of them (GPS at 18 Hz) has a few dozen."""

Value = float | int | str
Row = tuple[Value, ...]

_HEADER = struct.Struct("!4scBH")
_NUMBERS = {
    "b": "b",
    "B": "B",
    "s": "h",
    "S": "H",
    "l": "i",
    "L": "I",
    "j": "q",
    "J": "Q",
    "f": "f",
    "d": "d",
}
_FIXED_POINT = {"q": ("i", 1 << 16), "Q": ("q", 1 << 32)}  # Q15.16 and Q31.32
_TEXTS = {"F": 4, "U": 16, "G": 16}  # FourCC, UTC date "yymmddhhmmss.sss", GUID
_NESTED, _COMPLEX, _CHARACTER = "\0", "?", "c"


@dataclass(frozen=True, slots=True)
class Entry:
    """One key, length and value; `children` are those of a nested one."""

    key: str
    type: str
    size: int
    count: int
    data: bytes
    children: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """Measurements of one kind, in the units that the stream names: `rows` are scaled already.

    `before` holds the entries that stand beside them in the stream (GPSF, GPSU, TSMP, …), the last of a key.
    """

    key: str
    name: str
    rows: tuple[Row, ...]
    before: dict[str, Row] = field(default_factory=dict)


def parse(payload: bytes) -> tuple[Entry, ...]:
    """The entries of one payload. Raises MalformedError where a length points outside what holds it, and for
    more nesting, entries or bytes than any camera writes."""
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        raise MalformedError(f"GPMF: a payload of {len(payload)} bytes")
    return _entries(payload, 0, [ENTRIES_MOST])


def streams(payload: bytes, wanted: Container[str] | None = None) -> dict[str, Stream]:
    """The streams of all devices of one payload by their FourCC, or of those `wanted`; empty ones left out.

    Raises MalformedError. A stream whose measurements cannot be read for what it says of them is left out:
    cameras add streams, and the others are none the worse for it.
    """
    found: dict[str, Stream] = {}
    for device in parse(payload):
        for stream in device.children:
            if device.key == "DEVC" and stream.key == "STRM" and _is_wanted(stream, wanted):
                found.update((read.key, read) for read in _stream(stream))
    return found


def _entries(data: bytes, depth: int, left: list[int]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    at = 0
    while at + _HEADER.size <= len(data):
        key, kind, size, count = _HEADER.unpack_from(data, at)
        if key == bytes(4):  # what is left of the sample is padding
            break
        begin, end = at + _HEADER.size, at + _HEADER.size + size * count
        left[0] -= 1
        if end > len(data) or left[0] < 0:
            why = "a length outside what holds it" if end > len(data) else f"more than {ENTRIES_MOST} entries"
            raise MalformedError(f"GPMF {key!r}: {why}")
        inner = _nested(key, data[begin:end], depth, left) if kind == b"\0" else ()
        entries.append(
            Entry(key.decode("latin-1"), kind.decode("latin-1"), size, count, data[begin:end], inner)
        )
        at = begin + (size * count + 3) // 4 * 4
    return tuple(entries)


def _nested(key: bytes, data: bytes, depth: int, left: list[int]) -> tuple[Entry, ...]:
    if depth == DEPTH_MOST:
        raise MalformedError(f"GPMF {key!r}: nested more than {DEPTH_MOST} deep")
    return _entries(data, depth + 1, left)


def _is_wanted(stream: Entry, wanted: Container[str] | None) -> bool:
    return bool(stream.children) and (wanted is None or stream.children[-1].key in wanted)


def _stream(stream: Entry) -> Iterator[Stream]:
    *notes, measured = stream.children
    if not 0 < measured.count <= ROWS_MOST or measured.type == _NESTED:
        return
    known = {note.key: note for note in notes}
    try:
        kinds = "".join(map(str, rows(known["TYPE"])[0])) if "TYPE" in known else ""
        scale = [value for row in rows(known["SCAL"]) for value in row] if "SCAL" in known else []
        scaled = tuple(_scaled(row, scale) for row in rows(measured, kinds))
        before = {note.key: rows(note)[0] for note in notes if note.type not in {_NESTED, _COMPLEX}}
    except (MalformedError, IndexError):
        return
    name = str(before.get("STNM", ("",))[0]).rstrip("\0")
    yield Stream(measured.key, name, scaled, before)


def rows(entry: Entry, kinds: str = "") -> list[Row]:
    """The structures of an entry, each a row of numbers or texts; `kinds` is the TYPE of a complex one.

    Raises MalformedError where its size is not that of its type.
    """
    if entry.type == _CHARACTER:
        return [(entry.data.decode("latin-1"),)]
    kinds = kinds if entry.type == _COMPLEX else entry.type
    if not kinds or any(kind not in _SIZES for kind in kinds):
        raise MalformedError(f"GPMF {entry.key}: of type {kinds!r}")
    size = sum(_SIZES[kind] for kind in kinds)
    if entry.type != _COMPLEX:
        kinds *= entry.size // size
        size *= entry.size // size
    if not size or size != entry.size:
        raise MalformedError(f"GPMF {entry.key}: structures of {entry.size} bytes are not of type {kinds!r}")
    reader = struct.Struct("!" + "".join(_FORMATS[kind] for kind in kinds))
    return [
        tuple(_value(kind, value) for kind, value in zip(kinds, structure, strict=True))
        for structure in reader.iter_unpack(entry.data)
    ]


_FORMATS = {
    **_NUMBERS,
    **{kind: code for kind, (code, _) in _FIXED_POINT.items()},
    **{kind: f"{size}s" for kind, size in _TEXTS.items()},
    _CHARACTER: "c",
}
_SIZES = {kind: struct.calcsize("!" + code) for kind, code in _FORMATS.items()}


def _value(kind: str, value: float | bytes) -> Value:
    if isinstance(value, bytes):
        return value.hex() if kind == "G" else value.decode("latin-1")
    return value / _FIXED_POINT[kind][1] if kind in _FIXED_POINT else value


def _scaled(row: Row, scale: list[Value]) -> Row:
    """A row divided by its stream's SCAL: one for all of it, or one for each value."""
    divisors = scale * len(row) if len(scale) == 1 else scale
    if not divisors:
        return row
    if len(divisors) != len(row):
        raise MalformedError(f"GPMF: {len(scale)} scales for {len(row)} values")
    return tuple(_divided(value, by) for value, by in zip(row, divisors, strict=True))


def _divided(value: Value, by: Value) -> Value:
    if isinstance(value, str) or isinstance(by, str):
        return value
    return value / by if by and math.isfinite(by) else math.nan
