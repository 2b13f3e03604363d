"""Keeps every flight of every aircraft. One aircraft's trouble touches no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.flights import Aircraft

from .aircraft_recorder import AircraftRecorder
from .open_flights import Cut, Place
from .rules import Rules
from .settings import RecordingsSettings
from .start_up import Found

log = logging.getLogger("lagebild.recordings")


class Recorder:
    """`refusal()` is "" or why nothing may be written; `changed(flight_id)` is told when a flight's folder
    has news for the catalogue; `rules` say what of it is recorded."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: RecordingsSettings,
        refusal: Callable[[], str],
        changed: Callable[[str], None],
        *,
        rules: Rules | None = None,
    ) -> None:
        self._rules = rules or Rules()
        self._bus, self._clock, self._settings = bus, clock, settings
        self._refusal, self._changed = refusal, changed

    async def run(self, found: Found | None = None) -> None:
        """Until cancelled; then all that came is on the disk, or 3 s have passed."""
        found = found or Found()
        place = Place(self._settings.root, set(found.taken), self._refusal, self._changed)
        async with asyncio.TaskGroup() as tasks:
            for aircraft in self._settings.aircraft:
                if not aircraft.training:
                    tasks.create_task(self._record(aircraft, place, found.cuts.get(aircraft.id)))

    async def _record(self, aircraft: Aircraft, place: Place, cut: Cut | None) -> None:
        while True:
            recorder = AircraftRecorder(aircraft, place, self._bus, self._clock, rules=self._rules, cut=cut)
            try:
                await recorder.run()
            except Exception:  # a bug here must not end the recording of the others, nor of this one
                log.exception(
                    "recording of %s failed: a defect of Lagebild; it goes on in a second", aircraft.id
                )
            cut = recorder.left
            await self._clock.sleep_until(self._clock.now_ns() + NS_PER_S)
