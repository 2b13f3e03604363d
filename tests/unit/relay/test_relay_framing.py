"""relay/protocol/framing.py: RFC 4571."""

from __future__ import annotations

import random

import pytest

from flow.errors import MalformedError
from relay.protocol.framing import MAX_FRAME_BYTES, Deframer, framed, framed_run


def test_a_frame_is_its_length_and_the_datagram() -> None:
    assert framed(b"abc") == b"\x00\x03abc"
    assert framed(bytes(300))[:2] == b"\x01\x2c"
    assert Deframer().push(b"\x00\x03abc\x00\x01d") == [b"abc", b"d"]


def test_frames_come_out_however_the_stream_is_cut() -> None:
    chance = random.Random(4571)
    datagrams = [chance.randbytes(chance.randrange(1, 1500)) for _ in range(50)]
    stream = b"".join(map(framed, datagrams))
    for piece in (1, 2, 3, 7, 1000, len(stream)):
        deframer = Deframer()
        received: list[bytes] = []
        for at in range(0, len(stream), piece):
            received += deframer.push(stream[at : at + piece])
        assert received == datagrams


def test_empty_frames_are_left_out() -> None:
    assert Deframer().push(b"\x00\x00\x00\x01a\x00\x00") == [b"a"]


def test_the_longest_frame_passes_and_a_longer_one_is_refused_at_its_length() -> None:
    longest = bytes(MAX_FRAME_BYTES)
    assert Deframer().push(framed(longest)) == [longest]
    with pytest.raises(MalformedError, match="RFC 4571"):
        Deframer().push((MAX_FRAME_BYTES + 1).to_bytes(2, "big"))


def test_a_run_becomes_one_frame_a_segment_the_last_may_be_shorter() -> None:
    run = memoryview(bytes(range(10)))
    assert framed_run(run, 4) == framed(run[:4]) + framed(run[4:8]) + framed(run[8:])
    assert framed_run(run, 5) == framed(run[:5]) + framed(run[5:])
    assert framed_run(run, 10) == framed(run)
