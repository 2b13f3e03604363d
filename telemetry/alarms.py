"""Watches every aircraft's telemetry on the bus, and publishes the alarms that it is worth."""

from __future__ import annotations

import asyncio
import logging

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.flights import Alarm
from flow.samples import LinkState, StatusText, TelemetrySample

from .protocol.alarms import AircraftAlarms
from .settings import Thresholds

log = logging.getLogger(__name__)

TICK_NS = 500 * NS_PER_MS
NEWS_NS = 60 * NS_PER_S
"""Texts that the bus has kept from longer ago are no news."""


class AlarmWatch:
    """The alarms of all aircraft that have thresholds. `run()` until cancelled."""

    def __init__(self, bus: Bus, clock: Clock, thresholds: tuple[Thresholds, ...]) -> None:
        self._bus, self._clock = bus, clock
        self._aircraft = {limits.aircraft_id: AircraftAlarms(limits) for limits in thresholds}

    async def run(self) -> None:
        while True:
            try:
                await self._watch()
            except Exception:  # a bug here must not end the links, nor what stands of other aircraft
                log.exception("alarms failed: a defect of Lagebild; they go on in a second")
            await self._clock.sleep_until(self._clock.now_ns() + NS_PER_S)

    async def _watch(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_samples())
            tasks.create_task(self._follow_links())
            tasks.create_task(self._follow_texts())
            tasks.create_task(self._tick())

    async def _follow_samples(self) -> None:
        with self._bus.latest(TelemetrySample) as samples:
            async for sample in samples:
                if (aircraft := self._aircraft.get(sample.aircraft_id)) is not None:
                    now_ns = self._clock.now_ns()
                    over = sample.forgets
                    self._publish(aircraft.forget(now_ns) if over else aircraft.sample(sample, now_ns))

    async def _follow_links(self) -> None:
        with self._bus.latest(LinkState) as links:
            async for link in links:
                if (aircraft := self._aircraft.get(link.aircraft_id)) is not None:
                    self._publish(aircraft.link(link, self._clock.now_ns()))

    async def _follow_texts(self) -> None:
        with self._bus.events(StatusText) as texts:
            async for text in texts:
                aircraft = self._aircraft.get(text.aircraft_id)
                now_ns = self._clock.now_ns()
                if isinstance(text, StatusText) and aircraft and now_ns - text.utc_ns < NEWS_NS:
                    self._publish(aircraft.text(text, now_ns))

    async def _tick(self) -> None:
        while True:
            now_ns = self._clock.now_ns()
            for aircraft in self._aircraft.values():
                self._publish(aircraft.poll(now_ns))
            await self._clock.sleep_until(now_ns + TICK_NS)

    def _publish(self, alarms: list[Alarm]) -> None:
        for alarm in alarms:
            self._bus.publish(alarm)
