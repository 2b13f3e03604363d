"""What the renditions `web` and `low` cost: CPU of the service and of the encoder's process."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from tests.bench import procfs
from tests.bench.figures import cpu_s
from tests.bench.ingest_house import IngestHouse, cores, ingest_house
from tests.bench.ingest_series import LIVE_WITHIN_S, Rows, say
from tests.bench.senders import sending

WAY = "rtp"
SOURCES = {"web": "h265", "low": "h264"}
"""`web` is made only of what browsers cannot show."""
COMES_WITHIN_S = 15.0
STEADY_S = 3.0


async def renditions(folder: Path, seconds: float) -> Rows:
    """Each rendition on one feed that nobody watches."""
    rows: Rows = {}
    for wanted, codec in SOURCES.items():
        async with (
            ingest_house((WAY,), wanted, codec) as house,
            sending(WAY, house.target(WAY), folder / f"{wanted}.times", cores()[1]) as sender,
        ):
            await sender.ready()
            await house.start(cores()[0])
            await sender.begin()
            rows[wanted] = {"source": codec, **await _rendition(house, wanted, seconds)}
            say(f"rendition {wanted} of {codec}: {rows[wanted]}")
    return rows


async def _rendition(house: IngestHouse, wanted: str, seconds: float) -> dict[str, Any]:
    def comes() -> bool:
        return house.heard.first_unit_ns(WAY, 0, wanted) is not None

    if not await house.until_live(WAY, LIVE_WITHIN_S):
        return {"why_not": house.why_not(WAY)}
    if not await house.until(comes, COMES_WITHIN_S):
        return {"why_not": f"no picture of '{wanted}' within {COMES_WITHIN_S:g} s"}
    await asyncio.sleep(STEADY_S)
    began_ns, before = time.monotonic_ns(), _own_and_children_s(house)
    await asyncio.sleep(seconds)
    took_s, after = (time.monotonic_ns() - began_ns) / 1e9, _own_and_children_s(house)
    house.heard.read()
    made = [u for u in house.heard.units if u.rendition == wanted and u.at_ns >= began_ns]
    own, children = (round(1000 * (b - a) / took_s, 1) for a, b in zip(before, after, strict=True))
    return {
        "service_ms_per_s": own,
        "encoder_ms_per_s": children,
        "pictures_per_s": round(len(made) / took_s, 1),
        "kbit_per_s": round(8 * sum(u.size_bytes for u in made) / took_s / 1000),
        "why_not": "",
    }


def _own_and_children_s(house: IngestHouse) -> tuple[float, float]:
    """CPU seconds so far: of the service's own process, and of those it has started."""
    return cpu_s(house.pid), procfs.cpu_s(procfs.tree([house.pid])[1:])
