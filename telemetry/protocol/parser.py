"""MAVLink 1 and 2 framing: bytes in any portions -> checked frames; and frames -> decoded messages.

Framing is ours, because pymavlink's `parse_buffer` drops everything that a false start byte claims as its
payload, lets its buffer grow while a stream never pauses between messages, and accepts unknown message ids
out of noise. Only what the assembly reads is decoded, see messages.py.

Dialect: `ardupilotmega` of v20, which includes `common` and all that PX4 sends; a checksum can only be
verified with the dialect's CRC_EXTRA. Importing it costs about 0.6 s, once; `all` costs more and adds
nothing that flies.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from pymavlink.dialects.v20 import ardupilotmega as dialect

from .messages import Kind, kind_of

START_V1 = 0xFE
START_V2 = 0xFD
HEADER_V1 = 6
HEADER_V2 = 10
CHECKSUM = 2
SIGNATURE = 13
COMPONENTS_KEPT = 256
FLAG_SIGNED = 0x01  # MAVLINK_IFLAG_SIGNED, the only incompatibility flag there is

_STARTS = (START_V1, START_V2)
_START = re.compile(rb"[\xfd\xfe]")
_new = tuple.__new__  # a third of what it costs to call Frame


def _slow_crc(data: bytes) -> int:
    return int(dialect.x25crc(data).crc)


# CRC-16/MCRF4XX, which MAVLink calls X.25. pymavlink does without fastcrc where it must.
_crc: Callable[[bytes], int] = dialect.mcrf4xx or _slow_crc
_SIZES: dict[int, int] = {number: kind.unpacker.size for number, kind in dialect.mavlink_map.items()}
_CRC_EXTRA: dict[int, bytes] = {
    number: bytes((kind.crc_extra,)) for number, kind in dialect.mavlink_map.items()
}


class Frame(NamedTuple):
    """One checked MAVLink frame. `payload` is as sent: MAVLink 2 trims trailing zeros."""

    system_id: int
    component_id: int
    sequence: int  # 0 to 255, counted by the sender per link
    message_id: int
    payload: bytes
    raw: bytes  # the whole frame, signature included


_INCOMPLETE = Frame(0, 0, 0, 0, b"", b"")


class Parser:
    """Frames of one byte stream (one UDP sender, one TCP connection, one file).

    After bytes that are no frame it looks again from the next byte on, so junk never takes a good message
    with it; nor does it hold one back, waiting for the 255 bytes that a false start announces. At most one
    incomplete frame (280 bytes) is kept. Signatures are not looked at here, see signing.py.
    """

    def __init__(self) -> None:
        self.bad_bytes = 0
        self._pending = b""
        self._in_step = False  # what is pending follows right behind a good frame
        self._heard: set[int] = set()  # system and component id

    def push(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes; all in all, they do not depend on how a stream is cut."""
        buffer, frames = self._pending + data, []
        at = self._skip_junk(buffer, 0)
        while at < len(buffer):
            frame = self._frame_at(buffer, at)
            if frame is _INCOMPLETE:
                good = None if self._in_step else self._next_good(buffer, at + 1)
                if good is None:
                    break
                self.bad_bytes += good - at
                at = good
                continue
            self._in_step = frame is not None
            self.bad_bytes += frame is None
            at += len(frame.raw) if frame else 1
            if frame:
                frames.append(frame)
            at = self._skip_junk(buffer, at)
        self._pending = buffer[at:]
        return frames

    def push_datagram(self, data: bytes) -> list[Frame]:
        """As `push`, for transports with message boundaries: one frame cut short there ends here.

        Bridges that cut a serial stream anywhere into datagrams still work.
        """
        if self._pending:
            self._in_step = False
        elif frame := self._only_frame(data):
            return [frame]
        return self.push(data)

    def _only_frame(self, data: bytes) -> Frame | None:
        """The frame that `data` is, as a datagram usually is: the short way."""
        if _frame_length(data, 0) != len(data) or not data:
            return None
        frame = self._check(data)
        if frame is not None:
            self._in_step = True
        return frame

    def _frame_at(self, buffer: bytes, at: int) -> Frame | None:
        """The frame that starts at `at`, `_INCOMPLETE`, or None if there is none."""
        length = _frame_length(buffer, at)
        if length is None or at + length > len(buffer):
            return _INCOMPLETE
        return self._check(buffer[at : at + length]) if length else None

    def _next_good(self, buffer: bytes, at: int) -> int | None:
        """Where the first whole frame from `at` on starts whose checksum is right."""
        for start in (found.start() for found in _START.finditer(buffer, at)):
            frame = self._frame_at(buffer, start)
            if frame and frame is not _INCOMPLETE and frame.message_id in _CRC_EXTRA:
                return start
        return None

    def _skip_junk(self, buffer: bytes, at: int) -> int:
        if at < len(buffer) and buffer[at] in _STARTS:
            return at
        found = _START.search(buffer, at)
        start = found.start() if found else len(buffer)
        if start > at:
            self._in_step = False
            self.bad_bytes += start - at
        return start

    def _check(self, raw: bytes) -> Frame | None:
        """The frame in `raw` (of the length its header states), or None if its checksum is wrong.

        The checksum of a message id the dialect does not have cannot be verified: such a frame counts only
        right behind a good one, from a component that has been heard before, and is never decoded.
        """
        if raw[0] == START_V1:
            _, length, sequence, system_id, component_id, number = raw[:HEADER_V1]
            start = HEADER_V1
        else:
            _, length, _, _, sequence, system_id, component_id, low, middle, high = raw[:HEADER_V2]
            start, number = HEADER_V2, low | middle << 8 | high << 16
        end, source = start + length, system_id << 8 | component_id
        extra = _CRC_EXTRA.get(number)
        if extra is None:
            if not self._in_step or source not in self._heard:
                return None
        elif _crc(raw[1:end] + extra) != raw[end] | raw[end + 1] << 8:
            return None
        elif source not in self._heard:
            self._remember(source)
        return _new(Frame, (system_id, component_id, sequence, number, raw[start:end], raw))

    def _remember(self, source: int) -> None:
        if len(self._heard) >= COMPONENTS_KEPT:
            self._heard.clear()
        self._heard.add(source)


def _frame_length(buffer: bytes, at: int) -> int | None:
    """Length the header at `at` states; None while the header is incomplete, 0 if this is no frame."""
    if len(buffer) < at + HEADER_V1:
        return None
    start, length, flags = buffer[at : at + 3]
    if start == START_V1:
        # MAVLink 1 has no extensions: a longer payload than defined is noise, and costs no checksum.
        return HEADER_V1 + length + CHECKSUM if length <= _SIZES.get(buffer[at + 5], 255) else 0
    if start != START_V2 or flags & ~FLAG_SIGNED:
        return 0  # a frame with an unknown incompatibility flag must be dropped (MAVLink 2 serialization)
    return HEADER_V2 + length + CHECKSUM + (SIGNATURE if flags else 0)


class Decoder:
    """Frames -> messages with the fields of the dialect."""

    def __init__(self) -> None:
        self._kinds: dict[int, Kind] = {}

    def decode(self, frame: Frame) -> Any | None:
        """The message, or None where the dialect does not know it."""
        kind = self._kinds.get(frame.message_id)
        if kind is None:
            kind = kind_of(frame.message_id)
            if kind is None:
                return None
            self._kinds[frame.message_id] = kind
        return kind.decode(frame.payload)
