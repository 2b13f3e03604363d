"""What may be long is made ready in a thread: pictures are not to wait for a list."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

import web.routes.flights
import web.routes.recording
from flow.clock import NS_PER_S
from recordings.entries import FeedEntry, FlightEntry
from recordings.viewing import Viewing
from tests.fakes.clock import START_NS
from tests.unit.web.recorded_house import recorded_house
from web.bodies import json_list
from web.viewing_views import while_flown

MAKERS = {
    "flight_view": (web.routes.flights, "/api/v1/flights"),
    "recorded_event_view": (web.routes.flights, "/api/v1/flights/{}/events"),
    "deletion_view": (web.routes.recording, "/api/v1/deletions"),
    "viewings_json": (web.routes.recording, "/api/v1/viewings"),
}


async def test_lists_are_not_made_on_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: dict[str, threading.Thread] = {}

    def watched(name: str, make: Any) -> Any:
        def maker(*given: Any, **named: Any) -> Any:
            threads[name] = threading.current_thread()
            return make(*given, **named)

        return maker

    for name, (module, _) in MAKERS.items():
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))
    async with recorded_house(tmp_path) as house:
        why = {"reason": "Auskunft", "by": "Meier"}
        await house.ask("DELETE", f"/api/v1/flights/{house.later.id}", json=why)
        threads.clear()
        for _, path in MAKERS.values():
            await house.get(path.format(house.whole.id))
    assert threads.keys() == MAKERS.keys()
    assert threading.main_thread() not in threads.values()


def test_a_list_is_what_its_items_are() -> None:
    assert json.loads(json_list("markers", [1, 2], lambda n: {"n": n})) == {"markers": [{"n": 1}, {"n": 2}]}
    assert json_list("markers", [], str) == b'{"markers":[]}'


def flown(start_s: int, end_s: int | None, *feed_ids: str) -> FlightEntry:
    feeds = tuple(FeedEntry(feed_id, feed_id, None) for feed_id in feed_ids)
    return FlightEntry("f", "a", "A", at_ns(start_s), None if end_s is None else at_ns(end_s), 0, feeds=feeds)


def at_ns(seconds: int) -> int:
    return START_NS + seconds * NS_PER_S


@pytest.mark.parametrize(
    ("feed_id", "start_s", "end_s", "counts"),
    [
        ("tag", 10, 20, True),
        ("tag", -10, 1, True),  # came before the start, and saw some of it
        ("tag", 99, 500, True),
        ("tag", -10, 0, False),
        ("tag", 100, 200, False),
        ("nacht", 10, 20, False),  # a feed of the other flight, which was later
        ("nacht", 5000, 9000, True),  # that one goes on
        ("fremd", 10, 20, False),
    ],
)
def test_a_viewing_is_of_the_incident_while_its_feed_was_flown(
    feed_id: str, start_s: int, end_s: int, counts: bool
) -> None:
    viewing = Viewing("v", feed_id, at_ns(start_s), at_ns(end_s))
    flights = [flown(0, 100, "tag"), flown(4000, None, "nacht")]
    assert while_flown([viewing], flights) == ([viewing] if counts else [])
