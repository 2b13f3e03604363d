"""Joins and leaves without growth; viewers that never answer, or that fall silent."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import asdict
from typing import Any

from flow.clock import NS_PER_S

from .clip import numbered_clip
from .house import House, SkippingClock, open_house
from .light import LightViewer, another_picture, until_sessions, watching
from .resources import slope

TOGETHER = 10
WARM_UP_ROUNDS = 10
SAMPLES = 10
KB_PER_JOIN = 2.0
"""Growth allowed: far below the 100 KB of a session, above the noise of the allocator."""


async def joins_and_leaves(count: int, seed: int = 1) -> dict[str, Any]:
    """`count` sessions, ten at a time, that end in every way there is: what is held when, after warm-up."""
    dice = random.Random(seed)
    began = time.monotonic()
    async with open_house(numbered_clip(length=60).pictures) as house:
        await house.fill_history()
        house.feed()
        async with watching(house) as [staying]:
            for _ in range(WARM_UP_ROUNDS):
                await _round(house, dice)
            before = house.held()
            samples = [(0.0, float(before.resident_kb))]
            rounds = count // TOGETHER
            for number in range(1, rounds + 1):
                await _round(house, dice)
                if number % max(1, rounds // SAMPLES) == 0:
                    await another_picture(staying)
                    samples.append((float(number * TOGETHER), float(house.held().resident_kb)))
            after = house.held()
    return {
        "joins": rounds * TOGETHER,
        "seconds": round(time.monotonic() - began, 1),
        "before": asdict(before),
        "after": asdict(after),
        "kb_per_join": round(slope(samples), 3),
        "ok": slope(samples) < KB_PER_JOIN
        and (before.tasks, before.descriptors) == (after.tasks, after.descriptors),
    }


async def _round(house: House, dice: random.Random) -> None:
    """Ten viewers join at once; each leaves in a way of its own."""
    viewers = [LightViewer(house) for _ in range(TOGETHER)]
    ways = [dice.choice(("delete", "hang up", "vanish", "never answer")) for _ in viewers]
    await asyncio.gather(
        *(v.offer() if way == "never answer" else v.join() for v, way in zip(viewers, ways, strict=True))
    )
    for viewer, way in zip(viewers, ways, strict=True):
        if way == "delete":
            await viewer.delete()
        elif way == "hang up":
            viewer.hang_up()
        else:
            viewer.vanish()
            await house.relay.close(viewer.session_id)
    await until_sessions(house, 1)


async def silent_viewers(count: int = 20) -> dict[str, Any]:
    """Offers that nobody follows up are dropped, so is a viewer whose consent ends; one that stays, stays.

    RFC 7675 5.1: no consent for 30 s. The house's clock is moved on in steps that the one that stays can keep
    pace with.
    """
    clock = SkippingClock()
    async with open_house(numbered_clip(length=60).pictures, clock=clock) as house:
        feeding = house.feed()
        async with watching(house) as [staying]:
            never = [LightViewer(house) for _ in range(count)]
            for viewer in never:
                answer = await house.relay.answer("fritz-tag", viewer.viewer.offer())
                viewer.session_id = answer.session_id
            silent = LightViewer(house)
            await silent.join()
            silent.vanish()
            feeding.cancel()
            gone_after: dict[str, float] = {}
            start_ns = clock.now_ns()
            while clock.now_ns() - start_ns < 45 * NS_PER_S and "silent" not in gone_after:
                clock.skip(NS_PER_S)
                await asyncio.sleep(0.12)  # the relay looks every 100 ms; the one that stays answers
                there = {report.session_id for report in house.relay.viewers()}
                passed_s = round((clock.now_ns() - start_ns) / NS_PER_S, 1)
                if silent.session_id not in there:
                    gone_after.setdefault("silent", passed_s)
                if not there & {viewer.session_id for viewer in never}:
                    gone_after.setdefault("never answered", passed_s)
            stays = staying.session_id in {report.session_id for report in house.relay.viewers()}
            for viewer in never:
                viewer.vanish()
    return {
        "gone_after_s": gone_after,
        "staying": stays,
        "ok": stays
        and 25 <= gone_after.get("silent", 0) <= 33
        and 14 <= gone_after.get("never answered", 0) <= 18,
    }
