"""All that telemetry shares: made from the settings, and kept going each by itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.doors import TelemetryDoor
from telemetry.settings import TelemetrySettings

from .cot_out import CotSender
from .forwarder import Forwarder
from .ts_out import TsSender

log = logging.getLogger(__name__)


class Outgoing(Protocol):
    """Something that leaves the house."""

    @property
    def name(self) -> str: ...

    async def run(self) -> None: ...


def shares(
    bus: Bus, clock: Clock, settings: TelemetrySettings, door: TelemetryDoor | None = None
) -> Sequence[Outgoing]:
    """What the settings ask for. `door` says where cameras look."""
    links = tuple(link.url for link in settings.links)
    forwarders = [Forwarder(bus, clock, sharing, links) for sharing in settings.sharing]
    cot = [CotSender(bus, clock, settings, door)] if settings.cot.to else []
    streams = [TsSender(bus, clock, settings, out, door) for out in settings.ts_outs]
    return [*forwarders, *cot, *streams]


async def keep_going(share: Outgoing, clock: Clock) -> None:
    """A defect in what is shared must not end what is shown: log it and go on."""
    while True:
        try:
            await share.run()
        except Exception:
            log.exception("%s failed: a defect of Lagebild; it goes on in a second", share.name)
        await clock.sleep_until(clock.now_ns() + NS_PER_S)
