"""The short way of a packet through a depacketizer changes nothing but the time it takes."""

from __future__ import annotations

import random
from types import ModuleType

import pytest

from flow.codec import h264, h265
from flow.codec.annexb import join_nal_units
from flow.codec.payload_format import PictureDepacketizer
from flow.codec.rtp import RtpPacket, parse_rtp
from flow.errors import MalformedError

SLICES = {
    h264: (b"\x65\x88", b"\x41\x9a", b"\x41\x30"),
    h265: (b"\x26\x01\xaf", b"\x02\x01\xd0", b"\x02\x01\x20"),
}


def sent_by(module: ModuleType, chance: random.Random) -> list[bytes]:
    """Pictures of up to two slices; the sequence numbers wrap in the middle, a few markers are wrong."""
    datagrams: list[bytes] = []
    sequence = 65_400
    for number in range(60):
        first, *others = (join_nal_units([kind + chance.randbytes(2000)]) for kind in SLICES[module])
        unit = (first if number % 10 == 0 else others[0]) + (others[1] if chance.random() < 0.3 else b"")
        payloads = module.packetize(unit, chance.choice([200, 500]))
        for index, payload in enumerate(payloads):
            marker = (index == len(payloads) - 1) != (chance.random() < 0.01)
            packet = RtpPacket(96, marker, sequence % 65_536, number * 3000, 7, payload)
            datagrams.append(packet.serialize())
            sequence += 1
    return datagrams


def spoiled(datagrams: list[bytes], chance: random.Random) -> list[bytes]:
    """As they arrive: some lost, doubled, late, cut off or with a byte of their first sixteen changed."""
    arrived: list[bytes] = []
    for datagram in datagrams:
        match chance.randrange(100):
            case 0:
                pass
            case 1:
                arrived += [datagram, datagram]
            case 2:
                arrived.insert(max(0, len(arrived) - chance.randrange(40)), datagram)
            case 3:
                arrived.append(datagram[: chance.randint(12, 16)])
            case 4 | 5:
                at = chance.randrange(16)
                arrived.append(datagram[:at] + chance.randbytes(1) + datagram[at + 1 :])
            case _:
                arrived.append(datagram)
    return arrived


def push(depacketizer: PictureDepacketizer, datagram: bytes) -> list[h264.Picture]:
    try:
        return depacketizer.push(parse_rtp(datagram))
    except MalformedError:
        return []


@pytest.mark.parametrize("module", [h264, h265])
@pytest.mark.parametrize("spoils", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_short_way_gives_the_same_pictures(module: ModuleType, spoils: bool, seed: int) -> None:
    chance = random.Random(seed)
    datagrams = sent_by(module, chance)
    arrived = spoiled(datagrams, chance) if spoils else datagrams
    plain, quick = module.Depacketizer(), module.Depacketizer()
    continued = 0
    for datagram in arrived:
        short = quick.continues(datagram)
        continued += short
        assert ([] if short else push(quick, datagram)) == push(plain, datagram)
        assert (quick.lost_packets, quick.late_packets) == (plain.lost_packets, plain.late_packets)
        assert quick.malformed_packets == plain.malformed_packets
    assert quick.flush() == plain.flush()
    assert continued > len(arrived) / 4
    if not spoils:
        assert continued > len(arrived) / 2


def test_a_picture_above_the_limit_is_dropped_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow.codec.payload_format.ACCESS_UNIT_LIMIT_BYTES", 1500)
    datagrams = sent_by(h264, random.Random(1))
    plain, quick = h264.Depacketizer(), h264.Depacketizer()
    for datagram in datagrams:
        taken = [] if quick.continues(datagram) else push(quick, datagram)
        assert taken == push(plain, datagram)
        assert quick._size == plain._size
