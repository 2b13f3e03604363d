"""One export of everything, ordered, followed and fetched as a browser does it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recordings.export.order import Part
from tests.bench.peers import PeerError
from tests.bench.review_house import ReviewHouse

MADE_WITHIN_S = 300.0
_LOOK_EVERY_S = 0.1
AT_S = 1200.5
"""Of the two hours: between two keyframes, so that the clip's edges are encoded."""


@dataclass(frozen=True, slots=True)
class Exported:
    """`path` is the ZIP. `parts` are in it; `left_out` could not be made, with their reasons."""

    path: Path
    seconds: float
    made_in_s: float
    fetched_in_s: float
    parts: tuple[str, ...]
    left_out: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        return {
            "seconds": self.seconds,
            "made_in_s": round(self.made_in_s, 2),
            "fetched_in_s": round(self.fetched_in_s, 3),
            "megabytes": round(self.path.stat().st_size / 1e6, 2),
            "parts": list(self.parts),
            "left_out": list(self.left_out),
        }


async def exported(
    house: ReviewHouse, seconds: float, path: Path, parts: Sequence[Part] = tuple(Part)
) -> Exported:
    """So much of the two-hour flight. Raises PeerError where it is not made, or not in time."""
    film = house.folder.long
    from_ms = film.started_ms + round(AT_S * 1000)
    wish = {
        "by": "bench",
        "from_ms": from_ms,
        "to_ms": from_ms + round(seconds * 1000),
        "parts": list(parts),
        "logbook": {"number": "7", "pilot": "Müller", "place": "Kaiserslautern"},
    }
    began_s = time.monotonic()
    async with house.http.post(f"{house.base}/api/v1/flights/{film.id}/exports", json=wish) as reply:
        if reply.status != 202:
            raise PeerError(f"an export cannot be ordered: {reply.status} {(await reply.text())[:200]}")
        view = await reply.json()
    one = f"/api/v1/exports/{view['id']}"
    try:
        async with asyncio.timeout(MADE_WITHIN_S):
            while view["status"] in ("waiting", "running"):
                await asyncio.sleep(_LOOK_EVERY_S)
                view = await house.get(one)
        made_s = time.monotonic()
        if view["status"] != "done":
            raise PeerError(f"an export is not made: {json.dumps(view)[:300]}")
        await _fetch(house, view["url"], path)
    finally:
        await house.http.delete(house.base + one)
    left_out = tuple(f"{each['part']}: {each['reason']}" for each in view["left_out"])
    times = made_s - began_s, time.monotonic() - made_s
    return Exported(path, seconds, *times, tuple(view["parts"]), left_out)


async def _fetch(house: ReviewHouse, url: str, path: Path) -> None:
    async with house.http.get(house.base + url) as reply:
        if reply.status != 200:
            raise PeerError(f"{url}: {reply.status}")
        path.write_bytes(await reply.read())
