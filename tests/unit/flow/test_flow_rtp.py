"""RTP and RTCP against the layouts of RFC 3550, written out as bytes."""

from __future__ import annotations

import pytest

from flow.codec.rtp import (
    RtpPacket,
    SenderReport,
    Unwrapper,
    is_rtcp,
    parse_rtp,
    parse_sender_reports,
)
from flow.errors import MalformedError

# RFC 3550 5.1: V=2, marker, payload type 96, sequence 0x1234, timestamp, SSRC, two bytes of payload.
PLAIN = bytes.fromhex("80e01234 00015f90 cafebabe 0102")
# The same with one CSRC (CC=1), an extension (X) of one word and three bytes of padding (P).
DRESSED = bytes.fromhex("b1e01234 00015f90 cafebabe 11111111 bede0001 10aa0000 0102 000003")
PACKET = RtpPacket(96, True, 0x1234, 90_000, 0xCAFEBABE, b"\x01\x02")
# RFC 3550 6.4.1: SR without report blocks; 2026-11-22 04:49:00.5 UTC is NTP 0xEEAD... with half a fraction.
CAPTURED_NS = 1_795_322_940_500_000_000


def test_serialize_writes_the_rfc_layout() -> None:
    assert PACKET.serialize() == PLAIN


@pytest.mark.parametrize("datagram", [PLAIN, DRESSED], ids=["plain", "csrc, extension, padding"])
def test_parse_finds_the_payload(datagram: bytes) -> None:
    assert parse_rtp(datagram) == PACKET


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        PLAIN[:11],
        b"\x40" + PLAIN[1:],  # version 1
        b"\x8f" + PLAIN[1:],  # fifteen CSRCs that are not there
        b"\x90" + PLAIN[1:],  # an extension whose length is not there
        b"\x90" + PLAIN[1:12] + b"\xbe\xde\x00\x09",  # an extension longer than the packet
        b"\xa0" + PLAIN[1:-1] + b"\x00",  # padding that does not count itself
        b"\xa0" + PLAIN[1:-1] + b"\x03",  # padding longer than the payload
    ],
)
def test_parse_refuses_lengths_outside_the_datagram(datagram: bytes) -> None:
    with pytest.raises(MalformedError, match="RFC 3550"):
        parse_rtp(datagram)


def test_rtcp_is_told_from_rtp_by_its_packet_type() -> None:
    """RFC 5761 4: with the marker bit, RTP payload types 64 to 95 would look like RTCP; 96 never does."""
    report = SenderReport(1, CAPTURED_NS, 2, 3, 4).serialize()
    assert is_rtcp(report)
    assert not is_rtcp(PLAIN)
    assert not is_rtcp(report[:7])


def test_sender_report_layout_and_return() -> None:
    report = SenderReport(0xCAFEBABE, CAPTURED_NS, 0x01020304, 5, 6)
    wire = report.serialize(cname="abc")
    seconds = (CAPTURED_NS // 1_000_000_000 + 2_208_988_800).to_bytes(4, "big")
    assert wire == (
        bytes.fromhex("80c80006 cafebabe")
        + seconds
        + bytes.fromhex("80000000 01020304 00000005 00000006")
        # RFC 3550 6.5: SDES with one chunk, CNAME "abc", ended and padded by zeros.
        + bytes.fromhex("81ca0003 cafebabe 0103616263 000000")
    )
    assert parse_sender_reports(wire) == [report]


@pytest.mark.parametrize("ntp_ns", [0, 1, CAPTURED_NS, CAPTURED_NS + 1, 2_100_000_000_123_456_789])
def test_sender_report_keeps_times_to_the_nanosecond(ntp_ns: int) -> None:
    """The last lies in NTP era 1, after February 2036."""
    report = SenderReport(1, ntp_ns, 2, 3, 4)
    assert parse_sender_reports(report.serialize()) == [report]


@pytest.mark.parametrize("cname", ["a", "ab", "abc", "abcd", "lagebild"])
def test_rtcp_is_padded_to_whole_words(cname: str) -> None:
    wire = SenderReport(1, 2, 3, 4, 5).serialize(cname)
    assert len(wire) % 4 == 0
    assert len(parse_sender_reports(wire)) == 1


def test_other_rtcp_is_skipped_and_cut_off_rtcp_refused() -> None:
    receiver_report = bytes.fromhex("80c90001 00000001")
    wire = receiver_report + SenderReport(1, CAPTURED_NS, 2, 3, 4).serialize()
    assert len(parse_sender_reports(wire)) == 1
    for cut in (2, 10, 30, len(wire) - 1):
        with pytest.raises(MalformedError, match="RFC 3550"):
            parse_sender_reports(wire[:cut])


def test_sender_report_without_sender_info_is_refused() -> None:
    with pytest.raises(MalformedError, match="sender info"):
        parse_sender_reports(bytes.fromhex("80c80001 00000001"))


def test_unwrapper_follows_wraps_and_steps_back() -> None:
    unwrapper = Unwrapper(16)
    assert [unwrapper.unwrap(v) for v in (65_534, 65_535, 1, 0, 2, 65_535)] == [
        65_534, 65_535, 65_537, 65_536, 65_538, 65_535,
    ]  # fmt: skip


@pytest.mark.parametrize("bits", [16, 32, 33])
def test_unwrapper_extends_any_number_of_wraps(bits: int) -> None:
    unwrapper = Unwrapper(bits)
    step = (1 << bits) // 3
    values = [i * step for i in range(20)]
    assert [unwrapper.unwrap(v % (1 << bits)) for v in values] == values
