"""The feeder's stream as it arrives, and what is reckoned from it."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from flow.codec.annexb import split_nal_units
from flow.codec.h264 import Depacketizer, Picture
from flow.codec.rtp import is_rtcp, parse_rtp, parse_sender_reports
from tests.bench import clip
from tests.bench.feeder import Fed, feeding

CLIP_S = 2  # what is fed is encoded first, which takes half of its length
FED = Fed(epoch_ms=1000.0, clip_ms=30_000, bitrate_bps=1, packets_per_s=1.0, ssrc=1)


@pytest.mark.parametrize(
    ("strip_ms", "near_ms", "captured_ms"),
    [(0, 1000.0, 1000.0), (500, 1600.0, 1500.0), (29_967, 31_000.0, 30_967.0), (29_967, 31_010.0, 30_967.0),
     (33, 31_034.0, 31_033.0), (0, 91_000.0, 91_000.0), (10, 91_000.0, 61_010.0)],
)  # fmt: skip
def test_a_strip_is_of_the_last_round_before_it_was_seen(
    strip_ms: int, near_ms: float, captured_ms: float
) -> None:
    assert FED.captured_ms(strip_ms, near_ms) == captured_ms


def test_groups_fill_the_clip() -> None:
    with pytest.raises(ValueError, match="do not fill"):
        clip.access_units(7)


async def test_what_is_fed_begins_with_a_report_and_a_keyframe_and_keeps_its_clock() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        port.setblocking(False)
        loop = asyncio.get_running_loop()
        async with feeding([port.getsockname()], core=min(os.sched_getaffinity(0)), clip_s=CLIP_S) as fed:
            report = parse_sender_reports(await loop.sock_recv(port, 2048))[0]
            unpack, pictures = Depacketizer(), list[Picture]()
            while len(pictures) < 10:
                datagram = await asyncio.wait_for(loop.sock_recv(port, 2048), 5)
                assert not is_rtcp(datagram)  # the next is due after a second
                pictures += unpack.push(parse_rtp(datagram))
    assert report.ntp_ns / 1e6 == pytest.approx(fed.epoch_ms, abs=0.001)
    assert [split_nal_units(p.data) for p in pictures] == [
        split_nal_units(u) for u in clip.access_units(seconds=CLIP_S)[:10]
    ]
    assert [p.keyframe for p in pictures] == [True] + 9 * [False]
    steps = [(p.rtp_timestamp - report.rtp_timestamp) & 0xFFFF_FFFF for p in pictures]
    assert steps == [3000 * number for number in range(10)]
    assert fed.bitrate_bps == pytest.approx(clip.BITRATE_BPS, rel=0.03)
