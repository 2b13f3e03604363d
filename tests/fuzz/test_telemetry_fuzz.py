"""Whatever arrives, nothing raises, nothing grows, and good messages still count."""

from __future__ import annotations

import math
import random
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.samples import TelemetrySample
from telemetry.protocol.assembly import READ_IDS
from telemetry.protocol.fleet import Fleet
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS

MS = 1_000_000


def checked(out: list[object]) -> None:
    """Every number of every sample is finite and within its range."""
    for sample in (item for item in out if isinstance(item, TelemetrySample)):
        for each in fields(sample):
            value = getattr(sample, each.name)
            assert not isinstance(value, float) or math.isfinite(value)
        assert sample.lat_deg is None or (abs(sample.lat_deg) <= 90 and sample.lon_deg is not None)
        assert sample.yaw_deg is None or 0 <= sample.yaw_deg < 360
        assert sample.gimbal_yaw_deg is None or 0 <= sample.gimbal_yaw_deg < 360
        assert sample.battery_pct is None or 0 <= sample.battery_pct <= 100


@given(chunks=st.lists(st.binary(max_size=300), max_size=30))
@settings(max_examples=80, derandomize=True, deadline=None)
def test_noise(chunks: list[bytes]) -> None:
    fleet = Fleet("x", [("fritz", None)])
    for number, chunk in enumerate(chunks):
        checked(list(fleet.receive(chunk, "a", START_NS + number * MS, datagram=bool(number % 2))))
    checked(list(fleet.poll(START_NS + 10**10)))


def random_frame(rng: random.Random, number: int, sequence: int) -> bytes:
    """A frame with a right checksum and random contents, of a random length."""
    kind = dialect.mavlink_map[number]
    payload = rng.randbytes(rng.choice((kind.unpacker.size, rng.randrange(256), 0)))
    system, component = rng.choice((1, 1, 1, 2, 255)), rng.choice((1, 1, 1, 154))
    head = bytes((len(payload), 0, 0, sequence, system, component)) + number.to_bytes(3, "little")
    checksum: int = dialect.x25crc(head + payload + bytes((kind.crc_extra,))).crc
    return b"".join((b"\xfd", head, payload, checksum.to_bytes(2, "little")))


@pytest.mark.parametrize("seed", range(4))
def test_random_contents_of_every_message_read(seed: int) -> None:
    rng = random.Random(seed)
    fleet = Fleet("x", [("fritz", 1), ("ottmar", 2)])
    numbers = sorted(READ_IDS)
    for count in range(2000):
        frame = random_frame(rng, rng.choice(numbers), count % 256)
        now_ns = START_NS + count * 20 * MS
        checked(list(fleet.receive(frame, rng.choice("abc"), now_ns, datagram=True)))
        checked(list(fleet.poll(now_ns)))
    assert fleet.heard("fritz", START_NS).messages > 100


@pytest.mark.parametrize("seed", range(4))
def test_a_flight_over_a_bad_line(seed: int) -> None:
    """Flipped bits, lost, doubled, swapped and cut datagrams: what is shown was sent."""
    rng, drone = random.Random(seed), FakeAircraft()
    fleet, sent, out = Fleet("x", [("fritz", 1)]), set(), []
    line: list[bytes] = []
    for number in range(1500):
        lat_e7 = 494_000_000 + number * 37
        sent.add(lat_e7)
        line.append(drone.position(1000 + 50 * number, lat_e7 / 1e7))
        line.append(drone.heartbeat())
    for at in range(0, len(line) - 1):
        if rng.random() < 0.05:
            line[at], line[at + 1] = line[at + 1], line[at]
    for number, message in enumerate(line):
        datagram, fate = bytearray(message), rng.random()
        if fate < 0.1:
            datagram[rng.randrange(len(datagram))] ^= 1 << rng.randrange(8)
        elif fate < 0.15:
            continue
        elif fate < 0.2:
            datagram = datagram[: rng.randrange(len(datagram))]
        for _ in range(2 if 0.2 < fate < 0.25 else 1):
            out += fleet.receive(bytes(datagram), "a", START_NS + number * 25 * MS, datagram=True)
    heard = fleet.heard("fritz", START_NS)
    assert 0.75 * len(line) < heard.messages < 0.85 * len(line)
    assert heard.duplicates > 50
    assert heard.bad_bytes > 1000
    samples = [item for item in out if isinstance(item, TelemetrySample)]
    assert len(samples) > 800
    assert {round(sample.lat_deg * 1e7) for sample in samples if sample.lat_deg} <= sent
    lats = [sample.lat_deg for sample in samples if sample.lat_deg]
    assert lats == sorted(lats)
