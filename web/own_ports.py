"""Where our own sources listen, once they do: for programs that publish to them."""

from __future__ import annotations

from flow.bus import Bus
from flow.errors import ConfigError
from flow.flights import SourceState
from flow.samples import LinkState


async def video_port(bus: Bus, feed_id: str) -> str:
    """HOST:PORT of an rtp:// feed. Raises ConfigError where the service ends before."""
    with bus.latest(SourceState, feed_id) as states:
        async for state in states:
            if state.address:
                return state.address.partition("://")[2]
    raise ConfigError(f"feed '{feed_id}' did not open its port")


async def telemetry_port(bus: Bus, aircraft_id: str) -> str:
    """HOST:PORT of a udpin: link. Raises ConfigError where the service ends before."""
    with bus.latest(LinkState, aircraft_id) as links:
        async for link in links:
            if link.address:
                return link.address.partition(":")[2]
    raise ConfigError(f"aircraft '{aircraft_id}' did not open its telemetry port")
