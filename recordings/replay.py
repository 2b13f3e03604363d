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
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from fractions import Fraction
from io import FileIO
from pathlib import Path
from typing import NoReturn

import msgspec

from flow.clock import NS_PER_MS, SystemClock
from flow.confinement import READING, confine
from flow.errors import ConfigError, LagebildError

from .footage import open_telemetry, open_video
from .orders import Orders
from .plan import SHOWN_START_NS, Manner, hash_of, plan
from .player import Player, Position
from .protocol.episodes import Habit
from .protocol.impairments import Impairments
from .protocol.timing import NS_PER_S, Send
from .recorded_flight import open_flight
from .recording import Recording
from .sender import Address, Report, Sender, resolve

logger = logging.getLogger("replay")

DEFAULT_RTP = "127.0.0.1:5600"
DEFAULT_MAVLINK = "127.0.0.1:14550"

_RECONNECT_NS = NS_PER_S
_NS_PER_HOUR = 3600 * NS_PER_S
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
    videos = len(options.video or options.feed or ())
    addresses = _addresses(options, videos) if videos else []
    recording = _recording(options)
    if options.dry_run or options.schedule:
        _show(recording, manner, options.schedule)
        return
    addresses = addresses or _addresses(options, len(recording.videos))
    logger.info("%s at speed %g, seed %d", recording.name, manner.speed, manner.seed)
    with _report(options.report) as report:
        _play(recording, manner, addresses, report, options)


def schedule_of(arguments: Sequence[str]) -> Iterator[Send]:
    """One lap of what `run` would send, beginning at SHOWN_START_NS. Raises ConfigError."""
    options = _parser().parse_args(arguments)
    return plan(_recording(options), replace(_manner(options), loop=False), SHOWN_START_NS)


def _play(
    recording: Recording,
    manner: Manner,
    addresses: list[Address],
    report: Report | None,
    options: argparse.Namespace,
) -> None:
    clock, orders, tell = SystemClock(), Orders(), _print if options.control else _keep_quiet
    sender = Sender(addresses, clock.now_ns, orders.wait, report)
    player = Player(recording, manner, sender, clock.now_ns, orders=orders, tell=tell)
    if options.control or options.with_parent:
        # Without a buffer: its lock would be held by the reading thread when the process ends.
        orders.start_reading(FileIO(sys.stdin.fileno(), closefd=False))
    try:
        player.run()
    finally:
        logger.info("%s", sender)
        sender.close()


def _print(position: Position) -> None:
    print(msgspec.json.encode(position).decode(), flush=True)


def _keep_quiet(position: Position) -> None:
    pass


def _recording(options: argparse.Namespace) -> Recording:
    if options.flight:
        return open_flight(options.flight, options.feed or ())[1]
    videos = [open_video(path, options.video_fps) for path in options.video]
    telemetry = open_telemetry(options.telemetry) if options.telemetry else None
    return Recording(", ".join(map(str, options.video)), videos, telemetry)


def _show(recording: Recording, manner: Manner, path: Path | None) -> None:
    """Make the schedule of one lap and tell its hash; write it to the file."""
    sends = plan(recording, replace(manner, loop=False), SHOWN_START_NS)
    try:
        with path.open("wb") if path else nullcontext() as file:
            digest = hash_of(sends, SHOWN_START_NS, file.write if file else len)
    except OSError as error:
        raise ConfigError(f"--schedule {path}: {error.strerror}") from None
    print(f"schedule {digest}, seed {manner.seed}")


@contextmanager
def _report(path: Path | None) -> Iterator[Report | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="ascii")
    except OSError as error:
        raise ConfigError(f"--report {path}: {error.strerror}") from None
    with file:
        yield Report(file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recordings.replay", description="Replay recorded feeds as if live."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--video", action="append", type=Path, help="MP4, MPEG-TS or raw H.264/H.265; repeatable"
    )
    what.add_argument("--flight", type=Path, help="folder of a recorded flight: its feeds and telemetry")
    add = parser.add_argument
    add("--feed", action="append", help="only these feeds of the flight, in this order")
    add("--rtp", action="append", help=f"HOST:PORT for each video ({DEFAULT_RTP} for a single one)")
    add("--telemetry", type=Path, help=".tlog or raw MAVLink byte stream")
    add("--mavlink", default=DEFAULT_MAVLINK, help="HOST:PORT for the telemetry (%(default)s)")
    add_manner(parser)
    add("--dry-run", action="store_true", help="send nothing, tell the hash of the schedule (of one lap)")
    add("--schedule", type=Path, metavar="FILE", help="the same, and write the schedule there")
    add("--control", action="store_true", help="take orders from standard input, and end with it")
    add("--with-parent", action="store_true", help="end with standard input, as at the parent's death")
    add("--verbose", action="store_true", help="report lateness every 10 s")
    return parser


