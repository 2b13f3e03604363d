"""What makers of exports are given: a flight's folder, and what was known at each moment of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flow.bus import Event
from flow.doors import CameraLook
from flow.flights import Incident
from flow.samples import TelemetrySample
from recordings.flight_file import FlightFile

from .order import ExportOrder

Progress = Callable[[float], None]
"""How far a maker is, from 0 to 1. Who wants it to stop ends its process."""


class Past(Protocol):
    """What was known of an aircraft and its cameras at a moment of a recorded flight."""

    def sample(self, utc_ns: int) -> TelemetrySample | None:
        """The pose between what was told before and after that moment; what was older than a display would
        still show is None in it. None: nothing is known of that moment."""
        ...

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        """Where a camera looked."""
        ...

    def klv(self, feed_id: str, utc_ns: int) -> bytes | None:
        """The MISB ST 0601 set of a picture; None where nothing is known of its moment."""
        ...


@dataclass(frozen=True, slots=True)
class ExportSource:
    """Everything there is of the stretch that was ordered."""

    folder: Path
    flight: FlightFile
    order: ExportOrder
    incident: Incident | None
    events: Sequence[Event]
    samples: Callable[[], Iterator[TelemetrySample]]
    """Those of the stretch, in order."""
    past: Past
