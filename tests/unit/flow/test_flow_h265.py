"""RFC 7798: golden payloads, fragments lost and found. What is shared with H.264 is tested there."""

from __future__ import annotations

import pytest

from flow.codec.annexb import join_nal_units
from flow.codec.h265 import Depacketizer, Picture, is_keyframe, packetize
from flow.codec.rtp import RtpPacket

VPS, SPS, PPS = b"\x40\x01\x0c", b"\x42\x01\x01\x02", b"\x44\x01\xc1"
IDR = b"\x26\x01" + b"\xaf" * 2500  # IDR_W_RADL, first_slice_segment_in_pic_flag set
TRAIL = b"\x02\x01" + b"\xd0" * 2500


def sent(payloads: list[bytes], timestamp: int = 0, sequence: int = 0) -> list[RtpPacket]:
    last = len(payloads) - 1
    return [RtpPacket(96, i == last, sequence + i, timestamp, 1, x) for i, x in enumerate(payloads)]


def test_parameter_sets_share_an_aggregation_packet() -> None:
    """RFC 7798 4.4.2: payload header of type 48, then 16-bit sizes."""
    assert packetize(join_nal_units([VPS, SPS, PPS, IDR[:50]])) == [
        b"\x60\x01" + b"\x00\x03" + VPS + b"\x00\x04" + SPS + b"\x00\x03" + PPS,
        IDR[:50],
    ]


def test_a_large_nal_unit_becomes_fragmentation_units() -> None:
    """RFC 7798 4.4.3: payload header of type 49, FU header S|E|type 19, the NAL header is not repeated."""
    payloads = packetize(join_nal_units([IDR]), 1200)
    assert [payload[:3] for payload in payloads] == [b"\x62\x01\x93", b"\x62\x01\x13", b"\x62\x01\x53"]
    assert [len(payload) for payload in payloads] == [837, 837, 835]


def test_packets_give_back_the_picture() -> None:
    unit = join_nal_units([VPS, SPS, PPS, IDR])
    depacketizer = Depacketizer()
    received = [x for packet in sent(packetize(unit)) for x in depacketizer.push(packet)]
    assert received == [Picture(unit, 0, True, False)]


def test_a_lost_fragment_damages() -> None:
    depacketizer = Depacketizer()
    packets = sent(packetize(join_nal_units([IDR]))) + sent(packetize(join_nal_units([TRAIL])), 3000, 3)
    packets += sent(packetize(join_nal_units([TRAIL])), 6000, 6)
    del packets[4]
    received = [x for packet in packets for x in depacketizer.push(packet)]
    assert [(x.rtp_timestamp, x.keyframe, x.damaged) for x in received] == [
        (0, True, False),
        (6000, False, True),
    ]
    assert depacketizer.lost_packets == 1


def test_keyframes() -> None:
    cra, bla, trail = b"\x2a\x01\x80", b"\x20\x01\x80", b"\x02\x01\x80"
    recovery_point = b"\x4e\x01\x06\x01\x80\x80"
    assert [is_keyframe([nal]) for nal in (IDR, cra, bla, trail)] == [True, True, True, False]
    assert is_keyframe([recovery_point, trail])


@pytest.mark.parametrize(
    "payload",
    [
        b"\x02",  # half a header
        b"\x02\x01",  # a header alone
        b"\x60\x01\x00\x09\x40",  # an aggregated NAL unit longer than the packet
        b"\x62\x01\x93",  # a fragment of nothing
        b"\x64\x01\x00\x00\x00",  # PACI, 4.4.4
    ],
)
def test_malformed_payloads_are_counted(payload: bytes) -> None:
    depacketizer = Depacketizer()
    assert depacketizer.push(RtpPacket(96, True, 0, 0, 1, payload)) == []
    assert depacketizer.malformed_packets == 1
