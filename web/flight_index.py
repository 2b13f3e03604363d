"""Where each moment of a recorded feed is: segments, and the fragments of a stretch of time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from flow.clock import NS_PER_S
from flow.errors import MalformedError, NotFoundError
from flow.units import CLOCK_RATE_HZ, Codec
from recordings.flight_file import FlightFile, read_flight
from recordings.folders import FLIGHT_FILE, segments_in
from recordings.protocol.feed_sums import gap_90k
from recordings.protocol.segment_index import Fragment, SegmentIndex, needed
from recordings.segment_indexes import SegmentIndexes

from .flight_views import FlightId, Time
from .views import ms

_TICKS_PER_MS = CLOCK_RATE_HZ / 1000


STRETCH_MOST_NS = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when, UTC; None: from the flight's start, for an hour. The end does not belong to it."""

    from_ns: int | None = None
    to_ns: int | None = None

    def within(self, flight: FlightFile) -> tuple[int, int]:
        """Of an hour at most."""
        start_ns = flight.started_ns if self.from_ns is None else self.from_ns
        most_ns = start_ns + STRETCH_MOST_NS
        return start_ns, most_ns if self.to_ns is None else min(self.to_ns, most_ns)


@dataclass(frozen=True, slots=True)
class FragmentTable:
    """Columns of one length. A fragment is read, and given to a player, as a whole."""

    offset: Annotated[list[int], Meta(description="Its first byte in the segment")] = field(
        default_factory=list
    )
    size: Annotated[list[int], Meta(description="In bytes")] = field(default_factory=list)
    media_ms: Annotated[list[float], Meta(description="Where it begins since the feed's first picture")] = (
        field(default_factory=list)
    )
    utc_ms: Annotated[list[float], Meta(description="When the picture that is shown there was taken")] = (
        field(default_factory=list)
    )
    keyframe: Annotated[list[bool], Meta(description="Playing can begin here")] = field(default_factory=list)
    url: Annotated[
        list[str],
        Meta(description="Of a file of its own, header and all, with offset 0 and size -1; or none"),
    ] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One file of pictures: fragmented MP4."""

    number: int
    url: Annotated[str, Meta(examples=["/api/v1/flights/20261122t044900z-fritz/feeds/tag/segments/1.mp4"])]
    mime: Annotated[str, Meta(examples=['video/mp4; codecs="avc1.42c01f"'])]
    start_ms: Annotated[Time, Meta(description="When its first picture was taken")]
    end_ms: Annotated[Time, Meta(description="When its last picture ends")]
    media_start_ms: Annotated[
        float,
        Meta(description="Where its own time 0 is since the feed's first picture: gaps have their length"),
    ]
    init_bytes: Annotated[int, Meta(description="So many bytes at its beginning are the header")]
    open: Annotated[bool, Meta(description="It still grows")]
    fragments: FragmentTable


@dataclass(frozen=True, slots=True)
class IndexView:
    """A recorded feed of a flight, segment by segment."""

    flight_id: FlightId
    feed_id: str
    started_ms: Time
    ended_ms: Annotated[Time | None, Meta(description="null: it is being recorded")]
    playable: Annotated[bool, Meta(description="Browsers play it as it is")]
    reason: Annotated[Literal["", "codec_h265", "no_segments"], Meta(description="Why they do not")]
    segments: list[SegmentView]
    gaps: Annotated[
        list[tuple[float, float]],
        Meta(description="From when to when nothing was kept between its pictures; a second at least"),
    ] = field(default_factory=list)
    withheld: Annotated[
        list[tuple[float, float | None]],
        Meta(
            description="From when to when its pictures were not wanted, as incident or settings say; "
            "null: still not"
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RecordedFeed:
    """What lies in a flight's folder of one feed."""

    flight: FlightFile
    feed_id: str
    segments: Sequence[tuple[int, SegmentIndex]]


def flight_in(folder: Path) -> FlightFile:
    """Blocking. Its file is written before all others: without it there is nothing of a flight yet.

    Raises NotFoundError, and MalformedError where that file is damaged.
    """
    if not os.path.lexists(folder / FLIGHT_FILE):
        raise NotFoundError("there is no such flight, or nothing of it yet", code="no_flight")
    return read_flight(folder)


