"""RTP with H.264 or H.265: finds the video on a port and turns its packets into pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec import h264, h265
from flow.codec.rtp import RtpPacket, SenderReport, is_rtcp, parse_rtp, parse_sender_reports, signed_distance
from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ, Codec

from .events import ClockReport, Heard, PacketsLost, Restarted, SourceEvent, SourcePicture, Unusable
from .rtp_foreign import foreign

_TAKEOVER_NS = 200 * NS_PER_MS
"""A sender this long silent may be followed by another one."""

_CLOCK_ERROR_TICKS = CLOCK_RATE_HZ
"""By so much the timestamps of one run may part from the time that passes: packets may be held back."""

_HEARD_EVERY_NS = 100 * NS_PER_MS
"""Pictures tell by themselves that the source is heard; between them this is often enough."""

_DYNAMIC = range(96, 128)  # payload types without a fixed meaning, RFC 3551 6; all video here is of these
_STATIC = {26: "Motion JPEG", 31: "H.261", 32: "MPEG-2", 33: "MPEG-TS: see udp://", 34: "H.263"}  # RFC 3551 6
_H264_TYPES = frozenset({1, 5, 6, 7, 8, 9, 24, 28})  # RFC 6184 5.2, non-interleaved mode
_H265_FIRST_BYTES = frozenset({0x00, 0x02, 0x40, 0x42, 0x44, 0x46, 0x4E, 0x60, 0x62})
"""First bytes of H.265 payloads (RFC 7798 4.4) that as H.264 would be of types nobody sends."""


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What a session description tells about the packets of a video."""

    codec: Codec
    payload_type: int


