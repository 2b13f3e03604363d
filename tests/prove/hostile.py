"""A flood of hostile datagrams (tests/prove/attack.py), and one innocent viewer who must not notice."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

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

    def _receive(self, datagram: bytes, path: Path) -> None:
        self.inputs += 1
        super()._receive(datagram, path)


class Complaints(logging.Handler):
    """What was logged as an error or worse."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


async def rain(inputs: int, seed: int, within_s: float) -> dict[str, Any]:
    """So many hostile inputs, or as many as fit into the time, while one innocent viewer watches."""
    SpoilingViewer.mutator = Mutator(seed + 1)
    complaints = Complaints()
    for name in ("lagebild", "asyncio"):
        logging.getLogger(name).addHandler(complaints)
    began = time.monotonic()
    try:
        async with open_house(numbered_clip(length=60).pictures, kind=CountingRelay) as house:
            await house.fill_history()
            house.feed()
            figures = await _watched_in_the_rain(house, inputs, seed, began + within_s)
    finally:
        for name in ("lagebild", "asyncio"):
            logging.getLogger(name).removeHandler(complaints)
    figures |= {"seed": seed, "seconds": round(time.monotonic() - began, 1), "errors": complaints.lines[:5]}
    figures["ok"] = (
        figures["innocent"]["pictures"] >= figures["innocent"]["due"]
        and figures["innocent"]["packets_missing"] == 0
        and figures["innocent"]["stays"]
        and not complaints.lines
        and not figures["refused"].get("defect")
        and figures["growth_kb"] < GROWTH_KB
        and figures["worst_stall_ms"] < WORST_STALL_MS
    )
    return figures


async def _watched_in_the_rain(house: House, inputs: int, seed: int, until: float) -> dict[str, Any]:
    relay = house.relay
    assert isinstance(relay, CountingRelay)
    async with (
        stalls() as stall,
        watching(house, kind=TappedViewer) as [innocent],
        watching(house, kind=TappedViewer) as [hostile],
    ):
        published, seen = house.feeder.published, innocent.pictures
        attack = Attack(house, innocent, hostile, seed)
        samples = await _rain(house, relay, attack, inputs, until, stall)
        await attack.close()
        due = house.feeder.published - published
        async with asyncio.timeout(LAST_WORDS_S):
            while innocent.pictures - seen < due:
                await asyncio.sleep(0.01)
        reports = {report.session_id: report for report in relay.viewers()}
        return {
            "inputs": relay.inputs,
            "sent": dict(attack.sent),
            "refused": relay.refused(),
            "innocent": {
                "due": due,
                "pictures": innocent.pictures - seen,
                "packets_missing": innocent.missing,
                "stays": innocent.session_id in reports,
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
    while relay.inputs < inputs and time.monotonic() < until:
        await attack.batch()
        await asyncio.sleep(0)
        if relay.inputs >= sample_at:
            stall.excuse()
            samples.append(house.held().resident_kb)
            sample_at += inputs * (1 - WARM_UP) / SAMPLES
    return samples
