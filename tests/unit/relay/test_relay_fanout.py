"""One feed to many viewers: what one of them does or suffers is no matter of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import KeyframeWanted
from flow.memory_bus import MemoryBus
from relay.delivery import Delivery, Link, Sent
from relay.fanout import FanOut
from relay.protocol.pacer import Pacer
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.pictures import Camera
from tests.unit.relay.test_relay_delivery import FEED, SHAPE, Tap, Way


class Studio:
    """A running fan-out without network; its bus notes when a keyframe was asked for."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.bus = MemoryBus()
        self.camera = Camera(FEED)
        self.fan_out = FanOut(self.bus, self.clock, FEED)
        self._wishes = self.bus.latest(KeyframeWanted, FEED)
        self.asked_ns: list[int] = []

    def viewer(self, fixed_bps: float | None = None, way: Any = None) -> tuple[Delivery, Tap]:
        tap = Tap()
        way = way or Way()
        srtp: Any = None
        delivery = Delivery(self.fan_out.stream, Link(SHAPE, srtp, way, tap), Pacer(fixed_bps), Sent())
        self.fan_out.add(delivery)
        return delivery, tap

    async def film(self, *sizes: int, keyframe: bool = False) -> None:
        for size in sizes:
            self.bus.publish(self.camera.keyframe(size) if keyframe else self.camera.delta(size))
            await self.pass_ms(33)

    async def pass_ms(self, duration_ms: int) -> None:
        for _ in range(duration_ms):
            self.clock.advance(NS_PER_MS)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        self.asked_ns += [wish.utc_ns - START_NS for wish in self._wishes.drain()]


@asynccontextmanager
async def studio() -> AsyncIterator[Studio]:
    scene = Studio()
    running = asyncio.create_task(scene.fan_out.run())
    await asyncio.sleep(0)
    try:
        yield scene
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await scene.bus.aclose()


def broken(*_: Any) -> bool:
    raise RuntimeError("a defect")


@pytest.mark.parametrize("where", ["_offer", "_send_rest"])
async def test_a_defect_in_one_delivery_ends_that_one_only(
    where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with studio() as scene:
        await scene.film(20_000, keyframe=True)
        (faulty, _), (good, tap) = scene.viewer(fixed_bps=1_000_000), scene.viewer()
        monkeypatch.setattr(faulty, where, broken)
        await scene.film(20_000, 20_000)
        assert faulty.failed
        assert not good.failed
        assert len(tap.pictures) == 3
        caplog.clear()
        await scene.film(20_000)
        assert caplog.text == ""  # said once


async def test_keyframes_are_asked_for_once_a_second_for_all_viewers_together() -> None:
    async with studio() as scene:
        await scene.film(5000)  # no keyframe yet: nothing to begin with
        for _ in range(60):
            scene.viewer()
            await scene.pass_ms(50)
        assert len(scene.asked_ns) == 3
        assert all(b - a >= NS_PER_S for a, b in pairwise(scene.asked_ns))


async def test_who_asks_within_that_second_is_not_forgotten() -> None:
    async with studio() as scene:
        scene.viewer()
        await scene.film(5000, keyframe=True)
        assert len(scene.asked_ns) == 1
        delivery, _ = scene.viewer(fixed_bps=1_000)  # this path is too narrow for the group
        assert delivery.has_backlog is False
        await scene.film(*[500] * 40)
        assert len(scene.asked_ns) == 2
        await scene.film(*[500] * 40)
        assert len(scene.asked_ns) == 2


async def test_the_keyframe_that_comes_meanwhile_serves_them_all() -> None:
    async with studio() as scene:
        scene.viewer()
        await scene.film(5000, keyframe=True)
        scene.viewer(fixed_bps=1_000)
        await scene.film(500, keyframe=True)
        await scene.film(*[100] * 40)
        assert len(scene.asked_ns) == 1


async def test_a_joiner_is_served_before_the_next_turn() -> None:
    async with studio() as scene:
        await scene.film(5000, keyframe=True)
        _, tap = scene.viewer()
        assert len(tap.pictures) == 1


async def test_a_full_tcp_connection_does_not_keep_everybody_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with studio() as scene:
        await scene.film(5000, keyframe=True)
        way = Way("tcp")
        way.waiting_bytes = 64 * 1024
        stuck, tap = scene.viewer(way=way)
        turns: list[int] = []
        pump = stuck.pump

        def counted(now_ns: int) -> None:
            turns.append(now_ns)
            pump(now_ns)

        monkeypatch.setattr(stuck, "pump", counted)
        await scene.pass_ms(1000)
        assert len(turns) <= 1000 / 5 + 2
        way.waiting_bytes = 0
        await scene.pass_ms(6)
        assert len(tap.pictures) == 1
