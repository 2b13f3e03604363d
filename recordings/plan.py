"""A recording and the manner of its replay become a schedule: always the same for the same arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from .protocol.episodes import stream
from .protocol.impairments import Impairments, impair
from .protocol.schedule import schedule
from .protocol.source_clocks import SourceClocks
from .protocol.telemetry_track import TelemetryTrack
from .protocol.timing import NS_PER_S, Lap, Send
from .protocol.video_track import RtpStream, VideoTrack
from .recording import Cue, Recording, cue, shortened

SHOWN_START_NS = 1_767_225_600 * NS_PER_S
"""2026-01-01T00:00:00Z: when a schedule begins that is only looked at."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a recording is played again. `gaps_most_ns` None: gaps keep their true length."""

    speed: float = 1.0
    loop: bool = False
    telemetry_offset_ns: int = 0
    seed: int = 0
    impairments: Impairments = field(default_factory=Impairments)
    from_ns: int = 0
    to_ns: int | None = None
    gaps_most_ns: int | None = None


def plan(
    recording: Recording,
    manner: Manner,
    start_utc_ns: int,
    *,
    at: Cue | None = None,
    epoch: int = 0,
    clocks: SourceClocks | None = None,
    begun: Callable[[Lap], None] = lambda lap: None,
) -> Iterator[Send]:
    """The schedule of a replay that begins at `start_utc_ns`: videos from port 0 on, then the telemetry.

    `at` is where (the cue of `manner.from_ns`). A later `epoch` of one replay comes as new streams, with the
    `clocks` of the one before; `begun` hears of every lap.
    """
    at = at or cue(recording, manner.from_ns, manner.telemetry_offset_ns)
    tracks = [
        VideoTrack(
            video.pictures_near(at.from_ns),
            _rtp_stream(manner.seed, epoch, port, start_utc_ns),
            port,
            zero_ns=video.zero_ns,
        )
        for port, video in enumerate(recording.videos)
    ]
    messages = at.messages and TelemetryTrack(
        at.messages,
        clocks or SourceClocks(manner.speed),
        len(tracks),
        manner.telemetry_offset_ns,
        zero_ns=recording.zero_ns,
        before=at.before,
    )
    cuts = () if manner.gaps_most_ns is None else shortened(recording.silences, manner.gaps_most_ns)
    lap = Lap(start_utc_ns, manner.speed, at.from_ns, manner.to_ns, cuts)
    sends = schedule(tracks, messages, lap, length_ns=recording.length_ns, loop=manner.loop, begun=begun)
    return impair(sends, manner.impairments, start_utc_ns, manner.seed, len(tracks))


def _rtp_stream(seed: int, epoch: int, port: int, start_utc_ns: int) -> RtpStream:
    """RFC 3550 5.1: identifier and first values are random, so that a restart is seen as one."""
    random = stream(seed, f"rtp {epoch} {port}")
    return RtpStream(random.getrandbits(32), random.getrandbits(16), random.getrandbits(32), start_utc_ns)


def line_of(send: Send, start_utc_ns: int) -> bytes:
    """One datagram of a schedule as text: nanoseconds after the start, port, bytes in hexadecimal."""
    return b"%d %d %s\n" % (send.time_ns - start_utc_ns, send.port, send.data.hex().encode())


def hash_of(sends: Iterable[Send], start_utc_ns: int, write: Callable[[bytes], object] = len) -> str:
    """SHA-256 of all lines of a schedule, each of which is also handed to `write`."""
    digest = sha256()
    for send in sends:
        line = line_of(send, start_utc_ns)
        digest.update(line)
        write(line)
    return digest.hexdigest()
