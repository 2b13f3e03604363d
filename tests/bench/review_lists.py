"""How long the list of flights and searches in it take at 10,000 flights, over HTTP."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from flow.clock import NS_PER_MS
from recordings.folders import flight_id
from tests.bench.figures import percentile
from tests.bench.peers import PeerError
from tests.bench.review_folder import (
    FLIGHTS_OF_INCIDENT,
    INCIDENTS,
    SMALL_EVERY_S,
    SMALL_FLIGHTS,
    TOWNS,
    ReviewFolder,
    incident_id,
    small_aircraft,
    small_place,
    small_started_ms,
)
from tests.bench.review_house import Query, ReviewHouse

SEED = 7
PAGE = 100
MONTH_MS = 30 * 24 * 3_600_000
RADIUS_M = 2000

Found = list[dict[str, Any]]
Search = tuple[Query, Callable[[Found], bool]]
"""What is asked, and whether that is the answer."""


async def lists(house: ReviewHouse, each: int) -> dict[str, Any]:
    """Every kind of search so often, in turns; the first of each is not counted. Raises PeerError for a wrong
    answer."""
    chance = random.Random(SEED)
    taken: dict[str, list[float]] = {}
    for turn in range(each + 1):
        for name, (query, is_right) in _searches(house.folder, chance).items():
            began_s = time.perf_counter()
            found = (await house.get("/api/v1/flights", query))["flights"]
            took_ms = (time.perf_counter() - began_s) * 1000
            if not is_right(found):
                raise PeerError(f"a wrong answer to {name}, {query}: {len(found)} flights")
            if turn:
                taken.setdefault(name, []).append(took_ms)
    together = [ms for kind in taken.values() for ms in kind]
    return {
        "flights": SMALL_FLIGHTS,
        "known_after_s": round(house.known_after_s, 1),
        "page": PAGE,
        "kinds": {name: _figures(ms) for name, ms in taken.items()},
        "all": _figures(together),
    }


def _searches(folder: ReviewFolder, chance: random.Random) -> dict[str, Search]:
    number = chance.randrange(100, SMALL_FLIGHTS - 500)
    wanted, started_ms = _id(folder, number), small_started_ms(folder, number)
    lat_deg, lon_deg = small_place(number)
    town = chance.choice(TOWNS)
    incident = incident_id(chance.randrange(INCIDENTS))
    month = MONTH_MS // 1000 // SMALL_EVERY_S

    def whole(found: Found) -> bool:
        return len(found) == PAGE

    def has(found: Found) -> bool:
        return any(flight["id"] == wanted for flight in found)

    return {
        "newest": ({"limit": PAGE}, whole),
        "next page": ({"limit": PAGE, "before": wanted}, lambda found: whole(found) and not has(found)),
        "text": (
            {"limit": PAGE, "text": town},
            lambda found: whole(found) and all(town in str(flight) for flight in found),
        ),
        "time": (
            {"limit": 1000, "from_ms": started_ms - MONTH_MS, "to_ms": started_ms + 600_000},
            lambda found: has(found) and month <= len(found) <= month + 2,
        ),
        "place": ({"limit": PAGE, "lat": lat_deg, "lon": lon_deg, "radius_m": RADIUS_M}, has),
        "incident": (
            {"limit": PAGE, "incident": incident},
            lambda found: len(found) == FLIGHTS_OF_INCIDENT,
        ),
    }


def _id(folder: ReviewFolder, number: int) -> str:
    return flight_id(small_started_ms(folder, number) * NS_PER_MS, small_aircraft(number).id)


def _figures(taken_ms: list[float]) -> dict[str, float | int | None]:
    return {
        "p50": percentile(taken_ms, 0.5),
        "p95": percentile(taken_ms, 0.95),
        "max": percentile(taken_ms, 1.0),
        "n": len(taken_ms),
    }
