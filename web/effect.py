"""What an incident's pictures were worth to those who watched: the measured effect, as a page and as CSV."""

from __future__ import annotations

import csv
import io
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from flow.clock import NS_PER_S
from flow.errors import NotFoundError
from flow.flights import Incident
from recordings.archive import Archive
from recordings.entries import FlightEntry, FlightQuery
from recordings.keeper import every_flight
from recordings.viewing import AGE_EDGES_MS, Viewing

from .archive_calls import in_time
from .flight_views import IncidentView, Time, incident_view
from .viewing_views import ViewingSummary, summed, while_flown
from .views import ms

JOIN_EDGES_MS = (100, 200, 300, 500, 1000, 2000, 5000, 10_000)
"""Upper edges of the buckets that first pictures are counted in; one more is for what took longer."""
COURSE_MOST = 500

_JOINS = f"Viewers by their first picture: within {', '.join(map(str, JOIN_EDGES_MS))} ms, and later"
_AtMost = Annotated[
    int | None, Meta(description="An edge of the histogram, so not more than that; null: none, or older")
]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FeedEffect:
    """What was seen of one camera. `most_at_once` is how many watched it together."""

    feed_id: str
    name: str
    aircraft_id: str
    aircraft_name: str
    most_at_once: int
    summary: ViewingSummary


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """From that time on so many watched."""

    utc_ms: Time
    viewers: int


@dataclass(frozen=True, slots=True)
class EffectView:
    """The effect of an incident. A stay that reaches into one of its flights counts as a whole; `course` and
    `most_at_once` are of the time of the flights alone."""

    incident: IncidentView
    flights: int
    flown_ms: Annotated[float, Meta(description="Of all flights together, so far")]
    summary: ViewingSummary
    most_at_once: int
    age_p50_ms: _AtMost
    age_p95_ms: _AtMost
    joins: Annotated[list[int], Meta(description=_JOINS)]
    join_edges_ms: list[int]
    feeds: list[FeedEffect]
    course: Annotated[list[CoursePoint], Meta(description=f"At most {COURSE_MOST}, the peaks kept")]


@dataclass(frozen=True, slots=True)
class Seen:
    """An incident, its flights, and who watched them."""

    incident: Incident
    flights: list[FlightEntry]
    viewings: list[Viewing]
    now_ns: int

    def view(self) -> EffectView:
        """For a thread: there may be many thousands of viewings."""
        summary = summed(self.viewings)
        course = course_of(_spans(self.viewings, self.flights, self.now_ns))
        return EffectView(
            incident=incident_view(self.incident),
            flights=len(self.flights),
            flown_ms=sum(ms(max(0, _end(each, self.now_ns) - each.started_ns)) for each in self.flights),
            summary=summary,
            most_at_once=_most(course),
            age_p50_ms=age_at_most(summary.ages, 0.5),
            age_p95_ms=age_at_most(summary.ages, 0.95),
            joins=joins_of(self.viewings),
            join_edges_ms=list(JOIN_EDGES_MS),
            feeds=self._feeds(),
            course=[CoursePoint(ms(at_ns), viewers) for at_ns, viewers in thinned(course, COURSE_MOST)],
        )

    def _feeds(self) -> list[FeedEffect]:
        """Of every camera that flew, whether anybody watched it or not."""
        by_feed: dict[str, list[Viewing]] = defaultdict(list)
        for viewing in self.viewings:
            by_feed[viewing.feed_id].append(viewing)
        named = {
            feed.id: (feed.name, flight.aircraft_id, flight.aircraft_name)
            for flight in reversed(self.flights)  # the newest name counts
            for feed in flight.feeds
        }
        return [
            FeedEffect(
                feed_id,
                *names,
                _most(course_of(_spans(by_feed[feed_id], self.flights, self.now_ns))),
                summed(by_feed[feed_id]),
            )
            for feed_id, names in sorted(named.items())
        ]

    def json(self) -> bytes:
        return msgspec.json.encode(self.view())

    def csv(self) -> bytes:
        """One line for each stay, the oldest first; ids alone, so nothing that a spreadsheet would run."""
        text = io.StringIO(newline="")
        lines = csv.writer(text)
        ages = [f"seconds_up_to_{edge}_ms" for edge in AGE_EDGES_MS]
        lines.writerow([*_COLUMNS, *ages, f"seconds_over_{AGE_EDGES_MS[-1]}_ms"])
        lines.writerows(map(_row, sorted(self.viewings, key=lambda each: (each.started_ns, each.id))))
        return text.getvalue().encode()


