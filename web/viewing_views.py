"""How well people saw, in figures: the measured effect."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from recordings.entries import FlightEntry
from recordings.viewing import AGE_EDGES_MS, Viewing

from .flight_views import Time
from .views import ms

LISTED_MOST = 1000
_BUCKETS = (
    f"Seconds of watching by the picture's age: up to {', '.join(map(str, AGE_EDGES_MS))} ms, and older"
)

_Ages = Annotated[list[float], Meta(description=_BUCKETS)]


@dataclass(frozen=True, slots=True)
class ViewingView:
    """One viewer's stay at a feed."""

    id: str
    feed_id: str
    started_ms: Time
    ended_ms: Time
    joined_ms: Annotated[float | None, Meta(description="To the first picture; null: it was there, or never")]
    ages: _Ages
    interruptions: Annotated[int, Meta(description="How often the picture froze or was lost")]
    interrupted_ms: float


@dataclass(frozen=True, slots=True)
class ViewingSummary:
    """All of them together."""

    viewings: int
    hours: Annotated[float, Meta(description="Watched, with a picture that moved")]
    joins: Annotated[int, Meta(description="Those that tell how long their first picture took")]
    join_p50_ms: Annotated[float | None, Meta(description="Half of them had it after this")]
    join_p95_ms: float | None
    without_picture: Annotated[int, Meta(description="Those that never saw one")]
    ages: _Ages
    age_edges_ms: list[int]
    interruptions: int
    interrupted_ms: float


@dataclass(frozen=True, slots=True)
class Viewings:
    """Who saw how much, the newest first, at most 1000; the summary is of all."""

    summary: ViewingSummary
    viewings: list[ViewingView]


def viewings_json(viewings: Sequence[Viewing], flights: Sequence[FlightEntry] | None = None) -> bytes:
    """`Viewings`, for a thread: there may be many thousands. `flights`: of those alone."""
    shown = viewings if flights is None else while_flown(viewings, flights)
    return msgspec.json.encode(viewings_view(shown))


def while_flown(viewings: Iterable[Viewing], flights: Iterable[FlightEntry]) -> list[Viewing]:
    """Those of the flights' feeds that lasted into one of their flights."""
    flown: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for flight in flights:
        for feed in flight.feeds:
            flown[feed.id].append((flight.started_ns, flight.ended_ns or math.inf))
    return [
        each
        for each in viewings
        if any(start < each.ended_ns and each.started_ns < end for start, end in flown.get(each.feed_id, ()))
    ]


def viewings_view(viewings: Sequence[Viewing]) -> Viewings:
    newest = sorted(viewings, key=lambda each: each.started_ns, reverse=True)[:LISTED_MOST]
    return Viewings(summed(viewings), [_view(each) for each in newest])


def summed(viewings: Sequence[Viewing]) -> ViewingSummary:
    joins = sorted(each.joined_ms for each in viewings if each.joined_ms is not None)
    ages = [math.fsum(column) for column in zip(*(each.ages for each in viewings), strict=True)]
    return ViewingSummary(
        viewings=len(viewings),
        hours=round(sum(ages) / 3600, 3),
        joins=len(joins),
        join_p50_ms=_percentile(joins, 0.5),
        join_p95_ms=_percentile(joins, 0.95),
        without_picture=sum(each.joined_ms is None and not any(each.ages) for each in viewings),
        ages=[round(seconds, 1) for seconds in ages] or [0.0] * (len(AGE_EDGES_MS) + 1),
        age_edges_ms=list(AGE_EDGES_MS),
        interruptions=sum(each.interruptions for each in viewings),
        interrupted_ms=round(sum(each.interrupted_ms for each in viewings), 1),
    )


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest one that so many are not above (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _view(viewing: Viewing) -> ViewingView:
    return ViewingView(
        viewing.id,
        viewing.feed_id,
        ms(viewing.started_ns),
        ms(viewing.ended_ns),
        viewing.joined_ms,
        list(viewing.ages),
        viewing.interruptions,
        viewing.interrupted_ms,
    )
