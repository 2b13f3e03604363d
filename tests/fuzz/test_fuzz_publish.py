"""Hostile publishers, from their offers to their packets: own errors only, bounded work and memory."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from flow.clock import NS_PER_MS
from flow.codec.rtp import RtpPacket, SenderReport
from flow.errors import LagebildError, MalformedError
from flow.units import Codec
from relay.aiortc_seam import read_offer
from relay.answer import Local
from relay.protocol import rtcp
from relay.protocol.receiver import Receiver, Video
from relay.protocol.repair import MAX_HELD_BYTES, MAX_MISSING
from relay.publish_answer import choose_video, publish_answer_sdp
from relay.sdp import checked_offer
from tests.fakes.offers import PUBLISHED, recorded

from .test_fuzz_relay_rtcp import mutated

SEEDS = range(30)
ROUNDS = 400
BEGINNINGS = (b"\x65", b"\x41", b"\x7c\x85", b"\x78\x00\x01\x67", b"\x00\x05")
ALL = frozenset({"nack", "nack pli", "goog-remb"})
LOCAL = Local("me", "0123456789012345678901", "sha-256 AB", ["192.0.2.7"], 8189)


def valid(rng: random.Random, number: int) -> bytes:
    payload = rng.choice((b"\x65", b"\x41", b"\x7c\x85", b"\x78\x00\x01\x67", b"\x00\x05")) + rng.randbytes(
        20
    )
    kind = rng.choices((96, 97, 111), (8, 2, 1))[0]
    ssrc = rng.choices((1, 2), (9, 1))[0]
    return RtpPacket(
        kind, rng.random() < 0.3, number % 0x10000, rng.getrandbits(32), ssrc, payload
    ).serialize()


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("seed", SEEDS)
def test_hostile_packets(seed: int, codec: Codec) -> None:
    rng = random.Random(seed)
    receiver = Receiver(Video(96, codec, ALL, rng.random() < 0.5, 97), 7)
    now_ns, number, asked, handed_on, taken = 0, rng.getrandbits(16), 0, 0, 0
    for _ in range(ROUNDS):
        now_ns += rng.choice((0, 1, 3, 20, 700)) * NS_PER_MS
        number += rng.choice((1, 1, 1, 1, 2, 3, 40, -5, 600, 30_000))
        packet = valid(rng, number)
        packet = mutated(rng, packet) if rng.random() < 0.3 else packet
        with suppress(MalformedError):
            taken += 1
            handed_on += len(receiver.take_rtp(packet, now_ns))
        receiver.take_rtcp(mutated(rng, SenderReport(1, now_ns, number, 1, 1).serialize()), now_ns)
        handed_on += len(receiver.expire(now_ns))
        for compound in receiver.feedback(now_ns):
            assert len(compound) <= 1200
            asked += sum(isinstance(message, rtcp.Nack) for message in rtcp.parse(compound))
        assert len(receiver.repair._missing) <= MAX_MISSING
        assert receiver.repair._held_bytes <= MAX_HELD_BYTES
        assert receiver.repair._held_bytes == sum(map(len, receiver.repair._held.values()))
    assert asked > 10
    assert ROUNDS / 10 < handed_on <= taken


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("seed", SEEDS)
def test_hostile_offers(seed: int, name: str) -> None:
    rng = random.Random(seed)
    lines = recorded(name).splitlines()
    answered = 0
    for _ in range(40):
        changed = list(lines)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(changed))
            match rng.randrange(3):
                case 0:
                    del changed[at]
                case 1:
                    changed.insert(at, rng.choice(lines))
                case 2:
                    changed[at] = mutated(rng, changed[at].encode()).decode("latin-1")
        with suppress(LagebildError):
            offer = read_offer(checked_offer("\r\n".join(changed) + "\r\n", watches=False))
            publish_answer_sdp(offer, choose_video(offer), LOCAL, 1)
            answered += 1
    assert answered > 0
