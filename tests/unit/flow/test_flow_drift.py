"""How fast a clock runs, through jitter, queues and steps."""

from __future__ import annotations

import random

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.drift import Drift


@pytest.mark.parametrize("ppm", [-60.0, 0.0, 80.0, 1000.0])
@pytest.mark.parametrize(("jitter_ms", "within_ppm"), [(1, 3), (40, 25)])
def test_drift_is_found_through_jitter(ppm: float, jitter_ms: int, within_ppm: float) -> None:
    drift, chance = Drift(), random.Random(7)
    for at in range(0, 120 * NS_PER_S, 40 * NS_PER_MS):
        delay_ns = min(round(chance.expovariate(1 / jitter_ms) * NS_PER_MS), 39 * NS_PER_MS)
        drift.add(at + int(at * ppm / 1e6), at + delay_ns)
    assert drift.ppm == pytest.approx(ppm, abs=within_ppm)


def test_nothing_is_said_of_a_few_seconds() -> None:
    drift = Drift()
    for at in range(0, 19 * NS_PER_S, NS_PER_S // 10):
        drift.add(at, at)
    assert drift.ppm is None


def test_a_step_begins_anew() -> None:
    drift = Drift()
    for at in range(0, 120 * NS_PER_S, NS_PER_S // 10):
        drift.add(at - 2 * NS_PER_S * (at > 60 * NS_PER_S), at)
    assert drift.ppm == pytest.approx(0, abs=1)
    drift.reset()
    assert drift.ppm is None
