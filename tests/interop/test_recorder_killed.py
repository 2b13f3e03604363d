"""A service with six cameras is killed (`make prove-recorder` does it 200 times, and says what is lost)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from recordings.folders import flights_folder
from tests.prove.recorder_house import FEEDS, Service, flying
from tests.prove.recorder_reading import Last, catalogue_faults, decoded, last_of_each_feed

CLIP_S = 2
RECORDS_WITHIN_S = 60.0
ENOUGH_S = 0.8  # of every feed, before it is killed


async def until(
    service: Service, is_enough: Callable[[dict[str, Last]], bool], within_s: float = RECORDS_WITHIN_S
) -> dict[str, Last]:
    async with asyncio.timeout(within_s):
        while not is_enough(found := last_of_each_feed(service.data_dir)):
            assert service.runs, service.tail()
            await asyncio.sleep(0.2)
    return found


async def test_what_was_recorded_plays_and_the_flight_goes_on(tmp_path: Path) -> None:
    async with flying(CLIP_S) as load:
        service = Service(load, tmp_path)
        await service.start()
        try:
            await until(
                service, lambda last: len(last) == len(FEEDS) and all(_long(one) for one in last.values())
            )
            await service.kill()
            cut = last_of_each_feed(service.data_dir)
            for feed in ("a-1", "b-2"):  # before anything is repaired
                pictures, _ = await decoded(cut[feed].path)
                assert abs(pictures - cut[feed].pictures) <= 1, feed
            await service.start()
            await until(service, lambda last: all(last[feed].path != cut[feed].path for feed in FEEDS))
            await service.stop()
        finally:
            if service.runs:
                await service.kill()
    assert len(list(flights_folder(service.data_dir).iterdir())) == 2  # one of each aircraft: they went on
    assert catalogue_faults(service.data_dir) == []
    for feed in ("a-1", "b-2"):
        for known in (cut[feed], last_of_each_feed(service.data_dir)[feed]):
            assert (await decoded(known.path))[1] == "", known.path.name


def _long(one: Last) -> bool:
    return one.length_s >= ENOUGH_S
