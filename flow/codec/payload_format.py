"""What the RTP payload formats of H.264 (RFC 6184) and H.265 (RFC 7798) share, both without interleaving.

Sending: small NAL units together, large ones in fragments of equal size. Receiving: packets in order,
NAL units out of them, and pictures out of those, ended by the marker bit so that none is a frame late.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from flow.errors import MalformedError

from .annexb import ACCESS_UNIT_LIMIT_BYTES, join_nal_units
from .nal import NalRules
from .reorder import ReorderWindow
from .rtp import HEADER_SIZE, RtpPacket

MAX_PAYLOAD = 1200
"""Bytes of RTP payload that fit every path a browser is found behind, with SRTP, UDP and IPv6 around."""

_NAL_OVERHEAD = 64  # bytes that a NAL unit takes beside its own: a sender may send very small ones
_PARAMETER_SETS_KEPT = 32
_AGGREGATED_MOST = 128  # in one packet: a slice for each row of macroblocks of a still 1080p picture are 68
_FIRST, _LAST = 0x80, 0x40  # bits of the FU header, RFC 6184 5.8 and RFC 7798 4.4.3


@dataclass(frozen=True, slots=True)
class Picture:
    """One coded picture (or field) as Annex B bytes, as a depacketizer found it.

    Its parameter sets are those that were sent with it: perhaps none, or not all.
    damaged: packets of it are missing, or, unless it is a keyframe, of what was directly before it. It, and
    what follows up to the next keyframe, does not decode cleanly.
    """

    data: bytes
    rtp_timestamp: int
    keyframe: bool
    damaged: bool


class PictureDepacketizer(ABC):
    """RTP packets of one stream in, pictures out; never raises on what a sender sends, but counts it.

    A picture ends at its marker bit, or at the next timestamp where the marker was lost or is never set. A
    sender that sets it on every slice is found out by a slice that continues a picture already ended: that
    rest is handed out as damaged, and from then on only timestamps end pictures. Parameter sets and SEI
    sent ahead, with or without marker and timestamp of their own, go with the next slice.
    """

    def __init__(self, rules: NalRules) -> None:
        self.malformed_packets = 0
        self._rules = rules
        self._window = ReorderWindow()
        self._timestamp: int | None = None
        self._nals: list[bytes] = []
        self._fragments: list[bytes] = []  # of the NAL unit being received, its header first
        self._between = b""  # how the payload of a fragment begins that is neither its first nor its last
        self._alike = (b"", b"")  # how the whole datagram does, before and after the sequence number
        self._size = 0
        self._has_slice = False
        self._incomplete = False  # something of the open picture is missing
        self._gap = True  # something before the open picture is missing
        self._ended_by_marker: int | None = None  # timestamp of the last picture, if its marker ended it
        self._trusts_marker = True

    @property
    def lost_packets(self) -> int:
        """Packets that never came."""
        return self._window.lost

    @property
    def late_packets(self) -> int:
        """Packets that came twice, or after they had been given up."""
        return self._window.late

    @property
    def restarted(self) -> bool:
        """Whether the packet pushed last showed that the sender goes on with other sequence numbers."""
        return self._window.restarted

    def push(self, packet: RtpPacket) -> list[Picture]:
        """Take the next packet; return the pictures that it completes."""
        pictures: list[Picture] = []
        for due, gap in self._window.push(packet):
            pictures += self._accept(due, gap)
        return pictures

    def continues(self, datagram: bytes) -> bool:
        """Take a datagram that only goes on with the NAL unit being received, as nine of ten do.

        Its first bytes tell. False: it is something else, and not taken; parse it, and push it.
        """
        before, after = self._alike
        start = 4 + len(after)
        if (
            not self._fragments
            or datagram[4:start] != after
            or datagram[:2] != before
            or len(datagram) == start
            or self._size + len(datagram) > ACCESS_UNIT_LIMIT_BYTES
            or not self._window.advance(int.from_bytes(datagram[2:4], "big"))
        ):
            return False
        self._fragments.append(datagram[start:])
        self._size += len(datagram) - start
        return True

    def flush(self) -> list[Picture]:
        """The stream has ended: return what is left."""
        pictures = [done for due, gap in self._window.flush() for done in self._accept(due, gap)]
        return pictures + self._end_picture()

    @abstractmethod
    def _unpack(self, payload: bytes) -> None:
        """Feed `_take` and `_take_fragment` from one payload, or raise MalformedError."""

    def _accept(self, packet: RtpPacket, gap: bool) -> list[Picture]:
        if gap:
            # Missing before the first slice is at worst a parameter set; a missing slice shows by itself.
            self._incomplete |= self._has_slice or bool(self._fragments)
            self._fragments.clear()
        pictures = self._end_picture() if packet.timestamp != self._timestamp else []
        self._timestamp = packet.timestamp
        self._gap |= gap
        try:
            if packet.payload:
                self._unpack(packet.payload)
        except MalformedError:
            self.malformed_packets += 1
            self._incomplete = True
        if self._fragments:
            header = packet.serialize()[:HEADER_SIZE]
            self._alike = header[:2], header[4:] + self._between
        if packet.marker and self._has_slice and self._trusts_marker:
            pictures += self._end_picture()
            self._ended_by_marker = packet.timestamp
        return pictures

    def _take(self, nal: bytes) -> None:
        """One whole NAL unit."""
        self._abandon_fragments()
        if self._rules.is_slice(nal):
            if not self._has_slice and not self._rules.starts_picture(nal):
                self._judge_continuation()
            self._has_slice = True
        if self._fits(len(nal) + _NAL_OVERHEAD):
            self._nals.append(nal)

    def _take_fragment(self, header: bytes, payload: bytes, start: int) -> None:
        """One fragment of a NAL unit with that `header`: from `start` on, behind the FU header."""
        flags, body = payload[start - 1], payload[start:]
        if flags & _FIRST:
            self._abandon_fragments()
            self._fragments.append(header)
            self._between = payload[: start - 1] + bytes((flags & ~(_FIRST | _LAST),))
        elif not self._fragments or self._fragments[0] != header:
            self._fragments.clear()
            self._incomplete = True
            return
        if not self._fits(len(body)):
            return
        self._fragments.append(body)
        if flags & _LAST:
            nal = b"".join(self._fragments)
            self._fragments.clear()
            self._size -= len(nal) - len(header)  # counted again as a whole
            self._take(nal)

    def _judge_continuation(self) -> None:
        """A picture seems to begin with a slice that is not its first."""
        if self._timestamp == self._ended_by_marker:
            self._trusts_marker = False
            self._incomplete = True
        self._incomplete |= self._gap

    def _abandon_fragments(self) -> None:
        if self._fragments:
            self._fragments.clear()
            self._incomplete = True

    def _fits(self, size: int) -> bool:
        self._size += size
        if self._size <= ACCESS_UNIT_LIMIT_BYTES:
            return True
        self._nals.clear()
        self._fragments.clear()
        self._size, self._has_slice = 0, False
        self._incomplete = self._gap = True
        return False

    def _end_picture(self) -> list[Picture]:
        self._ended_by_marker = None
        if not self._size and not self._incomplete:  # it has not begun
            return []
        self._abandon_fragments()
        nals, has_slice, incomplete = self._nals, self._has_slice, self._incomplete
        self._nals, self._size, self._has_slice, self._incomplete = [], 0, False, False
        if not has_slice or self._timestamp is None:
            # Parameter sets hold for what follows; SEI and delimiters belonged to a picture that never came.
            distinct = dict.fromkeys(nal for nal in nals if self._rules.is_parameter_set(nal))
            for nal in list(distinct)[-_PARAMETER_SETS_KEPT:]:
                self._take(nal)
            self._gap |= incomplete
            return []
        keyframe = self._rules.is_keyframe(nals)
        damaged = incomplete or (self._gap and not keyframe)
        self._gap = False
        return [Picture(join_nal_units(nals), self._timestamp, keyframe, damaged)]


def fragments(nal: bytes, skip: int, header: bytes, max_payload: int) -> list[bytes]:
    """The payloads of a NAL unit that is too large for one: each `header`, which ends in the FU header, and
    a part of what follows the NAL unit's own `skip` bytes of header.

    As few as may be, equal but for a shorter last one: a run of equal ones leaves in one system call (UDP
    GSO).
    """
    size = len(nal) - skip
    count = -(-size // (max_payload - len(header)))
    size = -(-size // count)
    payloads = [header + nal[at : at + size] for at in range(skip, len(nal), size)]
    for at, flag in ((0, _FIRST), (-1, _LAST)):
        flagged = header[:-1] + bytes((header[-1] | flag,))
        payloads[at] = flagged + payloads[at][len(header) :]
    return payloads


def runs_of_small(nals: list[bytes], rules: NalRules, room: int) -> Iterator[list[bytes]]:
    """Group NAL units for packets: neighbours other than slices share one, at 2 bytes each, while they fit.

    Slices stay alone, so that losing one packet costs one slice.
    """
    run: list[bytes] = []
    used = 0
    for nal in nals:
        alone = rules.is_slice(nal)
        if run and (alone or used + 2 + len(nal) > room):
            yield run
            run, used = [], 0
        run.append(nal)
        used += 2 + len(nal)
        if alone:
            yield run
            run, used = [], 0
    if run:
        yield run


def aggregated(payload: bytes, start: int, clause: str) -> Iterator[bytes]:
    """The NAL units of an aggregation packet, each behind a 16-bit size, from `start` on."""
    count = 0
    while start < len(payload):
        count += 1
        begin = start + 2
        size = int.from_bytes(payload[start:begin], "big")
        start = begin + size
        if size == 0 or start > len(payload) or count > _AGGREGATED_MOST:
            what = f"a NAL unit of {size} bytes, the {count}th"
            raise MalformedError(f"aggregation packet with {what} ({clause})")
        yield payload[begin:start]
