"""Recorded pictures as the RTP stream of a camera: packets, and sender reports with the moved clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from flow.codec import h264, h265
from flow.codec.annexb import split_nal_units
from flow.codec.nal import RULES
from flow.codec.rtp import RtpPacket, SenderReport
from flow.units import CLOCK_RATE_HZ, Codec

from .timing import NS_PER_S, Lap, Pace, Send

PAYLOAD_TYPE = 96
REPORT_EVERY_NS = NS_PER_S

PACKET_GAP_NS = 50_000
PICTURE_SPREAD_NS = 4_000_000
"""Packets of one picture leave 50 µs apart, or closer where it would take more than 4 ms in all: a receive
buffer of 200 kB holds about 90 packets, and a keyframe has more."""

REORDERING_LIMIT_NS = 2 * NS_PER_S
"""A picture shown longer after its decoding has a damaged time: 16 pictures at 8 a second are this long."""


class CodedPicture(NamedTuple):
    """One picture of a recording in decode order, Annex B; its times count from anywhere."""

    dts_ns: int
    pts_ns: int
    duration_ns: int
    data: bytes
    codec: Codec = Codec.H264

    @property
    def is_keyframe(self) -> bool:
        return RULES[self.codec].is_keyframe(split_nal_units(self.data))


_PACKETIZE = {Codec.H264: h264.packetize, Codec.H265: h265.packetize}
"""From an Annex B picture to RTP payloads (RFC 6184, RFC 7798)."""


class TimedPicture(NamedTuple):
    """A picture with its times in the recording."""

    dts_ns: int
    pts_ns: int
    picture: CodedPicture


def timed(pictures: Iterable[CodedPicture], zero_ns: int | None = None) -> Iterator[TimedPicture]:
    """Pictures on the time of the recording, whose first one is shown at its beginning; or, of a recording
    that several cameras share, on the time that counts from `zero_ns`."""
    pace = Pace(zero_ns)
    ahead_ns: int | None = None if zero_ns is None else 0
    duration_ns = 0
    for picture in pictures:
        dts_ns = pace.advance(picture.dts_ns, after_jump_ns=duration_ns)
        offset_ns = picture.pts_ns - picture.dts_ns
        if not 0 <= offset_ns <= REORDERING_LIMIT_NS:
            offset_ns = 0
        ahead_ns = offset_ns if ahead_ns is None else ahead_ns
        duration_ns = picture.duration_ns
        yield TimedPicture(dts_ns, dts_ns + offset_ns - ahead_ns, picture)


@dataclass(slots=True)
class RtpStream:
    """One sender's counters and clock (RFC 3550 5.1, 6.4.1). `origin_utc_ns` has `timestamp_base`."""

    ssrc: int
    sequence: int
    timestamp_base: int
    origin_utc_ns: int
    packets: int = 0
    octets: int = 0

    def timestamp(self, utc_ns: int) -> int:
        """The 32-bit RTP timestamp of a moment: pictures and reports share this one clock."""
        ticks = round((utc_ns - self.origin_utc_ns) * CLOCK_RATE_HZ / NS_PER_S)
        return (self.timestamp_base + ticks) & 0xFFFF_FFFF

    def begin_anew(self) -> None:
        """Become another sender: what was sent before has another form."""
        self.ssrc = (self.ssrc + 1) & 0xFFFF_FFFF
        self.packets = self.octets = 0

    def packet(self, payload: bytes, captured_utc_ns: int, *, last: bool) -> bytes:
        """The next packet; the last of a picture carries the marker."""
        timestamp = self.timestamp(captured_utc_ns)
        packet = RtpPacket(PAYLOAD_TYPE, last, self.sequence, timestamp, self.ssrc, payload)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return packet.serialize()

    def report(self, utc_ns: int) -> bytes:
        """A sender report made at `utc_ns`."""
        timestamp = self.timestamp(utc_ns)
        return SenderReport(self.ssrc, utc_ns, timestamp, self.packets, self.octets).serialize()


class VideoTrack:
    """Plays one recorded video again and again, each time through `pictures()`, on one RTP stream.

    A picture is sent at its decode time, and never before its capture: with B-frames all are sent later by
    the reordering seen so far. A lap that begins within the recording begins with the first keyframe there.
    """

    def __init__(
        self,
        pictures: Callable[[], Iterable[CodedPicture]],
        rtp: RtpStream,
        port: int,
        *,
        zero_ns: int | None = None,
    ) -> None:
        self.length_ns = 0  # of the recording; known once it has been played
        self._pictures = pictures
        self._rtp = rtp
        self._port = port
        self._zero_ns = zero_ns
        self._codec: Codec | None = None
        self._reordering_ns = 0
        self._next_report_ns = rtp.origin_utc_ns

    def play(self, lap: Lap) -> Iterator[Send]:
        """One lap, in the order of time."""
        has_begun = lap.from_ns == 0
        for dts_ns, pts_ns, picture in timed(self._pictures(), self._zero_ns):
            if lap.is_over(dts_ns):
                self.length_ns = lap.to_ns or 0
                return
            self.length_ns = dts_ns + picture.duration_ns
            has_begun = has_begun or (dts_ns >= lap.from_ns and picture.is_keyframe)
            if has_begun:
                self._reordering_ns = max(self._reordering_ns, pts_ns - dts_ns)
                captured_ns, at_ns = lap.utc_ns(pts_ns), lap.utc_ns(dts_ns + self._reordering_ns)
                yield from self._send(picture, captured_ns, at_ns, lap.speed)

    def _send(self, picture: CodedPicture, captured_ns: int, at_ns: int, speed: float) -> Iterator[Send]:
        if picture.codec is not (self._codec or picture.codec):
            self._rtp.begin_anew()
            self._next_report_ns = at_ns
        self._codec = picture.codec
        if at_ns >= self._next_report_ns:
            yield Send(at_ns, self._port, self._rtp.report(at_ns))
            self._next_report_ns = at_ns + REPORT_EVERY_NS
        payloads = _PACKETIZE[picture.codec](picture.data)
        gap_ns = min(PACKET_GAP_NS, int(PICTURE_SPREAD_NS / max(1.0, speed)) // max(1, len(payloads)))
        for number, payload in enumerate(payloads):
            packet = self._rtp.packet(payload, captured_ns, last=number == len(payloads) - 1)
            yield Send(at_ns + number * gap_ns, self._port, packet)
