"""Where a feed may go as MPEG-TS; tests/interop/test_ts_out.py has what goes there."""

from __future__ import annotations

import asyncio

import pytest

from flow.clock import SystemClock
from flow.errors import ConfigError
from flow.flights import Feed
from flow.memory_bus import MemoryBus
from flow.samples import OutputState
from telemetry.settings import TelemetrySettings, TsOut
from telemetry.share.ts_out import Target, TsSender
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("udp://192.0.2.7:5004", Target("192.0.2.7", 5004, 1, True, "")),
        ("udp://239.0.0.1:5004?ttl=4&interface=192.0.2.1", Target("239.0.0.1", 5004, 4, True, "192.0.2.1")),
        ("udp://[ff02::1]:5004?interface=lo", Target("ff02::1", 5004, 1, True, "lo")),
        ("udp://192.0.2.7:5004?klv=async", Target("192.0.2.7", 5004, 1, False, "")),
    ],
)
def test_addresses(url: str, target: Target) -> None:
    assert Target.parse(url) == target


@pytest.mark.parametrize(
    "url",
    ["", "239.0.0.1:5004", "udp://239.0.0.1", "udp://:5004", "tcp://192.0.2.7:5004", "udp://192.0.2.7:70000",
     "udp://239.0.0.1:5004?ttl=256", "udp://239.0.0.1:5004?ttl=", "udp://239.0.0.1:5004?tll=4", "udp://[::1:5004",
     "udp://192.0.2.7:5004?klv=both"],
)  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    settings = TelemetrySettings((), cameras=(Feed("tag", "fritz", "Tageslicht"),))
    with pytest.raises(ConfigError, match="ts_out"):
        TsSender(MemoryBus(), FakeClock(), settings, TsOut("tag", url))


async def test_an_address_that_cannot_be_sent_to_is_told() -> None:
    settings, bus = TelemetrySettings((), cameras=(Feed("tag", "fritz", "Tageslicht"),)), MemoryBus()
    url = "udp://no.such.host.invalid:5004"
    running = asyncio.ensure_future(TsSender(bus, SystemClock(), settings, TsOut("tag", url)).run())
    try:
        async with asyncio.timeout(10):
            with bus.latest(OutputState) as states:
                state = await anext(aiter(states))
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert (state.output_id, state.to, state.open) == ("ts:tag", url, False)
    assert "cannot be sent to" in state.detail
