"""The fields of a MAVLink message, with the names and values that pymavlink's own decoding gives them.

pymavlink builds an object of some thirty attributes for every message, 10 µs; this unpacks the same structure
by the same dialect into a tuple with names, 1 µs. A test holds both against each other over real flights.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from pymavlink.dialects.v20 import ardupilotmega as dialect

Values: TypeAlias = tuple[Any, ...]

_new = tuple.__new__


class Kind(NamedTuple):
    """How the payload of one message id becomes a message."""

    message: type[Any]
    size: int  # of the payload with all its trailing zeros and extensions
    unpack: Callable[[bytes], Values]
    grouped: Callable[[Values], Values] | None  # where a field is an array or a text

    def decode(self, payload: bytes) -> Any:
        """The message. MAVLink 2 cuts trailing zeros off; a newer dialect may have made it longer."""
        if len(payload) != self.size:
            payload = payload[: self.size].ljust(self.size, b"\0")
        values = self.unpack(payload)
        return _new(self.message, self.grouped(values) if self.grouped else values)


def kind_of(number: int) -> Kind | None:
    """The kind of message `number`; None where the dialect does not have it."""
    return _made(number) if number in dialect.mavlink_map else None


@cache
def _made(number: int) -> Kind:
    source = dialect.mavlink_map[number]
    name: str = source.msgname
    fields = namedtuple(name, source.ordered_fieldnames)  # type: ignore[misc]
    methods = {"__slots__": (), "get_msgId": lambda _: number, "get_type": lambda _: name}
    message = type(name, (fields,), methods)
    return Kind(message, source.unpacker.size, source.unpacker.unpack, _grouping(source))


def _grouping(source: Any) -> Callable[[Values], Values] | None:
    """Puts the elements of each array together and makes a text of each array of char."""
    # `fieldtypes` and `array_lengths` go by the order of the fields' definition and by that on the wire.
    types = dict(zip(source.fieldnames, source.fieldtypes, strict=True))
    shapes = [
        (types[name] == "char", length)
        for name, length in zip(source.ordered_fieldnames, source.array_lengths, strict=True)
    ]
    if not any(length for _, length in shapes):
        return None

    def grouped(values: Values) -> Values:
        fields: list[Any] = []
        at = 0
        for is_text, length in shapes:
            taken = 1 if is_text or not length else length
            if is_text and length:
                fields.append(values[at].split(b"\0", 1)[0].decode("ascii", errors="replace"))
            else:
                fields.append(list(values[at : at + taken]) if length else values[at])
            at += taken
        return tuple(fields)

    return grouped
