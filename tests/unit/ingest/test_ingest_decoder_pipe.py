"""What ingest and its decoder tell each other."""

from __future__ import annotations

import random

import pytest

from flow.errors import MalformedError
from flow.units import UtcOrigin
from flow.wire import Deframer
from ingest.protocol.decoder_pipe import (
    Looked,
    Message,
    NoStill,
    Picture,
    StillMade,
    StillWanted,
    decode,
    encode,
)
from ingest.protocol.health import Figures
from tests.fakes.pictures import Camera

UNIT = Camera().keyframe()
MESSAGES: list[Message] = [
    Picture(UNIT),
    Picture(UNIT, alone=True),
    StillWanted(),
    StillMade(2**60, -1, UtcOrigin.SOURCE, 8192, 4608, b"\xff\xd8jpeg"),
    StillMade(0, 1, UtcOrigin.ARRIVAL, 16, 16, b""),
    NoStill("größer als erlaubt"),
    Looked(Figures(1, 110.0, 255.0, 0.25, 0.0, 12.5)),
]


def test_every_message_comes_back_as_it_was() -> None:
    stream = b"".join(map(encode, MESSAGES))
    deframer, back = Deframer(), []
    for at in range(0, len(stream), 7):
        back += [decode(message) for message in deframer.push(stream[at : at + 7])]
    assert back == MESSAGES


@pytest.mark.parametrize("message", [b"", b"X", b"S\x00", b"L123", b"P", b"Pgarbage", b"N\xff"])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(message)


def test_garbage_is_refused_and_nothing_else() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        message = bytearray(encode(chance.choice(MESSAGES))[4:])
        for _ in range(chance.randrange(1, 4)):
            message[chance.randrange(len(message))] = chance.randrange(256)
        del message[chance.randrange(len(message) + 1) :]
        try:
            decode(bytes(message))
        except MalformedError:
            continue
