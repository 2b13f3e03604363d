"""A flight's folder as a recording to play: all its cameras and its telemetry on one time."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from flow.codec.tlog import read_tlog
from flow.errors import ConfigError, MalformedError
from flow.units import CLOCK_RATE_HZ

from . import segment_file
from .flight_file import FlightFile, RecordedFeed, read_flight
from .folders import TLOG_FILE, segments_in
from .footage import Messages, Tlog
from .protocol.segment_index import Fragment
from .protocol.timing import NS_PER_S, STEP_BACK_LIMIT_NS, Cut
from .protocol.video_track import CodedPicture
from .recording import Recording

logger = logging.getLogger(__name__)

SILENCE_NS = 2 * NS_PER_S
"""So long without a picture is a gap, whatever the camera's rate."""
GROUP_MOST_NS = 12 * NS_PER_S
"""A keyframe longer ago is of pictures that had ended."""
_TAIL_BYTES = 256 * 1024
_USUAL_NS = NS_PER_S // 30  # how long a picture is shown that no other one follows


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of a feed with the fragments in it, one at least. `shift_ns` is what its times are to be moved
    by: after a server that began anew, with its clock set back, they would lie before those already played.
    """

    path: Path
    fragments: tuple[Fragment, ...]
    shift_ns: int = 0

    @property
    def start_ns(self) -> int:
        return self.time_ns(self.fragments[0])

    @property
    def end_ns(self) -> int:
        last = self.fragments[-1]
        return self.time_ns(last) + _ns(last.end_90k - last.dts_90k)

    def time_ns(self, fragment: Fragment) -> int:
        """When its first picture is decoded, in Lagebild time."""
        return fragment.utc_ns - _ns(fragment.pts_90k - fragment.dts_90k) + self.shift_ns

    def last_keyframe_90k(self, time_ns: int) -> int | None:
        keyframes = (f.dts_90k for f in self.fragments if f.keyframe and self.time_ns(f) <= time_ns)
        return max(keyframes, default=None)

    def pictures(self, feed_id: str, from_90k: int | None) -> Iterator[CodedPicture]:
        for unit in segment_file.pictures(self.path, feed_id, from_90k):
            shown_ns = unit.utc_ns + self.shift_ns
            dts_ns = shown_ns - _ns(unit.pts_90k - unit.dts_90k)
            yield CodedPicture(dts_ns, shown_ns, _USUAL_NS, unit.data, unit.codec)


@dataclass(frozen=True, slots=True)
class FlightVideo:
    """One camera of a flight; see recording.Video."""

    feed: RecordedFeed
    segments: Sequence[Segment]
    zero_ns: int

    def pictures_near(self, elapsed_ns: int) -> Callable[[], Iterator[CodedPicture]]:
        starts = [segment.start_ns for segment in self.segments]
        first = max(0, bisect_right(starts, self.zero_ns + elapsed_ns) - 1)
        return partial(self._pictures, first, self.zero_ns + elapsed_ns)

    def _pictures(self, first: int, from_utc_ns: int) -> Iterator[CodedPicture]:
        for number, segment in enumerate(self.segments[first:]):
            yield from segment.pictures(
                self.feed.id, segment.last_keyframe_90k(from_utc_ns) if number == 0 else None
            )

    def keyframe_before(self, elapsed_ns: int) -> int | None:
        utc_ns = self.zero_ns + elapsed_ns
        keyframes = (
            at
            for segment in self.segments
            for fragment in segment.fragments
            if fragment.keyframe and utc_ns - GROUP_MOST_NS <= (at := segment.time_ns(fragment)) <= utc_ns
        )
        newest = max(keyframes, default=None)
        return None if newest is None else newest - self.zero_ns

    def spans(self) -> Iterator[Cut]:
        """When there are pictures, fragment by fragment."""
        for segment in self.segments:
            for fragment in segment.fragments:
                start_ns = segment.time_ns(fragment) - self.zero_ns
                yield Cut(start_ns, start_ns + _ns(fragment.end_90k - fragment.dts_90k))


def open_flight(folder: Path, feed_ids: Sequence[str] = ()) -> tuple[FlightFile, Recording]:
    """Look into a flight's folder; with `feed_ids` only those cameras are played, in that order.

    Raises ConfigError where it is none, or nothing of it can be played. What cannot be read of it is told
    in the log and left out.
    """
    try:
        flight = read_flight(folder)
        found = segments_in(folder)
    except (MalformedError, OSError) as error:
        raise ConfigError(f"{folder}: no flight that can be read: {error}") from None
    wanted = feed_ids or [feed.id for feed in flight.feeds]
    segments = {feed_id: _segments(path for of, _, path in found if of == feed_id) for feed_id in wanted}
    named = {feed.id: feed for feed in flight.feeds}
    telemetry = _telemetry(folder / TLOG_FILE)
    zero_ns, end_ns = _bounds([each for every in segments.values() for each in every], telemetry)
    if end_ns <= zero_ns:
        raise ConfigError(f"{folder}: nothing in it to play: no picture and no telemetry")
    videos = [
        FlightVideo(named.get(feed_id, RecordedFeed(feed_id, feed_id)), segments[feed_id], zero_ns)
        for feed_id in wanted
        if segments[feed_id] or feed_ids
    ]
    silences = _silences(sorted(span for video in videos for span in video.spans()))
    return flight, Recording(flight.id, videos, telemetry, zero_ns, end_ns - zero_ns, silences)


def _segments(paths: Iterable[Path]) -> list[Segment]:
    segments: list[Segment] = []
    for path in paths:
        try:
            fragments = segment_file.read_index(path).fragments
        except (MalformedError, OSError) as error:
            logger.warning("%s is left out: %s", path.name, error)
            continue
        if fragments:
            segments.append(_behind(segments[-1] if segments else None, Segment(path, fragments)))
    return segments


def _behind(before: Segment | None, segment: Segment) -> Segment:
    if before is None:
        return segment
    segment = replace(segment, shift_ns=before.shift_ns)
    back_ns = before.end_ns - segment.start_ns
    return replace(segment, shift_ns=before.shift_ns + back_ns) if back_ns > STEP_BACK_LIMIT_NS else segment


def _telemetry(path: Path) -> Messages | None:
    tlog = Tlog(path)
    try:
        return tlog if next(tlog(), None) is not None else None
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            logger.warning("%s is left out: %s", path.name, error)
        return None


def _bounds(segments: Sequence[Segment], telemetry: Messages | None) -> tuple[int, int]:
    """Lagebild time of the first picture or message, and of the end of the last; equal: there is nothing."""
    starts = [segment.start_ns for segment in segments]
    ends = [segment.end_ns for segment in segments]
    if isinstance(telemetry, Tlog):
        first = next(telemetry(), None)
        last = _last_message_us(telemetry.path)
        starts += [first.time_us * 1000] if first and first.time_us else []
        ends += [last * 1000 + 1] if last else []
    return min(starts, default=0), max(ends, default=0)


def _last_message_us(path: Path) -> int | None:
    """Time of the last record, found near the end: a long flight's telemetry need not be read for it."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return max((utc_us for utc_us, _ in read_tlog(file)), default=None)


def _silences(spans: Iterable[Cut]) -> tuple[Cut, ...]:
    """The times between these spans, which are in the order of their starts."""
    silences: list[Cut] = []
    until_ns: int | None = None
    for span in spans:
        if until_ns is not None and span.from_ns - until_ns > SILENCE_NS:
            silences.append(Cut(until_ns, span.from_ns))
        until_ns = max(span.to_ns, span.to_ns if until_ns is None else until_ns)
    return tuple(silences)


def _ns(ticks: int) -> int:
    return ticks * NS_PER_S // CLOCK_RATE_HZ
