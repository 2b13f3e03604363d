"""The relay on bad networks, in independent receivers: short forms of `make prove-relay` (tests/prove/)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flow.clock import NS_PER_S
from tests.bench.viewers.viewer import Viewer
from tests.fakes.lossy_link import Conditions
from tests.prove.churn import joins_and_leaves, silent_viewers
from tests.prove.clip import numbered_clip
from tests.prove.crowd import changes
from tests.prove.house import FEED, SkippingClock, open_house
from tests.prove.light import watching
from tests.prove.loss import HALF_ROUND_TRIP_MS, Answered, behind, both_ways
from tests.prove.names import names, taken_away
from tests.prove.pictures import MOST_FREEZE_MS
from tests.prove.programs import missing_viewer

WATCH_S = 6.0


async def watched_behind(viewer: str, links: tuple[Conditions, ...], seconds: float) -> list[dict[str, Any]]:
    """One viewer behind each of the links, all at the same time, all of one relay."""
    async with open_house(numbered_clip().pictures) as house:
        house.feed()

        async def answer(offer_sdp: str) -> Answered:
            return Answered((await house.relay.answer(FEED, offer_sdp)).sdp, house.feeder.began_ns)

        return await asyncio.gather(*(behind(answer, viewer, link, seconds, seed=3) for link in links))


async def test_aiortc_shows_every_picture_on_bad_networks_with_a_round_trip_of_40_ms() -> None:
    half_ms = HALF_ROUND_TRIP_MS
    unruly = Conditions(delay_ms=half_ms, jitter_ms=10, reorder=0.1, duplicate=0.1, truncate=0.02)
    links = (both_ways(0.05), both_ways(0.10), unruly)
    five, ten, odd = await watched_behind("aiortc", links, WATCH_S)
    for run, least in ((five, 0.95), (ten, 0.90), (odd, 0.95)):
        assert run["settled"]["share"] >= least, run
        assert run["settled"]["damaged"] == 0, run
        assert run["settled"]["longest_freeze_ms"] <= MOST_FREEZE_MS, run
    assert five["link"]["down"]["lost"] > 20, five
    assert ten["link"]["down"]["lost"] > 50, ten
    assert all(odd["link"]["down"][what] > 10 for what in ("reordered", "duplicated", "truncated")), odd


async def test_gstreamer_plays_with_a_round_trip_of_40_ms_and_never_shows_a_damaged_picture() -> None:
    if reason := missing_viewer("gstreamer"):
        pytest.skip(f"GStreamer cannot be run here: {reason}")
    none, five = await watched_behind("gstreamer", (both_ways(0.0), both_ways(0.05)), 3.0)
    assert none["start"]["share"] == 1.0, none
    assert none["start"]["shown"] > 60, none
    assert none["start"]["longest_freeze_ms"] <= MOST_FREEZE_MS, none
    assert five["start"]["shown"] > 10, five
    assert none["start"]["damaged"] == five["start"]["damaged"] == 0


async def test_joins_and_leaves_leave_no_task_and_no_descriptor() -> None:
    record = await joins_and_leaves(100)
    assert record["after"]["tasks"] == record["before"]["tasks"], record
    assert record["after"]["descriptors"] == record["before"]["descriptors"], record


async def test_who_never_answers_or_falls_silent_is_gone_and_who_stays_stays() -> None:
    record = await silent_viewers(count=5)
    assert record["ok"], record


async def test_a_feed_changes_its_resolution_and_stops_while_many_watch() -> None:
    record = await changes(count=10, watch_s=0.7, stopped_s=1.0)
    assert record["ok"], record


def test_each_private_name_that_is_gone_is_named_before_anything_runs() -> None:
    record = names(taken_away())
    assert record["ok"], record["unclear"]


class ReportingViewer(Viewer):
    """Checks until it is connected, then only reports: as libnice 0.1.21, which then sends indications."""

    def tick(self, now_ns: int) -> None:
        if self.joined_ns is not None:
            self._ice._next_ns = now_ns + NS_PER_S
        super().tick(now_ns)


async def test_a_viewer_that_reports_with_its_keys_is_there_whatever_its_ice_agent_does() -> None:
    clock = SkippingClock()
    async with open_house(numbered_clip(length=60).pictures, clock=clock) as house:
        feeding = house.feed()
        async with watching(house, kind=ReportingViewer) as [viewer]:
            feeding.cancel()
            for _ in range(35):
                clock.skip(NS_PER_S)
                await asyncio.sleep(0.11)  # the relay looks every 100 ms
            assert viewer.session_id in {report.session_id for report in house.relay.viewers()}
