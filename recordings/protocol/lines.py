"""Samples, metadata and events as lines of JSON: `{"type":"Marker","item":{…}}`, the fields as on the bus.

A line that was cut off by a power failure, or is none of ours, is passed over and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from flow import wire
from flow.bus import Event, Item
from flow.errors import MalformedError
from flow.samples import Metadata, TelemetrySample

_PREFIX_BYTES = 4
LINE_LIMIT_BYTES = 1024 * 1024


class _Line(msgspec.Struct):
    type: str
    item: msgspec.Raw


def line_of(item: Event | TelemetrySample | Metadata) -> bytes:
    """One line, its end included."""
    body = wire.encode(item)[_PREFIX_BYTES:]
    return b'{"type":"%s","item":%s}\n' % (type(item).__name__.encode(), body)


def item_of(line: bytes) -> Item:
    """Raises MalformedError for anything that is no line of ours."""
    try:
        parts = msgspec.json.decode(line, type=_Line)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedError(f"line: {error}") from None
    return wire.decode_named(parts.type, bytes(parts.item))


@dataclass(slots=True)
class LineReader:
    """Iterates items of a file's lines."""

    bad: int = 0  # lines that were passed over

    def items(self, lines: Iterable[bytes]) -> Iterator[Item]:
        for line in lines:
            try:
                yield item_of(line)
            except MalformedError:
                self.bad += 1
