"""A serial port, read and never written: it is opened so that the kernel refuses every write.

pyserial opens for writing as well; the handful of settings that a telemetry radio needs are termios' own.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import grp
import os
import stat
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flow.errors import ConfigError, SourceError

READ_BYTES = 4096
"""In one turn of the event loop: 0.7 s of 57,600 bit/s."""

_CONTROL, _INPUT_SPEED, _OUTPUT_SPEED, _CHARACTERS = 2, 4, 5, 6  # in what termios.tcgetattr gives
_FRAMING = termios.CSIZE | termios.PARENB | termios.CSTOPB | termios.HUPCL | getattr(termios, "CRTSCTS", 0)


def port_and_baud(url: str, rest: str) -> tuple[Path, int]:
    """The device and speed of `serial:DEVICE:BAUD`. Raises ConfigError."""
    device, _, baud = rest.rpartition(":")
    if not device.startswith("/") or not baud.isdecimal():
        text = f"telemetry '{url}': DEVICE:BAUD is missing; use serial:/dev/ttyUSB0:57600"
        raise ConfigError(text, code="unsupported_url")
    if _speed(int(baud)) is None:
        text = f"telemetry '{url}': no serial port runs at {baud} baud; telemetry radios use 57600"
        raise ConfigError(text, code="unsupported_url")
    return Path(device), int(baud)


async def read_port(path: Path, baud: int, opened: Callable[[], None], take: Callable[[bytes], None]) -> None:
    """Hand over what comes until cancelled. Raises SourceError where the port cannot be had or has gone."""
    port = _open(path, baud)
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        try:
            data = os.read(port, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # EIO, ENXIO: pulled out
            data = b""
        if data:
            take(data)
        elif not gone.done():
            gone.set_result(None)

    loop.add_reader(port, readable)
    try:
        opened()
        await gone
    finally:
        loop.remove_reader(port)
        _close(port)
    raise SourceError(f"telemetry {path} has gone: it was unplugged, or its power is off", code="serial_gone")


def _open(path: Path, baud: int) -> int:
    """The port, to be read without waiting, at its speed and for us alone."""
    try:
        port = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _open_error(path, error) from None
    try:
        if not os.isatty(port):
            raise SourceError(f"telemetry {path} is no serial port", code="serial_unusable")
        fcntl.flock(
            port, fcntl.LOCK_EX | fcntl.LOCK_NB
        )  # as pyserial's users do: two readers share the bytes
        fcntl.ioctl(port, termios.TIOCEXCL)
        _configure(port, baud)
    except (OSError, termios.error) as error:
        os.close(port)
        raise _open_error(path, OSError(*error.args)) from None
    except SourceError:
        os.close(port)
        raise
    return port


def _close(port: int) -> None:
    with suppress(OSError):  # it may have gone
        fcntl.ioctl(port, termios.TIOCNXCL)  # or a program that reads along would keep us out for ever
    os.close(port)


def _configure(port: int, baud: int) -> None:
    """8 data bits, no parity, 1 stop bit, no flow control, every byte as it comes."""
    speed = _speed(baud)
    characters = termios.tcgetattr(port)[_CHARACTERS]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    control = (termios.tcgetattr(port)[_CONTROL] & ~_FRAMING) | termios.CS8 | termios.CREAD | termios.CLOCAL
    termios.tcsetattr(port, termios.TCSANOW, [0, 0, control, 0, speed, speed, characters])
    termios.tcflush(port, termios.TCIFLUSH)  # what came before, at any speed


def _speed(baud: int) -> int | None:
    """termios' own name of a speed; None where it has none."""
    speed: int | None = getattr(termios, f"B{baud}", None) if baud else None
    return speed


def _open_error(path: Path, error: OSError) -> SourceError:
    match error.errno:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV | errno.ENOTDIR:
            text = f"telemetry {path}: no such device; is the radio plugged in?"
            return SourceError(text, code="serial_not_found")
        case errno.EACCES | errno.EPERM:
            return SourceError(f"telemetry {path} may not be read: {_remedy(path)}", code="serial_forbidden")
        case errno.EBUSY | errno.EWOULDBLOCK:
            text = f"telemetry {path} is in use by another program; let that one forward its MAVLink here"
            return SourceError(text, code="serial_busy")
    return SourceError(f"telemetry {path} cannot be used: {error.strerror}", code="serial_unusable")


def _remedy(path: Path) -> str:
    """Which group to join; where the group may not read either, that the owner must allow it."""
    try:
        known = path.stat()
        group = grp.getgrgid(known.st_gid).gr_name
    except (OSError, KeyError):
        return "ask the administrator"
    if known.st_mode & stat.S_IRGRP:
        return f"add Lagebild's user to the group '{group}'"
    return f"its group '{group}' may not read it"
