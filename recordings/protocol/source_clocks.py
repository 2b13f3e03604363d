"""The clocks inside MAVLink messages, moved so that a recording looks like a flight that is happening now.

Two clocks tick in a message: the time since the system booted, and wall-clock time. Both are scaled with
the speed of the replay. The boot clock goes on where the lap before left it, so that a loop looks like one
long flight; the wall clock is set, at its first appearance in each lap, to the moment of sending.
Everything else in a message stays, its sequence number and its ids too; only the checksum is new.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache

from pymavlink.dialects.v20 import all as dialect

from .mavlink_frames import Header, is_intact, parse_header, seal

UNIX_FROM_US = 1_000_000_000_000_000
"""MAVLink's `time_usec` is since boot or since 1970, told apart by magnitude; this is September 2001."""

_TIME_FIELDS = frozenset(
    {"time_boot_ms", "time_boot_us", "time_usec", "time_unix_usec", "time_utc", "timestamp", "usec"}
)
"""Fields that say when their message was made. TIMESYNC stays as recorded: it is about a clock elsewhere."""

_UNIT_US = {"us": 1, "ms": 1000}
_FORMATS = {"uint32_t": struct.Struct("<I"), "uint64_t": struct.Struct("<Q")}
_WIDTHS = {"char": 1, "int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2} | {
    "int32_t": 4, "uint32_t": 4, "float": 4, "int64_t": 8, "uint64_t": 8, "double": 8
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimeField:
    """One time in a message: where it is in the payload, and how many microseconds its unit has."""

    name: str
    offset: int
    format: struct.Struct
    unit_us: int

    @property
    def end(self) -> int:
        return self.offset + self.format.size

    def read(self, payload: bytes | bytearray) -> int:
        """The time, 0 if it is unknown. MAVLink 2 leaves out zero bytes at the end of a payload."""
        return int.from_bytes(payload[self.offset : self.end], "little")

    def write(self, payload: bytearray, value: int) -> None:
        """Set the time, wrapped to its width; the payload grows where it was left out."""
        payload.extend(bytes(max(0, self.end - len(payload))))
        self.format.pack_into(payload, self.offset, value % (1 << 8 * self.format.size))


@cache
def time_fields(message_id: int) -> tuple[TimeField, ...]:
    """The clocks in a message: absolute times in ms or µs; durations and past events are none."""
    message = dialect.mavlink_map.get(message_id)
    if message is None:
        return ()
    kinds = dict(zip(message.fieldnames, message.fieldtypes, strict=True))
    fields: list[TimeField] = []
    offset = 0
    for name, length in zip(message.ordered_fieldnames, message.array_lengths, strict=True):
        kind = kinds[name]
        unit_us = _UNIT_US.get(message.fieldunits_by_name.get(name, ""))
        if name in _TIME_FIELDS and unit_us and kind in _FORMATS:
            fields.append(TimeField(name, offset, _FORMATS[kind], unit_us))
        offset += _WIDTHS[kind] * max(1, length)
    return tuple(fields)


class SourceClocks:
    """Rewrites the times of every message of a replay; one boot and one wall clock per sending component."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._clocks: dict[tuple[int, int], _Clock] = {}

    def begin_lap(self, speed: float | None = None) -> None:
        """The recording goes on elsewhere, or at another speed: join its clocks to where they have got."""
        self._speed = speed or self._speed
        for clock in self._clocks.values():
            clock.begin_lap(self._speed)

    def rewrite(self, data: bytes, utc_ns: int) -> bytes:
        """The message as it would be sent at `utc_ns`.

        Comes back as it is where it cannot be rewritten: damaged, signed, or of no dialect we know.
        """
        header = parse_header(data)
        if header is None or header.signed or header.size != len(data):
            return data
        fields = time_fields(header.message_id)
        if not fields or not is_intact(data, header):
            return data
        clock = self._clocks.setdefault((header.system_id, header.component_id), _Clock(self._speed))
        payload = bytearray(data[header.payload_start : header.payload_end])
        for field in fields:
            _move(payload, field, clock, utc_ns)
        return _packed(data, header, bytes(payload))


def _move(payload: bytearray, field: TimeField, clock: _Clock, utc_ns: int) -> None:
    value = field.read(payload)
    if value:
        field.write(payload, clock.moved_us(value * field.unit_us, field, utc_ns) // field.unit_us)


def _packed(data: bytes, header: Header, payload: bytes) -> bytes:
    if len(payload) > header.payload_size:  # a time that was cut off at its zero bytes has grown
        payload = payload[: max(header.payload_size, len(payload.rstrip(b"\x00")))]
    head = data[:1] + bytes((len(payload),)) + data[2 : header.payload_start]
    return seal(head + payload, header)


class _Clock:
    """Both clocks of one component."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._boot_add_us: int | None = 0
        self._recorded_boot_us: int | None = None
        self._sent_boot_us = 0
        self._sent_at_ns = 0
        self._wall_anchor: tuple[int, int] | None = None  # recorded, sent; both in µs since 1970

    def begin_lap(self, speed: float) -> None:
        self._speed = speed
        self._wall_anchor = None
        if self._recorded_boot_us is not None:
            self._boot_add_us = self._recorded_boot_us = None

    def moved_us(self, recorded_us: int, field: TimeField, utc_ns: int) -> int:
        if recorded_us >= UNIX_FROM_US:
            return self._wall_us(recorded_us, utc_ns)
        if field.unit_us == 1 and field.format.size == 4:
            recorded_us = self._unwrapped_us(recorded_us)
        return self._boot_us(recorded_us, utc_ns)

    def _wall_us(self, recorded_us: int, utc_ns: int) -> int:
        if self._wall_anchor is None:
            self._wall_anchor = recorded_us, utc_ns // 1000
        recorded_then, sent_then = self._wall_anchor
        return sent_then + int((recorded_us - recorded_then) / self._speed)

    def _unwrapped_us(self, recorded_us: int) -> int:
        """A 32-bit count of µs starts over every 72 minutes (SERVO_OUTPUT_RAW): take the nearest turn."""
        if self._recorded_boot_us is None:
            return recorded_us
        turns = round((self._recorded_boot_us - recorded_us) / (1 << 32))
        return recorded_us + max(0, turns) * (1 << 32)

    def _boot_us(self, recorded_us: int, utc_ns: int) -> int:
        scaled_us = int(recorded_us / self._speed)
        if self._boot_add_us is None:
            since_us = (utc_ns - self._sent_at_ns) // 1000
            self._boot_add_us = max(0, self._sent_boot_us + since_us - scaled_us)
        self._recorded_boot_us = recorded_us
        self._sent_boot_us = scaled_us + self._boot_add_us
        self._sent_at_ns = utc_ns
        return self._sent_boot_us
