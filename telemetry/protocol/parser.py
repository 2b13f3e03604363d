"""MAVLink 1 and 2 framing: bytes in any portions -> checked frames; and frames -> decoded messages.

Decoding is pymavlink's (`MAVLink(None).decode`). Framing is ours, because `parse_buffer` drops everything
that a false start byte claims as its payload, lets its buffer grow while a stream never pauses between
messages, and accepts unknown message ids out of noise. Checking a frame costs 3 µs, decoding it 10 to 15
µs, so only what the assembly reads is decoded.

Dialect: `ardupilotmega` of v20, which includes `common` and all that PX4 sends; a checksum can only be
verified with the dialect's CRC_EXTRA. Importing it costs about 0.6 s, once; `all` costs more and adds
nothing that flies.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

START_V1 = 0xFE
START_V2 = 0xFD
HEADER_V1 = 6
HEADER_V2 = 10
CHECKSUM = 2
SIGNATURE = 13
COMPONENTS_KEPT = 256
FLAG_SIGNED = 0x01  # MAVLINK_IFLAG_SIGNED, the only incompatibility flag there is

_START = re.compile(rb"[\xfd\xfe]")
_SIZES: dict[int, int] = {number: kind.unpacker.size for number, kind in dialect.mavlink_map.items()}
_CRC_EXTRA: dict[int, int] = {number: kind.crc_extra for number, kind in dialect.mavlink_map.items()}


@dataclass(frozen=True, slots=True)
class Frame:
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
    incomplete frame (280 bytes) is kept. Signed frames are accepted as they are: we hold no key.
    """

    def __init__(self) -> None:
        self.bad_bytes = 0
        self._pending = b""
        self._in_step = False  # what is pending follows right behind a good frame
        self._heard: set[tuple[int, int]] = set()

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
        self._in_step = self._in_step and not self._pending
        return self.push(data)

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
        frame = _split(raw)
        extra = _CRC_EXTRA.get(frame.message_id)
        source = frame.system_id, frame.component_id
        if extra is None:
            return frame if self._in_step and source in self._heard else None
        end = _payload_end(raw)
        if dialect.x25crc(raw[1:end] + bytes((extra,))).crc != int.from_bytes(raw[end : end + 2], "little"):
            return None
        if len(self._heard) >= COMPONENTS_KEPT:
            self._heard.clear()
        self._heard.add(source)
        return frame


def _frame_length(buffer: bytes, at: int) -> int | None:
    """Length the header at `at` states; None while the header is incomplete, 0 if this is no frame."""
    if len(buffer) < at + HEADER_V1:
        return None
    if buffer[at] == START_V1:
        # MAVLink 1 has no extensions: a longer payload than defined is noise, and costs no checksum.
        fits = buffer[at + 1] <= _SIZES.get(buffer[at + 5], 255)
        return HEADER_V1 + buffer[at + 1] + CHECKSUM if fits else 0
    if buffer[at] != START_V2 or buffer[at + 2] & ~FLAG_SIGNED:
        return 0  # a frame with an unknown incompatibility flag must be dropped (MAVLink 2 serialization)
    return HEADER_V2 + buffer[at + 1] + CHECKSUM + (SIGNATURE if buffer[at + 2] & FLAG_SIGNED else 0)


def _payload_end(raw: bytes) -> int:
    return (HEADER_V1 if raw[0] == START_V1 else HEADER_V2) + raw[1]


def _split(raw: bytes) -> Frame:
    end = _payload_end(raw)
    if raw[0] == START_V1:
        sequence, system_id, component_id, message_id = raw[2:HEADER_V1]
        return Frame(system_id, component_id, sequence, message_id, raw[HEADER_V1:end], raw)
    sequence, system_id, component_id = raw[4:7]
    message_id = int.from_bytes(raw[7:10], "little")
    return Frame(system_id, component_id, sequence, message_id, raw[HEADER_V2:end], raw)


class Decoder:
    """Frames -> pymavlink messages."""

    def __init__(self) -> None:
        self._mavlink = dialect.MAVLink(None)

    def decode(self, frame: Frame) -> Any | None:
        """The message, or None where the dialect does not know it or its fields make no sense."""
        if frame.message_id not in _CRC_EXTRA:
            return None
        try:
            return self._mavlink.decode(bytearray(frame.raw))
        except (dialect.MAVError, struct.error, ValueError):
            return None
