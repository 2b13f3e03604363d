"""What an incident's pictures were worth: figures that can be worked out by hand."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.flights import Incident, IncidentKind
from recordings.entries import FeedEntry, FlightEntry
from recordings.viewing import AGE_EDGES_MS, Viewing
from tests.fakes.clock import START_NS
from tests.unit.web.recorded_house import recorded_house
from web.effect import JOIN_EDGES_MS, Seen, age_at_most, course_of, joins_of, thinned
from web.views import ms

BUCKETS = len(AGE_EDGES_MS) + 1
INCIDENT = Incident("brand", IncidentKind.EINSATZ, "Brand", START_NS)


def viewing(
    feed_id: str,
    from_s: float,
    to_s: float,
    joined_ms: float | None = None,
    *ages: float,
    interruptions: int = 0,
) -> Viewing:
    return Viewing(
        f"{feed_id}-{from_s}",
        feed_id,
        START_NS + round(from_s * NS_PER_S),
        START_NS + round(to_s * NS_PER_S),
        joined_ms,
        (*ages, *(0.0,) * (BUCKETS - len(ages))),
        interruptions,
        interruptions * 500.0,
    )


def flight(from_s: float, to_s: float | None, *feed_ids: str) -> FlightEntry:
    return FlightEntry(
        f"flight-{from_s}",
        "fritz",
        "Fritz",
        START_NS + round(from_s * NS_PER_S),
        None if to_s is None else START_NS + round(to_s * NS_PER_S),
        0,
        tuple(FeedEntry(feed_id, feed_id.title()) for feed_id in feed_ids),
    )


def seen(flights: list[FlightEntry], *viewings: Viewing, now_s: float = 1000.0) -> Seen:
    return Seen(INCIDENT, flights, list(viewings), START_NS + round(now_s * NS_PER_S))


def test_the_effect_of_an_incident() -> None:
    view = seen(
        [flight(200, None, "tag", "waerme"), flight(0, 100, "tag")],
        viewing("tag", -50, 60, 80.0, 30.0, 60.0),
        viewing("tag", 10, 100, 450.0, 0.0, 30.0, interruptions=2),
        viewing("waerme", 250, 900, None, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0),
    ).view()
    assert (view.flights, view.flown_ms, view.most_at_once) == (2, 900_000, 2)
    assert (view.summary.viewings, view.summary.joins, view.summary.hours) == (3, 2, round(129 / 3600, 3))
    assert (view.age_p50_ms, view.age_p95_ms) == (200, None)
    assert view.joins == [1, 0, 0, 1, 0, 0, 0, 0, 0]
    tag, heat = view.feeds
    assert (tag.feed_id, tag.name, tag.most_at_once, tag.summary.interruptions) == ("tag", "Tag", 2, 2)
    assert (heat.summary.viewings, heat.summary.join_p50_ms, heat.most_at_once) == (1, None, 1)
    start = ms(START_NS)
    assert [(round(point.utc_ms - start), point.viewers) for point in view.course] == [
        (0, 1), (10_000, 2), (60_000, 1), (100_000, 0), (250_000, 1), (900_000, 0)
    ]  # fmt: skip


def test_a_camera_that_nobody_watched_and_an_incident_without_flights() -> None:
    (unwatched,) = seen([flight(0, 10, "tag")]).view().feeds
    assert (unwatched.summary.viewings, unwatched.most_at_once) == (0, 0)
    empty = seen([]).view()
    assert (empty.feeds, empty.course, empty.age_p50_ms, empty.flown_ms) == ([], [], None, 0)


def test_the_table_has_a_line_for_each_stay_the_oldest_first() -> None:
    table = seen(
        [flight(0, 100, "tag")],
        viewing("tag", 20.5, 60, None, interruptions=1),
        viewing("tag", 10, 100, 450.04, 1.25, 30.0),
    ).csv()
    first, second = csv.DictReader(io.StringIO(table.decode()))
    assert (first["camera"], first["from_utc"], first["first_picture_ms"]) == (
        "tag", "2026-11-22T06:46:50.000Z", "450.0"
    )  # fmt: skip
    assert (first["watched_s"], first["seconds_up_to_200_ms"]) == ("31.2", "30.0")
    assert (second["from_utc"], second["first_picture_ms"]) == ("2026-11-22T06:47:00.500Z", "")
    assert (second["interruptions"], second["interrupted_s"]) == ("1", "0.5")


@pytest.mark.parametrize(
    ("ages", "share", "edge"),
    [
        ([], 0.5, None),
        ([0.0] * BUCKETS, 0.5, None),
        ([10.0], 0.5, 100),
        ([5.0, 5.0], 0.5, 100),
        ([4.9, 5.1], 0.5, 200),
        ([0.0] * (BUCKETS - 1) + [1.0], 0.5, None),
        ([0.1] * 10, 0.9, 10_000),
    ],
)
def test_an_age_is_told_as_the_edge_that_it_is_not_above(
    ages: list[float], share: float, edge: int | None
) -> None:
    assert age_at_most(ages, share) == edge


def test_a_first_picture_on_an_edge_is_within_it() -> None:
    joined = [viewing("tag", n, n + 1, at) for n, at in enumerate((0.0, 100.0, 100.1, 10_000.0, 10_000.1))]
    assert joins_of(joined) == [2, 1, *[0] * (len(JOIN_EDGES_MS) - 3), 1, 1]


def test_a_long_course_keeps_its_peak_and_its_end() -> None:
    chance = random.Random(7)
    spans = [(at, at + chance.randrange(1, 500)) for at in (chance.randrange(100_000) for _ in range(3000))]
    course = course_of(spans)
    short = thinned(course, 100)
    assert len(course) > 1000
    assert len(short) <= 100
    assert max(viewers for _, viewers in short) == max(viewers for _, viewers in course)
    assert short[-1] == course[-1]
    assert short == sorted(short)


async def test_the_effect_over_http(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        new = {"kind": "einsatz", "name": "Brand", "by": "Meier"}
        incident = await house.ask("POST", "/api/v1/incidents", 201, json=new)
        path = f"/api/v1/incidents/{incident['id']}"
        await house.ask("PATCH", path, json={"flight_ids": [house.whole.id]})
        told = await house.get(f"{path}/effect")
        assert (told["incident"]["name"], told["flights"]) == ("Brand", 1)
        assert [feed["feed_id"] for feed in told["feeds"]] == ["fritz-tag"]
        assert (await house.get(f"{path}/effect.csv")).startswith(b"viewing,camera,from_utc,")
        await house.get("/api/v1/incidents/..%2fflights/effect", 404)
