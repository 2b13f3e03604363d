"""Broken pictures through the decoder and the encoder: nothing but pictures or an EncoderError comes out."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

import pytest

from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from ingest.child import EncoderError
from ingest.encoder import Arrived, Rendering
from ingest.protocol.encoding import Intake, Keyframes, Pace
from ingest.recoding import Encoder
from tests.unit.ingest.material import WITH_B_FRAMES, coded
from tests.unit.ingest.renditions import check_rendition

PICTURES = 30


def units() -> list[AccessUnit]:
    made = coded(PICTURES, options=WITH_B_FRAMES)
    return [
        AccessUnit(
            "f",
            Rendition.SOURCE,
            Codec.H264,
            1,
            number,
            one.dts * 3000 + 9000,
            one.pts * 3000 + 9000,
            0,
            UtcOrigin.ARRIVAL,
            number == 0,
            one.data,
        )
        for number, one in enumerate(made)
    ]


def broken(unit: AccessUnit, chance: random.Random) -> AccessUnit:
    data = bytearray(unit.data)
    for _ in range(chance.randrange(1, 12)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return replace(unit, data=bytes(data[: chance.randrange(1, len(data) + 1)]))


@pytest.mark.parametrize("seed", range(12))
def test_broken_pictures(seed: int) -> None:
    chance = random.Random(seed)
    source = units()
    rendering = Rendering(Rendition.LOW, Encoder("libx264", "ultrafast", Rendition.LOW))
    made: list[AccessUnit] = []
    with contextlib.suppress(EncoderError):
        for unit in source:
            sent = broken(unit, chance) if chance.random() < 0.5 else unit
            skipped = chance.randrange(2)
            made += rendering.do(Arrived(sent, 0, skipped, True, chance.random() < 0.1, False))
    if made:
        check_rendition(made, source)


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_times_and_lags(seed: int) -> None:
    chance = random.Random(seed)
    intake, pace, keyframes = Intake(), Pace(), Keyframes()
    source, went, shown = units(), 0, 0
    for number in range(2000):
        unit = chance.choice(source)
        intake.add(replace(unit, dts_90k=number * chance.choice((1, 3000)), keyframe=chance.random() < 0.02))
        if chance.random() < 0.5 and (taken := intake.take()) is not None:
            went += 1
            assert intake.lag_90k(taken) >= 0
            if pace.takes(taken.dts_90k, intake.lag_90k(taken)):
                shown += 1
                keyframes.takes(shown * 3000, chance.randrange(2))
    while intake.take() is not None:
        went += 1
    assert went + intake.skipped == 2000
    assert shown + pace.dropped <= 2000
