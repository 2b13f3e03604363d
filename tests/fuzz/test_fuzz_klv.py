"""Whatever comes as KLV: nothing raises but what is ours, and nothing grows. At length: tests/prove."""

from __future__ import annotations

import pytest

from tests.prove.parsing import faults, prove
from tests.prove.telemetry_klv import KLV_PARSERS

SHORT = {
    "KLV sets": 1500,
    "KLV sets, written again": 1500,
    "KLV streams": 3000,
    "KLV cells": 3000,
    "KLV in MPEG-TS": 1500,
}
SLOW_HERE = "one input took too long"  # beside other tests the processor's caches are not ours alone


@pytest.mark.parametrize("name", KLV_PARSERS)
def test_hostile_klv(name: str) -> None:
    record = prove(name, KLV_PARSERS[name][1], SHORT[name], until=float("inf"))
    assert record["inputs"] == SHORT[name]
    assert set(faults(record)) <= {SLOW_HERE}, record
