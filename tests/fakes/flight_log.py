"""Flight logs with the clocks that a test wants: made here, or recorded with their times rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pymavlink.dialects.v20 import ardupilotmega as dialect

from recordings.protocol.mavlink_frames import parse_header, seal
from recordings.protocol.source_clocks import UNIX_FROM_US, time_fields
from tests.fakes.aircraft import FakeAircraft

START_US = 1_795_330_000_000_000
BOOTED_US = 41_000_000
"""Uptime at START_US."""

Record = tuple[int, bytes]
"""Arrival in µs since 1970, and one message: what a .tlog consists of."""
Clock = Callable[[int], int]
"""What a clock shows instead, in µs."""


def flight_log(seconds: int) -> Iterator[Record]:
    """A flight with right clocks: attitude and position ten times a second, the rest once."""
    aircraft = FakeAircraft()
    for tenth in range(seconds * 10):
        at_us = START_US + tenth * 100_000
        boot_ms = (BOOTED_US + tenth * 100_000) // 1000
        yield at_us, aircraft.attitude(boot_ms, yaw=tenth % 360)
        yield at_us, aircraft.position(boot_ms)
        if tenth % 10 == 0:
            yield at_us, aircraft.heartbeat(armed=True)
            yield at_us, aircraft.gps()
            yield at_us, aircraft.send(dialect.MAVLink_system_time_message(at_us, boot_ms))


def rewritten(
    log: Iterable[Record], *, uptime: Clock | None = None, unix: Clock | None = None
) -> Iterator[Record]:
    """The log as it would be if the aircraft's clocks had shown something else; 0 stays unknown."""
    for at_us, message in log:
        yield at_us, _with_times(message, uptime, unix)


def _with_times(message: bytes, uptime: Clock | None, unix: Clock | None) -> bytes:
    header = parse_header(message)
    if header is None or header.signed or not (fields := time_fields(header.message_id)):
        return message
    payload = bytearray(message[header.payload_start : header.payload_end])
    for field in fields:
        shown_us = field.read(payload) * field.unit_us
        clock = unix if shown_us >= UNIX_FROM_US else uptime
        if shown_us and clock:
            field.write(payload, clock(shown_us) // field.unit_us)
    head = message[:1] + bytes((len(payload),)) + message[2 : header.payload_start]
    return seal(head + bytes(payload), header)
