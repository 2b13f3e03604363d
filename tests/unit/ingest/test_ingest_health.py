"""What is said of a camera by the figures of its pictures."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from flow.clock import NS_PER_S
from flow.flights import Alarm, Feed, PictureHealth, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from ingest.health import HealthWatch
from ingest.protocol.health import GAP_NS, Figures, Health
from tests.fakes.clock import START_NS, FakeClock

WELL = Figures(START_NS, luma=110.0, brightest=230.0, sharpness=0.5, covered=0.0, still_s=0.0)


class Camera:
    """Its samples, one a second."""

    def __init__(self) -> None:
        self.health = Health("fritz-tag")
        self.second = 0

    def shows(self, figures: Figures, seconds: int) -> list[tuple[str, ...]]:
        """The findings after each sample."""
        return [self.sample(figures).findings for _ in range(seconds)]

    def sample(self, figures: Figures) -> PictureHealth:
        self.second += 1
        return self.health.look(replace(figures, utc_ns=START_NS + self.second * NS_PER_S))


BLACK = replace(WELL, luma=2.0, brightest=10.0, sharpness=math.nan, still_s=math.nan)
BLURRED = replace(WELL, sharpness=0.02)
COVERED = replace(WELL, covered=0.6)
FROZEN = replace(WELL, still_s=8.0)


@pytest.mark.parametrize(
    ("figures", "finding", "after"), [(BLACK, "black", 3), (COVERED, "covered", 4), (BLURRED, "blurred", 8)]
)
def test_a_finding_begins_when_it_has_lasted_and_says_since_when(
    figures: Figures, finding: str, after: int
) -> None:
    camera = Camera()
    assert set(camera.shows(WELL, 5)) == {()}
    seen = camera.shows(figures, after + 5)
    assert seen == [()] * after + [(finding,)] * 5
    assert camera.sample(figures).since_ns == START_NS + 6 * NS_PER_S  # the first sample that showed it


@pytest.mark.parametrize("figures", [BLACK, COVERED, BLURRED])
def test_what_does_not_last_is_no_finding(figures: Figures) -> None:
    camera = Camera()
    for _ in range(10):
        assert set(camera.shows(figures, 3) + camera.shows(WELL, 1)) == {()}


def test_frozen_counts_from_the_picture_since_which_nothing_moved() -> None:
    camera = Camera()
    camera.shows(WELL, 10)
    for seconds in range(1, 8):
        assert camera.sample(replace(WELL, still_s=float(seconds))).findings == ()
    health = camera.sample(replace(WELL, still_s=8.0))
    assert health.findings == ("frozen",)
    assert health.since_ns == START_NS + 10 * NS_PER_S
    assert camera.sample(replace(WELL, still_s=9.0)).since_ns == health.since_ns
    assert camera.sample(WELL).findings == ()


@pytest.mark.parametrize(
    ("bad", "between"),
    [(BLACK, replace(BLACK, brightest=40.0)), (COVERED, replace(WELL, covered=0.3)),
     (BLURRED, replace(WELL, sharpness=0.045)), (BLURRED, replace(WELL, sharpness=math.nan)),
     (FROZEN, replace(WELL, still_s=math.nan))],
)  # fmt: skip
def test_between_the_bounds_it_stays_as_it_is(bad: Figures, between: Figures) -> None:
    camera = Camera()
    assert set(camera.shows(between, 20)) == {()}
    (found,) = set(camera.shows(bad, 20)[10:])
    assert len(found) == 1
    assert set(camera.shows(between, 20)) == {found}


def test_a_blurred_camera_is_well_again_only_after_two_sharp_seconds() -> None:
    camera = Camera()
    camera.shows(BLURRED, 20)
    assert camera.shows(WELL, 1) + camera.shows(BLURRED, 1) == [("blurred",)] * 2
    assert camera.shows(WELL, 4) == [("blurred",)] * 2 + [()] * 2


def test_of_a_black_picture_nothing_else_is_said() -> None:
    camera = Camera()
    worst = replace(BLACK, sharpness=0.01, covered=0.9, still_s=60.0)
    assert camera.shows(worst, 20)[-1] == ("black",)
    assert camera.shows(replace(worst, brightest=200.0), 20)[-1] == ("frozen",)
    assert camera.shows(replace(worst, brightest=200.0, still_s=0.0), 20)[-1] == ("covered", "blurred")


def test_samples_with_a_long_gap_between_begin_anew() -> None:
    camera = Camera()
    camera.shows(BLURRED, 5)
    camera.second += 20
    assert set(camera.shows(BLURRED, 8)) == {()}
    assert camera.sample(BLURRED).findings == ("blurred",)
    camera.second += 20
    assert camera.sample(WELL).findings == ()


def test_an_end_takes_every_finding_back() -> None:
    camera = Camera()
    camera.shows(BLURRED, 20)
    assert camera.health.ended(START_NS) == PictureHealth("fritz-tag", START_NS)
    assert camera.sample(BLURRED).findings == ()


def test_what_is_not_known_is_told_as_none() -> None:
    health = Camera().sample(replace(WELL, sharpness=math.nan, still_s=math.nan))
    assert (health.sharpness, health.still_s, health.luma) == (None, None, 110.0)


CAMERA = Feed("fritz-tag", "fritz", "Tageslicht")


class Watched:
    """A live feed that is found black, on a bus."""

    def __init__(self) -> None:
        self.bus, self.clock = MemoryBus(), FakeClock()
        self.watch = HealthWatch(CAMERA, self.bus, self.clock)
        self.alarms = self.bus.events(Alarm)
        self.live = SourceState(CAMERA.id, SourceStatus.LIVE, START_NS, epoch=1)
        self.bus.publish(self.live)
        for _ in range(5):
            self.see(BLACK)
        assert self.findings() == ("black",)
        assert self.told() == ["picture_black"]

    def see(self, figures: Figures) -> None:
        self.clock.advance(NS_PER_S)
        self.watch.look(replace(figures, utc_ns=self.clock.now_ns()))

    def findings(self) -> tuple[str, ...]:
        health = self.bus.peek(PictureHealth, CAMERA.id)
        assert health is not None
        return health.findings

    def told(self) -> list[str]:
        """What has begun ("picture_black"), what is over ("no picture_black"), since it was last asked."""
        drained = [alarm for alarm in self.alarms.drain() if isinstance(alarm, Alarm)]
        return [alarm.code if alarm.active else f"no {alarm.code}" for alarm in drained]


def test_a_finding_that_nobody_looks_at_any_more_is_taken_back() -> None:
    """Its decoder runs, but no picture can be decoded any longer."""
    watched = Watched()
    watched.clock.advance(GAP_NS)
    watched.watch.tick()
    assert watched.findings() == ("black",)
    watched.clock.advance(1)
    watched.watch.tick()
    assert watched.findings() == ()
    assert watched.told() == ["no picture_black", "picture_unseen"]
    watched.clock.advance(GAP_NS)
    watched.watch.tick()
    assert watched.told() == []  # once
    watched.see(WELL)
    assert watched.told() == ["no picture_unseen"]


def test_one_that_ended_by_itself_is_not_told_to_be_unseen() -> None:
    watched = Watched()
    watched.see(WELL)
    assert watched.findings() == ()
    assert watched.told() == ["no picture_black"]
    watched.clock.advance(2 * GAP_NS)
    watched.watch.tick()
    assert watched.told() == []


@pytest.mark.parametrize("other", [{"status": SourceStatus.LOST}, {"epoch": 2}])
async def test_with_the_feed_its_findings_are_gone(other: dict[str, Any]) -> None:
    watched = Watched()
    running = asyncio.ensure_future(watched.watch.run())
    await asyncio.sleep(0)
    watched.bus.publish(watched.live)
    await asyncio.sleep(0.01)
    watched.see(BLACK)
    for _ in range(5):
        watched.see(BLACK)
    watched.told()
    watched.bus.publish(replace(watched.live, **other))
    async with asyncio.timeout(5):
        while watched.findings():
            await asyncio.sleep(0)
    assert watched.told() == ["no picture_black", "picture_unseen"]
    running.cancel()
    await asyncio.wait([running])
