"""What an aircraft said before the place where a replay begins, as far as it still holds there.

Who joins a flight halfway would wait: home is told once, and a mode every second. So the newest message of
each kind comes first. What was old in the recording is not made young: a message that aircraft repeat all
the time and that had not come for a while is not sent, its age would be lost.
"""

from __future__ import annotations

from typing import NamedTuple

from .mavlink_frames import Header, is_intact, parse_header, seal
from .source_clocks import time_fields

RECENT_NS = 5_000_000_000

_HEARTBEAT = 0

_LASTING = frozenset({242, 49, 148})  # HOME_POSITION, GPS_GLOBAL_ORIGIN, AUTOPILOT_VERSION
"""Told now and then, and true until told otherwise."""

_HAPPENINGS = frozenset({253, 77, 111, 110, 126})
"""STATUSTEXT, COMMAND_ACK, TIMESYNC, FILE_TRANSFER_PROTOCOL, SERIAL_CONTROL: over once they were said."""


class _Said(NamedTuple):
    at_ns: int
    header: Header
    data: bytes


class StateMessages:
    """Takes messages in their order; knows the newest of each kind of each sender."""

    def __init__(self) -> None:
        self._newest: dict[tuple[int, int, int], _Said] = {}

    def copy(self) -> StateMessages:
        other = StateMessages()
        other._newest = dict(self._newest)
        return other

    def take(self, data: bytes, at_ns: int) -> None:
        header = parse_header(data)
        if header is not None and header.message_id not in _HAPPENINGS:
            key = header.system_id, header.component_id, header.message_id
            self._newest.pop(key, None)  # so that they stay in the order of time
            self._newest[key] = _Said(at_ns, header, data)

    def all(self) -> tuple[tuple[int, bytes], ...]:
        """(when it was said, message), the oldest first."""
        return tuple((said.at_ns, said.data) for said in self._newest.values())

    def at(self, now_ns: int) -> list[bytes]:
        """What still holds: heartbeats, by which an aircraft is known, then the rest, the oldest first.

        Lasting ones say no more when they were made: that would set the aircraft's clock back.
        """
        holding = [
            said
            for said in self._newest.values()
            if is_intact(said.data, said.header)
            and (said.header.message_id in _LASTING or now_ns - said.at_ns <= RECENT_NS)
        ]
        holding.sort(key=lambda said: said.header.message_id != _HEARTBEAT)
        return [_timeless(said) if said.header.message_id in _LASTING else said.data for said in holding]


def _timeless(said: _Said) -> bytes:
    header, data = said.header, said.data
    if header.signed or header.size != len(data):
        return data
    payload = bytearray(data[header.payload_start : header.payload_end])
    for field in time_fields(header.message_id):
        payload[field.offset : field.end] = bytes(len(payload[field.offset : field.end]))
    return seal(data[: header.payload_start] + bytes(payload), header)
