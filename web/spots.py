"""When a place on the ground was filmed during a flight."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from flow.clock import NS_PER_MS, NS_PER_S
from flow.errors import NotFoundError
from flow.samples import Place
from flow.units import captured_ns
from recordings.folders import SAMPLES_FILE, segment_name, segments_in
from recordings.protocol.segment_index import SegmentIndex
from recordings.recorded_flight import SILENCE_NS
from recordings.segment_file import entries
from recordings.segment_indexes import SegmentIndexes
from telemetry.past import PastLooks
from telemetry.protocol.filmed import Filmed, Span, filmed

from .archive_calls import DiskReads
from .errands import Errands
from .flight_index import RecordedFeed, flight_in, read_feed
from .flight_past import past_of
from .flight_views import Time
from .views import ms

WITHIN_S = 25.0
KEPT = 64
"""Answers, for whoever asks again: of some hundred bytes each."""
_COARSE_NS = 900 * NS_PER_MS  # about one for every second that is looked at
_FINE_NS = NS_PER_S
_MODULE = "web.spot_worker"


@dataclass(frozen=True, slots=True)
class SpotView:
    """A stretch of time in which a place was in a camera's picture."""

    feed_id: Annotated[str, Meta(examples=["fritz-tag"])]
    from_ms: Annotated[Time, Meta(description="UTC, of pictures as the feed's index tells it")]
    to_ms: Time
    best_ms: Annotated[Time, Meta(description="When it was nearest to the picture's middle")]
    share: Annotated[float, Meta(description="How much of that time it was in the picture, 0 to 1")]


@dataclass(frozen=True, slots=True)
class Spots:
    """Feed by feed, in order of time."""

    spots: list[SpotView]


class SpotQuestion(msgspec.Struct, frozen=True):
    """What the process that looks is asked. No feed: all of them."""

    folder: str
    lat_deg: float
    lon_deg: float
    feed_id: str = ""
    terrain: tuple[str, ...] = ()


class SpotDesk:
    """Has flights searched, each in a process of its own, and keeps what was found."""

    def __init__(self, reads: DiskReads, errands: Errands, terrain: tuple[str, ...]) -> None:
        self._reads, self._errands, self._terrain = reads, errands, terrain
        self._kept: OrderedDict[tuple[SpotQuestion, str], bytes] = OrderedDict()

    async def find(self, folder: Path, feed_id: str, lat_deg: float, lon_deg: float) -> bytes:
        """`Spots` as JSON. Raises NotFoundError, BusyError, UnavailableError, LagebildError."""
        question = SpotQuestion(str(folder), lat_deg, lon_deg, feed_id, self._terrain)
        stamp = await self._reads.call(_stamp_of, folder, feed_id)
        key = question, stamp
        if key not in self._kept:
            self._kept[key] = await self._errands.answer(_MODULE, question, WITHIN_S)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def _stamp_of(folder: Path, feed_id: str) -> str:
    """What changes with the samples and the pictures of a flight. Raises NotFoundError."""
    flight = flight_in(folder)
    if feed_id and feed_id not in {feed.id for feed in flight.feeds}:
        raise NotFoundError("this flight has no such feed")
    paths = [path for _, _, path in segments_in(folder)]
    samples = folder / SAMPLES_FILE
    told = (path.stat(follow_symlinks=False) for path in (*paths, samples) if path.exists())
    return " ".join(f"{each.st_size}-{each.st_mtime_ns}" for each in told)


def find_spots(question: SpotQuestion) -> bytes:
    """Blocking: for the process that looks."""
    folder, place = Path(question.folder), Place(question.lat_deg, question.lon_deg)
    flight, indexes = flight_in(folder), SegmentIndexes()
    opened = partial(past_of, folder, flight, terrain=question.terrain, indexes=indexes)
    coarse, fine = opened(every_ns=_COARSE_NS), opened(ahead_ns=_FINE_NS)
    spots: list[SpotView] = []
    for feed in flight.feeds:
        if question.feed_id not in ("", feed.id):
            continue
        recorded = read_feed(folder, feed.id, indexes)
        late_ns = _late_ns(folder, recorded, feed.air_link_ms)
        found = filmed(
            _spans(index for _, index in recorded.segments),
            partial(_seen, coarse, feed.id, late_ns, place),
            partial(_seen, fine, feed.id, late_ns, place),
        )
        spots += [_view(feed.id, each) for each in found]
    return msgspec.json.encode(Spots(spots))


def _seen(past: PastLooks, feed_id: str, late_ns: int, place: Place, utc_ns: int) -> float | None:
    """`utc_ns` as pictures tell it: what is told by its arrival was captured so much earlier."""
    return past.seen(feed_id, utc_ns - late_ns, place)


def _view(feed_id: str, each: Filmed) -> SpotView:
    return SpotView(feed_id, ms(each.from_ns), ms(each.to_ns), ms(each.best_ns), round(each.share, 3))


def _spans(segments: Iterable[SegmentIndex]) -> list[Span]:
    """When there are pictures, joined where no more than a moment is missing."""
    spans: list[Span] = []
    for each in chain.from_iterable(index.fragments for index in segments):
        if spans and spans[-1][0] <= each.utc_ns <= spans[-1][1] + SILENCE_NS:
            spans[-1] = spans[-1][0], max(spans[-1][1], each.end_ns)
        else:
            spans.append((each.utc_ns, each.end_ns))
    return spans


def _late_ns(folder: Path, feed: RecordedFeed, air_link_ms: float) -> int:
    """How much later than its capture the time of a picture of that feed is, by the first one."""
    for number, index in feed.segments:
        first = next(entries(folder / segment_name(feed.feed_id, number), index.fragments[:1]))
        return first.utc_ns - captured_ns(first.utc_ns, first.utc_origin, air_link_ms)
    return 0
