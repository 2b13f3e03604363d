"""A running stream beside ten thousand wrong logins and keys a minute, and without: in turns."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.bench.access_house import PUSHED, AccessHouse
from tests.bench.peers.place import LOOPBACK
from tests.bench.relay_load import SETTLE_S, VIEWER_CORE, Load, Session, fed

A_MINUTE = 10_000
VIEWERS = 10
_HEAD_S, _TAIL_S = 0.3, 0.3
"""The attack begins before its window and ends after it."""

Json = dict[str, Any]


async def beside_attack(house: AccessHouse, window_s: float, rounds: int) -> Json:
    """So many windows with and without, the order turned every time."""
    quiet: list[Load] = []
    attacked: list[Load] = []
    answers: Counter[str] = Counter()
    async with fed(house.peer, LOOPBACK) as session:
        await session.grow(VIEWERS)
        await asyncio.sleep(SETTLE_S)
        for number in range(rounds):
            for is_attacked in (False, True) if number % 2 == 0 else (True, False):
                if not is_attacked:
                    quiet.append(await session.measure(window_s))
                    continue
                load, told = await _attacked(house, session, window_s)
                attacked.append(load)
                answers.update(told)
    return _record(quiet, attacked, answers, window_s)


async def _attacked(house: AccessHouse, session: Session, window_s: float) -> tuple[Load, Mapping[str, int]]:
    process = await attacking(house, A_MINUTE, window_s + _HEAD_S + _TAIL_S)
    await asyncio.sleep(_HEAD_S)
    load = await session.measure(window_s)
    return load, (await told_by(process))["answers"]


async def greedy(house: AccessHouse, seconds: float) -> Json:
    """How many a second are refused where an attacker asks as fast as he is answered."""
    told = await told_by(await attacking(house, 0, seconds))
    answered = sum(count for how, count in told["answers"].items() if not how.endswith("nothing"))
    return {"refused_per_s": round(answered / told["seconds"], 1), "answers": told["answers"]}


async def attacking(house: AccessHouse, a_minute: float, seconds: float) -> asyncio.subprocess.Process:
    """It has begun when this returns."""
    ports = (house.peer.http_port, house.peer.rtmp_port, house.peer.srt_port)
    process = await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(VIEWER_CORE),
        sys.executable, "-m", "tests.bench.access_attack",
        *map(str, ports), PUSHED, str(a_minute), str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def told_by(process: asyncio.subprocess.Process) -> Json:
    said, _ = await process.communicate()
    told: Json = json.loads(said.decode().splitlines()[-1])
    return told


def _record(quiet: list[Load], attacked: list[Load], answers: Counter[str], window_s: float) -> Json:
    frames = [sum(each.pictures_per_s or 0.0 for each in loads) for loads in (quiet, attacked)]
    return {
        "a_minute": A_MINUTE,
        "viewers": VIEWERS,
        "windows": len(quiet),
        "window_s": window_s,
        "frames_ratio": round(frames[1] / frames[0], 4) if frames[0] else None,
        "quiet": _middle(quiet),
        "attacked": _middle(attacked),
        "answers": dict(sorted(answers.items())),
        "let_in": sum(count for how, count in answers.items() if how.endswith(" in")),
    }


def _middle(loads: list[Load]) -> Json:
    """The median of each figure."""
    return {
        "pictures_per_s": _median([each.pictures_per_s for each in loads]),
        "loss": _median([each.loss for each in loads]),
        "delay_p50_ms": _median([each.delay_ms["p50"] for each in loads]),
        "delay_p99_ms": _median([each.delay_ms["p99"] for each in loads]),
        "cpu_s_per_s": _median([each.cpu_ms_per_viewer_s * each.viewers / 1000 for each in loads]),
        "rss_mb": _median([each.rss_mb for each in loads]),
    }


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 4) if known else None
