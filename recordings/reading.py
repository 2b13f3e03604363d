"""What reading a flight's folder gave: whole, or what came since the last time."""

from __future__ import annotations

from dataclasses import dataclass

from flow.bus import Event
from flow.flights import Marker
from flow.units import Codec

from .entries import FeedEntry, FlightPlace
from .flight_file import FlightFile


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One file of a feed. Times are those of its first picture and of the end of its last."""

    feed_id: str
    number: int
    codec: Codec
    width_px: int
    height_px: int
    first_ns: int | None
    last_ns: int | None
    pictures: int
    size_bytes: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """Sums are of the whole flight; `segments`, `events`, `markers` and `cells` are what is new or has
    changed since the reading before, or all of them in the first."""

    flight: FlightFile
    size_bytes: int
    messages: int
    marker_count: int
    alarm_count: int
    damage: str
    stamp: str  # changes with the folder's names and its flight.json
    feeds: tuple[FeedEntry, ...]
    segments: tuple[SegmentEntry, ...]
    events: tuple[tuple[Event, bytes], ...]  # with the line each stands in
    markers: tuple[Marker, ...]
    place: FlightPlace | None
    cells: tuple[int, ...]
    first: bool
