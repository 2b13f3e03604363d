"""The receiving end of one publisher's video: packets in, packets in their order and RTCP for it out."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.reception import Reception
from flow.codec.rtp import HEADER_SIZE, SENDER_REPORT, VERSION, RtpPacket, parse_rtp
from flow.errors import MalformedError
from flow.units import Codec

from . import requests
from .estimate import Estimate
from .keyframes import KeyframeWish, begins_keyframe
from .repair import Repair

REPORT_EVERY_NS = NS_PER_S
EARLY_NS = 2 * NS_PER_S
EARLY_REPORT_EVERY_NS = 200 * NS_PER_MS
"""Chromium believes an estimate at once in its first two seconds, later it only creeps up to it."""

NACK_EVERY_NS = 10 * NS_PER_MS
"""What is missing is asked for together: ffmpeg reads one datagram a picture."""

STALLED_NS = 200 * NS_PER_MS
"""A publisher in step that says nothing for so long has missed an answer."""

FREE_AFTER = 64
"""A publisher that goes so long without an answer waits for none yet: it reads only what is there."""

UNBEGUN_NS = NS_PER_S
"""So long it may take to begin."""

FOLLOW_AFTER_NS = 200 * NS_PER_MS
"""Another synchronization source is followed once the one before it is silent."""


@dataclass(frozen=True, slots=True)
class Video:
    """What was negotiated: the packets of `payload_type` are `codec`.

    `feedback` is what the publisher listens to, of a=rtcp-fb ("nack", "nack pli", "goog-remb"). With
    `reduced_size` RTCP may come without a report (RFC 5506). `rtx_payload_type` was offered and not answered;
    ffmpeg 9 resends by it all the same (RFC 4588), and by nothing else.
    """

    payload_type: int
    codec: Codec
    feedback: frozenset[str] = frozenset()
    reduced_size: bool = True
    rtx_payload_type: int | None = None
    in_step: bool = False
    """It sends nothing before it has read a datagram of ours: for each picture, and each packet of sound, one
    is due, and no more, since what it has not read delays its hearing of losses (ffmpeg 9.0)."""


class Receiver:
    """No I/O and no clock: `take_rtp`, `take_rtcp` and `expire` what comes, then send what `feedback` says.

    `unread` counts packets that are no video: the audio that some publishers send although it was declined.
    """

    def __init__(self, video: Video, ssrc: int) -> None:
        self.repair = Repair()
        self.estimate = Estimate()
        self.wish = KeyframeWish()
        self.unread = 0
        self._video = video
        self._own_ssrc = ssrc
        self._ssrc: int | None = None
        self._heard_ns = 0
        self._reception = Reception(ssrc)
        self._gaps = 0
        self._began_ns = 0
        self._report_ns = 0  # when the next report is due
        self._nack_ns = 0
        self._owed = 0  # datagrams, to a publisher in step
        self._stalled = False  # it has read all that it was sent, so from then on answers are counted
        self._came_ns: int | None = None
        self._said_ns = 0

    def take_rtp(self, packet: bytes, now_ns: int) -> list[bytes]:
        """Take one packet; returns those that are due, in order. Raises MalformedError."""
        if len(packet) < HEADER_SIZE or packet[0] >> 6 != VERSION:
            raise MalformedError(f"no RTP packet: {len(packet)} bytes (RFC 3550 5.1)")
        kind = packet[1] & 0x7F
        self._came_ns = now_ns
        self._owed += kind != self._video.rtx_payload_type and (
            kind != self._video.payload_type or packet[1] >= 0x80
        )
        if kind == self._video.payload_type:
            return self._take(packet, now_ns)
        if kind == self._video.rtx_payload_type and (original := self._original(packet)):
            return self._ordered(original, now_ns)
        self.unread += 1
        return []

    def take_rtcp(self, compound: bytes, now_ns: int) -> bool:
        """Whether it is a sender report of the video's, which ingest wants too (RFC 3550 6.4.1)."""
        ours = len(compound) >= 28 and compound[1] == SENDER_REPORT
        if not ours or int.from_bytes(compound[4:8], "big") != self._ssrc:
            return False
        self._reception.take(compound, now_ns)
        return True

    def expire(self, now_ns: int) -> list[bytes]:
        """The packets that are due because what is missing before them is given up."""
        return self._seen(self.repair.expire(now_ns))

    def feedback(self, now_ns: int) -> list[bytes]:
        """The RTCP datagrams to send now."""
        if self._video.in_step and not self._waits_for_none(now_ns):
            return self._answer_in_step(now_ns)
        if self._ssrc is None:
            return []
        datagrams = [self._reports(self._ssrc, now_ns)] if now_ns >= self._report_ns else []
        if missing := self._missing(now_ns):
            datagrams.append(self._alone(requests.nack(self._own_ssrc, self._ssrc, missing), now_ns))
        if "nack pli" in self._video.feedback and self.wish.due(now_ns):
            datagrams.append(self._alone(requests.pli(self._own_ssrc, self._ssrc), now_ns))
        return datagrams

    def answered(self) -> None:
        """The publisher was sent something else than `feedback`."""
        self._owed -= 1

    def _waits_for_none(self, now_ns: int) -> bool:
        """Whether a publisher that may wait for answers has so far gone on without."""
        begun = self._came_ns is not None
        if now_ns - max(self._came_ns or 0, self._said_ns) >= (STALLED_NS if begun else UNBEGUN_NS):
            self._owed = 1
            self._stalled |= begun
        return not self._stalled and self._owed > FREE_AFTER

    def _answer_in_step(self, now_ns: int) -> list[bytes]:
        if self._owed <= 0 or (self._came_ns is not None and not self._stalled):
            return []
        self._owed -= 1
        self._said_ns = now_ns
        if self._ssrc is not None and (missing := self._missing(now_ns)):
            return [requests.nack(self._own_ssrc, self._ssrc, missing)]
        return [self._reception.report(now_ns)]

    def _take(self, packet: bytes, now_ns: int) -> list[bytes]:
        ssrc = int.from_bytes(packet[8:12], "big")
        if ssrc != self._ssrc:
            if self._ssrc is not None and now_ns - self._heard_ns < FOLLOW_AFTER_NS:
                self.unread += 1
                return []
            self._follow(ssrc, now_ns)
        self._heard_ns = now_ns
        before = self.repair.repaired + self.repair.late
        due = self._ordered(packet, now_ns)
        if self.repair.repaired + self.repair.late == before:  # the report is to tell what the way loses
            self._reception.take(packet, now_ns)
            self.estimate.take(len(packet), int.from_bytes(packet[4:8], "big"), now_ns)
        return due

    def _follow(self, ssrc: int, now_ns: int) -> None:
        self._ssrc, self._began_ns, self._report_ns = ssrc, now_ns, now_ns
        self.repair, self.estimate, self._gaps = Repair(), Estimate(), 0
        self.wish.wanted = True

    def _ordered(self, packet: bytes, now_ns: int) -> list[bytes]:
        return self._seen(self.repair.push(int.from_bytes(packet[2:4], "big"), packet, now_ns))

    def _seen(self, due: list[bytes]) -> list[bytes]:
        """Look whether the wish for a keyframe is fulfilled, or one is needed."""
        gaps = self.repair.lost + self.repair.restarts
        if gaps != self._gaps:
            self._gaps = gaps
            self.wish.wanted = True
        if self.wish.wanted:
            self.wish.wanted = not any(map(self._begins_keyframe, due))
        return due

    def _begins_keyframe(self, packet: bytes) -> bool:
        try:
            return begins_keyframe(self._video.codec, parse_rtp(packet).payload)
        except MalformedError:
            return False

    def _original(self, packet: bytes) -> bytes | None:
        """The packet inside a retransmission (RFC 4588 4): its number comes before its payload."""
        resent = parse_rtp(packet)
        if len(resent.payload) <= 2 or self._ssrc is None:
            return None  # padding, to try out the way
        number = struct.unpack_from("!H", resent.payload)[0]
        kind, payload = self._video.payload_type, resent.payload[2:]
        return RtpPacket(kind, resent.marker, number, resent.timestamp, self._ssrc, payload).serialize()

    def _missing(self, now_ns: int) -> tuple[int, ...]:
        """What to ask for now."""
        if not self.repair.waits or now_ns < self._nack_ns or "nack" not in self._video.feedback:
            return ()
        self._nack_ns = now_ns + NACK_EVERY_NS
        return self.repair.asks(now_ns)

    def _reports(self, ssrc: int, now_ns: int) -> bytes:
        early = now_ns - self._began_ns < EARLY_NS
        self._report_ns = now_ns + (EARLY_REPORT_EVERY_NS if early else REPORT_EVERY_NS)
        compound = self._reception.report(now_ns)
        if "goog-remb" in self._video.feedback:
            compound += requests.remb(self._own_ssrc, ssrc, self.estimate.bps)
        return compound

    def _alone(self, packet: bytes, now_ns: int) -> bytes:
        """RFC 3550 6.1: behind a report, but for who takes it without."""
        return packet if self._video.reduced_size else self._reception.report(now_ns) + packet
