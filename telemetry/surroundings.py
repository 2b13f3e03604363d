"""Keeps the height model around every aircraft in memory; files are read in another thread."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from threading import Lock

from flow.clock import NS_PER_S, Clock
from flow.samples import Place, TelemetrySample

from .protocol.height_grid import Surroundings
from .protocol.places import distance_m
from .terrain import HeightModels

log = logging.getLogger(__name__)

MOVED_M = 500.0
"""An aircraft that is so far from where its surroundings were read gets new ones."""


_PAST_KEPT = 4
"""Of four megabytes each: of a flight that goes to and fro."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read, and for which places."""

    at: tuple[float, float]
    home: Place | None
    surroundings: Surroundings | None

    def serves(self, at: tuple[float, float], home: Place | None) -> bool:
        return self.home == home and distance_m(self.at, at) <= MOVED_M


class SurroundingsKeeper:
    """`want` says where an aircraft is; `run` reads, one after the other, until cancelled."""

    def __init__(self, paths: tuple[str, ...], clock: Clock) -> None:
        self._paths, self._clock = paths, clock
        self._wanted: dict[str, TelemetrySample] = {}
        self._read: dict[str, _Read] = {}
        self._wake = asyncio.Event()

    def of(self, aircraft_id: str) -> Surroundings | None:
        """None: no model reaches there, or none is configured."""
        if not self._paths:
            return None
        read = self._read.get(aircraft_id)
        return read.surroundings if read else Surroundings()

    def want(self, sample: TelemetrySample) -> None:
        """An aircraft is there now; costs next to nothing unless it has moved."""
        if not self._paths or sample.lat_deg is None or sample.lon_deg is None:
            return
        read = self._read.get(sample.aircraft_id)
        at = sample.lat_deg, sample.lon_deg
        if read is None or not read.serves(at, sample.home):
            self._wanted[sample.aircraft_id] = sample
            self._wake.set()

    async def run(self) -> None:
        if not self._paths:
            return
        models = await asyncio.to_thread(_indexed, self._paths)
        log.info("%d height models cover the ground", len(models.files))
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                aircraft_id, sample = self._wanted.popitem()
                try:
                    self._read[aircraft_id] = await asyncio.to_thread(_read, models, sample)
                except Exception:  # a defect of one file's reader must not end the looks of all
                    log.exception("the height model around %s cannot be read", aircraft_id)
                    await self._clock.sleep_until(self._clock.now_ns() + NS_PER_S)


class PastSurroundings:
    """The same of recorded flights: what is asked for is read at once. Blocking; any thread may ask."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths
        self._models: HeightModels | None = None
        self._kept: deque[_Read] = deque(maxlen=_PAST_KEPT)
        self._lock = Lock()

    def of(self, sample: TelemetrySample) -> Surroundings | None:
        """None: no model reaches there, or none is configured, or where the aircraft is is not known."""
        if not self._paths or sample.lat_deg is None or sample.lon_deg is None:
            return None
        at = sample.lat_deg, sample.lon_deg
        with self._lock:
            read = next((each for each in self._kept if each.serves(at, sample.home)), None)
            if read is None:
                self._models = self._models or _indexed(self._paths)
                read = _read(self._models, sample)
                self._kept.append(read)
        return read.surroundings


def _indexed(paths: tuple[str, ...]) -> HeightModels:
    models = HeightModels(paths)
    for bad in models.unreadable:
        log.warning("height model %s is not used: %s", bad.path, bad.why)
    return models


def _read(models: HeightModels, sample: TelemetrySample) -> _Read:
    at, home = (sample.lat_deg or 0.0, sample.lon_deg or 0.0), sample.home
    grid = models.around(*at)
    home_m = models.height_m(home.lat_deg, home.lon_deg) if grid is not None and home is not None else None
    return _Read(at, home, Surroundings(grid, home_m) if grid is not None else None)
