"""What makers of exports are given, of a flight's folder that a test has made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flow.clock import NS_PER_S
from flow.samples import TelemetrySample
from recordings.export.order import ExportOrder, Part, Region
from recordings.export.source import ExportSource
from recordings.flight_file import read_flight
from recordings.folders import SAMPLES_FILE
from recordings.samples_file import samples_between
from web.flight_past import past_of

from .clock import START_NS


def export_source(
    folder: Path,
    from_s: float = 0.0,
    to_s: float = 3600.0,
    regions: dict[str, tuple[Region, ...]] | None = None,
) -> ExportSource:
    """A stretch of it, in seconds after the start, all cameras, in every form."""
    flight = read_flight(folder)
    from_ns, to_ns = (START_NS + round(each * NS_PER_S) for each in (from_s, to_s))
    order = ExportOrder(
        flight.id,
        from_ns,
        to_ns,
        tuple(feed.id for feed in flight.feeds),
        tuple(Part),
        "Meier",
        regions or {},
    )

    def samples() -> Iterator[TelemetrySample]:
        return iter(samples_between(folder / SAMPLES_FILE, from_ns, to_ns).samples)

    return ExportSource(
        folder, flight, order, None, (), samples, past_of(folder, flight, mission="Einsatz 4711")
    )
