"""Hostile datagrams through the relay's real port and hub: the short form of `make prove-relay`."""

from __future__ import annotations

import pytest

from tests.prove.hostile import rain
from tests.prove.mutation import Mutator


@pytest.mark.parametrize("seed", [1, 2])
async def test_hostile_datagrams_do_not_reach_the_one_who_watches(seed: int) -> None:
    record = await rain(20_000, seed, within_s=30.0)
    assert record["faults"] == [], record
    assert record["inputs"] >= 20_000, record
    assert record["errors"] == [], record
    assert "defect" not in record["refused"], record
    assert record["innocent"]["stays"], record
    assert record["innocent"]["packets_missing"] == 0, record
    assert record["innocent"]["pictures"] >= record["innocent"]["due"], record


def test_the_same_seed_makes_the_same_datagrams() -> None:
    genuine = [bytes(range(60)), b"\x80" * 200]
    one, same, other = Mutator(5), Mutator(5), Mutator(6)
    made = [one.next(genuine) for _ in range(500)]
    assert made == [same.next(genuine) for _ in range(500)]
    assert made != [other.next(genuine) for _ in range(500)]
    assert len(set(made)) > 300
