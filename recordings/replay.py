"""`python -m recordings.replay`: recorded feeds as if live, as RTP and MAVLink over UDP.

A process of its own, so that reading files never delays the service it sends to. It ends with the recording
(never, with --loop), on SIGTERM or SIGINT, and with the process that started it.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import math
import secrets
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import NoReturn

from flow.clock import NS_PER_MS, SystemClock
from flow.codec import h264, h265
from flow.errors import ConfigError, LagebildError
from flow.units import Codec

from .footage import Footage, Messages, open_telemetry, open_video
from .protocol.impairments import Impairments, impair
from .protocol.schedule import schedule
from .protocol.source_clocks import SourceClocks
from .protocol.telemetry_track import TelemetryTrack
from .protocol.timing import Send
from .protocol.video_track import RtpStream, VideoTrack
from .sender import Address, Sender, resolve

logger = logging.getLogger("replay")

LEAD_NS = 250 * NS_PER_MS
"""From the plan to its first datagram: time to open the files once more, two of them if need be."""

DEFAULT_RTP = "127.0.0.1:5600"
DEFAULT_MAVLINK = "127.0.0.1:14550"

_PACKETIZE = {Codec.H264: h264.packetize, Codec.H265: h265.packetize}
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Entry point: 0 after the recording or a signal, 2 with one line about what is wrong with the input."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    _end_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        run(sys.argv[1:])
    except LagebildError as error:
        logger.error("%s", error)
        return 2
    return 0


def run(arguments: Sequence[str]) -> None:
    """Replay as the command line says, to the end; raises ConfigError for what is wrong with it."""
    options = _parser().parse_args(arguments)
    if options.verbose:
        logging.getLogger().setLevel(logging.DEBUG)
    manner = _manner(options)
    addresses = _addresses(options)
    videos = [open_video(path, options.video_fps) for path in options.video]
    telemetry = open_telemetry(options.telemetry) if options.telemetry else None
    clock = SystemClock()
    sender = Sender(addresses, clock.now_ns)
    logger.info("%s at speed %g, seed %d", ", ".join(map(str, options.video)), manner.speed, manner.seed)
    try:
        sender.run(plan(videos, telemetry, manner, clock.now_ns() + LEAD_NS))
    finally:
        logger.info("%s", sender)
        sender.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recordings.replay", description="Replay recorded feeds as if live."
    )
    add = parser.add_argument
    add(
        "--video",
        action="append",
        type=Path,
        required=True,
        help="MP4, MPEG-TS or raw H.264/H.265; repeatable",
    )
    add("--rtp", action="append", help=f"HOST:PORT for each video ({DEFAULT_RTP} for a single one)")
    add("--video-fps", type=_rate, default=Fraction(30), help="rate of a raw file, e.g. 30000/1001")
    add("--telemetry", type=Path, help=".tlog or raw MAVLink byte stream")
    add("--mavlink", default=DEFAULT_MAVLINK, help="HOST:PORT for the telemetry (%(default)s)")
    add(
        "--telemetry-offset",
        type=_number,
        default=0.0,
        metavar="MS",
        help="telemetry starts later than the video",
    )
    add("--speed", type=_number, default=1.0, help="times real time")
    add("--loop", action="store_true", help="start over, without end")
    add("--seed", type=int, help="repeat an earlier run exactly")
    add("--loss", type=_number, default=0.0, metavar="P", help="share of the datagrams lost, 0 to 1")
    add("--jitter", type=_number, default=0.0, metavar="MS", help="random delay of up to that")
    add("--drift", type=_number, default=0.0, metavar="PPM", help="the source's clock runs faster than ours")
    add("--verbose", action="store_true", help="report lateness every 10 s")
    return parser


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _rate(text: str) -> Fraction:
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError(text) from None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a recording is played again."""

    speed: float = 1.0
    loop: bool = False
    telemetry_offset_ns: int = 0
    seed: int = 0
    impairments: Impairments = field(default_factory=Impairments)


def plan(
    videos: Sequence[Footage], telemetry: Messages | None, manner: Manner, start_utc_ns: int
) -> Iterator[Send]:
    """The schedule of a replay that begins at `start_utc_ns`: the same for the same arguments."""
    random = Random(manner.seed)
    tracks = [
        VideoTrack(video.pictures, _PACKETIZE[video.codec], _rtp_stream(random, start_utc_ns), port)
        for port, video in enumerate(videos)
    ]
    messages = telemetry and TelemetryTrack(
        telemetry, SourceClocks(manner.speed), len(tracks), manner.telemetry_offset_ns
    )
    sends = schedule(tracks, messages, start_utc_ns=start_utc_ns, speed=manner.speed, loop=manner.loop)
    return impair(sends, manner.impairments, start_utc_ns, random)


def _rtp_stream(random: Random, start_utc_ns: int) -> RtpStream:
    """RFC 3550 5.1: identifier and first values are random, so that a restart is seen as one."""
    return RtpStream(random.getrandbits(32), random.getrandbits(16), random.getrandbits(32), start_utc_ns)


def _manner(options: argparse.Namespace) -> Manner:
    if not 0.1 <= options.speed <= 20:
        raise ConfigError(f"--speed {options.speed:g}: must be from 0.1 to 20")
    if not 1 <= options.video_fps <= 1000:
        raise ConfigError(f"--video-fps {options.video_fps}: must be from 1 to 1000")
    if not 0 <= options.loss <= 1:
        raise ConfigError(f"--loss {options.loss:g}: must be from 0 to 1")
    if not 0 <= options.jitter <= 10_000:
        raise ConfigError(f"--jitter {options.jitter:g}: must be from 0 to 10000 ms")
    if abs(options.drift) > 100_000:
        raise ConfigError(f"--drift {options.drift:g}: must be from -100000 to 100000 ppm")
    return Manner(
        speed=options.speed,
        loop=options.loop,
        telemetry_offset_ns=round(options.telemetry_offset * NS_PER_MS),
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        impairments=Impairments(options.loss, round(options.jitter * NS_PER_MS), options.drift),
    )


def _addresses(options: argparse.Namespace) -> list[Address]:
    """Where each port of the schedule goes: one address per video, then the telemetry's."""
    rtp = options.rtp or [DEFAULT_RTP]
    if len(rtp) != len(options.video):
        raise ConfigError(f"{len(options.video)} --video need as many --rtp HOST:PORT, not {len(rtp)}")
    return [resolve(text) for text in (*rtp, options.mavlink)]


def _stop(number: int, frame: object) -> NoReturn:
    sys.exit(0)


def _end_with_parent() -> None:
    """Linux: SIGTERM when the thread that started us ends (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
