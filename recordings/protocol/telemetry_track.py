"""Recorded MAVLink as datagrams: one message each, at its time, with its clocks moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .mavlink_frames import Header, is_intact, parse_header
from .source_clocks import SourceClocks, time_fields
from .timing import Lap, Pace, Send

_SYSTEM_TIME = 2


class LoggedMessage(NamedTuple):
    """One message of a recording; its time counts from anywhere, None is the time of the one before."""

    time_us: int | None
    data: bytes


class TelemetryTrack:
    """Plays recorded telemetry again and again, each time through `messages()`.

    Everything recorded is sent, ground stations' and damaged messages too. With a positive offset the
    telemetry starts that much after the video, with a negative one its beginning is left out.
    """

    def __init__(
        self,
        messages: Callable[[], Iterable[LoggedMessage]],
        clocks: SourceClocks,
        port: int,
        offset_ns: int = 0,
    ) -> None:
        self._messages = messages
        self._clocks = clocks
        self._port = port
        self._offset_ns = offset_ns

    def play(self, lap: Lap) -> Iterator[Send]:
        """One lap, in the order of time; goes on for as long as the log does."""
        pace = Pace()
        self._clocks.begin_lap()
        for message in self._messages():
            if message.time_us is not None:
                pace.advance(message.time_us * 1000)
            elapsed_ns = self._offset_ns + pace.elapsed_ns
            if elapsed_ns >= 0:
                utc_ns = lap.utc_ns(elapsed_ns)
                yield Send(utc_ns, self._port, self._clocks.rewrite(message.data, utc_ns))


def timed_by_boot(messages: Iterable[bytes]) -> Iterator[LoggedMessage]:
    """Give the messages of a raw stream, which has no times of its own, the boot time of their aircraft.

    The first component that tells its `time_boot_ms` is followed, SYSTEM_TIME left aside: ground stations
    send it, too.
    """
    leader: tuple[int, int] | None = None
    for data in messages:
        time_us = None
        header = parse_header(data)
        if header is not None and header.message_id != _SYSTEM_TIME and is_intact(data, header):
            sender = header.system_id, header.component_id
            time_us = _boot_time_us(data, header) if leader in (None, sender) else None
            leader = leader if time_us is None else sender
        yield LoggedMessage(time_us, data)


def _boot_time_us(data: bytes, header: Header) -> int | None:
    for field in time_fields(header.message_id):
        if field.name == "time_boot_ms":
            return field.read(data[header.payload_start : header.payload_end]) * field.unit_us or None
    return None
