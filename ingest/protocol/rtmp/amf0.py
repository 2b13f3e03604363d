"""The values of RTMP's commands (Action Message Format AMF 0, Adobe 2007)."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TypeAlias

from flow.errors import MalformedError

Value: TypeAlias = "float | bool | str | list[Value] | dict[str, Value] | None"
"""Objects and ECMA arrays are dicts; null and undefined are None; a date is its milliseconds."""

DEPTH_MOST = 8
VALUES_MOST = 1000
"""In one command, members of objects and arrays counted: encoders tell a few dozen."""

_SHORT_STRING_MOST = 0xFFFF


class Marker(IntEnum):
    """The first byte of a value, AMF 0 2.1."""

    NUMBER = 0
    BOOLEAN = 1
    STRING = 2
    OBJECT = 3
    NULL = 5
    UNDEFINED = 6
    REFERENCE = 7
    ECMA_ARRAY = 8
    OBJECT_END = 9
    STRICT_ARRAY = 10
    DATE = 11
    LONG_STRING = 12
    UNSUPPORTED = 13
    XML = 15
    TYPED_OBJECT = 16


def read(data: bytes) -> list[Value]:
    """All values of a command. Raises MalformedError."""
    reader = _Reader(data)
    values: list[Value] = []
    while not reader.is_at_end:
        values.append(reader.value(0))
    return values


def write(*values: Value) -> bytes:
    """Values one after the other."""
    return b"".join(map(_written, values))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._count = 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._data)

    def value(self, depth: int) -> Value:
        """The next value; `depth` others are around it."""
        self._count += 1
        if depth > DEPTH_MOST or self._count > VALUES_MOST:
            raise MalformedError(f"AMF 0 values more than {DEPTH_MOST} deep, or more than {VALUES_MOST}")
        match marker := self._number(1):
            case Marker.NUMBER:
                return self._float()
            case Marker.BOOLEAN:
                return self._number(1) != 0
            case Marker.STRING:
                return self._text(2)
            case Marker.LONG_STRING | Marker.XML:
                return self._text(4)
            case Marker.NULL | Marker.UNDEFINED | Marker.UNSUPPORTED:
                return None
            case Marker.REFERENCE:
                self._bytes(2)
                return None
            case Marker.DATE:
                milliseconds = self._float()
                self._bytes(2)  # a time zone that nobody uses, AMF 0 2.13
                return milliseconds
            case Marker.STRICT_ARRAY:
                return [self.value(depth + 1) for _ in range(self._number(4))]
            case Marker.ECMA_ARRAY:
                self._bytes(4)  # a count that is only a hint, AMF 0 2.10
                return self._object(depth)
            case Marker.TYPED_OBJECT:
                self._text(2)
                return self._object(depth)
            case Marker.OBJECT:
                return self._object(depth)
        raise MalformedError(f"an AMF 0 value of type {marker}")

    def _object(self, depth: int) -> dict[str, Value]:
        members: dict[str, Value] = {}
        while True:
            name = self._text(2)
            if not name and self._data[self._at : self._at + 1] == bytes((Marker.OBJECT_END,)):
                self._at += 1
                return members
            members[name] = self.value(depth + 1)

    def _text(self, length_bytes: int) -> str:
        return self._bytes(self._number(length_bytes)).decode("utf-8", "replace")

    def _float(self) -> float:
        return float(struct.unpack(">d", self._bytes(8))[0])

    def _number(self, size: int) -> int:
        return int.from_bytes(self._bytes(size), "big")

    def _bytes(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise MalformedError("an AMF 0 value is cut off")
        found, self._at = self._data[self._at : end], end
        return found


def _written(value: Value) -> bytes:
    match value:
        case None:
            return bytes((Marker.NULL,))
        case bool():
            return bytes((Marker.BOOLEAN, value))
        case int() | float():
            return struct.pack(">Bd", Marker.NUMBER, value)
        case str():
            data = value.encode()
            if len(data) > _SHORT_STRING_MOST:
                return struct.pack(">BI", Marker.LONG_STRING, len(data)) + data
            return bytes((Marker.STRING,)) + _short(data)
        case list():
            return struct.pack(">BI", Marker.STRICT_ARRAY, len(value)) + write(*value)
        case dict():
            members = (_short(name.encode()) + _written(each) for name, each in value.items())
            return b"".join((bytes((Marker.OBJECT,)), *members, bytes((0, 0, Marker.OBJECT_END))))


def _short(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data