def add_manner(parser: argparse.ArgumentParser) -> None:
    """The options that say how a recording is played."""
    add = parser.add_argument
    add("--video-fps", type=_rate, default=Fraction(30), metavar="N", help="of a raw file, e.g. 30000/1001")
    add(
        "--telemetry-offset", type=_number, default=0.0, metavar="MS", help="telemetry starts after the video"
    )
    add("--report", type=Path, metavar="FILE", help="CSV: when each datagram was due, and when it left")
    add("--speed", type=_number, default=1.0, metavar="X", help="times real time, 0.1 to 20")
    add("--from", type=_number, default=0.0, dest="from_s", metavar="S", help="begin so many seconds into it")
    add("--to", type=_number, dest="to_s", metavar="S", help="end there")
    add(
        "--skip-gaps", type=_number, metavar="S", help="wait no longer than that where no camera has pictures"
    )
    add("--loop", action="store_true", help="start over, without end")
    add("--seed", type=int, metavar="N", help="repeat an earlier run exactly")
    add("--loss", type=_number, default=0.0, metavar="P", help="share of the datagrams lost, 0 to 1")
    add("--jitter", type=_number, default=0.0, metavar="MS", help="random delay of up to that")
    add(
        "--reorder",
        type=_number,
        default=0.0,
        metavar="P",
        help="share of the datagrams that come behind later ones",
    )
    add("--drift", type=_number, default=0.0, metavar="PPM", help="the source's clock runs faster than ours")
    add("--outage", type=_habit, metavar="EVERY,FOR", help="cameras go silent and come back as new streams")
    add("--reconnects", type=_number, metavar="N", help="the same, N times an hour for a second")
    add("--gps-jump", type=_habit, metavar="EVERY,FOR", help="positions hundreds of metres off")
    add("--telemetry-dropout", type=_habit, metavar="EVERY,FOR", help="no telemetry")


def as_arguments(options: argparse.Namespace) -> list[str]:
    """The same again, from what `add_manner` has read."""
    parser = argparse.ArgumentParser(add_help=False)
    add_manner(parser)
    told: list[str] = []
    for action in parser._actions:
        value = getattr(options, action.dest)
        if action.nargs == 0:
            told += action.option_strings if value else []
        elif value is not None:
            told.append(f"{action.option_strings[0]}={value}")
    return told


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


def _habit(text: str) -> Habit:
    every_s, lasting_s = map(_number, text.split(","))
    return Habit(round(every_s * NS_PER_S), round(lasting_s * NS_PER_S))


_RANGES = {
    "speed": (0.1, 20, ""),
    "video_fps": (1, 1000, ""),
    "from_s": (0, 100_000, " s"),
    "to_s": (0.1, 100_000, " s"),
    "skip_gaps": (0, 100_000, " s"),
    "loss": (0, 1, ""),
    "jitter": (0, 10_000, " ms"),
    "reorder": (0, 1, ""),
    "drift": (-100_000, 100_000, " ppm"),
    "reconnects": (0.1, 3600, " an hour"),
}


def _manner(options: argparse.Namespace) -> Manner:
    for name, (least, most, unit) in _RANGES.items():
        value = getattr(options, name)
        if value is not None and not least <= value <= most:
            option = name.removesuffix("_s").replace("_", "-")
            shown = value if isinstance(value, Fraction) else f"{value:g}"
            raise ConfigError(f"--{option} {shown}: must be from {least:g} to {most:g}{unit}")
    if options.to_s is not None and options.to_s <= options.from_s:
        raise ConfigError(f"--to {options.to_s:g}: must be after --from {options.from_s:g}")
    for name in ("outage", "gps_jump", "telemetry_dropout"):
        habit = getattr(options, name)
        if habit and not (habit.every_ns >= NS_PER_S // 10 and habit.for_ns >= NS_PER_S // 100):
            raise ConfigError(f"--{name.replace('_', '-')}: EVERY is at least 0.1 s, FOR at least 0.01 s")
    return Manner(
        speed=options.speed,
        loop=options.loop,
        telemetry_offset_ns=round(options.telemetry_offset * NS_PER_MS),
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        impairments=_impairments(options),
        from_ns=round(options.from_s * NS_PER_S),
        to_ns=None if options.to_s is None else round(options.to_s * NS_PER_S),
        gaps_most_ns=None if options.skip_gaps is None else round(options.skip_gaps * NS_PER_S),
    )


def _impairments(options: argparse.Namespace) -> Impairments:
    outages: Habit | None = options.outage
    if options.reconnects is not None:
        outages = Habit(round(_NS_PER_HOUR / options.reconnects), _RECONNECT_NS)
    return Impairments(
        options.loss,
        round(options.jitter * NS_PER_MS),
        options.drift,
        options.reorder,
        outages,
        options.telemetry_dropout,
        options.gps_jump,
    )


def _addresses(options: argparse.Namespace, videos: int) -> list[Address]:
    """Where each port of the schedule goes: one address per video, then the telemetry's."""
    rtp = options.rtp or [DEFAULT_RTP][:videos]  # a flight may be telemetry alone
    if len(rtp) != videos and not options.dry_run and not options.schedule:
        raise ConfigError(f"{videos} videos need as many --rtp HOST:PORT, not {len(rtp)}")
    return [resolve(text) for text in (*rtp, options.mavlink)]


def _stop(number: int, frame: object) -> NoReturn:
    sys.exit(0)


def _end_with_parent() -> None:
    """Linux: SIGTERM when the thread that started us ends (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    confine(READING)


if __name__ == "__main__":
    sys.exit(main())
