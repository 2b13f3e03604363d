"""`lagebild replay`: a recorded flight, or loose files, into ports of our own, as if live."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from flow.errors import ConfigError, MalformedError, NotFoundError
from recordings.flight_file import read_flight
from recordings.folders import FLIGHT_FILE, TLOG_FILE, flight_folder
from recordings.replay import add_manner, as_arguments

from .children import run_child
from .own_ports import telemetry_port, video_port
from .service import Running
from .settings import AircraftSettings, FeedSettings

AIRCRAFT_ID = "replay"
_PORT = "rtp://127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """What was asked for: the aircraft into whose ports it is played, what each of its feeds plays, and the
    rest of the command line of recordings.replay, which it gets as it is."""

    aircraft: AircraftSettings
    sources: tuple[str, ...]  # per feed: --video=… or --feed=…
    extra: tuple[str, ...]


def add_replay_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("flight", nargs="?", metavar="FLIGHT", help="id of a recorded flight, or its folder")
    parser.add_argument("--video", type=Path, action="append", metavar="FILE",
                        help="instead: MP4, MPEG-TS or raw .h264; may be given twice")  # fmt: skip
    parser.add_argument(
        "--telemetry", type=Path, metavar="FILE", help="beside it: .tlog or raw MAVLink bytes"
    )
    parser.add_argument("--dry-run", action="store_true", help="send nothing, tell the hash of the schedule")
    parser.add_argument("--schedule", type=Path, metavar="FILE", help="the same, and write it there")
    add_manner(parser)


def order_of(options: argparse.Namespace, data_dir: Path) -> ReplayOrder:
    """Raises ConfigError where it is not clear what to play, or it is not there."""
    if bool(options.flight) == bool(options.video):
        raise ConfigError("replay: name a flight, or files by --video FILE [--telemetry FILE]")
    if options.flight and options.telemetry:
        raise ConfigError("replay: a flight has its own telemetry: leave out --telemetry")
    manner = as_arguments(options)
    return _of_flight(options.flight, data_dir, manner) if options.flight else _of_files(options, manner)


def arguments_of_a_dry_run(options: argparse.Namespace, order: ReplayOrder) -> list[str]:
    """The command line of recordings.replay for a schedule that is only looked at; [] to play it."""
    written = [f"--schedule={options.schedule}"] if options.schedule else []
    return [*order.sources, *order.extra, "--dry-run", *written] if options.dry_run or written else []


def _of_files(options: argparse.Namespace, manner: list[str]) -> ReplayOrder:
    for path in (*options.video, *([options.telemetry] if options.telemetry else [])):
        if not path.is_file():
            raise ConfigError(f"replay: {path}: no such file")
    feeds = tuple(_feed(number, path.stem) for number, path in enumerate(options.video))
    link = "udpin:127.0.0.1:0" if options.telemetry else ""
    telemetry = [f"--telemetry={options.telemetry}"] if options.telemetry else []
    aircraft = AircraftSettings(AIRCRAFT_ID, "Wiedergabe", link, feed=feeds)
    return ReplayOrder(aircraft, tuple(f"--video={path}" for path in options.video), (*telemetry, *manner))


def _of_flight(named: str, data_dir: Path, manner: list[str]) -> ReplayOrder:
    folder = _folder(named, data_dir)
    try:
        flight = read_flight(folder)
    except MalformedError as error:
        raise ConfigError(f"replay: {error}") from None
    feeds = tuple(
        _feed(number, feed.name, feed.hfov_deg, feed.mount_pitch_deg)
        for number, feed in enumerate(flight.feeds)
    )
    link = "udpin:127.0.0.1:0" if (folder / TLOG_FILE).is_file() else ""
    aircraft = AircraftSettings(AIRCRAFT_ID, f"Wiedergabe {flight.aircraft_name}", link, feed=feeds)
    sources = tuple(f"--feed={feed.id}" for feed in flight.feeds)
    return ReplayOrder(aircraft, sources, (f"--flight={folder}", *manner))


def _folder(named: str, data_dir: Path) -> Path:
    if (Path(named) / FLIGHT_FILE).is_file():
        return Path(named).resolve()
    try:
        folder = flight_folder(data_dir, named)
    except NotFoundError:
        raise ConfigError(f"replay: {named}: neither a flight's id nor the folder of a flight") from None
    if not folder.is_dir():
        raise ConfigError(f"replay: {named}: no such flight in {data_dir} (--config names another data_dir)")
    return folder


def _feed(
    number: int, name: str, hfov_deg: float | None = None, mount_pitch_deg: float | None = None
) -> FeedSettings:
    return FeedSettings(
        f"{AIRCRAFT_ID}-{number}" if number else AIRCRAFT_ID,
        _PORT,
        name,
        trust_clock=True,
        hfov_deg=hfov_deg,
        mount_pitch_deg=mount_pitch_deg,
    )


async def fly_replay(service: Running, order: ReplayOrder) -> int:
    """Play the recording into its ports; return the player's exit code."""
    arguments: list[str] = []
    for source, feed in zip(order.sources, order.aircraft.feed, strict=True):
        arguments += [source, "--rtp", await video_port(service.bus, feed.id)]
    if order.aircraft.mavlink:
        arguments += ["--mavlink", await telemetry_port(service.bus, AIRCRAFT_ID)]
    return await run_child("recordings.replay", [*arguments, *order.extra, "--with-parent"])
