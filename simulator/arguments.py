"""The command line of the demo aircraft."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from simulator.aircraft import ClockError, Errors

Address = tuple[str, int]


@dataclass(frozen=True)
class Arguments:
    rtp: Address
    rtp_thermal: Address | None
    mavlink: Address | None
    system_id: int
    seed: int
    fps: float
    size: tuple[int, int]
    truth: Path | None
    seconds: float | None
    with_parent: bool
    errors: Errors


def parse(words: list[str] | None = None) -> Arguments:
    """Read the command line; leaves with a message where it is wrong, as argparse does."""
    given = _parser().parse_args(words)
    errors = Errors(
        gps_m=given.gps_noise_m,
        alt_m=given.alt_noise_m,
        attitude_deg=given.attitude_noise_deg,
        gimbal_deg=given.gimbal_noise_deg,
        clock=ClockError(given.clock_offset_ms, given.clock_drift_ppm),
        camera_clock=ClockError(given.camera_clock_offset_ms, given.camera_clock_drift_ppm),
        autopilot_clock=ClockError(given.autopilot_clock_offset_ms, given.autopilot_clock_drift_ppm),
    )
    return Arguments(
        rtp=given.rtp,
        rtp_thermal=given.rtp_thermal,
        mavlink=given.mavlink,
        system_id=given.system_id,
        seed=given.seed,
        fps=given.fps,
        size=given.size,
        truth=given.truth,
        seconds=given.seconds,
        with_parent=given.with_parent,
        errors=errors,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simulator", description="The demo aircraft: RTP and MAVLink over UDP."
    )
    add = parser.add_argument
    add("--rtp", type=_address, required=True, metavar="HOST:PORT", help="daylight camera: RTP H.264")
    add("--rtp-thermal", type=_address, metavar="HOST:PORT", help="thermal camera, 640x512")
    add("--mavlink", type=_address, metavar="HOST:PORT", help="MAVLink 2 over UDP")
    add("--system-id", type=int, default=1, choices=range(1, 256), metavar="1..255", help="default 1")
    add("--seed", type=int, default=7, help="of landscape, smoke and noise; default 7")
    add("--fps", type=_rate, default=30.0, help="pictures a second of both cameras; default 30")
    add(
        "--size",
        type=_size,
        default=(1280, 720),
        metavar="WxH",
        help="of the daylight picture; default 1280x720",
    )
    add(
        "--truth",
        type=Path,
        metavar="FILE",
        help="write what each picture truly shows, a JSON object per line",
    )
    add("--seconds", type=float, help="end after so long; default: never")
    add(
        "--with-parent",
        action="store_true",
        help="end when standard input is closed, as at the parent's death",
    )
    noise = parser.add_argument_group(
        "errors of the aircraft's sensors and clocks (never of the picture or the truth)"
    )
    for name in ("gps-noise-m", "alt-noise-m", "attitude-noise-deg", "gimbal-noise-deg"):
        noise.add_argument(f"--{name}", type=float, default=0.0, metavar="SIGMA")
    for clock, whose in (
        ("clock", "of RTP and MAVLink"),
        ("camera-clock", "of RTP and its sender reports alone, on top"),
        ("autopilot-clock", "of MAVLink alone, on top"),
    ):
        noise.add_argument(f"--{clock}-offset-ms", type=float, default=0.0, metavar="MS", help=whose)
        noise.add_argument(f"--{clock}-drift-ppm", type=float, default=0.0, metavar="PPM", help="its pace")
    return parser


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 1 <= rate <= 120:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pictures a second from 1 to 120")
    return rate


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()) or int(width) % 16 or int(height) % 2:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not WIDTHxHEIGHT with a width in sixteens and an even height"
        )
    return int(width), int(height)
