"""Decoded pictures in independent receivers behind a bad network, Lagebild beside stock aiortc."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from flow.clock import NS_PER_S
from tests.fakes.lossy_link import Conditions
from tests.fakes.lossy_proxy import LossyProxy

from .clip import numbered_clip
from .pictures import Kind, Seen, Watch, seen
from .programs import RELAYS, VIEWERS, Program

HALF_ROUND_TRIP_MS = 20.0
CONNECT_WITHIN_S = 20.0
KINDS = {
    "aiortc": Kind(start_s=6, settles_s=4, late_s=0.5),
    "gstreamer": Kind(start_s=12, settles_s=8, late_s=1.5),
}
"""aiortc settles within two groups of the clip. GStreamer 1.22 sends a NACK every 0.2 to 0.6 s only until its
first regular report, up to 7.5 s after the start; and its SRTP takes nothing that is 128 packets late, so
what is lost of a cached group, which comes in one go, stays lost. Its jitter buffer holds all for 0.8 s."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An SDP answer, and when, by the monotonic clock, the first picture of the feed was live."""

    sdp: str
    feed_began_ns: int


AnswerTo: TypeAlias = Callable[[str], Awaitable[Answered]]
"""Answers an SDP offer."""


async def watched(
    answer: AnswerTo,
    viewer: str,
    seconds: float,
    proxy: LossyProxy | None = None,
    prefix: Sequence[str] = (),
    addresses: Sequence[str] = (),
) -> Seen:
    """Let one viewer join where `answer` comes from, through `proxy` if there is one; watch for so long."""
    numbered_clip()  # takes seconds, in which no proxy of this process leads on: not while somebody watches
    async with Program((*VIEWERS[viewer], *addresses), prefix) as program:
        # A stock aiortc that is the DTLS client offers ECDSA alone; GStreamer 1.22 is an RSA server. As
        # the answerer of an active offer it is the server, and they meet. (Lagebild always is.)
        offer = (await program.hear("offer"))["offer"].replace("a=setup:actpass", "a=setup:active")
        answered = await answer(proxy.offer(offer) if proxy else offer)
        asked_ns = time.monotonic_ns()
        await program.say(answer=proxy.answer(answered.sdp) if proxy else answered.sdp)
        while time.monotonic_ns() < asked_ns + CONNECT_WITHIN_S * NS_PER_S and not any(
            "luma" in line for line in program.lines
        ):
            await asyncio.sleep(0.01)
        await asyncio.sleep(seconds)
        watch = Watch(answered.feed_began_ns, asked_ns, time.monotonic_ns(), KINDS[viewer])
        return seen(program.lines, watch)


def asked_of(relay: Program) -> AnswerTo:
    """Answers of a relay in a process of its own (tests/prove/serve.py)."""

    async def answer(offer_sdp: str) -> Answered:
        said = await relay.ask("answer", offer=offer_sdp)
        return Answered(str(said["answer"]), int(said["feed_began_ns"]))

    return answer


def both_ways(loss: float, **more: Any) -> Conditions:
    """Random loss with half of a 40 ms round trip in each direction."""
    return Conditions(loss=loss, delay_ms=HALF_ROUND_TRIP_MS, **more)


async def under_conditions(
    relay: str, viewer: str, conditions: Conditions, seconds: float, seed: int
) -> dict[str, Any]:
    """One relay's process, one viewer's process, one link: its record."""
    async with Program(RELAYS[relay]) as program:
        return {"relay": relay, **await behind(asked_of(program), viewer, conditions, seconds, seed)}


async def behind(
    answer: AnswerTo, viewer: str, conditions: Conditions, seconds: float, seed: int
) -> dict[str, Any]:
    """One viewer's process behind one link: its record."""
    async with LossyProxy(conditions, conditions, seed) as proxy:
        result = await watched(answer, viewer, seconds, proxy)
        link = {"down": dict(proxy.down.counts), "up": dict(proxy.up.counts)}
        return {"viewer": viewer, **result.record(), "link": link}
