"""The ingest benchmark's senders with the service as it ships: every picture is found again on the bus."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from tests.bench import clip
from tests.bench.ingest_heard import delay, written
from tests.bench.ingest_house import IngestHouse, cores, ingest_house
from tests.bench.ingest_series import crew

WAYS = ("rtp", "mpegts")
PICTURES = 20
WITHIN_S = 20.0


async def test_all_pictures_by_rtp_and_mpegts_are_matched(tmp_path: Path) -> None:
    await asyncio.to_thread(clip.access_units)  # encoded here, once, not by each sender
    async with ingest_house(WAYS) as house, crew(house, WAYS, tmp_path) as senders:
        await house.start(cores()[0])
        await asyncio.gather(*(sender.begin() for sender in senders.senders.values()))
        for way in WAYS:
            assert await house.until(partial(has_pictures, house, way, PICTURES + 1), WITHIN_S), (
                house.why_not(way)
            )
        for way in WAYS:
            units = house.heard.source_units(way)[:PICTURES]
            assert [unit.number for unit in units] == list(range(PICTURES))
            log = written(senders.times[way])
            sent = {number: log[number] for number in range(PICTURES)}
            found = delay(sent, units, min(sent.values()), max(sent.values()) + 1)
            assert (found.sent, found.missing) == (PICTURES, 0)
            assert found.p50_ms is not None
            assert found.p50_ms > 0


def has_pictures(house: IngestHouse, way: str, count: int) -> bool:
    """One more than are judged: a sender logs a picture after it was sent, and before the next one."""
    return len(house.heard.source_units(way)) >= count