def read_feed(folder: Path, feed_id: str, indexes: SegmentIndexes) -> RecordedFeed:
    """Blocking. Segments that cannot be read, or have no picture yet, are passed over.

    Raises NotFoundError where there is no such flight or feed, MalformedError where the flight is damaged.
    """
    flight = flight_in(folder)
    files = [(number, path) for feed, number, path in segments_in(folder) if feed == feed_id]
    if not files and feed_id not in {feed.id for feed in flight.feeds}:
        raise NotFoundError("this flight has no such feed")
    found = ((number, _index(indexes, path)) for number, path in files)
    return RecordedFeed(flight, feed_id, [(n, index) for n, index in found if index and index.fragments])


def _index(indexes: SegmentIndexes, path: Path) -> SegmentIndex | None:
    try:
        return indexes.of(path)
    except (MalformedError, NotFoundError):
        return None


def index_view(feed: RecordedFeed, stretch: Stretch | None) -> IndexView:
    """With the fragments that a player needs to show `stretch`; with none where there is none."""
    zero_90k = feed.segments[0][1].fragments[0].pts_90k if feed.segments else 0
    reason = _unplayable(feed)
    return IndexView(
        flight_id=feed.flight.id,
        feed_id=feed.feed_id,
        started_ms=ms(feed.flight.started_ns),
        ended_ms=None if feed.flight.ended_ns is None else ms(feed.flight.ended_ns),
        playable=not reason,
        reason=reason,
        segments=[_segment_view(feed, each, zero_90k, stretch) for each in feed.segments],
        gaps=gaps_of(feed),
        withheld=[
            (ms(from_ns), None if to_ns is None else ms(to_ns))
            for from_ns, to_ns in feed.flight.withheld_of(feed.feed_id)
        ],
    )


def gaps_of(feed: RecordedFeed) -> list[tuple[float, float]]:
    """From when to when, in milliseconds of UTC. A clock that was set back leaves none."""
    fragments = chain.from_iterable(index.fragments for _, index in feed.segments)
    found = ((a.end_ns, b.utc_ns) for a, b in pairwise(fragments) if gap_90k(a, b))
    return [(ms(from_ns), ms(to_ns)) for from_ns, to_ns in found if to_ns > from_ns]


def _unplayable(feed: RecordedFeed) -> Literal["", "codec_h265", "no_segments"]:
    if not feed.segments:
        return "no_segments"
    return "codec_h265" if any(each.codec is Codec.H265 for _, each in feed.segments) else ""


def _segment_view(
    feed: RecordedFeed, segment: tuple[int, SegmentIndex], zero_90k: int, stretch: Stretch | None
) -> SegmentView:
    number, index = segment
    first = index.fragments[0]
    return SegmentView(
        number=number,
        url=f"/api/v1/flights/{feed.flight.id}/feeds/{feed.feed_id}/segments/{number}.mp4",
        mime=index.mime,
        start_ms=ms(first.utc_ns),
        end_ms=ms(index.fragments[-1].end_ns),
        media_start_ms=_media_ms(first.pts_90k - zero_90k),
        init_bytes=index.init_bytes,
        open=not index.closed and feed.flight.ended_ns is None,
        fragments=_table(needed(index.fragments, *stretch.within(feed.flight)) if stretch else (), zero_90k),
    )


def _table(fragments: Sequence[Fragment], zero_90k: int) -> FragmentTable:
    """`zero_90k`: when the feed's first picture is shown.

    A keyframe is shown as its group begins. What another fragment begins with may, among B-frames, be shown
    after pictures that follow it: its moment is put back by as much.
    """
    table, delay_90k = FragmentTable(), 0
    for each in fragments:
        if each.keyframe:
            delay_90k = _delay_90k(each)
        ahead_90k = _delay_90k(each) - delay_90k
        table.offset.append(each.offset)
        table.size.append(each.size)
        table.media_ms.append(_media_ms(each.dts_90k + delay_90k - zero_90k))
        table.utc_ms.append(ms(each.utc_ns - ahead_90k * NS_PER_S // CLOCK_RATE_HZ))
        table.keyframe.append(each.keyframe)
    return table


def _delay_90k(fragment: Fragment) -> int:
    return fragment.pts_90k - fragment.dts_90k


def _media_ms(ticks: int) -> float:
    return round(ticks / _TICKS_PER_MS, 3)
