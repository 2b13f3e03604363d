"""Recorded MAVLink as datagrams: one message each, at its time, with its clocks moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from .mavlink_frames import Header, is_intact, parse_header
from .source_clocks import SourceClocks, time_fields
from .state_messages import StateMessages
from .timing import Lap, Pace, Send

_SYSTEM_TIME = 2


class LoggedMessage(NamedTuple):
    """One message of a recording; its time counts from anywhere, None is the time of the one before."""

    time_us: int | None
    data: bytes


class TelemetryTrack:
    """Plays recorded telemetry again and again, each time through `messages()`.

    Everything recorded is sent, ground stations' and damaged messages too. With a positive offset the
    telemetry starts that much after the video, with a negative one its beginning is left out. Where a lap
    begins within the recording, or goes on behind a cut, what still holds there is sent first: of `before`
    and of the messages passed over.
    """

    def __init__(
        self,
        messages: Callable[[], Iterable[LoggedMessage]],
        clocks: SourceClocks,
        port: int,
        offset_ns: int = 0,
        *,
        zero_ns: int | None = None,
        before: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        self._messages = messages
        self._clocks = clocks
        self._port = port
        self._offset_ns = offset_ns
        self._zero_ns = zero_ns
        self._before = before

    def play(self, lap: Lap) -> Iterator[Send]:
        """One lap, in the order of time; goes on for as long as the log does."""
        self._clocks.begin_lap(lap.speed)
        passed: StateMessages | None = None
        if self._before:
            passed = StateMessages()
            for at_ns, data in self._before:
                passed.take(data, at_ns)
        for elapsed_ns, data in on_time(self._messages(), Pace(self._zero_ns), self._offset_ns):
            if lap.is_over(elapsed_ns):
                break
            if not lap.plays(elapsed_ns):
                passed = passed or StateMessages()
                passed.take(data, elapsed_ns)
                continue
            if passed is not None:
                yield from self._still_true(passed, lap, elapsed_ns)
                passed = None
            yield self._sent(data, lap.utc_ns(elapsed_ns))

    def _still_true(self, passed: StateMessages, lap: Lap, elapsed_ns: int) -> Iterator[Send]:
        """Before the message of `elapsed_ns`, but at the moment from which on the lap plays."""
        ends = [cut.to_ns for cut in lap.cuts if cut.to_ns <= elapsed_ns]
        from_ns = max(lap.from_ns, *ends, 0)
        for data in passed.at(from_ns):
            yield self._sent(data, lap.utc_ns(from_ns))

    def _sent(self, data: bytes, utc_ns: int) -> Send:
        return Send(utc_ns, self._port, self._clocks.rewrite(data, utc_ns))


def on_time(messages: Iterable[LoggedMessage], pace: Pace, offset_ns: int) -> Iterator[tuple[int, bytes]]:
    """(time in the recording, message); without those that are before its beginning."""
    for message in messages:
        if message.time_us is not None:
            pace.advance(message.time_us * 1000)
        elapsed_ns = offset_ns + pace.elapsed_ns
        if elapsed_ns >= 0:
            yield elapsed_ns, message.data


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
