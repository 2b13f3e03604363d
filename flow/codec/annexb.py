"""NAL unit streams: Annex B start codes, the length-prefixed form of MP4, and access unit boundaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from flow.errors import MalformedError
from flow.units import Codec

from .nal import RULES

START_CODE = b"\x00\x00\x00\x01"
_SHORT_START_CODE = b"\x00\x00\x01"

ACCESS_UNIT_LIMIT_BYTES = 8 * 1024 * 1024
"""A larger picture is taken for a broken stream; the group cache of the bus holds no more either."""

NAL_UNITS_MOST = 8192
"""A picture of more is taken for a broken stream, too: each costs a microsecond, and 8 MB hold millions. An
encoder that fills packets of 1000 bytes with a slice each does not come to as many."""


def is_splintered(data: bytes) -> bool:
    """Whether Annex B bytes are of more than NAL_UNITS_MOST units, judged without cutting them apart."""
    return data.count(_SHORT_START_CODE) > NAL_UNITS_MOST


def split_nal_units(data: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream, without start codes and padding zeros (H.264 B.1.1).

    Bytes before the first start code are no NAL unit and are left out.
    """
    nals: list[bytes] = []
    end = len(data)
    while (at := data.rfind(_SHORT_START_CODE, 0, end)) >= 0:  # from the end: rfind is the faster search
        # No NAL unit ends in a zero byte (7.4.1), so these are padding or the next start code's fourth byte.
        if nal := data[at + 3 : end].rstrip(b"\x00"):
            nals.append(nal)
        end = at
    nals.reverse()
    return nals


def join_nal_units(nals: Iterable[bytes]) -> bytes:
    """Annex B bytes with a four-byte start code before every NAL unit."""
    return b"".join(part for nal in nals for part in (START_CODE, nal))


def avcc_to_annexb(data: bytes, length_size: int) -> bytes:
    """Turn one MP4 sample, NAL units behind lengths of `length_size` bytes, into Annex B (14496-15 5.3.4.2).

    Raises MalformedError where a length points outside the sample, or there are more than NAL_UNITS_MOST.
    """
    return join_nal_units(_length_prefixed(data, length_size))


def avcc_beginning(data: bytes, length_size: int) -> bytes:
    """What `avcc_to_annexb` would make of the NAL units before the first that cannot be read."""
    nals: list[bytes] = []
    with suppress(MalformedError):
        nals.extend(_length_prefixed(data, length_size))  # keeps those that came before the error
    return join_nal_units(nals)


def _length_prefixed(data: bytes, length_size: int) -> Iterator[bytes]:
    at = count = 0
    while at < len(data):
        count += 1
        start = at + length_size
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data):
            raise MalformedError("NAL unit length exceeds its sample (ISO/IEC 14496-15 5.3.4.2)")
        if count > NAL_UNITS_MOST:
            raise MalformedError(f"more than {NAL_UNITS_MOST} NAL units in one sample")
        if at > start:
            yield data[start:at]


@dataclass(frozen=True, slots=True)
class AvcConfig:
    """The `avcC` record of an MP4 or FLV file (ISO/IEC 14496-15 5.3.3.1)."""

    length_size: int
    parameter_sets: tuple[bytes, ...]

    @classmethod
    def parse(cls, extradata: bytes) -> Self:
        """Raises MalformedError if `extradata` is no avcC; Annex B extradata begins with 0, not with 1."""
        if len(extradata) < 7 or extradata[0] != 1:
            raise MalformedError("avcC is cut off or not of version 1 (ISO/IEC 14496-15 5.3.3.1)")
        sps, at = _sets(extradata, 6, extradata[5] & 0x1F)
        if at >= len(extradata):
            raise MalformedError("avcC ends before its picture parameter sets (ISO/IEC 14496-15 5.3.3.1)")
        pps, _ = _sets(extradata, at + 1, extradata[at])
        return cls((extradata[4] & 3) + 1, (*sps, *pps))


