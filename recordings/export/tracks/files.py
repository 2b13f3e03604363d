"""Telemetry files of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flow.samples import TelemetrySample
from recordings.export.order import ExportOrder, Part
from recordings.export.source import ExportSource, Progress
from recordings.flight_file import FlightFile
from recordings.folders import TLOG_FILE

from . import csv_file, geojson, gpx, kml
from .tlog import tlog_parts

_TOLD_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Format:
    """`parts` makes the file of samples and a title, piece by piece."""

    part: Part
    media_type: str
    parts: Callable[[Iterable[TelemetrySample], str], Iterator[bytes]]

    @property
    def suffix(self) -> str:
        return self.part.value


FORMATS = (
    Format(Part.CSV, csv_file.MEDIA_TYPE, csv_file.csv_parts),
    Format(Part.GPX, gpx.MEDIA_TYPE, gpx.gpx_parts),
    Format(Part.KML, kml.MEDIA_TYPE, kml.kml_parts),
    Format(Part.GEOJSON, geojson.MEDIA_TYPE, geojson.geojson_parts),
)


def title_of(flight: FlightFile) -> str:
    return f"{flight.aircraft_name} {flight.id}"


def make_tracks(source: ExportSource, folder: Path, progress: Progress) -> list[Path]:
    """Those that were ordered, as `telemetry.*`; no .tlog where no message came. Raises OSError."""
    order = source.order
    wanted = [each for each in FORMATS if each.part in order.parts]
    made: list[Path] = []
    for number, form in enumerate(wanted):
        samples = _told(source.samples(), order, _part_of(progress, number, len(wanted)))
        path = folder / f"telemetry.{form.suffix}"
        _write(path, form.parts(samples, title_of(source.flight)))
        made.append(path)
    if Part.TLOG in order.parts:
        path = folder / TLOG_FILE
        _write(path, tlog_parts(source.folder / TLOG_FILE, order.from_ns, order.to_ns))
        if path.stat().st_size:
            made.append(path)
        else:
            path.unlink()
    progress(1.0)
    return made


def _part_of(progress: Progress, number: int, count: int) -> Progress:
    return lambda share: progress((number + share) / count)


def _write(path: Path, parts: Iterator[bytes]) -> None:
    with path.open("wb") as out:
        out.writelines(parts)


def _told(
    samples: Iterator[TelemetrySample], order: ExportOrder, progress: Progress
) -> Iterator[TelemetrySample]:
    """The samples, while telling how far in the stretch they are."""
    for number, sample in enumerate(samples):
        if number % _TOLD_EVERY == 0:
            progress(min(1.0, max(0.0, (sample.utc_ns - order.from_ns) / (order.to_ns - order.from_ns))))
        yield sample
