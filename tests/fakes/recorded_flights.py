"""Flights as the recorder leaves them on the disk, made at test time: real H.264, real MAVLink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from flow.bus import Event
from flow.clock import NS_PER_S
from flow.flights import Aircraft, Feed
from flow.samples import TelemetrySample
from flow.units import CLOCK_RATE_HZ, AccessUnit
from recordings.flight_file import FlightFile, encoded, replace_file
from recordings.folders import (
    EVENTS_FILE,
    FLIGHT_FILE,
    SAMPLES_FILE,
    TLOG_FILE,
    flight_folder,
    flight_id,
    segment_name,
)
from recordings.protocol.lines import line_of
from recordings.protocol.segment import SegmentMachine

from .clock import START_NS
from .encoded import FPS, Picture, as_units, h264_pictures
from .flight_log import START_US, flight_log

FRITZ = Aircraft("fritz", "Multikopter Fritz", (Feed("fritz-tag", "fritz", "Tageslicht"),))


class FlightMaker:
    """One flight in `root`, begun at once. Every step appends to its files; `end` writes that it is over."""

    def __init__(self, root: Path, aircraft: Aircraft = FRITZ, started_ns: int = START_NS) -> None:
        self.id = flight_id(started_ns, aircraft.id)
        self.folder = flight_folder(root, self.id)
        self.folder.mkdir(parents=True)
        self.file = FlightFile.begun(self.id, aircraft, started_ns)
        self._tracks = {feed.id: _Track(self.folder, feed.id, started_ns) for feed in aircraft.feeds}
        self._flown_s = 0
        self._write_file()

    def film(
        self,
        feed_id: str = "fritz-tag",
        seconds: int = 2,
        *,
        gap_s: float = 0.0,
        pictures: Sequence[Picture] | None = None,
    ) -> list[AccessUnit]:
        """So many seconds of pictures, 30 a second, a keyframe every second, after a gap; those that are
        given, or any. Returns them."""
        return self._tracks[feed_id].film(seconds, gap_s, pictures)

    def cut(self, feed_id: str = "fritz-tag") -> None:
        """Close the segment: the next picture begins another."""
        self._tracks[feed_id].cut()

    def fly(self, seconds: int) -> int:
        """So much telemetry. Returns how many records that were."""
        offset_us = (self.file.started_ns // 1000 - START_US) + self._flown_s * 1_000_000
        self._flown_s += seconds
        records = [(at_us + offset_us).to_bytes(8, "big") + data for at_us, data in flight_log(seconds)]
        _append(self.folder / TLOG_FILE, b"".join(records))
        return len(records)

    def sample(self, *samples: TelemetrySample) -> None:
        _append(self.folder / SAMPLES_FILE, b"".join(map(line_of, samples)))

    def tell(self, *events: Event) -> None:
        _append(self.folder / EVENTS_FILE, b"".join(map(line_of, events)))

    def end(self, after_s: float = 10.0) -> str:
        """So long after its start. Returns its id."""
        for feed_id in self._tracks:
            self.cut(feed_id)
        ended_ns = self.file.started_ns + round(after_s * NS_PER_S)
        self.file = msgspec.structs.replace(self.file, ended_ns=ended_ns)
        self._write_file()
        return self.id

    def _write_file(self) -> None:
        replace_file(self.folder / FLIGHT_FILE, encoded(self.file))


class _Track:
    """One feed: its pictures go on where they stopped, whatever the segment."""

    def __init__(self, folder: Path, feed_id: str, started_ns: int) -> None:
        self._folder = folder
        self._feed_id = feed_id
        self._next_ns = started_ns
        self._seq = 0
        self._number = 0
        self._machine: SegmentMachine | None = None

    def film(self, seconds: int, gap_s: float, pictures: Sequence[Picture] | None) -> list[AccessUnit]:
        self._next_ns += round(gap_s * NS_PER_S)
        units = []
        for at in range(seconds):
            shown = pictures[at * FPS : (at + 1) * FPS] if pictures else h264_pictures(FPS)
            second = as_units(tuple(shown), self._feed_id, self._next_ns)
            start_90k = self._next_ns * CLOCK_RATE_HZ // NS_PER_S
            units += [
                replace(unit, seq=self._seq + n, dts_90k=start_90k + n * 3000, pts_90k=start_90k + n * 3000)
                for n, unit in enumerate(second)
            ]
            self._seq += len(second)
            self._next_ns += NS_PER_S
        for unit in units:
            self._append(self._taken(unit))
        if self._machine is not None:
            self._append(self._machine.flush())
        return units

    def _taken(self, unit: AccessUnit) -> bytes:
        if self._machine is not None:
            return self._machine.take(unit)
        self._machine = SegmentMachine(unit)
        self._number += 1
        return b""

    def cut(self) -> None:
        if self._machine is not None:
            self._append(self._machine.close())
        self._machine = None

    def _append(self, data: bytes) -> None:
        _append(self._folder / segment_name(self._feed_id, self._number), data)


def recorded_flight(
    root: Path, aircraft: Aircraft = FRITZ, started_ns: int = START_NS, seconds: int = 2
) -> FlightMaker:
    """A whole flight: every feed filmed, telemetry beside it, ended when that did."""
    flight = FlightMaker(root, aircraft, started_ns)
    for feed in aircraft.feeds:
        flight.film(feed.id, seconds)
    flight.fly(seconds)
    flight.end(float(seconds))
    return flight


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
