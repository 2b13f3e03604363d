"""pymavlink's own connections as senders, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator

from pymavlink import mavutil

from flow.clock import SystemClock
from flow.memory_bus import MemoryBus
from flow.samples import LinkState, LinkStatus, RawTelemetry, TelemetrySample
from telemetry.link import Telemetry
from telemetry.settings import AircraftLink, TelemetrySettings


@contextlib.asynccontextmanager
async def listening(url: str) -> AsyncIterator[tuple[MemoryBus, str]]:
    """A running telemetry room and the address it has bound."""
    bus = MemoryBus()
    settings = TelemetrySettings((AircraftLink("fritz", url),))
    task = asyncio.ensure_future(Telemetry(bus, SystemClock(), settings).run())
    try:
        async with asyncio.timeout(10):
            async for state in bus.latest(LinkState, "fritz"):
                if state.address:
                    yield bus, state.address
                    break
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await bus.aclose()


def report(sender: mavutil.mavfile, boot_ms: int) -> None:
    sender.mav.heartbeat_send(
        mavutil.mavlink.MAV_TYPE_HEXAROTOR, mavutil.mavlink.MAV_AUTOPILOT_PX4, 0x81, 3 << 16, 4
    )
    sender.mav.attitude_send(boot_ms, 0.1, -0.2, math.radians(-45), 0, 0, 0)
    sender.mav.global_position_int_send(boot_ms, 494_000_000, 76_000_000, 300_000, 60_000, 0, 0, 0, 31_500)


async def test_udpout() -> None:
    async with listening("udpin:127.0.0.1:0") as (bus, address):
        sender = mavutil.mavlink_connection(address.replace("udpin", "udpout"), source_system=42)
        try:
            await judged(bus, sender)
            assert not sender.recv()  # nothing has come back
        finally:
            sender.close()


async def test_tcp_client_of_pymavlink() -> None:
    async with listening("tcpin:127.0.0.1:0") as (bus, address):
        url = address.replace("tcpin", "tcp")
        sender = await asyncio.to_thread(mavutil.mavlink_connection, url, source_system=42)
        try:
            await judged(bus, sender)
        finally:
            sender.close()


async def judged(bus: MemoryBus, sender: mavutil.mavfile) -> None:
    raw = bus.lossless(RawTelemetry)
    with bus.latest(TelemetrySample, "fritz") as samples:
        for boot_ms in itertools.count(1000, 50):
            report(sender, boot_ms)
            await asyncio.sleep(0.01)
            if found := [sample for sample in samples.drain() if sample.mode and sample.lat_deg]:
                break
    sample = found[0]
    assert (sample.mode, sample.armed, sample.lat_deg, sample.alt_home_m) == ("POSCTL", True, 49.4, 60.0)
    assert sample.yaw_deg is not None
    assert abs(sample.yaw_deg - 315) < 1e-3
    state = bus.peek(LinkState, "fritz")
    assert state is not None
    assert (state.status, state.lost, state.bad_bytes) == (LinkStatus.LIVE, 0, 0)
    messages = [mavutil.mavlink.MAVLink(None).parse_char(item.data) for item in raw.drain()]
    assert {message.get_srcSystem() for message in messages} == {42}
