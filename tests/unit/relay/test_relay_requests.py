"""What we ask a publisher for, read by aiortc."""

from __future__ import annotations

import random

import pytest
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, unpack_remb_fci

from relay.protocol import requests, rtcp

OURS, THEIRS = 0x01020304, 0x0A0B0C0D


@pytest.mark.parametrize(
    ("sequences", "fields"),
    [
        ((7,), [(7, 0)]),
        ((7, 8, 23), [(7, 0x8001)]),
        ((7, 24), [(7, 0), (24, 0)]),
        ((0xFFFF, 0, 15), [(0xFFFF, 0x8001)]),
    ],
)
def test_neighbours_share_a_field(sequences: tuple[int, ...], fields: list[tuple[int, int]]) -> None:
    packet = requests.nack(OURS, THEIRS, sequences)
    body = b"".join(pid.to_bytes(2, "big") + blp.to_bytes(2, "big") for pid, blp in fields)
    assert packet[12:] == body
    (read,) = RtcpPacket.parse(packet)
    assert isinstance(read, RtcpRtpfbPacket)
    assert (read.fmt, read.ssrc, read.media_ssrc) == (1, OURS, THEIRS)
    assert tuple(number % 0x10000 for number in read.lost) == sequences  # aiortc counts on


def test_what_the_relays_own_reader_makes_of_it() -> None:
    rng = random.Random(3)
    sequences = tuple(sorted(rng.sample(range(0x10000), 200)))
    assert rtcp.parse(requests.nack(OURS, THEIRS, sequences)) == [rtcp.Nack(THEIRS, sequences)]
    assert rtcp.parse(requests.pli(OURS, THEIRS)) == [rtcp.PictureLoss(THEIRS)]


def test_a_keyframe() -> None:
    (read,) = RtcpPacket.parse(requests.pli(OURS, THEIRS))
    assert isinstance(read, RtcpPsfbPacket)
    assert (read.fmt, read.ssrc, read.media_ssrc, read.fci) == (1, OURS, THEIRS, b"")


@pytest.mark.parametrize("bitrate_bps", [0, 1, 262_143, 500_000, 20_000_000, (1 << 40) + 12_345])
def test_a_bit_rate_keeps_18_bits(bitrate_bps: int) -> None:
    (read,) = RtcpPacket.parse(requests.remb(OURS, THEIRS, bitrate_bps))
    assert isinstance(read, RtcpPsfbPacket)
    assert (read.fmt, read.media_ssrc) == (15, 0)
    told_bps, ssrcs = unpack_remb_fci(read.fci)
    assert ssrcs == [THEIRS]
    assert bitrate_bps * (1 - 2**-17) <= told_bps <= bitrate_bps
