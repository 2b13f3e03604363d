"""Programs that publish into our own ports: the demo aircraft, and replayed recordings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.errors import ConfigError
from flow.flights import SourceState
from flow.samples import LinkState

from .children import run_child
from .service import Running
from .settings import AircraftSettings, FeedSettings

log = logging.getLogger("lagebild.web")

DEMO_HFOV_DEG = 70.0  # of the simulated daylight camera
DEMO_THERMAL_HFOV_DEG = 55.0

DEMO_AIRCRAFT = AircraftSettings(
    id="fritz",
    name="Multikopter Fritz",
    mavlink="udpin:127.0.0.1:0",
    system_id=1,
    feed=(
        FeedSettings(
            "fritz-tag", "rtp://127.0.0.1:0", "Tageslicht", trust_clock=True, hfov_deg=DEMO_HFOV_DEG
        ),
        FeedSettings(
            "fritz-waerme",
            "rtp://127.0.0.1:0",
            "Wärmebild",
            trust_clock=True,
            hfov_deg=DEMO_THERMAL_HFOV_DEG,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """What `lagebild replay` was asked for."""

    videos: tuple[Path, ...]
    telemetry: Path | None
    extra: tuple[str, ...]  # handed on to recordings.replay as it is

    def as_aircraft(self) -> AircraftSettings:
        """The aircraft whose ports the recording is played into."""
        for path in (*self.videos, *([self.telemetry] if self.telemetry else [])):
            if not path.is_file():
                raise ConfigError(f"replay: {path}: no such file")
        feeds = tuple(
            FeedSettings(f"replay-{n}" if n else "replay", "rtp://127.0.0.1:0", path.stem, trust_clock=True)
            for n, path in enumerate(self.videos)
        )
        link = "udpin:127.0.0.1:0" if self.telemetry else ""
        return AircraftSettings("replay", "Wiedergabe", link, feed=feeds)


async def fly_demo(service: Running, extra: Sequence[str] = ()) -> None:
    """Fly the simulated aircraft into the demo's ports until cancelled; start it anew should it fall."""
    day, thermal = [await _port_of(service, feed.id) for feed in DEMO_AIRCRAFT.feed]
    mavlink = await _link_of(service, DEMO_AIRCRAFT.id)
    ports = ["--rtp", day, "--rtp-thermal", thermal, "--mavlink", mavlink]
    # 25 pictures a second: a laptop with two cores has to draw, encode, relay and show them.
    arguments = [*ports, "--with-parent", "--fps", "25", *extra]
    while True:
        code = await run_child("simulator", arguments)
        log.error("the demo aircraft ended with code %d; it is started again in 2 s", code)
        await asyncio.sleep(2)


async def fly_replay(service: Running, order: ReplayOrder) -> int:
    """Play the recording into its ports; return the player's exit code."""
    arguments: list[str] = []
    for path, feed in zip(order.videos, order.as_aircraft().feed, strict=True):
        arguments += ["--video", str(path), "--rtp", await _port_of(service, feed.id)]
    if order.telemetry:
        arguments += ["--telemetry", str(order.telemetry), "--mavlink", await _link_of(service, "replay")]
    return await run_child("recordings.replay", [*arguments, *order.extra])


async def _port_of(service: Running, feed_id: str) -> str:
    with service.bus.latest(SourceState, feed_id) as states:
        async for state in states:
            if state.address:
                return state.address.partition("://")[2]
    raise ConfigError(f"feed '{feed_id}' did not open its port")


async def _link_of(service: Running, aircraft_id: str) -> str:
    with service.bus.latest(LinkState, aircraft_id) as links:
        async for link in links:
            if link.address:
                return link.address.partition(":")[2]
    raise ConfigError(f"aircraft '{aircraft_id}' did not open its telemetry port")
