"""The demo aircraft: a program that publishes into our own ports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from .children import run_child
from .own_ports import telemetry_port, video_port
from .service import Running
from .settings import AircraftSettings, FeedSettings

log = logging.getLogger("lagebild.web")

DEMO_HFOV_DEG, DEMO_THERMAL_HFOV_DEG = 70.0, 55.0  # of the simulated cameras

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


async def fly_demo(service: Running, extra: Sequence[str] = ()) -> None:
    """Fly the simulated aircraft into the demo's ports until cancelled; start it anew should it fall."""
    day, thermal = [await video_port(service.bus, feed.id) for feed in DEMO_AIRCRAFT.feed]
    mavlink = await telemetry_port(service.bus, DEMO_AIRCRAFT.id)
    ports = ["--rtp", day, "--rtp-thermal", thermal, "--mavlink", mavlink]
    # 25 pictures a second: a laptop with two cores has to draw, encode, relay and show them.
    arguments = [*ports, "--with-parent", "--fps", "25", *extra]
    while True:
        code = await run_child("simulator", arguments)
        log.error("the demo aircraft ended with code %d; it is started again in 2 s", code)
        await asyncio.sleep(2)
