"""A feed that changes its resolution, stops and comes back while many watch."""

from __future__ import annotations

import asyncio
from typing import Any

from .clip import HEIGHT, numbered_clip
from .house import FEED, House, open_house, source_state
from .light import LightViewer, watching
from .programs import VIEWERS, Program

SMALL = (320, 240)
DECODED_WITHIN_S = 10.0
STOPPED_S = 35.0
"""Longer than the 10 s after which a silent viewer is sent nothing, and the 30 s after which one without
consent is gone (RFC 7675 5.1): who gets no pictures must be neither."""


async def changes(count: int = 50, watch_s: float = 2.0, stopped_s: float = STOPPED_S) -> dict[str, Any]:
    """One viewer decodes, `count` others count packets; nobody may lose any, nobody may be dropped.

    Each state of the feed is watched for `watch_s`; `stopped_s` long there is no picture.
    """
    small = numbered_clip(*SMALL, length=60)
    async with open_house(numbered_clip(length=60).pictures) as house, Program(VIEWERS["aiortc"]) as decoding:
        feeding = house.feed()
        offer = (await decoding.hear("offer"))["offer"]
        await decoding.say(answer=(await house.relay.answer(FEED, offer)).sdp)
        async with watching(house, count) as crowd:
            results = [await _pictures(house, crowd, "large, running", watch_s)]
            house.bus.publish(source_state(*SMALL))
            house.feeder.change(small.pictures)
            results.append(await _pictures(house, crowd, "small, running", watch_s))
            small_at_ns = await _decoded(decoding, SMALL[1])
            feeding.cancel()
            await asyncio.sleep(stopped_s)
            sessions = len(house.relay.viewers())
            house.feeder.change(numbered_clip(length=60).pictures)
            house.bus.publish(source_state())
            house.feed()
            results.append(await _pictures(house, crowd, "large again", watch_s))
            decoding.lines.clear()
            large_at_ns = await _decoded(decoding, HEIGHT)
    return {
        "watching": count + 1,
        "sessions_after_the_stop": sessions,
        "parts": results,
        "decoded": bool(small_at_ns and large_at_ns),
        "ok": sessions == count + 1
        and bool(small_at_ns and large_at_ns)
        and all(
            part["least_pictures"] >= part["published"] and not part["packets_missing"] for part in results
        ),
    }


async def _pictures(house: House, crowd: list[LightViewer], what: str, watch_s: float) -> dict[str, Any]:
    """Watch for a while: how many pictures each of them got of those published meanwhile."""
    before = [viewer.pictures for viewer in crowd]
    published = house.feeder.published
    await asyncio.sleep(watch_s)
    published = house.feeder.published - published
    await asyncio.sleep(0.1)  # the last ones are on their way
    got = [viewer.pictures - had for viewer, had in zip(crowd, before, strict=True)]
    return {
        "what": what,
        "published": published,
        "least_pictures": min(got),
        "packets_missing": sum(viewer.missing for viewer in crowd),
    }


async def _decoded(program: Program, height: int) -> int | None:
    """When a picture of that height came out; None if none did in time."""
    for _ in range(int(DECODED_WITHIN_S / 0.02)):
        for line in program.lines:
            if line.get("height") == height:
                return int(line["at_ns"])
        await asyncio.sleep(0.02)
    return None
