"""RTCP of hostile viewers, from parsing to resending: only MalformedError, bounded work and memory."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from aiortc import rtp
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.clock import NS_PER_MS
from flow.errors import MalformedError
from relay.protocol.feedback import MAX_RTT_MS, REPORTS_KEPT, Feedback
from relay.protocol.pacer import HEADROOM, START_BPS, Pacer
from relay.protocol.resend import BURST_BYTES, RATE_BPS, ResendBudget
from relay.protocol.rtcp import MAX_COMPOUND_BYTES, MAX_NACKED, Message, Nack, compact_ntp, parse
from relay.protocol.sequence import SequenceMap
from tests.fakes.clock import START_NS

SEEDS = range(40)
ROUNDS = 250
QUICK = settings(derandomize=True, deadline=None, max_examples=300)
SSRC = 7
STREAM_BPS = 4_000_000


def valid(rng: random.Random) -> bytes:
    """A packet as a browser sends it."""
    info = rtp.RtcpReceiverInfo(
        SSRC,
        rng.randrange(256),
        rng.randrange(-99, 99),
        rng.getrandbits(32),
        rng.getrandbits(16),
        compact_ntp(START_NS),
        rng.getrandbits(17),
    )
    lost = sorted(rng.sample(range(0x10000), rng.randrange(1, 60)))
    return rng.choice(
        [
            bytes(rtp.RtcpRrPacket(1, [info] * rng.randrange(4))),
            bytes(rtp.RtcpSrPacket(1, rtp.RtcpSenderInfo(1, 2, 3, 4), [info])),
            bytes(rtp.RtcpRtpfbPacket(1, 1, SSRC, lost)),
            bytes(rtp.RtcpPsfbPacket(1, 1, SSRC)),
            bytes(rtp.RtcpPsfbPacket(4, 1, 0, SSRC.to_bytes(4, "big") + bytes(4))),
            bytes(rtp.RtcpPsfbPacket(15, 1, 0, rtp.pack_remb_fci(rng.getrandbits(70), [SSRC]))),
            bytes(rtp.RtcpByePacket([1])),
            bytes(rtp.RtcpSdesPacket([rtp.RtcpSourceInfo(1, [(1, b"viewer")])])),
            bytes.fromhex("80cf0004 00000001 04000002 e1234567 89abcdef"),
        ]
    )


def mutated(rng: random.Random, data: bytes) -> bytes:
    """The packet with some bytes changed, cut, repeated, or nothing done to it."""
    out = bytearray(data)
    for _ in range(rng.randrange(4)):
        match rng.randrange(3):
            case 0 if out:
                out[rng.randrange(len(out))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            case 1:
                del out[rng.randrange(len(out) + 1) :]
            case 2:
                at = rng.randrange(len(out) + 1)
                out[at:at] = out[at : at + rng.randrange(12)]
    return bytes(out)


def check(messages: list[Message], size: int) -> None:
    assert len(messages) <= size // 4
    assert sum(len(m.sequences) for m in messages if isinstance(m, Nack)) <= MAX_NACKED
    for message in messages:
        if isinstance(message, Nack):
            assert all(0 <= sequence <= 0xFFFF for sequence in message.sequences)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hostile_viewer_moves_its_own_bounds_only(seed: int) -> None:
    rng = random.Random(seed)
    feedback, pacer, budget, numbers = Feedback(SSRC), Pacer(), ResendBudget(), SequenceMap()
    first = rng.getrandbits(40)
    numbers.start(first)
    newest, now_ns, resent, read = first, START_NS, 0, 0
    for _ in range(ROUNDS):
        now_ns += rng.choice((0, 1, 5, 20, 1000)) * NS_PER_MS
        newest += rng.randrange(500)
        if rng.random() < 0.2:
            numbers.skip(newest + 100, newest + 1)
            newest += 100
        packets = [valid(rng) for _ in range(rng.randrange(1, 6))]
        compound = b"".join(mutated(rng, p) if rng.random() < 0.3 else p for p in packets)
        with suppress(MalformedError):
            messages = parse(compound)
            check(messages, len(compound))
            read += len(messages)
            feedback.take(messages, now_ns)
            pacer.on_report(feedback.congestion(now_ns, STREAM_BPS), STREAM_BPS, now_ns)
            for message in messages:
                for sequence in message.sequences if isinstance(message, Nack) else ():
                    found = numbers.feed_seq_of(sequence, newest)
                    assert found is None or first <= found <= newest
                    if found is not None and budget.grant(found, 1240, feedback.rtt_ms, now_ns):
                        resent += 1240
        assert HEADROOM * STREAM_BPS <= pacer.rate_bps <= START_BPS
        assert feedback.loss is None or 0 <= feedback.loss <= 1
        assert feedback.rtt_ms is None or 0 <= feedback.rtt_ms < MAX_RTT_MS
        assert len(feedback._reports) <= REPORTS_KEPT
        assert resent <= BURST_BYTES + RATE_BPS * (now_ns - START_NS) / 8e9
    assert read > ROUNDS / 2, "the mutations leave nothing to read"


@given(data=st.binary(max_size=400))
@QUICK
def test_random_bytes(data: bytes) -> None:
    with suppress(MalformedError):
        check(parse(data), len(data))


@given(
    kind=st.integers(200, 207), count=st.integers(0, 31), padded=st.booleans(), body=st.binary(max_size=200)
)
@QUICK
def test_random_bodies_under_a_right_header(kind: int, count: int, padded: bool, body: bytes) -> None:
    body += bytes(-len(body) % 4)
    header = bytes((0x80 | padded << 5 | count, kind)) + (len(body) // 4).to_bytes(2, "big")
    with suppress(MalformedError):
        check(parse(header + body), 4 + len(body))


@pytest.mark.parametrize("fill", [b"\x00", b"\xff", b"\x80", b"\x80\xc8\x00\x00", b"\x9f\xcd\x00\x00"])
def test_the_longest_compounds(fill: bytes) -> None:
    for size in (MAX_COMPOUND_BYTES, MAX_COMPOUND_BYTES + 1, 65_535):
        data = (fill * size)[:size]
        with suppress(MalformedError):
            check(parse(data), size)
