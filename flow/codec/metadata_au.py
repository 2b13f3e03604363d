"""Metadata access units of synchronous streams (ISO/IEC 13818-1 2.12.4, MISB ST 1402), from their cells."""

from __future__ import annotations

from flow.errors import MalformedError

from .klv import SET_LIMIT_BYTES

_HEADER_BYTES = 5
_MIDDLE, _LAST, _FIRST, _WHOLE = range(4)  # cell_fragment_indication, table 2-100


class MetadataUnits:
    """PES payloads of one stream of type 0x15 in, access units out: a payload holds one cell or several, and
    a unit may go through several cells. What is missing a cell is dropped; `bad_cells` counts those.

    Only one service (metadata_service_id) may be amid a fragmented unit at a time, as multiplexers write it.
    """

    def __init__(self) -> None:
        self.bad_cells = 0
        self._parts: list[bytes] = []
        self._due: tuple[int, int] | None = None  # service and sequence number of the cell that goes on

    def push(self, payload: bytes) -> list[bytes]:
        """Take the payload of one PES packet; return the units that it completes."""
        units: list[bytes] = []
        at = 0
        while at < len(payload):
            try:
                at = self._cell(payload, at, units)
            except MalformedError:
                self._drop()
                break
        return units

    def interrupt(self) -> None:
        """Packets are missing here."""
        if self._parts:
            self._drop()

    def _cell(self, payload: bytes, at: int, units: list[bytes]) -> int:
        """Take the cell at `at`; return where it ends."""
        start = at + _HEADER_BYTES
        end = start + int.from_bytes(payload[at + 3 : start], "big")
        if start > len(payload) or end > len(payload):
            raise MalformedError("a metadata cell is cut off (ISO/IEC 13818-1 2.12.4)")
        service, sequence, indication = payload[at], payload[at + 1], payload[at + 2] >> 6
        if indication in (_FIRST, _WHOLE):
            self.interrupt()
        elif self._due != (service, sequence):
            self._drop()
            return end
        self._parts.append(payload[start:end])
        self._due = service, (sequence + 1) % 256
        if indication in (_LAST, _WHOLE):
            units.append(b"".join(self._parts))
            self._parts, self._due = [], None
        elif sum(map(len, self._parts)) > SET_LIMIT_BYTES:
            self._drop()
        return end

    def _drop(self) -> None:
        self.bad_cells += 1
        self._parts, self._due = [], None
