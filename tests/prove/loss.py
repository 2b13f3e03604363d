"""Decoded pictures in independent receivers behind a bad network, Lagebild beside stock aiortc."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from flow.clock import NS_PER_MS, NS_PER_S
from tests.fakes.encoded import FPS
from tests.fakes.lossy_link import Conditions
from tests.fakes.lossy_proxy import LossyProxy

from .clip import LENGTH, numbered_clip
from .programs import RELAYS, VIEWERS, Program

AnswerTo: TypeAlias = Callable[[str], Awaitable[str]]
"""Gives the SDP answer to an SDP offer."""

HALF_ROUND_TRIP_MS = 20.0
CONNECT_WITHIN_S = 20.0
SETTLED_S = {"aiortc": 4, "gstreamer": 8}
"""Until what a start on a bad network broke is over. aiortc: two groups of the clip. GStreamer 1.22 sends a
NACK every 0.2 to 0.6 s only until its first regular report, up to 7.5 s after the start; and its SRTP takes
nothing that is 128 packets late, so what is lost of a cached group, which comes in one go, stays lost."""
LATEST = 45
"""How many pictures a viewer may be later, against its first one, before a round of the clip is mistaken;
earlier it is by up to a group, the one it began with."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one receiver decoded from its first picture on.

    `shown` of `due` pictures came out whole, at least once, `settled` is their share from SETTLED_S after the
    first one; `damaged` frames came out wrong. `freeze_ms` is the longest time without a new picture,
    `first_ms` the time from the answer to the first one.
    """

    due: int
    shown: int
    settled: float
    damaged: int
    freeze_ms: int | None
    first_ms: int | None

    def record(self) -> dict[str, Any]:
        return {
            "shown": self.shown, "due": self.due, "share": round(self.shown / max(self.due, 1), 4),
            "settled_share": round(self.settled, 4), "damaged": self.damaged,
            "longest_freeze_ms": self.freeze_ms, "first_picture_ms": self.first_ms,
        }  # fmt: skip


async def watched(
    answer: AnswerTo,
    viewer: str,
    seconds: float,
    proxy: LossyProxy | None = None,
    prefix: Sequence[str] = (),
    addresses: Sequence[str] = (),
) -> Seen:
    """Let one viewer join where `answer` comes from, through `proxy` if there is one; watch for so long."""
    async with Program((*VIEWERS[viewer], *addresses), prefix) as program:
        # A stock aiortc that is the DTLS client offers ECDSA alone; GStreamer 1.22 is an RSA server. As
        # the answerer of an active offer it is the server, and they meet. (Lagebild always is.)
        offer = (await program.hear("offer"))["offer"].replace("a=setup:actpass", "a=setup:active")
        answered = await answer(proxy.offer(offer) if proxy else offer)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await program.say(answer=proxy.answer(answered) if proxy else answered)
        while loop.time() < began + CONNECT_WITHIN_S and not any("luma" in x for x in program.lines):
            await asyncio.sleep(0.01)
        await asyncio.sleep(seconds)
        return seen(program.lines, int(began * NS_PER_S), SETTLED_S[viewer])


def asked_of(relay: Program) -> AnswerTo:
    """Answers of a relay in a process of its own (tests/prove/serve.py)."""

    async def answer(offer_sdp: str) -> str:
        return str((await relay.ask("answer", offer=offer_sdp))["answer"])

    return answer


def seen(lines: Sequence[dict[str, Any]], began_ns: int, settled_s: int) -> Seen:
    """Reckon what the viewer's lines say; pictures are told apart by their samples (tests/prove/clip.py)."""
    numbers = numbered_clip().numbers
    frames = [(line["at_ns"], numbers.get(line["luma"])) for line in lines if "luma" in line]
    whole = [(at, number) for at, number in frames if number is not None]
    if not whole:
        return Seen(0, 0, 0.0, len(frames), None, None)
    first_ns, first = whole[0]
    shown: dict[int, int] = {}  # place in the stream, counted from the first picture -> when first shown
    newest, freeze_ns, newest_ns = -1, 0, first_ns
    for at_ns, number in whole:
        # The clip repeats: the round that fits the time best.
        due = (at_ns - first_ns) * FPS // NS_PER_S
        place = due + (number - first - due + LATEST) % LENGTH - LATEST
        shown.setdefault(place, at_ns)
        if place > newest:
            freeze_ns, newest, newest_ns = max(freeze_ns, at_ns - newest_ns), place, at_ns
    settled = [place for place, at_ns in shown.items() if at_ns >= first_ns + settled_s * NS_PER_S]
    return Seen(
        due=newest - min(shown) + 1,
        shown=len(shown),
        settled=len(settled) / (max(settled) - min(settled) + 1) if settled else 0.0,
        damaged=len(frames) - len(whole),
        freeze_ms=max(freeze_ns, frames[-1][0] - newest_ns) // NS_PER_MS,
        first_ms=(first_ns - began_ns) // NS_PER_MS,
    )


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
