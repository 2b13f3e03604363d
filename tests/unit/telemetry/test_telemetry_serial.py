"""A serial port, which is a real pseudo-terminal here: read, never written, gone and back."""

from __future__ import annotations

import fcntl
import os
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flow.errors import ConfigError
from flow.samples import LinkStatus
from telemetry.serial_port import port_and_baud
from telemetry.settings import AircraftLink
from tests.fakes.aircraft import FakeAircraft
from tests.unit.telemetry.test_telemetry_link import Running, running

MS = 1_000_000
BAUD = 57_600


class Radio:
    """What is plugged into the other end; `path` is the port's name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ours: int | None = None

    def plug_in(self) -> None:
        self._ours, port = os.openpty()
        tty.setraw(self._ours)
        os.set_blocking(self._ours, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(port))
        os.close(port)

    def pull_out(self) -> None:
        if self._ours is not None:
            os.close(self._ours)
            self.path.unlink()
        self._ours = None

    def send(self, data: bytes) -> None:
        assert self._ours is not None
        os.write(self._ours, data)

    def received(self) -> bytes:
        """What has come from the port, or an error: nothing, and EIO where nobody has it open."""
        assert self._ours is not None
        return os.read(self._ours, 1)

    def speed(self) -> int:
        assert self._ours is not None
        return int(termios.tcgetattr(self._ours)[4])


@pytest.fixture
def radio(tmp_path: Path) -> Iterator[Radio]:
    radio = Radio(tmp_path / "usb-FTDI_radio-if00-port0")
    yield radio
    radio.pull_out()


def link(radio: Radio) -> AircraftLink:
    return AircraftLink("fritz", f"serial:{radio.path}:{BAUD}", 1)


async def fails(run: Running, reason: str) -> str:
    """The line that says so."""
    await run.until(lambda: run.state().reason == reason, 50 * MS)
    assert run.state().status is LinkStatus.FAILED
    return run.state().detail


async def test_read_at_its_speed_and_never_written(radio: Radio) -> None:
    radio.plug_in()
    drone = FakeAircraft()
    async with running(link(radio)) as run:
        await run.until(lambda: run.states() and run.state().address)
        assert run.state().address == f"serial:{radio.path}:{BAUD}"
        assert radio.speed() == termios.B57600
        message = drone.position(1000)
        radio.send(drone.heartbeat() + message[:7])
        radio.send(message[7:])
        await run.until(run.sample)
        assert (run.state().status, run.state().bad_bytes) == (LinkStatus.LIVE, 0)
        with pytest.raises(BlockingIOError):
            radio.received()
        modes = [fcntl.fcntl(port, fcntl.F_GETFL) & os.O_ACCMODE for port in held(radio.path)]
        assert modes == [os.O_RDONLY]  # whatever code may try, the kernel lets nothing out
    assert held(radio.path) == []


def held(path: Path) -> list[int]:
    """The file descriptors of this process that are this terminal."""
    name, found = os.path.realpath(path), []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if os.readlink(entry) == name:
                found.append(int(entry.name))
        except FileNotFoundError:
            continue  # the one that lists them
    return found


async def test_gone_and_back(radio: Radio) -> None:
    drone = FakeAircraft()
    async with running(link(radio)) as run:
        await run.until(run.states)
        assert "is the radio plugged in" in await fails(run, "serial_not_found")
        for _ in range(2):
            radio.plug_in()
            await run.until(lambda: run.state().reason == "no_messages", 50 * MS)
            radio.send(drone.heartbeat()[:9])  # cut off, and not completed by what comes later
            radio.pull_out()
            assert str(radio.path) in await fails(run, "serial_gone")
        radio.plug_in()
        await run.until(lambda: run.state().reason == "no_messages", 50 * MS)
        radio.send(drone.heartbeat())
        await run.until(lambda: run.state().status is LinkStatus.LIVE)


async def test_in_use_by_another_program(radio: Radio) -> None:
    radio.plug_in()
    other = os.open(radio.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    async with running(link(radio)) as run:
        await run.until(run.states)
        assert "another program" in await fails(run, "serial_busy")
        os.close(other)
        await run.until(lambda: run.state().reason == "no_messages", 50 * MS)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything."""
    if os.geteuid():
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(65_534)
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@pytest.mark.parametrize(("mode", "advice"), [(0o020, "may not read it"), (0o060, "to the group '")])
async def test_without_permission_the_group_is_named(mode: int, advice: str) -> None:
    ends = os.openpty()
    path = Path(os.ttyname(ends[1]))
    path.chmod(mode)
    with as_nobody():
        async with running(AircraftLink("fritz", f"serial:{path}:{BAUD}", 1)) as run:
            await run.until(run.states)
            assert advice in await fails(run, "serial_forbidden")
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, os.mkfifo])
async def test_what_is_no_port_is_refused_at_once(tmp_path: Path, make: object) -> None:
    path = tmp_path / "ttyUSB0"
    assert callable(make)
    make(path)
    async with running(AircraftLink("fritz", f"serial:{path}:{BAUD}", 1)) as run:
        await run.until(run.states)
        assert str(path) in await fails(run, "serial_unusable")


@pytest.mark.parametrize("rest", ["/dev/ttyUSB0", "ttyUSB0:57600", "/dev/ttyUSB0:fast", "/dev/ttyUSB0:57601"])
def test_a_port_without_its_speed_is_one_clear_line(rest: str) -> None:
    with pytest.raises(ConfigError, match="57600"):
        port_and_baud(f"serial:{rest}", rest)


def test_names_by_path_have_colons() -> None:
    name = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0"
    assert port_and_baud(f"serial:{name}:115200", f"{name}:115200") == (Path(name), 115_200)
