"""What was known at any moment of a recorded flight: its folder, handed to the room of telemetry."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

from flow.errors import MalformedError, NotFoundError
from flow.flights import Feed
from flow.samples import TelemetrySample
from recordings.flight_file import FlightFile
from recordings.folders import SAMPLES_FILE, segments_in
from recordings.samples_file import samples_between
from recordings.segment_indexes import SegmentIndexes
from telemetry.past import AHEAD_NS, PastLooks
from telemetry.surroundings import PastSurroundings


def past_of(
    folder: Path,
    flight: FlightFile,
    *,
    terrain: tuple[str, ...] = (),
    around: PastSurroundings | None = None,
    mission: str = "",
    every_ns: int = 0,
    ahead_ns: int = AHEAD_NS,
    indexes: SegmentIndexes | None = None,
) -> PastLooks:
    """For one thread at a time, and every question may wait for the disk.

    `terrain`: the height models of the settings, unless they are read already (`around`). `mission` goes into
    KLV: what the operation is called. Of the samples only those are used that are `every_ns` after the one
    before, where that is enough. `ahead_ns` as of PastLooks; `indexes` may know the segments already.
    """

    def samples(from_ns: int, to_ns: int) -> Iterable[TelemetrySample]:
        return samples_between(folder / SAMPLES_FILE, from_ns, to_ns, every_ns).samples

    name = flight.aircraft_name or flight.aircraft_id
    shapes = _Shapes(folder, indexes or SegmentIndexes())
    return PastLooks(
        cameras_of(flight),
        samples,
        shapes.at,
        around=around or PastSurroundings(terrain),
        mission=mission,
        aircraft=name,
        ahead_ns=ahead_ns,
    )


def cameras_of(flight: FlightFile) -> list[Feed]:
    """As they were configured at the time."""
    return [
        Feed(
            feed.id,
            flight.aircraft_id,
            feed.name,
            air_link_ms=feed.air_link_ms,
            hfov_deg=feed.hfov_deg,
            mount_pitch_deg=feed.mount_pitch_deg,
        )
        for feed in flight.feeds
    ]


class _Shapes:
    """How high pictures are for their width, which changes with the segment at most."""

    def __init__(self, folder: Path, indexes: SegmentIndexes) -> None:
        self._folder, self._indexes = folder, indexes
        self._known: dict[str, tuple[list[int], list[float]]] = {}

    def at(self, feed_id: str, utc_ns: int) -> float | None:
        if feed_id not in self._known:
            self._known[feed_id] = self._read(feed_id)
        begins_ns, shapes = self._known[feed_id]
        return shapes[max(0, bisect_right(begins_ns, utc_ns) - 1)] if shapes else None

    def _read(self, feed_id: str) -> tuple[list[int], list[float]]:
        begins_ns: list[int] = []
        shapes: list[float] = []
        for path in (path for of, _, path in segments_in(self._folder) if of == feed_id):
            try:
                index = self._indexes.of(path)
            except (MalformedError, NotFoundError):
                continue
            if index.fragments and index.width_px:
                begins_ns.append(index.fragments[0].utc_ns)
                shapes.append(index.height_px / index.width_px)
        return begins_ns, shapes
