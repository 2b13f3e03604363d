"""What ingest must be told."""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.flights import Feed

PUSHED: dict[str, frozenset[str]] = {
    "rtmp": frozenset({"rtmp"}),
    "srt": frozenset({"srt"}),
    "whip": frozenset({"whip"}),
    "push": frozenset({"rtmp", "srt", "whip"}),
}
"""Sources that are no address: pictures are brought to us, by these protocols."""


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """Where publishers come to; () are all addresses of this machine. The passphrase is for SRT (10 to 79
    characters; "": not encrypted)."""

    hosts: tuple[str, ...] = ("127.0.0.1",)
    rtmp_port: int = 1935
    srt_port: int = 8890
    srt_latency_ms: int = 120
    srt_passphrase: str = ""


@dataclass(frozen=True, slots=True)
class EncodeSettings:
    """How renditions are made: libav's name of an H.264 encoder, and x264's preset (speed against bits)."""

    encoder: str = "libx264"
    preset: str = "superfast"


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Where one feed's pictures come from; see `open.py` for the URLs.

    For a URL of PUSHED, publishers come to us, and with `takeover` a newer one displaces an older one that
    still sends. `transport` is how RTSP brings its packets: "udp", "tcp", or "auto", which tries UDP first.
    `fps` is needed where a file has no timestamps. `trust_clock` believes the capture times of the source's
    sender reports. `allow_from` names the senders (addresses or networks) that may reach a port which is
    open to the network. What is not `expected` comes when somebody plays it: its silence is no warning.
    """

    feed_id: str
    url: str
    fps: float | None = None
    loop: bool = False
    trust_clock: bool = False
    allow_from: tuple[str, ...] = ()
    takeover: bool = False
    transport: str = "auto"
    expected: bool = True


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """All feeds, and how patient ingest is with them.

    Of `cameras` stills can be had; with `health` their pictures are looked at now and then.
    """

    sources: tuple[FeedSource, ...]
    stalled_after_s: float = 1.0
    lost_after_s: float = 10.0
    retry_first_s: float = 0.5
    retry_most_s: float = 5.0
    publish: PublishSettings = field(default_factory=PublishSettings)
    cameras: tuple[Feed, ...] = ()
    health: bool = False
    encode: EncodeSettings = field(default_factory=EncodeSettings)
