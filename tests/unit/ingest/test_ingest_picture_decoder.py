"""The decoder itself, in this process: what is broken, huge or a lie is refused and does no harm."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from flow.units import Codec
from ingest import picture_decoder
from ingest.picture_decoder import Decoder
from ingest.protocol.decoder_pipe import NoStill, Picture, StillMade
from tests.fakes import scenes

FILM = tuple(scenes.encoded(scenes.flight(), 12, group=6))


def test_a_run_begins_with_a_keyframe_and_goes_on_after_another_epoch() -> None:
    decoder = Decoder()
    for unit in FILM[1:6]:
        assert decoder.take(Picture(unit)) == []
    assert isinstance(decoder.still(), NoStill)
    decoder.take(Picture(FILM[6]))
    decoder.take(Picture(replace(FILM[7], epoch=1)))  # not decodable: its keyframe is missing
    assert newest(decoder) == FILM[6].pts_90k
    decoder.take(Picture(replace(FILM[0], epoch=1, pts_90k=FILM[11].pts_90k + 1)))
    assert newest(decoder) == FILM[11].pts_90k + 1


def newest(decoder: Decoder) -> int:
    still = decoder.still()
    assert isinstance(still, StillMade)
    return still.pts_90k


def test_a_keyframe_alone_is_there_at_once_also_with_b_frames() -> None:
    for codec in Codec:
        decoder = Decoder()
        keyframe = next(iter(scenes.encoded(scenes.flight(), 6, codec=codec, reorders=True)))
        assert len(decoder.take(Picture(keyframe, alone=True))) == 1
        assert newest(decoder) == keyframe.pts_90k


def test_a_still_is_made_once() -> None:
    decoder = Decoder()
    decoder.take(Picture(FILM[0]))
    first = decoder.still()
    assert decoder.still() is first
    decoder.take(Picture(FILM[1]))
    assert decoder.still() is not first


def test_a_picture_larger_than_any_camera_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_decoder, "_MOST_PIXELS", scenes.WIDTH * scenes.HEIGHT - 1)
    decoder = Decoder()
    assert decoder.take(Picture(FILM[0])) == []
    refusal = decoder.still()
    assert isinstance(refusal, NoStill)
    assert f"{scenes.WIDTH}x{scenes.HEIGHT} cannot be decoded" in refusal.reason


def test_broken_pictures_are_survived() -> None:
    """400 pictures with bytes changed or cut off; the decoder goes on and decodes the next whole run."""
    chance, decoder = random.Random(4), Decoder()
    for number in range(400):
        unit = FILM[number % len(FILM)]
        data = bytearray(unit.data)
        for _ in range(chance.randrange(1, 20)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        decoder.take(Picture(replace(unit, data=bytes(data)), alone=chance.random() < 0.2))
        decoder.still()
    for unit in FILM[6:]:
        decoder.take(Picture(unit))
    assert newest(decoder) == FILM[11].pts_90k
