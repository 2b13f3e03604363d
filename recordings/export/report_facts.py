"""What a report tells of a stretch of a flight, gathered from its files."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from flow.clock import NS_PER_S
from flow.errors import ConfigError
from flow.samples import Group, Place, TelemetrySample
from recordings.flight_file import RecordedFeed
from recordings.notes import Note, read_notes
from recordings.protocol.timing import Cut
from recordings.recorded_flight import FlightVideo, open_flight
from recordings.recording import Recording

from .flown import Flown, flown
from .source import ExportSource
from .tracks.columns import finite, old_groups
from .tracks.fixes import Fix, fixes, follows

log = logging.getLogger("lagebild.recordings")

_POINT_EVERY_NS = NS_PER_S
_EARTH_M = 6_371_008.8
Span = tuple[int, int]


@dataclass(slots=True)
class Figures:
    """The extremes of what was known; None: nothing was."""

    height_home_m: float | None = None
    height_msl_m: float | None = None
    speed_ms: float | None = None
    distance_m: float | None = None  # from the place of take-off
    battery_first_pct: float | None = None
    battery_last_pct: float | None = None
    positions: int = 0

    def observed(self, samples: Iterable[TelemetrySample]) -> Iterator[TelemetrySample]:
        """Take from samples on their way to somebody else."""
        for sample in samples:
            self._take(sample)
            yield sample

    def _take(self, sample: TelemetrySample) -> None:
        old = old_groups(sample)
        if Group.POSITION not in old:
            self.height_home_m = _greater(self.height_home_m, sample.alt_home_m)
            self.height_msl_m = _greater(self.height_msl_m, sample.alt_msl_m)
        if Group.SPEED not in old:
            self.speed_ms = _greater(self.speed_ms, sample.ground_speed_ms)
        battery = finite(sample.battery_pct)
        if Group.BATTERY not in old and battery is not None:
            self.battery_first_pct = battery if self.battery_first_pct is None else self.battery_first_pct
            self.battery_last_pct = battery


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """`pictures` is from the first to the last, None where there is none. `readable` is whether all of it
    could be looked at."""

    feed: RecordedFeed
    pictures: Span | None = None
    gaps: tuple[Span, ...] = ()
    readable: bool = True


@dataclass(frozen=True, slots=True)
class StillFacts:
    """A picture as a file; what its EXIF does not say is None, or ""."""

    path: Path
    utc_ns: int | None = None
    feed_id: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    source: ExportSource
    flown: Flown
    figures: Figures
    track: Sequence[Sequence[Place]]
    cameras: Sequence[CameraFacts]
    notes: Sequence[Note]
    stills: Sequence[StillFacts] = field(default=())


def facts_of(source: ExportSource, stills: Sequence[Path]) -> Facts:
    """Blocking; reads the telemetry of the flight through once, and that of the stretch. Raises OSError."""
    order = source.order
    ends = flown(source.folder)
    figures = Figures()
    track = _track(fixes(figures.observed(source.samples())), figures, ends.takeoff)
    notes = [n for n in read_notes(source.folder).values() if order.from_ns <= n.utc_ns <= order.to_ns]
    return Facts(
        source,
        ends,
        figures,
        track,
        [_camera(source, feed) for feed in source.flight.feeds if feed.id in order.feed_ids],
        sorted(notes, key=lambda note: note.utc_ns),
        [_still(path) for path in stills],
    )


def _track(track: Iterable[Fix], figures: Figures, takeoff: Place | None) -> list[list[Place]]:
    """A point a second, cut where nobody knows how it flew."""
    pieces: list[list[Place]] = []
    before: Fix | None = None
    drawn_ns = 0
    for fix in track:
        place = Place(fix.lat_deg, fix.lon_deg)
        figures.positions += 1
        if takeoff:
            figures.distance_m = _greater(figures.distance_m, _distance_m(takeoff, place))
        if before is None or not follows(before, fix):
            pieces.append([])
        if not pieces[-1] or fix.utc_ns - drawn_ns >= _POINT_EVERY_NS:
            pieces[-1].append(place)
            drawn_ns = fix.utc_ns
        before = fix
    return pieces


def _camera(source: ExportSource, feed: RecordedFeed) -> CameraFacts:
    from_ns, to_ns = source.order.from_ns, source.order.to_ns
    try:
        _, recording = open_flight(source.folder, (feed.id,))
    except ConfigError:  # nothing of it, and no telemetry either
        return CameraFacts(feed)
    except OSError as error:
        log.warning("%s: %s", feed.id, error)
        return CameraFacts(feed, readable=False)
    zero_ns = recording.zero_ns or 0
    spans = [
        (max(from_ns, zero_ns + span.from_ns), min(to_ns, zero_ns + span.to_ns))
        for span in _spans(recording)
        if zero_ns + span.from_ns < to_ns and zero_ns + span.to_ns > from_ns
    ]
    if not spans:
        return CameraFacts(feed)
    pictures = min(start for start, _ in spans), max(end for _, end in spans)
    gaps = [(zero_ns + gap.from_ns, zero_ns + gap.to_ns) for gap in recording.silences]
    return CameraFacts(feed, pictures, tuple(gap for gap in gaps if pictures[0] <= gap[0] < pictures[1]))


def _spans(recording: Recording) -> Iterator[Cut]:
    for video in recording.videos:
        assert isinstance(video, FlightVideo)
        yield from video.spans()


def _still(path: Path) -> StillFacts:
    try:
        with Image.open(path) as image:
            tags = image.getexif().get_ifd(ExifTags.IFD.Exif)
    except (OSError, UnidentifiedImageError, ValueError):
        return StillFacts(path)
    comment = tags.get(ExifTags.Base.UserComment, b"")
    words = comment.decode("ascii", "replace").split() if isinstance(comment, bytes) else []
    feed = next((each.partition("=")[2] for each in words if "feed=" in each), "")
    return StillFacts(path, _taken_ns(tags), feed)


def _taken_ns(tags: dict[int, object]) -> int | None:
    """Of the EXIF that flow/codec/exif.py writes: UTC, with six decimals."""
    try:
        time = str(tags[ExifTags.Base.DateTimeOriginal])
        micros = str(tags.get(ExifTags.Base.SubsecTimeOriginal, "0")).ljust(6, "0")[:6]
        second = datetime.strptime(time, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
        return round(second.timestamp()) * NS_PER_S + int(micros) * 1000
    except (KeyError, ValueError):
        return None


def _greater(known: float | None, value: float | None) -> float | None:
    value = finite(value)
    if value is None or known is None:
        return known if value is None else value
    return max(known, value)


def _distance_m(one: Place, other: Place) -> float:
    """On a sphere: half a percent off at most."""
    lat, other_lat = math.radians(one.lat_deg), math.radians(other.lat_deg)
    north, east = other_lat - lat, math.radians(other.lon_deg - one.lon_deg)
    chord = math.sin(north / 2) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin(east / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(min(1.0, chord)))
