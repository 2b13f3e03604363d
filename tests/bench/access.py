"""`make bench-access`: do only those see who may, how fast does it end, what does an attack cost.

    python -m tests.bench.access [--quick]

Without --quick it measures longer, writes build/bench/access.json and the tables of docs/benchmarks.md.
The last line printed is one JSON object; what was not measured is null in it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tests.bench.access_house import access_house
from tests.bench.access_load import beside_attack, greedy
from tests.bench.access_revoke import revocations
from tests.bench.access_tables import tables
from tests.bench.access_walk import policy
from tests.bench.figures import surroundings
from tests.bench.relay_load import SERVER_CORE
from tests.bench.report import command
from tests.browser.harness import chromium

QUICK_WITHIN_S = 46.0
"""What goes on then is broken off; ending everything takes some seconds more."""
QUICK_WINDOW_S, WINDOW_S = 3.0, 20.0
QUICK_ROUNDS, ROUNDS = 1, 6
QUICK_REVOKES, REVOKES = 1, 14
QUICK_GREEDY_S, GREEDY_S = 1.5, 20.0

Json = dict[str, Any]
Part = Callable[[], Awaitable[Json]]


def measure(is_quick: bool) -> Json:
    """Every part by itself: one that breaks leaves the others standing, and says why."""
    found: Json = {
        "date": time.strftime("%Y-%m-%d"),
        "surroundings": surroundings(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "broken": {},
    }
    try:
        asyncio.run(_measure(is_quick, found))
    except TimeoutError:
        found["broken"]["what is not here"] = "no time was left"
    except Exception as error:
        found["broken"]["service or page"] = f"{type(error).__name__}: {_first_of(error)}"
    return found


async def _measure(is_quick: bool, found: Json) -> None:
    window_s, rounds = (QUICK_WINDOW_S, QUICK_ROUNDS) if is_quick else (WINDOW_S, ROUNDS)
    async with asyncio.timeout(QUICK_WITHIN_S if is_quick else None):
        await _run(found, "policy", policy)
        async with access_house(SERVER_CORE) as house:
            async with chromium() as browser:
                times = QUICK_REVOKES if is_quick else REVOKES
                await _run(found, "revoke", lambda: revocations(house, browser, times))
            await _run(found, "attack", lambda: beside_attack(house, window_s, rounds))
            await _run(found, "greedy", lambda: greedy(house, QUICK_GREEDY_S if is_quick else GREEDY_S))


async def _run(found: Json, name: str, part: Part) -> None:
    began_s = time.monotonic()
    try:
        found[name] = await part()
    except Exception as error:
        found["broken"][name] = f"{type(error).__name__}: {_first_of(error)}"
    print(f"{name}: {time.monotonic() - began_s:.1f} s {found['broken'].get(name, '')}", file=sys.stderr)


def _first_of(error: BaseException) -> BaseException:
    """Of a group, the first that is in it."""
    return _first_of(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def summary(found: Json) -> Json:
    """The one line for the record."""
    policy_found, attack = found.get("policy") or {}, found.get("attack") or {}
    attacked, quiet = attack.get("attacked") or {}, attack.get("quiet") or {}
    return {
        "checked": policy_found.get("checked"),
        "violations": policy_found.get("violations"),
        "revoke_p50_ms": (found.get("revoke") or {}).get("p50"),
        "revoke_p95_ms": (found.get("revoke") or {}).get("p95"),
        "frames_ratio_under_attack": attack.get("frames_ratio"),
        "let_in": attack.get("let_in"),
        "cpu_s_per_s_quiet": quiet.get("cpu_s_per_s"),
        "cpu_s_per_s_under_attack": attacked.get("cpu_s_per_s"),
        "rss_mb_under_attack": attacked.get("rss_mb"),
        "delay_p99_ms_quiet": quiet.get("delay_p99_ms"),
        "delay_p99_ms_under_attack": attacked.get("delay_p99_ms"),
        "refused_per_s": (found.get("greedy") or {}).get("refused_per_s"),
        "broken": found["broken"],
    }


if __name__ == "__main__":
    command("access", __doc__ or "", measure, tables, summary)
