"""RTCP as viewers write it: golden packets from the RFCs' figures, and aiortc's own serializers."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from aiortc import rtp
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.codec.rtp import SenderReport
from flow.errors import MalformedError
from relay.protocol.rtcp import (
    MAX_COMPOUND_BYTES,
    MAX_NACKED,
    FullIntra,
    Message,
    Nack,
    PictureLoss,
    ReceiverReport,
    Remb,
    compact_ntp,
    parse,
)

VIEWER, MEDIA = 0x1, 0xCAFEBABE
QUICK = settings(derandomize=True, deadline=None, max_examples=150)
U32 = st.integers(0, 0xFFFF_FFFF)
NOW_NS = 1_795_330_000_123_456_789


def packet(packet_type: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, packet_type, len(body) // 4) + body


def feedback(packet_type: int, kind: int, information: bytes = b"") -> bytes:
    return packet(packet_type, kind, struct.pack("!II", VIEWER, MEDIA) + information)


def test_receiver_report_of_rfc_3550_6_4_2() -> None:
    body = bytes.fromhex("00000001 cafebabe 40 fffffd 00012345 0000005a 12345678 00010000")
    assert parse(packet(201, 1, body)) == [
        ReceiverReport(MEDIA, 0.25, -3, 0x12345, 90, 0x12345678, 0x10000),
    ]


def test_report_blocks_of_a_viewer_that_also_sends() -> None:
    info = rtp.RtcpReceiverInfo(MEDIA, 1, 2, 3, 4, 5, 6)
    report = rtp.RtcpSrPacket(VIEWER, rtp.RtcpSenderInfo(1, 2, 3, 4), [info])
    assert parse(bytes(report)) == [ReceiverReport(MEDIA, 1 / 256, 2, 3, 4, 5, 6)]


def test_nack_names_the_packet_and_the_sixteen_after_it() -> None:
    information = struct.pack("!HHHH", 100, 0b1000_0000_0000_0101, 0xFFFE, 0b11)
    nacked = (100, 101, 103, 116, 0xFFFE, 0xFFFF, 0)  # wraps
    assert parse(feedback(205, 1, information)) == [Nack(MEDIA, nacked)]


def test_requests_for_a_keyframe() -> None:
    fir = struct.pack("!IB3xIB3x", 7, 200, 8, 201)
    assert parse(feedback(206, 1) + feedback(206, 4, fir)) == [
        PictureLoss(MEDIA),
        FullIntra(7, 200),
        FullIntra(8, 201),
    ]


def test_what_nobody_asks_for_is_skipped() -> None:
    sdes = SenderReport(MEDIA, NOW_NS, 0, 0, 0).serialize()
    transport_wide = feedback(205, 15, bytes(8))
    afb = feedback(206, 15, b"XXXX" + bytes(4))
    bye = packet(203, 2, struct.pack("!II", 1, 2) + b"\3bye")
    reference_time = packet(207, 0, bytes.fromhex("00000001 04000002 e1234567 89abcdef"))
    pli = feedback(206, 1)
    assert parse(sdes + transport_wide + afb + reference_time + pli + bye) == [PictureLoss(MEDIA)]


@given(
    blocks=st.lists(
        st.builds(
            rtp.RtcpReceiverInfo,
            U32,
            st.integers(0, 255),
            st.integers(-(1 << 23), (1 << 23) - 1),
            U32,
            U32,
            U32,
            U32,
        ),
        max_size=31,
    )
)
@QUICK
def test_receiver_reports_of_aiortc(blocks: list[rtp.RtcpReceiverInfo]) -> None:
    expected = [
        ReceiverReport(
            b.ssrc, b.fraction_lost / 256, b.packets_lost, b.highest_sequence, b.jitter, b.lsr, b.dlsr
        )
        for b in blocks
    ]
    assert parse(bytes(rtp.RtcpRrPacket(VIEWER, blocks))) == expected


@given(lost=st.sets(st.integers(0, 0xFFFF), min_size=1, max_size=400))
@QUICK
def test_nacks_of_aiortc(lost: set[int]) -> None:
    nack = rtp.RtcpRtpfbPacket(1, VIEWER, MEDIA, sorted(lost))
    assert parse(bytes(nack)) == [Nack(MEDIA, tuple(sorted(lost)))]


@given(mantissa=st.integers(0, (1 << 18) - 1), exponent=st.integers(0, 63), ssrcs=st.lists(U32, max_size=255))
@QUICK
def test_remb_is_read_as_aiortc_reads_it(mantissa: int, exponent: int, ssrcs: list[int]) -> None:
    fields = struct.pack("!I", len(ssrcs) << 24 | exponent << 18 | mantissa)
    information = b"REMB" + fields + struct.pack(f"!{len(ssrcs)}I", *ssrcs)
    bitrate_bps, read_ssrcs = rtp.unpack_remb_fci(information)
    assert bitrate_bps == mantissa << exponent
    assert parse(feedback(206, 15, information)) == [Remb(bitrate_bps, tuple(read_ssrcs))]


@given(bitrate_bps=st.integers(0, 1 << 80))
@QUICK
def test_remb_that_aiortc_writes_loses_less_than_its_mantissa_holds(bitrate_bps: int) -> None:
    information = rtp.pack_remb_fci(bitrate_bps, [MEDIA])
    (remb,) = parse(bytes(rtp.RtcpPsfbPacket(15, VIEWER, 0, information)))
    assert isinstance(remb, Remb)
    assert remb.ssrcs == (MEDIA,)
    assert 0 <= bitrate_bps - remb.bitrate_bps <= bitrate_bps >> 17


def test_a_compound_keeps_its_order() -> None:
    compound = (
        bytes(rtp.RtcpRrPacket(VIEWER, []))
        + bytes(rtp.RtcpSdesPacket([rtp.RtcpSourceInfo(VIEWER, [(1, b"viewer")])]))
        + bytes(rtp.RtcpPsfbPacket(15, VIEWER, 0, rtp.pack_remb_fci(4_000_000, [MEDIA])))
        + bytes(rtp.RtcpPsfbPacket(1, VIEWER, MEDIA))
        + bytes(rtp.RtcpRtpfbPacket(1, VIEWER, MEDIA, [9]))
        + bytes(rtp.RtcpByePacket([VIEWER]))
    )
    assert parse(compound) == [
        Remb(4_000_000, (MEDIA,)),
        PictureLoss(MEDIA),
        Nack(MEDIA, (9,)),
    ]


def test_padding_is_no_information() -> None:
    body = struct.pack("!IIHH", VIEWER, MEDIA, 5, 0) + b"\0\0\0\4"
    assert parse(struct.pack("!BBH", 0xA1, 205, len(body) // 4) + body) == [Nack(MEDIA, (5,))]


def test_our_reports_time_in_the_viewers_form() -> None:
    report = SenderReport(MEDIA, NOW_NS, 0, 0, 0).serialize()
    assert compact_ntp(NOW_NS) == struct.unpack_from("!I", report, 10)[0]


COMPLETE = [
    bytes(rtp.RtcpRrPacket(VIEWER, [rtp.RtcpReceiverInfo(MEDIA, 1, 2, 3, 4, 5, 6)])),
    bytes(
        rtp.RtcpSrPacket(VIEWER, rtp.RtcpSenderInfo(1, 2, 3, 4), [rtp.RtcpReceiverInfo(1, 1, 2, 3, 4, 5, 6)])
    ),
    feedback(206, 1),
    feedback(206, 4, struct.pack("!IB3x", MEDIA, 1)),
    bytes(rtp.RtcpPsfbPacket(15, VIEWER, 0, rtp.pack_remb_fci(4_000_000, [MEDIA]))),
]


@pytest.mark.parametrize("complete", COMPLETE)
def test_a_packet_without_its_last_word_is_malformed(complete: bytes) -> None:
    assert len(parse(complete)) == 1
    with pytest.raises(MalformedError):
        parse(complete[:-4])  # its length exceeds the datagram
    shorter = complete[:2] + struct.pack("!H", len(complete) // 4 - 2) + complete[4:-4]
    with pytest.raises(MalformedError):
        parse(shorter)  # its length is right, but what it holds is cut off


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x80",
        b"\x80\xc9\x00",
        b"\x40\xc9\x00\x01\x00\x00\x00\x01",  # version 1
        b"\xa0\xc9\x00\x00",  # padding, but no body
        b"\xa0\xcb\x00\x01\x00\x00\x00\x00",  # padding of 0
        b"\xa0\xc9\x00\x01\x00\x00\x00\x05",  # padding of more than there is
        feedback(206, 4, bytes(4)),  # half an entry
        packet(206, 1, bytes(4)),  # one SSRC
        struct.pack("!BBH", 0xA1, 205, 3) + bytes(8) + b"\0\0\0\2",  # padding inside a NACK field
        b"REMB",
        bytes(MAX_COMPOUND_BYTES + 4),
    ],
)
def test_malformed(wrong: bytes) -> None:
    with pytest.raises(MalformedError):
        parse(wrong)


def test_a_hostile_nack_is_cut() -> None:
    fields = b"\0\0\xff\xff" * 100
    messages = parse(feedback(205, 1, fields) * 4)
    assert sum(len(nack.sequences) for nack in messages if isinstance(nack, Nack)) == MAX_NACKED
    assert len(messages) == 4


def test_the_largest_compound_makes_few_messages() -> None:
    most = max(len(parse(one * (MAX_COMPOUND_BYTES // len(one)))) for one in [*COMPLETE, feedback(205, 1)])
    assert most == MAX_COMPOUND_BYTES // len(feedback(205, 1))


def test_messages_are_values() -> None:
    messages: list[Message] = parse(b"".join(COMPLETE)) + parse(b"".join(COMPLETE))
    half = len(messages) // 2
    assert messages[:half] == messages[half:]
    assert all(a != b for a, b in pairwise(messages[:half]))
