"""Encoded pictures as they travel on the bus."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .clock import NS_PER_MS

CLOCK_RATE_HZ = 90_000
"""RTP clock of every video payload format (RFC 6184 8.2.1, RFC 7798 7.1) and of MPEG-TS PTS/DTS."""


class Codec(StrEnum):
    """The two codecs that travel; anything else is transcoded inside ingest before the bus."""

    H264 = "h264"
    H265 = "h265"


class Rendition(StrEnum):
    """Which version of a feed: as it came, made fit for browsers, or made small."""

    SOURCE = "source"
    WEB = "web"
    LOW = "low"


class UtcOrigin(StrEnum):
    """What `utc_ns` of a picture means: the camera's own trusted clock, or when it reached us."""

    SOURCE = "source"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """All slices of one picture (or one complementary field pair) as Annex B bytes.

    Invariants, kept by ingest and relied on by everybody else:

    - parameter sets precede every keyframe inside `data`; every NAL unit has a start code
    - `dts_90k` strictly increases within (feed, rendition), across reconnects and epochs;
      `pts_90k >= dts_90k`, and may step back (B-frames)
    - `seq` rises by one within (feed, rendition, epoch); `epoch` rises at every restart of the ingest
    - both timestamps count 90 kHz ticks of Lagebild time since the Unix epoch at the moment the source was
      anchored and the source's own clock from there on, so all renditions share one RTP clock and no wrap
      ever shows; see `rtp_timestamp`
    - `utc_ns` is Lagebild time (flow/clock.py) of the capture where `utc_origin` is SOURCE, of the arrival
      (smoothed to the least delayed pictures of the last seconds) where it is ARRIVAL
    """

    feed_id: str
    rendition: Rendition
    codec: Codec
    epoch: int
    seq: int
    dts_90k: int
    pts_90k: int
    utc_ns: int
    utc_origin: UtcOrigin
    keyframe: bool  # IDR, CRA, or a recovery point (H.264 D.2.8)
    data: bytes

    @property
    def rtp_timestamp(self) -> int:
        """The 32-bit RTP timestamp that all viewers of this feed see on this picture."""
        return rtp_timestamp(self.pts_90k)


def rtp_timestamp(pts_90k: int) -> int:
    """Map a picture's `pts_90k` to the RTP timestamp it is sent with (RFC 3550 5.1).

    The offset is zero for every feed, so relays, renditions and telemetry agree without talking. RFC 3550
    asks for a random one only against known-plaintext attacks on its own DES; SRTP (RFC 3711 9.2) does not
    need it.
    """
    return pts_90k & 0xFFFF_FFFF


def captured_ns(utc_ns: int, origin: UtcOrigin, air_link_ms: float) -> int:
    """When a picture was taken: one that is timed by its arrival had come over the air link before."""
    return utc_ns - (round(air_link_ms * NS_PER_MS) if origin is UtcOrigin.ARRIVAL else 0)


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """What the parameter sets of a stream say, as far as somebody downstream must know it.

    `profile` and `level` are the raw `profile_idc` and `level_idc` (H.264 7.4.2.1.1) or their `general_`
    namesakes (H.265 7.4.4); `constraints` is the byte between them (H.264 only, 0 otherwise).
    """

    codec: Codec
    width_px: int
    height_px: int
    profile: int
    constraints: int
    level: int
    chroma: str  # "4:0:0" | "4:2:0" | "4:2:2" | "4:4:4"
    bit_depth: int
    interlaced: bool  # field or macroblock-adaptive coding is possible
    reorders: bool  # pictures may be shown in another order than sent (B-frames)

    @property
    def profile_level_id(self) -> str:
        """`profile-level-id` of RFC 6184 8.1, six hex digits."""
        return f"{self.profile:02x}{self.constraints:02x}{self.level:02x}"

    @property
    def plays_in_browsers(self) -> bool:
        """Whether every browser shows it over WebRTC as it is: progressive 8-bit 4:2:0 H.264, no B-frames."""
        return (
            self.codec is Codec.H264
            and self.chroma == "4:2:0"
            and self.bit_depth == 8
            and not self.interlaced
            and not self.reorders
        )
