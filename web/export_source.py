"""All that a maker of exports is given of a flight, opened in the process that makes it. Blocking."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from flow.bus import Event
from flow.flights import Incident
from recordings.export.order import ExportOrder
from recordings.export.source import ExportSource
from recordings.flight_file import read_flight
from recordings.folders import EVENTS_FILE, SAMPLES_FILE, flight_folder
from recordings.plain_files import whole_lines
from recordings.protocol.lines import LINE_LIMIT_BYTES, LineReader
from recordings.samples_file import samples_within

from .flight_past import past_of


def open_source(
    root: Path, order: ExportOrder, incident: Incident | None, terrain: tuple[str, ...]
) -> ExportSource:
    """Raises NotFoundError, MalformedError where the flight cannot be read, OSError."""
    folder = flight_folder(root, order.flight_id)
    flight = read_flight(folder)
    return ExportSource(
        folder,
        flight,
        order,
        incident,
        list(events_within(folder / EVENTS_FILE, order.from_ns, order.to_ns)),
        partial(samples_within, folder / SAMPLES_FILE, order.from_ns, order.to_ns),
        past_of(folder, flight, terrain=terrain, mission=incident.name if incident else ""),
    )


def events_within(path: Path, from_ns: int, to_ns: int) -> Iterator[Event]:
    """In the order of the file; none where there is no such file. Raises OSError."""
    try:
        lines = (line for line, _ in whole_lines(path, 0, LINE_LIMIT_BYTES))
        for item in LineReader().items(lines):
            if isinstance(item, Event) and from_ns <= item.utc_ns <= to_ns:
                yield item
    except FileNotFoundError:
        return
