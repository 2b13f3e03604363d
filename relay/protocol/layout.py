"""One picture laid out as RTP, once for all viewers that can share the bytes.

Viewers of a feed get the same payloads with the same SSRC and timestamp. What differs is the payload type,
the id of the playout-delay extension, the length of the SRTP tag and an offset of the sequence numbers: few
combinations, so each picture is laid out a few times and copied for every viewer.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

HEADER = struct.Struct("!BBHII")
EXTENDED_HEADER = struct.Struct("!BBHIIHHB3s")  # with one playout-delay in the one-byte form (RFC 8285 4.2)
ONE_BYTE_EXTENSIONS = 0xBEDE
NO_DELAY = bytes(3)  # least and most delay 0: "show it as soon as it is there"

MAX_SEGMENTS = 60
MAX_RUN_BYTES = 64_000
"""What one sendmsg with UDP_SEGMENT takes: 64 segments in one UDP datagram of at most 65,507 bytes."""

INT_BYTES = array("i").itemsize

MAX_SHARED_LAYOUTS = 16
"""Viewers that have left out pictures have offsets of their own; what is laid out for one is not kept."""


class Shape(NamedTuple):
    """What two viewers must share, beside the sequence offset, to share bytes."""

    payload_type: int
    playout_delay_id: int | None  # of the header extension, 1 to 14 (RFC 8285 4.2)
    tag_bytes: int  # that SRTP appends

    @property
    def overhead_bytes(self) -> int:
        """What each packet has on the wire beside its payload."""
        header = HEADER if self.playout_delay_id is None else EXTENDED_HEADER
        return header.size + self.tag_bytes


@dataclass(slots=True)
class Run:
    """Neighbouring packets that go out by one call: equal on the wire in size, but for a shorter last one.

    `data` holds them one after the other with room for each one's tag. `prepared` is for whoever protects
    them (relay/outlet.py).
    """

    first: int  # index in the picture of the first packet
    count: int
    segment: int  # bytes on the wire of each packet but the last
    data: bytes
    lengths: bytes  # of each packet before protection, as C ints
    size_bytes: int = 0  # of all of them on the wire
    prepared: Any = None

    def __post_init__(self) -> None:
        self.size_bytes = len(self.data)

    @property
    def starts(self) -> range:
        """Where in `data` each packet begins."""
        return range(0, self.size_bytes, self.segment)

    def part(self, start: int, stop: int) -> Run:
        """The packets `start` to `stop` of this run, by index in the run."""
        data = self.data[start * self.segment : stop * self.segment]
        lengths = self.lengths[start * INT_BYTES : stop * INT_BYTES]
        return Run(self.first + start, stop - start, self.segment, data, lengths)


@dataclass(slots=True)
class WirePicture:
    """One picture as RTP payloads; `first` is the feed's sequence number of its first packet, unwrapped."""

    first: int
    ssrc: int
    rtp_timestamp: int
    keyframe: bool
    arrived_ns: int  # when the relay took it from the bus
    payloads: Sequence[bytes]
    parameters_apart: bool = False  # whether the first payload has the parameter sets, and no slice
    count: int = 0  # of its packets, and their bytes with plain headers
    size_bytes: int = 0
    _layouts: dict[tuple[Shape, int], list[Run]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.count = len(self.payloads)
        self.size_bytes = sum(map(len, self.payloads)) + HEADER.size * self.count

    def runs(self, key: tuple[Shape, int]) -> list[Run]:
        """All its packets for viewers of one shape and sequence offset."""
        return self.shared_runs(key) or self.laid_out(*key)

    def shared_runs(self, key: tuple[Shape, int]) -> list[Run] | None:
        """The same, kept until forgotten; None where no more is kept."""
        runs = self._layouts.get(key)
        if runs is None and len(self._layouts) < MAX_SHARED_LAYOUTS:
            runs = self._layouts[key] = self.laid_out(*key)
        return runs

    def packet(self, index: int, shape: Shape, offset: int) -> bytes:
        """One packet before protection (RFC 3550 5.1)."""
        marker = 0x80 if index == self.count - 1 else 0
        sequence = (self.first + index + offset) & 0xFFFF
        return _header(shape, marker, sequence, self.rtp_timestamp, self.ssrc) + self.payloads[index]

    def single(self, index: int, shape: Shape, offset: int) -> Run:
        """One packet alone, to be sent again."""
        packet = self.packet(index, shape, offset)
        data = packet + bytes(shape.tag_bytes)
        return Run(index, 1, len(data), data, array("i", [len(packet)]).tobytes())

    def forget_layouts(self) -> None:
        """Let go of what was laid out; who is still sending it keeps it."""
        self._layouts.clear()

    def laid_out(self, shape: Shape, offset: int) -> list[Run]:
        """All packets in one go: only the sequence number and the marker differ between their headers."""
        if not self.payloads:
            return []
        header = _header(shape, 0, 0, self.rtp_timestamp, self.ssrc)
        first = self.first + offset
        parts = [header[:2], b"", header[4:], b"", bytes(shape.tag_bytes)] * self.count
        parts[1::5] = [(n & 0xFFFF).to_bytes(2, "big") for n in range(first, first + self.count)]
        parts[3::5] = self.payloads
        parts[-5] = bytes((header[0], 0x80 | header[1]))
        lengths = [len(header) + len(payload) for payload in self.payloads]
        return _runs(b"".join(parts), lengths, shape.tag_bytes)


def _header(shape: Shape, marker: int, sequence: int, timestamp: int, ssrc: int) -> bytes:
    second = marker | shape.payload_type
    if shape.playout_delay_id is None:
        return HEADER.pack(0x80, second, sequence, timestamp, ssrc)
    element = shape.playout_delay_id << 4 | len(NO_DELAY) - 1
    return EXTENDED_HEADER.pack(
        0x90, second, sequence, timestamp, ssrc, ONE_BYTE_EXTENSIONS, 1, element, NO_DELAY
    )


def _runs(data: bytes, lengths: Sequence[int], tag_bytes: int) -> list[Run]:
    """Cut at every change of size that segmentation offload does not allow."""
    runs: list[Run] = []
    start = first_byte = 0
    while start < len(lengths):
        length = lengths[start]
        segment = length + tag_bytes
        most = min(start + min(MAX_SEGMENTS, MAX_RUN_BYTES // segment), len(lengths))
        stop = start + 1
        while stop < most and lengths[stop] == length:
            stop += 1
        if stop < most and lengths[stop] < length:
            stop += 1
        end_byte = first_byte + (stop - start - 1) * segment + lengths[stop - 1] + tag_bytes
        ints = array("i", lengths[start:stop]).tobytes()
        runs.append(Run(start, stop - start, segment, data[first_byte:end_byte], ints))
        start, first_byte = stop, end_byte
    return runs
