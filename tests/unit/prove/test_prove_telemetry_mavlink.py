"""The proof of MAVLink's parsers, made short."""

from __future__ import annotations

import time

import pytest

from tests.prove.parsing import prove
from tests.prove.telemetry_mavlink import MAVLINK_PARSERS

INPUTS = 400


@pytest.mark.parametrize("name", list(MAVLINK_PARSERS))
def test_every_parser_stands(name: str) -> None:
    record = prove(name, MAVLINK_PARSERS[name][1], INPUTS, time.monotonic() + 60)
    assert record["ok"], record
    assert record["inputs"] == INPUTS
