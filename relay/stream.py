"""One rendition of one feed as RTP: what all its viewers share."""

from __future__ import annotations

import zlib

from flow.clock import NS_PER_S
from flow.codec import h264, h265
from flow.codec.rtp import SenderReport
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec

from .protocol.history import History
from .protocol.layout import WirePicture

MAX_PAYLOAD = 1180
"""Bytes of an RTP payload: with header, extension, SRTP tag, UDP and IPv6 it fits 1280, IPv6's least MTU."""

_PACKETIZE = {Codec.H264: h264.packetize, Codec.H265: h265.packetize}
_STAP_A, _AP, _VPS = 24, 48, 32  # RFC 6184 5.2, RFC 7798 4.4.2, H.265 table 7-1


class Stream:
    """Packetizes each picture once and keeps the last ones, to be sent again or to start a viewer with."""

    def __init__(self, feed_id: str, codec: Codec = Codec.H264) -> None:
        self.feed_id = feed_id
        self.codec = codec
        self.ssrc = ssrc_of(feed_id)
        self.history: History[WirePicture] = History()
        self.keyframe_wanted = False  # set by viewers, acted on by the fan-out, fulfilled by any keyframe
        self._next = 0
        self.newest: WirePicture | None = None
        self._newest: AccessUnit | None = None
        self._bits_per_s = 0.0

    @property
    def next_sequence(self) -> int:
        """The feed's sequence number that the next packet will have, unwrapped."""
        return self._next

    @property
    def newest_pts_90k(self) -> int | None:
        """Of the picture that came last."""
        return self._newest.pts_90k if self._newest else None

    @property
    def bits_per_s(self) -> float:
        """What the feed sends, over the last second or so; 0 at first."""
        return self._bits_per_s

    def accept(self, unit: AccessUnit, now_ns: int) -> WirePicture:
        """Packetize the next picture, which is of this stream's codec, and file it."""
        payloads = _PACKETIZE[self.codec](unit.data, MAX_PAYLOAD)
        picture = WirePicture(
            self._next,
            self.ssrc,
            unit.rtp_timestamp,
            unit.keyframe,
            now_ns,
            payloads,
            parameters_apart=unit.keyframe and _parameters_apart(self.codec, payloads),
        )
        self._next += picture.count
        self.keyframe_wanted &= not unit.keyframe
        self.history.add(picture)
        self._count(unit)
        self._newest, self.newest = unit, picture
        return picture

    def sender_report(self, now_ns: int, packets: int, octets: int) -> bytes:
        """RFC 3550 6.4.1: which RTP timestamp a picture captured now would have; b"" before the first one."""
        newest = self._newest
        if newest is None:
            return b""
        since_90k = (now_ns - newest.utc_ns) * CLOCK_RATE_HZ // NS_PER_S
        timestamp = (newest.pts_90k + since_90k) & 0xFFFF_FFFF
        return SenderReport(self.ssrc, now_ns, timestamp, packets, octets).serialize()

    def _count(self, unit: AccessUnit) -> None:
        before = self._newest
        if before is None or unit.dts_90k <= before.dts_90k:
            return
        took_s = (unit.dts_90k - before.dts_90k) / CLOCK_RATE_HZ
        weight = min(took_s, 1.0)  # an average that forgets within about a second
        self._bits_per_s += weight * (8 * len(unit.data) / took_s - self._bits_per_s)


def _parameters_apart(codec: Codec, payloads: list[bytes]) -> bool:
    """Whether the first payload is a parameter set or an aggregation packet, which packetize() gives no slice
    (RFC 6184 5.2, RFC 7798 4.4.2)."""
    if len(payloads) < 2:
        return False
    if codec is Codec.H265:
        return payloads[0][0] >> 1 & 0x3F in (_VPS, _AP)
    return payloads[0][0] & 0x1F in (h264.NalType.SPS, _STAP_A)


def ssrc_of(feed_id: str) -> int:
    """The SSRC of a feed, the same on every relay, never 0."""
    return zlib.crc32(feed_id.encode()) or 1
