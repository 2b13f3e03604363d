"""One picture laid out as RTP, once for all viewers that can share the bytes.

Viewers of a feed get the same payloads with the same SSRC and timestamp. What differs is the payload type,
the id of the playout-delay extension, the length of the SRTP tag and an offset of the sequence numbers: few
combinations, so each picture is laid out a few times and copied for every viewer.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

HEADER = struct.Struct("!BBHII")
EXTENDED_HEADER = struct.Struct("!BBHIIHHB3s")  # with one playout-delay in the one-byte form (RFC 8285 4.2)
ONE_BYTE_EXTENSIONS = 0xBEDE
NO_DELAY = bytes(3)  # least and most delay 0: "show it as soon as it is there"

MAX_SEGMENTS = 60
MAX_RUN_BYTES = 64_000
"""What one sendmsg with UDP_SEGMENT takes: 64 segments in one UDP datagram of at most 65,507 bytes."""

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
    segment: int  # bytes on the wire of each packet but the last
    data: bytes
    starts: list[int]  # of each packet in `data`
    lengths: bytes  # of each packet before protection, as C ints
    count: int = 0  # how many they are, and their bytes on the wire
    size_bytes: int = 0
    prepared: Any = None

    def __post_init__(self) -> None:
        self.count, self.size_bytes = len(self.starts), len(self.data)

    def part(self, start: int, stop: int) -> Run:
        """The packets `start` to `stop` of this run, by index in the run."""
        first_byte = self.starts[start]
        end_byte = self.starts[stop] if stop < self.count else len(self.data)
        lengths = array("i", self.lengths)[start:stop].tobytes()
        starts = [at - first_byte for at in self.starts[start:stop]]
        return Run(self.first + start, self.segment, self.data[first_byte:end_byte], starts, lengths)


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
        runs = self._layouts.get(key)
        if runs is None:
            shape, offset = key
            packets = [self.packet(i, shape, offset) for i in range(self.count)]
            runs = list(_runs(packets, shape.tag_bytes))
            if len(self._layouts) < MAX_SHARED_LAYOUTS:
                self._layouts[key] = runs
        return runs

    def packet(self, index: int, shape: Shape, offset: int) -> bytes:
        """One packet before protection (RFC 3550 5.1)."""
        marker = 0x80 if index == self.count - 1 else 0
        sequence = (self.first + index + offset) & 0xFFFF
        return _header(shape, marker, sequence, self.rtp_timestamp, self.ssrc) + self.payloads[index]

    def single(self, index: int, shape: Shape, offset: int) -> Run:
        """One packet alone, to be sent again."""
        return next(_runs([self.packet(index, shape, offset)], shape.tag_bytes, index))

    def forget_layouts(self) -> None:
        """Free what was laid out; it is made again when asked for."""
        self._layouts.clear()


def _header(shape: Shape, marker: int, sequence: int, timestamp: int, ssrc: int) -> bytes:
    second = marker | shape.payload_type
    if shape.playout_delay_id is None:
        return HEADER.pack(0x80, second, sequence, timestamp, ssrc)
    element = shape.playout_delay_id << 4 | len(NO_DELAY) - 1
    return EXTENDED_HEADER.pack(
        0x90, second, sequence, timestamp, ssrc, ONE_BYTE_EXTENSIONS, 1, element, NO_DELAY
    )


def _runs(packets: Sequence[bytes], tag_bytes: int, first: int = 0) -> Iterator[Run]:
    """Cut at every change of size that segmentation offload does not allow."""
    start = 0
    while start < len(packets):
        size = len(packets[start])
        stop = start + 1
        most = start + min(MAX_SEGMENTS, MAX_RUN_BYTES // (size + tag_bytes))
        while stop < min(most, len(packets)) and len(packets[stop]) == size:
            stop += 1
        if stop < min(most, len(packets)) and len(packets[stop]) < size:
            stop += 1
        yield _run(packets[start:stop], tag_bytes, first + start)
        start = stop


def _run(packets: Sequence[bytes], tag_bytes: int, first: int) -> Run:
    room = bytes(tag_bytes)
    starts, at = [], 0
    for packet in packets:
        starts.append(at)
        at += len(packet) + tag_bytes
    data = room.join(packets) + room
    lengths = array("i", map(len, packets)).tobytes()
    return Run(first, len(packets[0]) + tag_bytes, data, starts, lengths)
