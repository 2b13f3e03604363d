"""Whatever a ground station sends: nothing raises, nothing grows, and no message that could steer is calm."""

from __future__ import annotations

import random

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from telemetry.protocol.station import Speech, Station
from tests.fakes.aircraft import FakeAircraft

LOUD = dialect.MAVLink_set_mode_message(1, 1, 6)


def framed(rng: random.Random, number: int, sequence: int) -> bytes:
    """A frame with a right checksum and random contents of any length, of any version."""
    kind = dialect.mavlink_map[number]
    payload = rng.randbytes(rng.choice((kind.unpacker.size, rng.randrange(256), 0)))
    head = bytes((len(payload), 0, 0, sequence, 255, 190)) + number.to_bytes(3, "little")
    checksum: int = dialect.x25crc(head + payload + bytes((kind.crc_extra,))).crc
    return b"".join((b"\xfd", head, payload, checksum.to_bytes(2, "little")))


@pytest.mark.parametrize("seed", range(3))
def test_every_message_with_random_contents(seed: int) -> None:
    rng, station, heard = random.Random(seed), Station(), 0
    for count, number in enumerate([*dialect.mavlink_map] * 3):
        for said in station.hear(framed(rng, number, count % 256), datagram=True):
            heard += 1
            assert said.name
    assert heard > 2 * len(dialect.mavlink_map)


@pytest.mark.parametrize("seed", range(3))
def test_a_command_is_found_amid_noise_however_it_is_cut(seed: int) -> None:
    rng, sender, station = random.Random(seed), FakeAircraft(255, 190), Station()
    stream, commands = b"", 0
    for _ in range(400):
        if rng.random() < 0.5:
            stream += rng.randbytes(rng.randrange(1, 60)).translate(None, b"\xfd\xfe")
        else:
            stream += sender.send(LOUD)
            commands += 1
    heard = 0
    while stream:
        size = rng.randrange(1, 200)
        said, stream = station.hear(stream[:size]), stream[size:]
        heard += sum(each.speech is Speech.COMMAND and each.name == "SET_MODE" for each in said)
        assert len(station._parser._pending) <= 280
    assert heard == commands


@pytest.mark.parametrize("seed", range(3))
def test_bits_that_flip(seed: int) -> None:
    rng, sender, station = random.Random(seed), FakeAircraft(255, 190), Station()
    for _ in range(2000):
        data = bytearray(sender.send(LOUD))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        for said in station.hear(bytes(data), datagram=True):
            assert said.speech in set(Speech)
