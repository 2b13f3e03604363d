"""Aircraft that fly over real sockets and keep every byte that anybody sends them: there must be none."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import pty
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.aircraft import true_state
from simulator.flightpath import pose_at
from simulator.mavlink_out import MavlinkOut
from tests.fakes.aircraft import FakeAircraft

TURN_MS = 50
BOOTED_MS = 1_795_330_000_000
PARAMETER = b"RTL_ALT"


def copter(system_id: int) -> Iterator[list[bytes]]:
    """What an autopilot says all the time."""
    drone = FakeAircraft(system_id)
    for boot_ms in itertools.count(1000, TURN_MS):
        yield [drone.heartbeat(), drone.attitude(boot_ms), drone.position(boot_ms), drone.gps()]


def demo(system_id: int) -> Iterator[list[bytes]]:
    """What the demo aircraft says, and one parameter for a ground station to set."""
    out, drone = MavlinkOut(system_id), FakeAircraft(system_id)
    for boot_ms in itertools.count(1000, TURN_MS):
        flight_s = boot_ms / 1000
        said = out.messages(true_state(pose_at(flight_s)), flight_s, boot_ms, BOOTED_MS + boot_ms)
        value = dialect.MAVLink_param_value_message(PARAMETER, 1500.0, 9, 1, 0)
        yield [*said, drone.send(value)]


class RecordingAircraft(asyncio.Protocol, asyncio.DatagramProtocol):
    """One end of a link, of whichever kind; `received` is all that came in on it."""

    def __init__(self, says: Iterator[list[bytes]]) -> None:
        self.received = b""
        self.say: Callable[[bytes], object] = len  # to nobody, as long as nobody listens
        self._says = says
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        is_datagram = hasattr(transport, "sendto")
        self.say = self._transport.sendto if is_datagram else self._transport.write

    def data_received(self, data: bytes) -> None:
        self.received += data

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.received += data

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def fly(self) -> None:
        for messages in self._says:
            for message in messages:
                self.say(message)
            await asyncio.sleep(TURN_MS / 1000)


@contextlib.contextmanager
def at_a_serial_port(aircraft: RecordingAircraft) -> Iterator[str]:
    """The aircraft at the far end of a serial line, and the device at our end."""
    far, near = pty.openpty()
    tty.setraw(near)
    os.set_blocking(far, False)
    loop = asyncio.get_running_loop()
    loop.add_reader(far, lambda: aircraft.data_received(os.read(far, 4096)))
    aircraft.say = lambda message: os.write(far, message)
    try:
        yield os.ttyname(near)
    finally:
        loop.remove_reader(far)
        os.close(far)
        os.close(near)


@contextlib.asynccontextmanager
async def waiting(aircraft: RecordingAircraft) -> AsyncIterator[int]:
    """The aircraft waits to be connected to by TCP, at this port."""
    server = await asyncio.get_running_loop().create_server(lambda: aircraft, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        aircraft.close()
        server.close()


@contextlib.asynccontextmanager
async def sending(aircraft: RecordingAircraft, address: str) -> AsyncIterator[None]:
    """The aircraft sends to a link of ours, "udpin:HOST:PORT" or "tcpin:HOST:PORT"."""
    kind, host, port = address.split(":")
    loop = asyncio.get_running_loop()
    if kind == "udpin":
        await loop.create_datagram_endpoint(lambda: aircraft, remote_addr=(host, int(port)))
    else:
        await loop.create_connection(lambda: aircraft, host, int(port))
    try:
        yield
    finally:
        aircraft.close()