_COLUMNS = (
    "viewing", "camera", "from_utc", "to_utc",
    "first_picture_ms", "watched_s", "interruptions", "interrupted_s",
)  # fmt: skip


def _row(viewing: Viewing) -> list[object]:
    joined = "" if viewing.joined_ms is None else round(viewing.joined_ms, 1)
    return [
        viewing.id,
        viewing.feed_id,
        _utc(viewing.started_ns),
        _utc(viewing.ended_ns),
        joined,
        round(math.fsum(viewing.ages), 1),
        viewing.interruptions,
        round(viewing.interrupted_ms / 1000, 3),
        *(round(seconds, 1) for seconds in viewing.ages),
    ]


def _utc(utc_ns: int) -> str:
    """ISO 8601, to the millisecond."""
    at = datetime.fromtimestamp(utc_ns // NS_PER_S, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{utc_ns // 1_000_000 % 1000:03d}Z"


async def seen(archive: Archive, incident_id: str, now_ns: int) -> Seen:
    """Raises NotFoundError."""
    incident, flights = await incident_flights(archive, incident_id)
    feeds = tuple({feed.id for flight in flights for feed in flight.feeds})
    if not feeds:
        return Seen(incident, flights, [], now_ns)
    from_ns = min(flight.started_ns for flight in flights)
    to_ns = max(_end(flight, now_ns) for flight in flights)
    found = await in_time(archive.viewings(from_ns, to_ns, feeds))
    return Seen(incident, flights, while_flown(found, flights), now_ns)


async def incident_flights(archive: Archive, incident_id: str) -> tuple[Incident, list[FlightEntry]]:
    """The newest flight first. Raises NotFoundError."""
    incident = {each.id: each for each in await in_time(archive.incidents())}.get(incident_id)
    if incident is None:
        raise NotFoundError("there is no such incident")
    return incident, await in_time(every_flight(archive, FlightQuery(incident_id=incident_id)))


def joins_of(viewings: Iterable[Viewing]) -> list[int]:
    """How many had their first picture within each of JOIN_EDGES_MS, and later."""
    counts = [0] * (len(JOIN_EDGES_MS) + 1)
    for viewing in viewings:
        if viewing.joined_ms is not None:
            counts[bisect_left(JOIN_EDGES_MS, viewing.joined_ms)] += 1
    return counts


def age_at_most(ages: Sequence[float], share: float) -> int | None:
    """In so much of the time pictures were not older than this, as far as the histogram tells."""
    left = share * math.fsum(ages)
    if left <= 0:
        return None
    for seconds, edge in zip(ages, AGE_EDGES_MS, strict=False):
        left -= seconds
        if left <= 1e-9:
            return edge
    return None


def course_of(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """From when on how many there were, from times that somebody was there."""
    changes: dict[int, int] = defaultdict(int)
    for from_ns, to_ns in spans:
        changes[from_ns] += 1
        changes[to_ns] -= 1
    course, viewers = [], 0
    for at_ns in sorted(changes):
        if changes[at_ns]:
            viewers += changes[at_ns]
            course.append((at_ns, viewers))
    return course


def thinned(course: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Not more than so many points: of neighbours the one with the most viewers, and always the last."""
    if len(course) <= most:
        return course
    size = math.ceil((len(course) - 1) / (most - 1))
    body = (course[at : at + size] for at in range(0, len(course) - 1, size))
    return [max(points, key=lambda point: point[1]) for points in body] + course[-1:]


def _spans(viewings: Iterable[Viewing], flights: Sequence[FlightEntry], now_ns: int) -> Iterable[Span]:
    """When each was there while its camera flew."""
    flown: dict[str, list[Span]] = defaultdict(list)
    for flight in flights:
        for feed in flight.feeds:
            flown[feed.id].append((flight.started_ns, _end(flight, now_ns)))
    for viewing in viewings:
        for start, end in flown[viewing.feed_id]:
            from_ns, to_ns = max(start, viewing.started_ns), min(end, viewing.ended_ns)
            if from_ns < to_ns:
                yield from_ns, to_ns


def _most(course: Iterable[tuple[int, int]]) -> int:
    return max((viewers for _, viewers in course), default=0)


def _end(flight: FlightEntry, now_ns: int) -> int:
    return now_ns if flight.ended_ns is None else flight.ended_ns