class RtpStream:
    """One port. The first synchronization source with video on it is followed; another one takes over once
    the first is silent, or at once if it comes from the same socket, and counts as a restart. It takes
    two packets (RFC 3550 A.1), so that a stray one changes nothing.

    A source that begins anew may keep its number: then both its sequence numbers and its timestamps jump.
    Raw RTP has no signalling, so what is video is judged by the packets; where it was `announced`, packets
    of that payload type are.
    """

    SCHEME: ClassVar = "rtp"
    TIMESTAMP_BITS: ClassVar = 32

    def __init__(self, announced: VideoFormat | None = None) -> None:
        self._announced = announced
        self._ssrc: int | None = None
        self._sender = ""
        self._heard_ns = 0
        self._told_ns: int | None = None  # when a picture or Heard was told last
        self._payload_type = 0
        self._codec = Codec.H264
        self._depacketizer: h264.Depacketizer | h265.Depacketizer = h264.Depacketizer()
        self._counted = (0, 0)  # lost and malformed packets already told
        self._newest: tuple[int, int] | None = None  # timestamp and arrival of the last picture
        self._before: RtpPacket | None = None  # the last packet that did not just continue a NAL unit
        self._candidate: RtpPacket | None = None  # the first packet of what may become the source
        self._early_report: SenderReport | None = None  # of a source that has sent no packet yet
        self._foreign: tuple[int, Unusable] | None = None  # a source of another codec, and what to say of it
        self._foreign_ns = 0  # when it was last heard
        self._left = False  # a source was followed until it was seen to be foreign
        self._last: RtpPacket | None = None  # of any source

    def handle(self, datagram: bytes, sender: str, now_ns: int) -> list[SourceEvent]:
        """Take one datagram from `sender` ("address:port"), RTP or RTCP (RFC 5761)."""
        if self._depacketizer.continues(datagram):
            self._heard_ns = now_ns
            return self._heard(now_ns)
        try:
            if is_rtcp(datagram):
                return self._take_reports(parse_sender_reports(datagram))
            packet = parse_rtp(datagram)
        except MalformedError as error:
            return [Unusable("not_video", f"a datagram of {len(datagram)} bytes from {sender}: {error}")]
        if self._announced is None and (is_foreign := self._named(packet, sender, now_ns)) is not None:
            return [is_foreign]
        if packet.ssrc == self._ssrc:
            return self._take(packet, now_ns) if packet.payload_type == self._payload_type else []
        if self._ssrc is not None and sender != self._sender and now_ns - self._heard_ns < _TAKEOVER_NS:
            return [Unusable("not_video", f"a second sender, {sender}, beside {self._sender} on one port")]
        return self._follow(packet, sender, now_ns)

    def _take_reports(self, reports: list[SenderReport]) -> list[SourceEvent]:
        events: list[SourceEvent] = []
        for report in reports:
            if report.ssrc == self._ssrc:
                events.append(ClockReport(report.ntp_ns, report.rtp_timestamp))
            else:
                self._early_report = report
        return events

    def _follow(self, packet: RtpPacket, sender: str, now_ns: int) -> list[SourceEvent]:
        announced = self._announced
        if announced and self._ssrc is not None and packet.payload_type != announced.payload_type:
            return []  # forward error correction or retransmission, with an SSRC of its own
        codec = self._recognised(packet, sender)
        if isinstance(codec, Unusable):
            return [codec]
        first, self._candidate = self._candidate, packet
        if first is None or first.ssrc != packet.ssrc:
            return []
        self._candidate = None
        events: list[SourceEvent] = [Restarted()] if self._left or self._ssrc is not None else []
        self._left = False
        self._ssrc, self._payload_type, self._sender = packet.ssrc, packet.payload_type, sender
        self._begin(codec)
        if self._early_report is not None:
            events += self._take_reports([self._early_report])
        self._early_report = None
        return events + self._take(first, now_ns) + self._take(packet, now_ns)

    def _named(self, packet: RtpPacket, sender: str, now_ns: int) -> Unusable | None:
        """What to say of a source of another codec, known by how its pictures begin; between, its packets
        say nothing, or by chance that they are H.264. Then it was followed, and is no longer."""
        before, self._last = self._last, packet
        if self._foreign is not None and packet.ssrc == self._foreign[0]:
            if now_ns - self._foreign_ns < _TAKEOVER_NS:
                self._foreign_ns = now_ns
                return self._foreign[1]
            self._foreign = None
        begins = before is not None and before.ssrc == packet.ssrc and before.timestamp != packet.timestamp
        if not begins or (packet.ssrc == self._ssrc and codec_of(packet.payload) is self._codec):
            return None
        is_foreign = foreign(packet.payload, sender)
        if is_foreign is not None:
            self._foreign, self._foreign_ns = (packet.ssrc, is_foreign), now_ns
            if packet.ssrc == self._ssrc:
                self._ssrc, self._left = None, True
        return is_foreign

    def _recognised(self, packet: RtpPacket, sender: str) -> Codec | Unusable:
        kind, announced = packet.payload_type, self._announced
        if announced is not None and kind == announced.payload_type:
            return announced.codec
        if announced is not None:
            told = f"{announced.payload_type} was announced"
            return Unusable("not_video", f"RTP payload type {kind} from {sender}, where {told}")
        if kind not in _DYNAMIC:
            named = f", {_STATIC[kind]}," if kind in _STATIC else ""
            what = f"RTP payload type {kind}{named} from {sender}"
            return Unusable("unsupported_codec", f"{what}: only H.264 and H.265, types 96 to 127, are read")
        codec = codec_of(packet.payload)
        return codec or Unusable("not_video", f"RTP from {sender} that is neither H.264 nor H.265")

    def _begin(self, codec: Codec) -> None:
        self._codec, self._counted, self._newest = codec, (0, 0), None
        self._told_ns = None
        self._depacketizer = h264.Depacketizer() if codec is Codec.H264 else h265.Depacketizer()

    def _take(self, packet: RtpPacket, now_ns: int) -> list[SourceEvent]:
        before, self._before, self._heard_ns = self._before, packet, now_ns
        pictures = self._depacketizer.push(packet)
        if self._depacketizer.restarted and self._clock_jumps(packet, now_ns):
            self._begin(self._codec)
            run = [each for each in (before, packet) if each is not None and _is_near(each, packet)]
            return [Restarted(), *(event for each in run for event in self._take(each, now_ns))]
        events = [] if pictures else self._heard(now_ns)
        events += self._new_counts()
        for picture in pictures:
            timestamp, damaged = picture.rtp_timestamp, picture.damaged
            events.append(SourcePicture(self._codec, picture.data, timestamp, None, now_ns, damaged))
            self._newest = timestamp, now_ns
            self._told_ns = now_ns
        return events

    def _heard(self, now_ns: int) -> list[SourceEvent]:
        if self._told_ns is not None and now_ns - self._told_ns < _HEARD_EVERY_NS:
            return []
        self._told_ns = now_ns
        return [Heard()]

    def _clock_jumps(self, packet: RtpPacket, now_ns: int) -> bool:
        """Whether a packet's timestamp does not go on from the last picture's as time does."""
        if self._newest is None:
            return True
        timestamp, arrival_ns = self._newest
        passed = (now_ns - arrival_ns) * CLOCK_RATE_HZ // NS_PER_S
        step = signed_distance(timestamp, packet.timestamp, 1 << self.TIMESTAMP_BITS)
        return abs(step - passed) > _CLOCK_ERROR_TICKS

    def _new_counts(self) -> list[SourceEvent]:
        lost, malformed = counted = self._depacketizer.lost_packets, self._depacketizer.malformed_packets
        if counted == self._counted:
            return []
        (told_lost, told_malformed), self._counted = self._counted, counted
        events: list[SourceEvent] = []
        if lost > told_lost:
            events.append(PacketsLost(lost - told_lost))
        if malformed > told_malformed:
            what = f"RTP payloads from {self._sender} that are no {self._codec}"
            events.append(Unusable("not_video", what))
        return events


def _is_near(before: RtpPacket, packet: RtpPacket) -> bool:
    """Whether both are of one run: of two that show a restart, a late one of the old run may be between."""
    return (packet.sequence - before.sequence) % (1 << 16) <= 1


def codec_of(payload: bytes) -> Codec | None:
    """Which codec an RTP payload is of, judged by its NAL unit header; None if it says nothing."""
    if len(payload) < 2:
        return None
    first, second = payload[0], payload[1]
    if first in _H265_FIRST_BYTES and 1 <= second <= 7:  # base layer, nuh_temporal_id_plus1 from 1 on
        return Codec.H265
    if first < 0x80 and first & 0x1F in _H264_TYPES:
        return Codec.H264
    return None
