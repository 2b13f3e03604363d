"""Whatever arrives, nothing raises, nothing grows, and good messages still count."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.samples import RawTelemetry, TelemetrySample
from telemetry.protocol.assembly import READ_IDS
from telemetry.protocol.fleet import Fleet
from telemetry.protocol.quality import RADIO_IDS
from telemetry.protocol.signing import EPOCH_NS, UNIT_NS
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS

MS = 1_000_000


RANGES = {
    "lat_deg": (-90, 90), "lon_deg": (-180, 180), "yaw_deg": (0, 360), "gimbal_yaw_deg": (0, 360),
    "gimbal_pitch_deg": (-360, 360), "gimbal_roll_deg": (-360, 360), "battery_pct": (0, 100),
    "link_quality_pct": (0, 100), "hfov_deg": (0, 180), "vfov_deg": (0, 180), "alt_agl_m": (-30, 20_000),
    "h_accuracy_m": (0, 5e6), "v_accuracy_m": (0, 5e6),
}  # fmt: skip


def checked(out: Sequence[object]) -> None:
    """Every number of every sample is finite and within its range; no group is fresher than it."""
    for sample in (item for item in out if isinstance(item, TelemetrySample)):
        for each in fields(sample):
            value = getattr(sample, each.name)
            if isinstance(value, float):
                least, most = RANGES.get(each.name, (-math.inf, math.inf))
                assert math.isfinite(value), each.name
                assert least <= value <= most, each.name
        assert (sample.lat_deg is None) is (sample.lon_deg is None)
        assert sample.utc_ns == max(sample.received_ns.values())


@given(chunks=st.lists(st.binary(max_size=300), max_size=30))
@settings(max_examples=80, derandomize=True, deadline=None)
def test_noise(chunks: list[bytes]) -> None:
    fleet = Fleet("x", [("fritz", None)])
    for number, chunk in enumerate(chunks):
        checked(list(fleet.receive(chunk, "a", START_NS + number * MS, datagram=bool(number % 2))))
    checked(list(fleet.poll(START_NS + 10**10)))


def framed(number: int, payload: bytes, sequence: int, source: tuple[int, int] = (1, 1)) -> bytes:
    """A frame with a right checksum, whatever is in it."""
    head = bytes((len(payload), 0, 0, sequence, *source)) + number.to_bytes(3, "little")
    extra: int = dialect.mavlink_map[number].crc_extra
    checksum: int = dialect.x25crc(head + payload + bytes((extra,))).crc
    return b"".join((b"\xfd", head, payload, checksum.to_bytes(2, "little")))


def random_frame(rng: random.Random, number: int, sequence: int) -> bytes:
    """A frame with random contents, of a random length."""
    size: int = dialect.mavlink_map[number].unpacker.size
    payload = rng.randbytes(rng.choice((size, rng.randrange(256), 0)))
    return framed(number, payload, sequence, (rng.choice((1, 1, 1, 2, 255, 51)), rng.choice((1, 1, 1, 154))))


@pytest.mark.parametrize("seed", range(4))
def test_random_contents_of_every_message_read(seed: int) -> None:
    rng = random.Random(seed)
    fleet = Fleet("x", [("fritz", 1), ("ottmar", 2)])
    numbers = sorted(READ_IDS | RADIO_IDS)
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


@pytest.mark.parametrize("seed", range(2))
def test_only_what_is_signed_comes_through(seed: int) -> None:
    """Flipped bits in signed frames, and all of them again: what counts was sent, and once."""
    rng, key = random.Random(seed), bytes(range(32))
    drone = FakeAircraft(key=key)
    drone.set_signing(0, (START_NS - EPOCH_NS) // UNIT_NS)
    fleet = Fleet("x", [("fritz", 1)], {"fritz": key})
    genuine = [drone.position(1000 + 20 * number, 49.4) for number in range(1000)]
    counted: list[bytes] = []
    for number, message in enumerate(genuine):
        said = bytearray(message)
        if rng.random() < 0.5:
            said[rng.randrange(len(said))] ^= 1 << rng.randrange(8)
        for data in (bytes(said), rng.choice(genuine[: number + 1])):
            out = fleet.receive(data, rng.choice("ab"), START_NS + number * 20 * MS, datagram=True)
            counted += [item.data for item in out if isinstance(item, RawTelemetry)]
    assert set(counted) <= set(genuine)
    assert len(counted) == len(set(counted))
    assert len(counted) > 450
    assert fleet.heard("fritz", START_NS).unsigned > 450
