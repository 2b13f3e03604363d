"""Program specific information of MPEG-TS: which PID carries what (ISO/IEC 13818-1 2.4.4)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from flow.errors import MalformedError

_PAT, _PMT = 0x00, 0x02  # table_id, table 2-31
_REGISTRATION = 0x05  # descriptor_tag, table 2-45
_SECTION_LIMIT = 1024  # 2.4.4.4 and 2.4.4.9: section_length is at most 1021
_STUFFING = 0xFF

_BITS_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


@dataclass(frozen=True, slots=True)
class ElementaryStream:
    """One entry of a program map: `stream_type` (table 2-34), `format_id` of its registration or b""."""

    pid: int
    stream_type: int
    format_id: bytes


class SectionAssembler:
    """Joins the payloads of one PID to sections, and gives those that are intact and new."""

    def __init__(self) -> None:
        self.bad_sections = 0
        self._partial: bytes | None = None
        self._last = b""

    def push(self, payload: bytes, *, unit_start: bool) -> list[bytes]:
        """Payload of one packet in; whole sections out, without those equal to the last one."""
        if unit_start:  # 2.4.4.2: pointer_field says where the first new section begins
            begin = 1 + payload[0]
            whole = self._append(payload[1:begin])
            self._partial = b""
            return whole + self._append(payload[begin:])
        return self._append(payload)

    def interrupt(self) -> None:
        """A packet is missing."""
        self._partial = None

    def _append(self, payload: bytes) -> list[bytes]:
        if self._partial is None:
            return []
        self._partial += payload
        whole: list[bytes] = []
        while self._partial and self._partial[0] != _STUFFING:
            size = 3 + (int.from_bytes(self._partial[1:3], "big") & 0x0FFF)
            if size > _SECTION_LIMIT:
                self.bad_sections += 1
                self._partial = None
                return whole
            if len(self._partial) < max(size, 3):
                return whole
            whole += self._checked(self._partial[:size])
            self._partial = self._partial[size:]
        self._partial = None
        return whole

    def _checked(self, section: bytes) -> Iterator[bytes]:
        if section == self._last:
            return
        if not _crc_is_right(section):
            self.bad_sections += 1
            return
        self._last = section
        yield section


def section(table: int, extension: int, version: int, body: bytes) -> bytes:
    """A whole section of a table that needs no second one (2.4.4.3, 2.4.4.8), valid from now on."""
    head = bytes((table,)) + (0xB000 | 5 + len(body) + 4).to_bytes(2, "big") + extension.to_bytes(2, "big")
    content = head + bytes((0xC1 | version << 1, 0, 0)) + body
    return content + _crc(content)


def _crc(content: bytes) -> bytes:
    """Annex A; zlib's is this one mirrored, and inverted."""
    mirrored = ~zlib.crc32(content.translate(_BITS_REVERSED)) & 0xFFFF_FFFF
    return mirrored.to_bytes(4, "little").translate(_BITS_REVERSED)


def _crc_is_right(section: bytes) -> bool:
    return _crc(section) == bytes(4)


def parse_pat(section: bytes) -> list[int] | None:
    """The PIDs of all program maps (2.4.4.3); None if it is another table or not yet valid."""
    if not _is_current(section, _PAT):
        return None
    entries = section[8:-4]
    return [
        int.from_bytes(entries[at + 2 : at + 4], "big") & 0x1FFF
        for at in range(0, len(entries) - 3, 4)
        if entries[at : at + 2] != b"\x00\x00"  # program 0 names the network PID
    ]


def parse_pmt(section: bytes) -> list[ElementaryStream] | None:
    """The streams of one program (2.4.4.8); None if it is another table or not yet valid.

    Raises MalformedError where a length points outside the section.
    """
    if not _is_current(section, _PMT):
        return None
    end = len(section) - 4
    at = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    streams: list[ElementaryStream] = []
    while at + 5 <= end:
        pid = int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF
        descriptors = at + 5
        next_at = descriptors + (int.from_bytes(section[at + 3 : descriptors], "big") & 0x0FFF)
        if next_at > end:
            break
        streams.append(ElementaryStream(pid, section[at], _format_id(section[descriptors:next_at])))
        at = next_at
    if at != end:
        raise MalformedError("program map with lengths outside it (ISO/IEC 13818-1 2.4.4.8)")
    return streams


def _is_current(section: bytes, table: int) -> bool:
    return len(section) >= 12 and section[0] == table and section[5] & 1 == 1


def _format_id(descriptors: bytes) -> bytes:
    """format_identifier of the registration descriptor (2.6.8), b"" without one."""
    at = 0
    while at + 2 <= len(descriptors):
        tag, size = descriptors[at], descriptors[at + 1]
        if tag == _REGISTRATION and size >= 4:
            return descriptors[at + 2 : at + 6]
        at += 2 + size
    return b""
