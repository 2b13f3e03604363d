"""A flood of hostile datagrams (tests/prove/attack.py), and one innocent viewer who must not notice."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from relay.delivery import Delivery
from relay.hub import Relay
from relay.port import Path

from .attack import Attack, SpoilingViewer, TappedViewer
from .clip import numbered_clip
from .house import House, open_house
from .light import watching
from .mutation import Mutator
from .resources import Stall, stalls

SAMPLES = 10
WARM_UP = 0.2
GROWTH_KB = 6000
"""Allowed from the first sample to the last: a hundredth of what half a thousand leaked handshakes hold, and
6 bytes for each of a million inputs."""
WORST_STALL_MS = 50.0
LAST_WORDS_S = 5.0


class CountingRelay(Relay):
    """Counts what comes in by its real port, in `inputs`."""

    inputs = 0

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        receive = self._sessions.receive

        def counted(datagram: bytes, path: Path) -> None:
            self.inputs += 1
            receive(datagram, path)

        self._sessions.receive = counted  # type: ignore[method-assign]


@contextmanager
def counted_calls(kind: type, *methods: str) -> Iterator[Counter[str]]:
    """Counts the calls of these methods while the block lasts."""
    calls: Counter[str] = Counter(dict.fromkeys(methods, 0))
    originals = {name: getattr(kind, name) for name in methods}

    def counting(name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            calls[name] += 1
            return originals[name](*arguments)

        return call

    for name in methods:
        setattr(kind, name, counting(name))
    try:
        yield calls
    finally:
        for name, original in originals.items():
            setattr(kind, name, original)


class Complaints(logging.Handler):
    """What was logged as an error or worse."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


async def rain(inputs: int, seed: int, within_s: float) -> dict[str, Any]:
    """So many hostile inputs while one innocent viewer watches; it fails if they do not fit into the time."""
    SpoilingViewer.mutator = Mutator(seed + 1)
    complaints = Complaints()
    for name in ("lagebild", "asyncio"):
        logging.getLogger(name).addHandler(complaints)
    began = time.monotonic()
    try:
        async with open_house(numbered_clip(length=60).pictures, kind=CountingRelay) as house:
            await house.fill_history()
            house.feed()
            with counted_calls(Delivery, "resend", "repeat_group") as reached:
                figures = await _watched_in_the_rain(house, inputs, seed, began + within_s)
            figures["reached"] |= reached
    finally:
        for name in ("lagebild", "asyncio"):
            logging.getLogger(name).removeHandler(complaints)
    figures |= {"seed": seed, "seconds": round(time.monotonic() - began, 1), "errors": complaints.lines[:5]}
    return {**figures, "ok": not (found := faults(figures)), "faults": found}


def faults(figures: dict[str, Any]) -> list[str]:
    """What of a rain's figures is not good enough."""
    innocent, reached = figures["innocent"], figures["reached"]
    wrong = {
        "fewer hostile inputs than promised": figures["inputs"] < figures["promised"],
        "no NACK was answered": not reached["resend"] or not reached["resent_packets"],
        "no PLI was answered": not reached["repeat_group"],
        "the innocent one lost pictures": innocent["pictures"] < innocent["due"],
        "the innocent one lost packets": innocent["packets_missing"] != 0,
        "the innocent one was ended": not innocent["stays"],
        "errors were logged": bool(figures["errors"]),
        "a defect was met": bool(figures["refused"].get("defect")),
        "memory grew": figures["growth_kb"] >= GROWTH_KB,
        "the loop was held up": figures["worst_stall_ms"] >= WORST_STALL_MS,
    }
    return [what for what, is_so in wrong.items() if is_so]


async def _watched_in_the_rain(house: House, inputs: int, seed: int, until: float) -> dict[str, Any]:
    relay = house.relay
    assert isinstance(relay, CountingRelay)
    async with (
        stalls() as stall,
        watching(house, kind=TappedViewer) as [innocent],
        watching(house, kind=TappedViewer) as [hostile],
    ):
        published, seen = house.feeder.published, innocent.pictures
        relay.inputs, attack = 0, Attack(house, innocent, hostile, seed)
        samples = await _rain(house, relay, attack, inputs, until, stall)
        came = relay.inputs - attack.meant_well
        resent = [r.resent_packets for r in relay.viewers() if r.session_id == hostile.session_id]
        await attack.close()
        due = house.feeder.published - published
        async with asyncio.timeout(LAST_WORDS_S):
            while innocent.pictures - seen < due:
                await asyncio.sleep(0.01)
        there = {report.session_id for report in relay.viewers()}
        return {
            "promised": inputs,
            "inputs": came,
            "sent": dict(attack.sent),
            "refused": relay.refused(),
            "reached": {"resent_packets": sum(resent)},
            "innocent": {
                "due": due,
                "pictures": innocent.pictures - seen,
                "packets_missing": innocent.missing,
                "stays": innocent.session_id in there,
            },
            "growth_kb": samples[-1] - samples[0],
            "worst_stall_ms": round(stall.worst_ms),
        }


async def _rain(
    house: House, relay: CountingRelay, attack: Attack, inputs: int, until: float, stall: Stall
) -> list[int]:
    """Samples of what is resident, in KB, after warm-up."""
    samples: list[int] = []
    sample_at = inputs * WARM_UP
    while (came := relay.inputs - attack.meant_well) < inputs and time.monotonic() < until:
        await attack.batch()
        await asyncio.sleep(0)
        if came >= sample_at:
            stall.excuse()
            samples.append(house.held().resident_kb)
            sample_at += inputs * (1 - WARM_UP) / SAMPLES
    return [*samples, house.held().resident_kb]
