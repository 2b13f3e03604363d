"""Which packets begin a keyframe, and when one is asked for."""

from __future__ import annotations

from contextlib import suppress

import pytest

from flow.clock import NS_PER_S
from flow.codec import h264, h265
from flow.errors import MalformedError
from flow.units import Codec
from relay.protocol.keyframes import ASK_EVERY_NS, KeyframeWish, begins_keyframe

START = b"\x00\x00\x00\x01"
SPS, PPS, IDR, SLICE, AUD = b"\x67\x42\x00\x1e", b"\x68\xce", b"\x65\x88\x80", b"\x41\x9a", b"\x09\x10"
REST = b"\xff" * 150
VPS, CRA, TRAIL = b"\x40\x01\x0c", b"\x2a\x01\x80", b"\x02\x01\xd0"


def h264_payloads(*nals: bytes, max_payload: int = 100) -> list[bytes]:
    return h264.packetize(b"".join(START + nal for nal in nals), max_payload)


def h265_payloads(*nals: bytes, max_payload: int = 100) -> list[bytes]:
    return h265.packetize(b"".join(START + nal for nal in nals), max_payload)


@pytest.mark.parametrize(
    ("nals", "begins"),
    [
        ((SPS, PPS), [True]),
        ((AUD, SPS, PPS, IDR), [True, True]),
        ((IDR,), [True]),
        ((IDR + REST,), [True, False]),
        ((SLICE,), [False]),
        ((AUD, SLICE + REST), [False, False, False]),
    ],
)
def test_h264(nals: tuple[bytes, ...], begins: list[bool]) -> None:
    assert [begins_keyframe(Codec.H264, payload) for payload in h264_payloads(*nals)] == begins


@pytest.mark.parametrize(
    ("nals", "begins"),
    [
        ((VPS, CRA), [True, True]),
        ((VPS, VPS), [True]),
        ((CRA + REST,), [True, False]),
        ((TRAIL,), [False]),
        ((TRAIL + REST,), [False, False]),
    ],
)
def test_h265(nals: tuple[bytes, ...], begins: list[bool]) -> None:
    assert [begins_keyframe(Codec.H265, payload) for payload in h265_payloads(*nals)] == begins


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("payload", [b"", b"\x18", b"\x1c", b"\x60", b"\x62\x01"])
def test_what_is_cut_off_begins_nothing(codec: Codec, payload: bytes) -> None:
    with suppress(MalformedError):
        assert not begins_keyframe(codec, payload)


def test_a_keyframe_is_asked_for_at_once_and_then_once_a_second_until_it_is_there() -> None:
    wish = KeyframeWish()
    assert wish.due(0)
    assert not wish.due(ASK_EVERY_NS - 1)
    assert wish.due(NS_PER_S)
    wish.wanted = False
    assert not wish.due(10 * NS_PER_S)
    wish.wanted = True
    assert wish.due(10 * NS_PER_S)
