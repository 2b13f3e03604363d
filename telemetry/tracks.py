"""Telemetry from within a feed's stream, or from a file: metadata -> an aircraft's samples -> bus.

Beside link.py, which does the same for MAVLink.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TypeAlias

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import ConfigError, LagebildError, OverflowedError
from flow.samples import LinkState, LinkStatus, Metadata
from flow.units import UtcOrigin

from .protocol.follower import Follower, Judgement
from .settings import AircraftLink, TelemetrySettings
from .subtitle_source import from_subtitles

log = logging.getLogger(__name__)

TICK_NS = 250 * NS_PER_MS
REPORT_NS = NS_PER_S
RETRY_NS = 2 * NS_PER_S
RETRY_MOST_NS = 60 * NS_PER_S
"""A large file that is none of ours is read to its end each time."""
WAITING_LIMIT_BYTES = 1024 * 1024
"""Of a feed's metadata that nobody has read yet: seconds of the fastest."""

Source: TypeAlias = AsyncIterator[Metadata | None]
"""Metadata as it comes; None where some went missing. It ends with a file; raises LagebildError."""


async def from_feed(feed_id: str, bus: Bus, clock: Clock) -> Source:
    """What comes within a feed's stream."""
    with bus.lossless(Metadata, feed_id, WAITING_LIMIT_BYTES) as reader:
        while True:
            try:
                async for metadata in reader:
                    yield metadata
                return  # the bus is closed
            except OverflowedError:
                yield None


SOURCES: dict[str, Callable[[str, Bus, Clock], Source]] = {
    "feed": from_feed,
    "srt": from_subtitles,
}
"""By the scheme of a track's URL."""


class Track:
    """One aircraft's telemetry from one URL. Raises ConfigError for a URL of no known scheme."""

    def __init__(self, bus: Bus, clock: Clock, settings: TelemetrySettings, link: AircraftLink) -> None:
        self.url = link.url
        self._bus, self._clock = bus, clock
        self._aircraft_id = link.aircraft_id
        scheme, _, self._rest = link.url.partition(":")
        if scheme not in SOURCES:
            known = ", ".join(SOURCES)
            message = f"telemetry of '{link.aircraft_id}' comes from {known}, not '{link.url}'"
            raise ConfigError(message, code="unsupported_url")
        self._source = SOURCES[scheme]
        air_links_ms = {f"feed:{feed.id}": feed.air_link_ms for feed in settings.cameras}
        self._late_ns = round(air_links_ms.get(link.url, 0.0) * NS_PER_MS)
        self._follower = Follower(link.aircraft_id, link.url, round(settings.silent_after_s * NS_PER_S))
        self._touched = asyncio.Event()
        self._told: LinkState | None = None
        self._told_ns = 0
        self._halted: Judgement | None = None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._release())
            group.create_task(self._tick())

    async def _follow(self) -> None:
        """Until the source has been played to its end; one that fails is opened again, ever more rarely."""
        pause_ns = RETRY_NS
        while True:
            try:
                async for metadata in self._source(self._rest, self._bus, self._clock):
                    self._take(metadata)
            except LagebildError as error:
                self._halt(LinkStatus.FAILED, error.code, str(error))
            except Exception:  # a bug here must not end the other links
                log.exception("telemetry %s", self.url)
                text = f"telemetry {self.url}: internal error, see the log"
                self._halt(LinkStatus.FAILED, "internal", text)
            else:
                self._halt(LinkStatus.SILENT, "file_ended", f"{self.url} has been played to its end")
                return
            await self._clock.sleep_until(self._clock.now_ns() + pause_ns)
            pause_ns = min(2 * pause_ns, RETRY_MOST_NS)

    def _halt(self, status: LinkStatus, reason: str, detail: str) -> None:
        self._halted = status, reason, detail
        self._report()

    def _take(self, metadata: Metadata | None) -> None:
        if metadata is None:
            self._follower.missed()
            return
        self._halted = None
        if self._late_ns and metadata.utc_origin is UtcOrigin.ARRIVAL:
            # It came with the pictures, by their radio link, and is as old as they are on arrival.
            metadata = replace(metadata, utc_ns=metadata.utc_ns - self._late_ns)
        self._follower.take(metadata, self._clock.now_ns())
        self._publish_due()
        if self._follower.due_ns is not None:
            self._touched.set()
        if self._told is None or self._told.status is not LinkStatus.LIVE:
            self._report()

    async def _release(self) -> None:
        """Publish what is dated ahead when its moment has come."""
        while True:
            await self._touched.wait()
            while (due_ns := self._follower.due_ns) is not None:
                await self._clock.sleep_until(due_ns)
                self._publish_due()
            self._touched.clear()

    def _publish_due(self) -> None:
        for item in self._follower.due(self._clock.now_ns()):
            self._bus.publish(item)

    async def _tick(self) -> None:
        while True:
            self._report()
            await self._clock.sleep_until(self._clock.now_ns() + TICK_NS)

    def _report(self) -> None:
        """Publish the link's state where it has changed, and about once a second."""
        now_ns, told = self._clock.now_ns(), self._told
        state = self._follower.state(told, now_ns, self._halted)
        changed = told is None or _gist(told) != _gist(state)
        if changed:
            self._log(state)
        if changed or now_ns - self._told_ns >= REPORT_NS:
            self._told_ns = now_ns
            self._bus.publish(state)
        self._told = state

    def _log(self, state: LinkState) -> None:
        calm = state.status is LinkStatus.LIVE or state.reason in ("no_metadata", "file_ended")
        level = logging.INFO if calm else logging.WARNING
        log.log(level, "telemetry of %s: %s: %s", self._aircraft_id, state.status, state.detail or self.url)


def _gist(state: LinkState) -> tuple[object, ...]:
    return state.status, state.reason