@dataclass(frozen=True, slots=True)
class HevcConfig:
    """The `hvcC` record of an MP4 or FLV file (ISO/IEC 14496-15 8.3.3.1)."""

    length_size: int
    parameter_sets: tuple[bytes, ...]

    @classmethod
    def parse(cls, extradata: bytes) -> Self:
        """Raises MalformedError if `extradata` is no hvcC."""
        if len(extradata) < 23 or extradata[0] != 1:
            raise MalformedError("hvcC is cut off or not of version 1 (ISO/IEC 14496-15 8.3.3.1)")
        sets: list[bytes] = []
        at = 23
        for _ in range(extradata[22]):
            if at + 3 > len(extradata):
                raise MalformedError("hvcC array is cut off (ISO/IEC 14496-15 8.3.3.1)")
            count = int.from_bytes(extradata[at + 1 : at + 3], "big")
            array, at = _sets(extradata, at + 3, count)
            sets += array
        return cls((extradata[21] & 3) + 1, tuple(sets))


def _sets(extradata: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    sets: list[bytes] = []
    for _ in range(count):
        start = at + 2
        at = start + int.from_bytes(extradata[at:start], "big")
        if at > len(extradata):
            raise MalformedError("parameter set length exceeds its record (ISO/IEC 14496-15 5.3.3.1)")
        if at > start:
            sets.append(extradata[start:at])
    return sets, at


class AccessUnitSplitter:
    """Cuts an Annex B byte stream into access units (H.264 7.4.1.2.3 and .4, H.265 7.4.2.4.4).

    A raw stream tells the end of a picture only by the beginning of the next, so a unit is handed out when
    the first three bytes of the next one are there, and the last one by `flush()`. The two fields of an
    interlaced frame are two access units. Bytes before the first start code, and units above
    ACCESS_UNIT_LIMIT_BYTES, are thrown away and counted in `discarded_bytes`.
    """

    def __init__(self, codec: Codec) -> None:
        self.discarded_bytes = 0
        self._rules = RULES[codec]
        self._look_ahead = 3 + self._rules.header_size + 1
        self._buffer = bytearray()
        self._searched = 0  # no undecided start code before this place
        self._started = False  # the buffer begins with a start code
        self._has_slice = False

    def push(self, data: bytes) -> list[bytes]:
        """Take more of the stream; return the access units that are known to be complete."""
        self._buffer += data
        units: list[bytes] = []
        at = self._next_start_code()
        while at is not None:
            head = bytes(self._buffer[at + 3 : at + self._look_ahead])
            # The zero_byte before a start code belongs to it (B.1.2).
            begin = at - 1 if at and self._buffer[at - 1] == 0 else at
            self._searched = at + 3
            if not self._started:
                self._discard(begin)
            elif self._has_slice and self._opens_unit(head):
                units.append(self._cut(begin))
            self._has_slice |= self._rules.is_slice(head)
            at = self._next_start_code()
        if len(self._buffer) > ACCESS_UNIT_LIMIT_BYTES:
            self._give_up()
        return units

    def flush(self) -> list[bytes]:
        """The stream has ended: return what is left as the last access unit, if it has a slice."""
        if not self._has_slice:
            self._has_slice = self._started and any(
                self._rules.is_slice(nal) for nal in split_nal_units(bytes(self._buffer))
            )
        units = [self._cut(len(self._buffer))] if self._has_slice else []
        self.discarded_bytes += len(self._buffer)
        self._buffer.clear()
        self._searched, self._started, self._has_slice = 0, False, False
        return units

    def _next_start_code(self) -> int | None:
        """Place of the next start code whose NAL unit has shown enough of itself to be judged."""
        at = self._buffer.find(_SHORT_START_CODE, self._searched)
        if at < 0:
            self._searched = max(self._searched, len(self._buffer) - 2)
            return None
        if at + self._look_ahead > len(self._buffer):
            self._searched = at
            return None
        return at

    def _opens_unit(self, head: bytes) -> bool:
        if self._rules.is_slice(head):
            return self._rules.starts_picture(head)
        return self._rules.type_of(head) in self._rules.opens_access_unit

    def _cut(self, end: int) -> bytes:
        unit = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._searched -= end
        self._has_slice = False
        return unit

    def _discard(self, end: int) -> None:
        self.discarded_bytes += len(self._cut(end))
        self._started = True

    def _give_up(self) -> None:
        """Drop an endless unit but keep two bytes, which may begin a start code."""
        self.discarded_bytes += len(self._cut(len(self._buffer) - 2))
        self._searched, self._started = 0, False
